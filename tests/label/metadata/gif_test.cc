// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "label/container/gif_blocks.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "label/metadata/pictures.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::label {
namespace {

const std::string kWrapped = R"({"AIGC":{"Label":"1","ContentProducer":"p","ProduceID":"7"}})";

// Screen, NETSCAPE2.0, `extra`, one picture, trailer.
Buffer make_gif(Bytes extra) {
    Buffer file = to_buffer("GIF89a");
    append(file, from_hex("01000100800000000000ffffff21ff0b").value());
    append(file, "NETSCAPE2.0");
    append(file, from_hex("0301000000").value());
    append(file, extra);
    append(file, from_hex("2c00000000010001000002024401003b").value());
    return file;
}

Buffer comment(std::string_view text) {
    Buffer block{0x21, gif::kComment};
    append(block, make_gif_sub_blocks(as_bytes(text)));
    return block;
}

TEST_CASE("the packet lies bare behind the leading extensions and ends with the magic trailer") {
    const Buffer labelled = write_label(Format::kGif, make_gif({}), kAigc);
    const GifFile gif = walk_gif(labelled).value();
    REQUIRE(gif.blocks.size() == 4);
    CHECK(gif.blocks[0].application() == "NETSCAPE2.0");
    CHECK(gif.blocks[1].application() == "XMP DataXMP");
    const Bytes content = gif.blocks[1].sub_blocks.subspan(12);
    CHECK(starts_with(content, "<?xpacket begin="));
    const Bytes trailer = content.last(258);
    CHECK(trailer[0] == 1);
    for (std::size_t i = 1; i < 257; ++i) {
        CHECK(trailer[i] == 256 - i);
    }
    CHECK(trailer[257] == 0);
    CHECK(as_text(content.first(content.size() - 258)).ends_with("<?xpacket end=\"w\"?>"));
}

TEST_CASE("a packet cut into ordinary sub-blocks is read and written bare") {
    const Buffer bare = write_label(Format::kGif, make_gif({}), kOtherAigc);
    const GifFile gif = walk_gif(bare).value();
    const Bytes content = gif.blocks[1].sub_blocks.subspan(12);
    Buffer block{0x21, gif::kApplication, 11};
    append(block, "XMP DataXMP");
    append(block, make_gif_sub_blocks(content.first(content.size() - 258)));
    const Buffer cut = make_gif(block);
    check_only_label(Format::kGif, cut, kOtherAigc);
    CHECK(write_label(Format::kGif, cut, kOtherAigc) == cut);
    CHECK(write_label(Format::kGif, cut, kAigc) == write_label(Format::kGif, bare, kAigc));
    // c2pa-rs cuts the trailer with the packet.
    Buffer both{0x21, gif::kApplication, 11};
    append(both, "XMP DataXMP");
    append(both, make_gif_sub_blocks(content));
    check_only_label(Format::kGif, make_gif(both), kOtherAigc);
    CHECK(write_label(Format::kGif, make_gif(both), kAigc) ==
          write_label(Format::kGif, bare, kAigc));
}

TEST_CASE("a label in a comment is read and cut out; other comments stay") {
    const Buffer file = make_gif(comment("seen " + kWrapped));
    const MetadataReading reading = read_label(Format::kGif, file);
    REQUIRE(reading.sites.size() == 1);
    CHECK(reading.sites[0].where == "gif comment");
    CHECK(reading.sites[0].value == kWrapped);
    const Buffer labelled = write_label(Format::kGif, file, kAigc);
    CHECK(as_text(labelled).find("\x05seen \0") != std::string_view::npos);
    CHECK(read_label(Format::kGif, labelled).sites.size() == 1);
    check_only_label(Format::kGif, labelled, kAigc);
    CHECK(write_label(Format::kGif, make_gif(comment(kWrapped)), kAigc) ==
          write_label(Format::kGif, make_gif({}), kAigc));
}

TEST_CASE("GIF87a becomes GIF89a, because extensions exist since then") {
    Buffer file = make_gif({});
    file[4] = '7';
    const Buffer labelled = write_label(Format::kGif, file, kAigc);
    CHECK(starts_with(labelled, "GIF89a"));
    CHECK(labelled == write_label(Format::kGif, make_gif({}), kAigc));
}

}  // namespace
}  // namespace colophon::label
