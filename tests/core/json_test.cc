// SPDX-License-Identifier: Apache-2.0
#include "core/json.h"

#include "core/json_writer.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace colophon::json {
namespace {

std::string round(std::string_view text) {
    const auto value = parse(text);
    return value.ok() ? write(*value) : value.error().what;
}

TEST_CASE("values round trip in their order, duplicates and all") {
    CHECK(round(R"({"b":1,"a":[true,null,-2,"x"],"b":{"c":18446744073709551615}})") ==
          R"({"b":1,"a":[true,null,-2,"x"],"b":{"c":18446744073709551615}})");
    CHECK(round(R"("\u4eba\u5de5\n\"\\")") == "\"\xE4\xBA\xBA\xE5\xB7\xA5\\n\\\"\\\\\"");
    CHECK(round("[0.5,1e3]") == "[0.5,1000]");
}

TEST_CASE("written piece by piece it is the same text as from values") {
    const std::string hostile = "a\"b\\c\n\x01\xFF\u4EBA";
    std::string pieces = "before ";
    Writer writer(pieces);
    writer.begin_array();
    writer.begin_object();
    writer.end_object();
    writer.begin_object();
    writer.name(hostile);
    writer.text(hostile);
    writer.name("numbers");
    writer.begin_array();
    writer.number(0);
    writer.number(INT64_MIN);
    writer.number(INT64_MAX);
    writer.end_array();
    writer.name("last");
    writer.begin_array();
    writer.end_array();
    writer.end_object();
    writer.text("");
    writer.end_array();
    const Value values(Array{
        Object{},
        Object{{hostile, hostile}, {"numbers", Array{0, INT64_MIN, INT64_MAX}}, {"last", Array{}}},
        ""});
    CHECK(pieces == "before " + write(values));
}

TEST_CASE("broken JSON names the byte") {
    CHECK(round("{\"a\":}").find("at byte 5") != std::string::npos);
    CHECK(round("{} x").find("behind the JSON value at byte 3") != std::string::npos);
    CHECK(round("").find("not JSON") != std::string::npos);
}

TEST_CASE("deep nesting meets its limit") {
    const auto result = parse(std::string(100, '[') + std::string(100, ']'));
    REQUIRE(!result.ok());
    CHECK(result.error().code == ErrorCode::kLimit);
}

TEST_CASE("members are found by name and kept in type") {
    const Value value = parse(R"({"n":7,"s":"t"})").value();
    CHECK(value.find("n")->as_int().value() == 7);
    CHECK(value.string_or("s", "") == "t");
    CHECK(value.string_or("n", "none") == "none");
    CHECK(value.find("missing") == nullptr);
    CHECK_FALSE(value.find("s")->as_int().ok());
}

TEST_CASE("what stands beside a character changes nothing about how it is quoted") {
    const auto inside = [](std::string_view text) {
        std::string quoted;
        json::append_quoted(quoted, text);
        return quoted.substr(1, quoted.size() - 2);
    };
    for (int byte = 0; byte < 0x80; ++byte) {
        const std::string one(1, static_cast<char>(byte));
        const std::string alone = inside(one);
        const bool plain = byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
        CHECK((alone == one) == plain);
        for (std::size_t before = 0; before < 20; ++before) {
            const std::string left(before, '~');
            const std::string right(19 - before, '!');
            CHECK(inside(left + one + right) == left + alone + right);
        }
    }
    CHECK(inside("1234567\xC3\xA9"
                 "12345678\xFF") ==
          "1234567\xC3\xA9"
          "12345678\xEF\xBF\xBD");
}

TEST_CASE("bytes that are not UTF-8 never reach the output") {
    CHECK(quote("a\xFFz") == "\"a\xEF\xBF\xBDz\"");
}

}  // namespace
}  // namespace colophon::json
