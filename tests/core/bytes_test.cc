// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"

#include "core/splice.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>

namespace colophon {
namespace {

TEST_CASE("a read past the end names the offset in the file") {
    const std::array<std::uint8_t, 3> bytes{1, 2, 3};
    ByteReader reader(bytes, 1000);
    CHECK(reader.u8("tag").value() == 1);
    const auto result = reader.be32("chunk length");
    REQUIRE(!result.ok());
    CHECK(result.error().code == ErrorCode::kCorrupt);
    CHECK(result.error().what == "truncated: chunk length needs 4 bytes, 2 are left at byte 1001");
}

TEST_CASE("loads undo stores in both byte orders") {
    Buffer out;
    append_be16(out, 0x0102);
    append_be24(out, 0x030405);
    append_be32(out, 0x06070809);
    append_le32(out, 0x0A0B0C0D);
    append_le64(out, 0x1112131415161718ULL);
    CHECK(to_hex(out) == "0102030405060708090d0c0b0a1817161514131211");
    CHECK(load_be24(Bytes(out).subspan(2)) == 0x030405);
    CHECK(load_le64(Bytes(out).subspan(13)) == 0x1112131415161718ULL);
}

TEST_CASE("a slice outside its bytes is nothing, whatever overflows") {
    const Buffer bytes(10);
    CHECK(slice(bytes, 10, 0).has_value());
    CHECK_FALSE(slice(bytes, 11, 0).has_value());
    CHECK_FALSE(slice(bytes, 5, UINT64_MAX).has_value());
    CHECK_FALSE(slice(bytes, UINT64_MAX, 2).has_value());
}

TEST_CASE("hexadecimal text round trips and refuses what is none") {
    CHECK(from_hex("00fFa0").value() == Buffer{0x00, 0xFF, 0xA0});
    CHECK_FALSE(from_hex("abc").ok());
    CHECK_FALSE(from_hex("zz").ok());
}

TEST_CASE("a splice joins neighbours and gives the bytes it promises") {
    const Buffer source = to_buffer("abcdefgh");
    Splice splice;
    splice.copy(0, 2);
    splice.copy(2, 1);
    splice.insert(as_bytes("XY"));
    splice.insert(as_bytes("Z"));
    splice.copy(6, 2);
    CHECK(splice.pieces().size() == 3);
    CHECK(splice.size() == 8);
    CHECK(splice.inserted() == 3);
    CHECK(as_text(apply_splice(source, splice)) == "abcXYZgh");
}

}  // namespace
}  // namespace colophon
