// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "label/container/flac_blocks.h"
#include "label/container/id3v2.h"
#include "label/container/ogg_pages.h"
#include "label/container/riff_chunks.h"
#include "label/container/vorbis_comment.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {
namespace {

TEST_CASE("the Ogg checksum is the published one of its polynomial") {
    // CRC-32/CKSUM without its length and final inversion: the check value of "123456789".
    CHECK(ogg_checksum(as_bytes("123456789")) == 0x89A1897F);
}

TEST_CASE("renumbering through the difference gives what counting the whole page gives") {
    for (const std::size_t size : {0U, 1U, 254U, 255U, 256U, 5000U, 60000U}) {
        CAPTURE(size);
        const std::vector<Buffer> packets{Buffer(size, 0xA5)};
        const Buffer before = lay_ogg_pages(packets, {.serial = 7, .sequence = 3})[0];
        const Buffer after = lay_ogg_pages(packets, {.serial = 7, .sequence = 0xFFFF0001})[0];
        const OggPage page = read_ogg_page(before, 0).value();
        CHECK(renumbered_checksum(page, 0xFFFF0001) == load_le32(Bytes(after).subspan(22)));
        CHECK(renumbered_checksum(page, 3) == page.checksum);
    }
}

TEST_CASE("packets are laid onto the number of pages that is wished, where that is possible") {
    for (const std::size_t size : {10U, 1000U, 65025U, 65026U, 200000U}) {
        for (const std::uint64_t wish : {1U, 2U, 3U, 9U}) {
            CAPTURE(size);
            CAPTURE(wish);
            const std::vector<Buffer> packets{Buffer(size, 1), Buffer(300, 2)};
            const auto pages = lay_ogg_pages(packets, {.serial = 1, .pages_min = wish});
            const std::size_t segments = size / 255 + 1 + 2;
            const std::size_t needed = (segments + 254) / 255;
            CHECK(pages.size() == std::max(needed, std::min<std::size_t>(wish, segments)));
            Buffer joined;
            for (const Buffer& bytes : pages) {
                const OggPage page = read_ogg_page(bytes, 0).value();
                CHECK(ogg_checksum_matches(bytes, page));
                CHECK_FALSE(page.lacing.empty());
                append(joined, page.body);
            }
            Buffer expected(size, 1);
            append(expected, Buffer(300, 2));
            CHECK(joined == expected);
        }
    }
}

TEST_CASE("nested lists stay closed, however deep") {
    Buffer inner;
    for (int depth = 0; depth < 1000; ++depth) {
        Buffer data = to_buffer("bomb");
        append(data, inner);
        inner = make_riff_chunk("LIST", data);
    }
    Buffer body = to_buffer("AVI ");
    append(body, inner);
    const Buffer file = make_riff_chunk("RIFF", body);
    const RiffFile riff = walk_riff(file).value();
    REQUIRE(riff.chunks.size() == 1);
    CHECK(riff_list_kind(file, riff.chunks[0]) == "bomb");
    CHECK(walk_riff_list(file, riff.chunks[0]).value().size() == 1);
}

TEST_CASE("a RIFF that would pass 4 GiB is refused with advice") {
    Buffer body = to_buffer("WAVE");
    append(body, make_riff_chunk("data", Buffer(4)));
    const Buffer file = make_riff_chunk("RIFF", body);
    const auto patches = resize_riff(file, walk_riff(file).value(), 0xFFFFFFFF);
    REQUIRE_FALSE(patches.ok());
    CHECK(patches.error().code == ErrorCode::kLimit);
    CHECK(patches.error().what.find("RF64") != std::string::npos);
}

TEST_CASE("text of ID3 frames comes back in every version and in both scripts") {
    for (const std::uint8_t version : {std::uint8_t{2}, std::uint8_t{3}, std::uint8_t{4}}) {
        for (const std::uint8_t flags : {std::uint8_t{0}, std::uint8_t{0x80}}) {
            for (const char* value : {"plain", "\xE6\xA0\x87\xE8\xAF\x86 \xF0\x9F\x98\x80"}) {
                Id3Tag tag;
                tag.version = version;
                tag.flags = flags;
                const Buffer frame = make_user_text(tag, {.name = "AIGC", .value = value});
                const Buffer file = make_id3_tag(tag, frame, 0).value();
                const Id3Tag read = read_id3_tag(file, 0).value().value();
                REQUIRE(read.frames.size() == 1);
                const auto text = read_user_text(read, read.body(file), read.frames[0]);
                REQUIRE(text.has_value());
                CHECK(text->name == "AIGC");
                CHECK(text->value == value);
            }
        }
    }
}

TEST_CASE("an ID3 tag with footer or extended header is read to its end") {
    Id3Tag tag;
    tag.version = 4;
    tag.footer = true;
    tag.flags = 0x10;
    const Buffer frame = make_user_text(tag, {.name = "a", .value = "b"});
    const Buffer file = make_id3_tag(tag, frame, 0).value();
    CHECK(file.size() == 20 + frame.size());
    CHECK(read_id3_tag(file, 0).value().value().end() == file.size());
    Buffer extended =
        to_buffer(std::string_view("ID3\x03\0\x40\0\0\0\x1D\0\0\0\x06\0\0\0\0\0\0", 20));
    Id3Tag old;
    old.version = 3;
    append(extended, make_user_text(old, {.name = "a", .value = "b"}));
    extended.resize(39);
    const Id3Tag read = read_id3_tag(extended, 0).value().value();
    CHECK(read.frames_begin == 10);
    CHECK(read.frames.size() == 1);
}

TEST_CASE("a FLAC file must begin with STREAMINFO") {
    Buffer file = to_buffer("fLaC");
    append(file, make_flac_header(kFlacStreamInfo, true, 34));
    append(file, Buffer(34));
    CHECK(walk_flac(file, 0).value().audio_offset == file.size());
    file[4] = 0x80 | kFlacPadding;
    CHECK_FALSE(walk_flac(file, 0).ok());
}

TEST_CASE("a comment count of four thousand million costs nothing") {
    Buffer list;
    append_le32(list, 0);
    append_le32(list, 0xFFFFFFFF);
    const auto comments = read_vorbis_comments(list, 100);
    REQUIRE_FALSE(comments.ok());
    CHECK(comments.error().code == ErrorCode::kCorrupt);
    CHECK(comments.error().what.find("at byte 108") != std::string::npos);
}

}  // namespace
}  // namespace colophon::label
