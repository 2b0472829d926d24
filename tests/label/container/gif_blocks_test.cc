// SPDX-License-Identifier: Apache-2.0
#include "label/container/gif_blocks.h"

#include "core/bytes.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace colophon::label {
namespace {

// Screen 1x1 with two colours, NETSCAPE2.0, a comment, one picture, the trailer.
Buffer tiny_gif() {
    Buffer file = to_buffer("GIF89a");
    append(file, from_hex("01000100800000"
                          "000000ffffff")
                     .value());
    append(file, from_hex("21ff0b").value());
    append(file, "NETSCAPE2.0");
    append(file, from_hex("0301000000").value());
    append(file, from_hex("21fe02686900").value());
    append(file, from_hex("2c00000000010001000002024401003b").value());
    return file;
}

TEST_CASE("blocks are found with kind, place and application") {
    Buffer file = tiny_gif();
    const std::size_t size = file.size();
    append(file, "x");
    const GifFile gif = walk_gif(file).value();
    CHECK(gif.version_89a);
    CHECK(gif.header_end == 19);
    REQUIRE(gif.blocks.size() == 4);
    CHECK(gif.blocks[0].application() == "NETSCAPE2.0");
    CHECK(gif.blocks[0].size == 19);
    CHECK(gif.blocks[1].label == gif::kComment);
    CHECK(gif.blocks[1].application().empty());
    CHECK(as_text(join_gif_sub_blocks(gif.blocks[1].sub_blocks)) == "hi");
    CHECK(gif.blocks[2].kind == GifBlockKind::kPicture);
    CHECK(gif.blocks[3].kind == GifBlockKind::kTrailer);
    CHECK(gif.end == size);
}

TEST_CASE("a GIF cut at any byte is corrupt") {
    const Buffer file = tiny_gif();
    for (std::size_t size = 0; size < file.size(); ++size) {
        CAPTURE(size);
        const auto result = walk_gif(Bytes(file).first(size));
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().code == ErrorCode::kCorrupt);
    }
}

TEST_CASE("sub-blocks cut and joined give the same bytes at every size about 255") {
    for (const std::size_t size : {0U, 1U, 254U, 255U, 256U, 510U, 511U}) {
        CAPTURE(size);
        const Buffer content(size, 'x');
        const Buffer cut = make_gif_sub_blocks(content);
        CHECK(cut.size() == size + (size + 254) / 255 + 1);
        CHECK(join_gif_sub_blocks(cut) == content);
    }
}

TEST_CASE("an animation made by ImageMagick walks to its last byte") {
    const test::TempDir dir;
    const std::string path = dir.file("a.gif");
    test::run_tool_ok({"/usr/bin/convert", "-delay", "5", "-size", "40x30", "plasma:red-blue",
                       "plasma:green-yellow", "-loop", "0", path});
    const Buffer file = test::read_file(path);
    const GifFile gif = walk_gif(file).value();
    CHECK(gif.end == file.size());
    std::size_t pictures = 0;
    for (const GifBlock& block : gif.blocks) {
        pictures += block.kind == GifBlockKind::kPicture ? 1 : 0;
    }
    CHECK(pictures == 2);
}

}  // namespace
}  // namespace colophon::label
