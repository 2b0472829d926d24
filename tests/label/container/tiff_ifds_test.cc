// SPDX-License-Identifier: Apache-2.0
#include "label/container/tiff_ifds.h"

#include "core/bytes.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace colophon::label {
namespace {

// Two directories; the first holds ImageDescription "hello!" (outside) and an inline LONG.
Buffer tiny_tiff(ByteOrder order, bool big) {
    TiffHeader header;
    header.order = order;
    header.big = big;
    Buffer file = to_buffer(order == ByteOrder::kLittle ? "II" : "MM");
    append_u16(file, big ? 43 : 42, order);
    if (big) {
        append_u16(file, 8, order);
        append_u16(file, 0, order);
    }
    const std::uint64_t text = big ? 16 : 8;
    header.append_offset(file, text + 10);
    append(file, "hello!text");
    const auto entry = [&](std::uint16_t tag, std::uint16_t type, std::uint64_t count) {
        append_u16(file, tag, order);
        append_u16(file, type, order);
        header.append_offset(file, count);
    };
    const auto count = [&](std::uint16_t entries) {
        big ? append_u64(file, entries, order) : append_u16(file, entries, order);
    };
    count(2);
    entry(tiff::kImageDescription, tiff::kTypeAscii, 10);
    header.append_offset(file, text);
    entry(tiff::kExifIfd, tiff::kTypeLong, 1);
    append_u32(file, 4711, order);
    file.resize(file.size() + header.offset_bytes() - 4);
    header.append_offset(file, file.size() + header.offset_bytes());
    count(1);
    entry(tiff::kXmp, 99, 7);
    header.append_offset(file, 0);
    header.append_offset(file, 0);
    return file;
}

TEST_CASE("directories and values are found in both byte orders, classic and BigTIFF") {
    for (const ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
        for (const bool big : {false, true}) {
            CAPTURE(big);
            // ImageDescription of BigTIFF has 10 bytes, so that it does not fit in the entry.
            const Buffer file = tiny_tiff(order, big);
            const TiffHeader header = read_tiff_header(file).value();
            CHECK(header.big == big);
            const std::vector<TiffIfd> ifds = walk_tiff(file, header).value();
            REQUIRE(ifds.size() == 2);
            REQUIRE(ifds[0].entries.size() == 2);
            const TiffEntry* text = ifds[0].find(tiff::kImageDescription);
            REQUIRE(text != nullptr);
            CHECK(as_text(text->value.value()) == "hello!text");
            CHECK(text->value_offset == (big ? 16 : 8));
            const TiffEntry* exif = ifds[0].find(tiff::kExifIfd);
            REQUIRE(exif != nullptr);
            CHECK(tiff_number(header, *exif) == 4711);
            CHECK(exif->value_offset == exif->offset + (big ? 12 : 8));
            // An unknown field type is no error; its value is simply not known.
            const TiffEntry* unknown = ifds[1].find(tiff::kXmp);
            REQUIRE(unknown != nullptr);
            CHECK_FALSE(unknown->value.has_value());
            CHECK(ifds[1].offset + ifds[1].size == file.size());
            CHECK(ifds[1].next == 0);
        }
    }
}

TEST_CASE("a TIFF cut at any byte is corrupt") {
    const Buffer file = tiny_tiff(ByteOrder::kBig, false);
    for (std::size_t size = 0; size < file.size(); ++size) {
        CAPTURE(size);
        const Bytes cut = Bytes(file).first(size);
        const auto header = read_tiff_header(cut);
        const ErrorCode code =
            header.ok() ? walk_tiff(cut, *header).error().code : header.error().code;
        CHECK(code == ErrorCode::kCorrupt);
    }
}

TEST_CASE("directories that point back are a loop, not an endless walk") {
    Buffer file = tiny_tiff(ByteOrder::kLittle, false);
    const TiffHeader header = read_tiff_header(file).value();
    store_le32(file, file.size() - 4, static_cast<std::uint32_t>(header.ifd0_offset));
    CHECK(walk_tiff(file, header).error().what == "the TIFF directories form a loop at byte 18");
}

TEST_CASE("a chain that shares the bytes of its directories ends at the limit of entries") {
    // 65535 entries each and a directory every four bytes: 2^22 entries in 64 directories.
    constexpr std::size_t kLink = 2 + 65535U * 12U;
    Buffer file = to_buffer(std::string_view("II*\0\x08\0\0\0", 8));
    file.resize(8 + kLink + 65U * 4U, 0xFF);
    for (std::size_t i = 0; i < 64; ++i) {
        store_le32(file, 8 + 4 * i + kLink, static_cast<std::uint32_t>(8 + 4 * (i + 1)));
    }
    const TiffHeader header = read_tiff_header(file).value();
    CHECK(walk_tiff(file, header).error().code == ErrorCode::kLimit);
}

TEST_CASE("the pages of a TIFF made by ImageMagick are a chain of directories") {
    const test::TempDir dir;
    const std::string path = dir.file("a.tif");
    test::run_tool_ok({"/usr/bin/convert", "-size", "40x30", "plasma:red-blue",
                       "plasma:green-yellow", "-compress", "zip", path});
    const Buffer file = test::read_file(path);
    CHECK(walk_tiff(file, read_tiff_header(file).value()).value().size() == 2);
}

}  // namespace
}  // namespace colophon::label
