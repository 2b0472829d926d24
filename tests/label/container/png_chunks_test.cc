// SPDX-License-Identifier: Apache-2.0
#include "label/container/png_chunks.h"

#include "core/bytes.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace colophon::label {
namespace {

Buffer tiny_png() {
    Buffer file = to_buffer(kPngSignature);
    append(file, make_png_chunk("IHDR", Buffer(13)));
    append(file, make_png_chunk("tEXt", as_bytes("a")));
    append(file, make_png_chunk("IEND", {}));
    return file;
}

TEST_CASE("chunks are found with place, size and data") {
    Buffer file = tiny_png();
    append(file, "trailing");
    const PngFile png = walk_png(file).value();
    REQUIRE(png.chunks.size() == 3);
    CHECK(png.chunks[1].type == "tEXt");
    CHECK(png.chunks[1].offset == 33);
    CHECK(png.chunks[1].size == 13);
    CHECK(as_text(png.chunks[1].data) == "a");
    CHECK(png.end == file.size() - 8);
}

TEST_CASE("the empty IEND chunk has the checksum of the standard") {
    CHECK(to_hex(make_png_chunk("IEND", {})) == "0000000049454e44ae426082");
}

TEST_CASE("a changed byte shows in the checksum and nowhere else") {
    Buffer file = tiny_png();
    CHECK(png_checksum_matches(file, walk_png(file).value().chunks[1]));
    file[41] ^= 1U;
    CHECK_FALSE(png_checksum_matches(file, walk_png(file).value().chunks[1]));
    CHECK(png_checksum_matches(file, walk_png(file).value().chunks[0]));
}

TEST_CASE("a PNG cut at any byte is corrupt") {
    const Buffer file = tiny_png();
    for (std::size_t size = 0; size < file.size(); ++size) {
        CAPTURE(size);
        const auto result = walk_png(Bytes(file).first(size));
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().code == ErrorCode::kCorrupt);
    }
}

TEST_CASE("impossible lengths and types are refused") {
    Buffer length = tiny_png();
    store_be32(length, 33, 0xFFFFFFFF);
    CHECK(walk_png(length).error().what == "a PNG chunk of length 4294967295 at byte 33");
    store_be32(length, 33, 0x7FFFFFFF);
    CHECK(walk_png(length).error().code == ErrorCode::kCorrupt);
    Buffer type = tiny_png();
    type[37] = '1';
    CHECK(walk_png(type).error().code == ErrorCode::kCorrupt);
    Buffer first = tiny_png();
    first[12] = 'J';
    CHECK(walk_png(first).error().what == "the first PNG chunk is not IHDR at byte 8");
}

TEST_CASE("every checksum of a PNG made by ImageMagick is right") {
    const test::TempDir dir;
    const std::string path = dir.file("a.png");
    test::run_tool_ok({"/usr/bin/convert", "-size", "64x48", "plasma:red-blue", path});
    const Buffer file = test::read_file(path);
    const PngFile png = walk_png(file).value();
    CHECK(png.end == file.size());
    for (const PngChunk& chunk : png.chunks) {
        CAPTURE(chunk.type);
        CHECK(png_checksum_matches(file, chunk));
    }
}

}  // namespace
}  // namespace colophon::label
