// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/cbor.h"

#include "core/bytes.h"
#include "core/limits.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::label::cbor {
namespace {

Result<Value> decode_hex(std::string_view hex) {
    return decode(from_hex(hex).value());
}

// RFC 8949, appendix A: what the writer knows, in its one form.
TEST_CASE("values are written as the examples of RFC 8949 have them, and read back") {
    struct Row {
        Value value;
        const char* hex;
    };
    const Row rows[] = {
        {0, "00"},
        {23, "17"},
        {24, "1818"},
        {1000, "1903e8"},
        {1000000, "1a000f4240"},
        {std::int64_t{1000000000000}, "1b000000e8d4a51000"},
        {std::uint64_t{UINT64_MAX}, "1bffffffffffffffff"},
        {Negative{UINT64_MAX}, "3bffffffffffffffff"},
        {-1, "20"},
        {-1000, "3903e7"},
        {0.0, "f90000"},
        {1.0, "f93c00"},
        {1.5, "f93e00"},
        {65504.0, "f97bff"},
        {100000.0, "fa47c35000"},
        {1.1, "fb3ff199999999999a"},
        {-4.1, "fbc010666666666666"},
        {false, "f4"},
        {true, "f5"},
        {Simple::kNull, "f6"},
        {Simple::kUndefined, "f7"},
        {OtherSimple{16}, "f0"},
        {OtherSimple{255}, "f8ff"},
        {tagged(1, 1363896240), "c11a514b67b0"},
        {Buffer{1, 2, 3, 4}, "4401020304"},
        {"IETF", "6449455446"},
        {"水", "63e6b0b4"},
        {Array{1, Array{2, 3}, Array{4, 5}}, "8301820203820405"},
        {Map{{"a", 1}, {"b", Array{2, 3}}}, "a26161016162820203"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.hex);
        CHECK(to_hex(encode(row.value)) == row.hex);
        const auto read = decode_hex(row.hex);
        REQUIRE(read.ok());
        CHECK(to_hex(encode(*read)) == row.hex);
    }
}

TEST_CASE("keys are written in the order of their bytes, whatever order they were given in") {
    const Value map = Map{{"aa", 1}, {100, 2}, {"b", 3}, {10, 4}, {-1, 5}, {false, 6}};
    CHECK(to_hex(encode(map)) ==
          "a60a041864022005616203626161"
          "01f406");
}

TEST_CASE("what is well formed but not in the one form is read, and written in it") {
    CHECK(to_hex(encode(decode_hex("1817").value())) == "17");
    CHECK(to_hex(encode(decode_hex("9f0102ff").value())) == "820102");
    CHECK(to_hex(encode(decode_hex("bf616201616102ff").value())) == "a2616102616201");
    CHECK(to_hex(encode(decode_hex("5f42010243030405ff").value())) == "450102030405");
    CHECK(to_hex(encode(decode_hex("7f61616162ff").value())) == "626162");
    CHECK(to_hex(encode(decode_hex("fa3fc00000").value())) == "f93e00");
}

TEST_CASE("an item with two meanings, or with none, is an error that names the byte") {
    const char* rows[] = {
        "",                // nothing
        "1c",              // a reserved head
        "18",              // an argument that is missing
        "0000",            // something behind
        "ff",              // a break alone
        "a2616101616102",  // a key that stands twice
        "a2180101"
        "0102",                  // the same, in two forms
        "61ff",                  // no UTF-8
        "7f61c361a8ff",          // a character cut in two
        "5f6161ff",              // a text among bytes
        "5f5f4101ffff",          // open chunks in an open string
        "f818",                  // a simple value that has a shorter form
        "9bffffffffffffffff00",  // a list longer than its bytes
        "bb000000000000000400",  // the same for a map
        "5affffffff00",          // a string longer than its bytes
        "a101",                  // a key without a value
        "1f",                    // an open length where there is none
    };
    for (const char* row : rows) {
        CAPTURE(row);
        const auto read = decode_hex(row);
        REQUIRE(!read.ok());
        CHECK(read.error().code == ErrorCode::kCorrupt);
    }
}

TEST_CASE("depth and number of items have limits") {
    Buffer deep(limits::kCborDepthMax, 0x81);
    deep.push_back(0);
    CHECK(decode(deep).error().code == ErrorCode::kLimit);
    Buffer bomb(200000, 0x81);
    CHECK(decode(bomb).error().code == ErrorCode::kLimit);
    Buffer many;
    append_head(many, 4, limits::kCborItemsMax + 1);
    many.resize(many.size() + limits::kCborItemsMax + 1);
    CHECK(decode(many).error().code == ErrorCode::kLimit);
}

TEST_CASE("members are found by text and by number") {
    const Value map = Map{{"name", "x"}, {33, Buffer{1}}, {-7, true}};
    CHECK(*map.text("name") == "x");
    CHECK(map.find(33)->if_bytes()->size() == 1);
    CHECK(map.find(-7) != nullptr);
    CHECK(map.find(7) == nullptr);
    CHECK(map.text("other") == nullptr);
    CHECK(Value(1).find("name") == nullptr);
}

}  // namespace
}  // namespace colophon::label::cbor
