// SPDX-License-Identifier: Apache-2.0
#include "core/json.h"
#include "core/limits.h"
#include "core/result.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::json {
namespace {

TEST_CASE("nesting and size are refused by name before they cost anything") {
    for (const char open : {'[', '{'}) {
        const std::string unit = open == '[' ? "[" : "{\"a\":";
        std::string text;
        while (text.size() + unit.size() <= limits::kLabelBytesMax) {
            text += unit;
        }
        const auto result = parse(text);
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().code == ErrorCode::kLimit);
        CHECK(result.error().what.find("nested deeper than 32") != std::string::npos);
    }
    const auto big = parse(std::string(limits::kLabelBytesMax + 1, ' '));
    REQUIRE_FALSE(big.ok());
    CHECK(big.error().code == ErrorCode::kLimit);
    CHECK(parse("[[1]]", {.depth_max = 2, .bytes_max = 5}).ok());
    CHECK(parse("[[1]]", {.depth_max = 1, .bytes_max = 5}).error().code == ErrorCode::kLimit);
    CHECK(parse("[[1]]", {.depth_max = 2, .bytes_max = 4}).error().code == ErrorCode::kLimit);
}

TEST_CASE("the deepest value that is read is written again") {
    const std::string text =
        std::string(limits::kJsonDepthMax, '[') + "1" + std::string(limits::kJsonDepthMax, ']');
    CHECK(write(parse(text).value()) == text);
    CHECK_FALSE(parse("[" + text + "]").ok());
}

TEST_CASE("what RFC 8259 does not allow is corrupt, whatever other readers take") {
    const std::vector<std::string> rows{"nul",
                                        "tru",
                                        "[1,]",
                                        "{\"a\":1,}",
                                        "{a:1}",
                                        "{'a':1}",
                                        "[01]",
                                        "[+1]",
                                        "[.5]",
                                        "[1.]",
                                        "[1e]",
                                        "[0x10]",
                                        "[NaN]",
                                        "[Infinity]",
                                        "[-]",
                                        "\"\t\"",
                                        "\"\\x\"",
                                        "\"\\u12g4\"",
                                        "\"abc",
                                        "[1 2]",
                                        "{\"a\" 1}",
                                        "// c\n1",
                                        "/* c */ 1",
                                        "\xEF\xBB\xBF{}",
                                        "[1]]",
                                        "}",
                                        ":",
                                        ",",
                                        "\"\\ud800\"",
                                        "\"\\udc00\"",
                                        "\"\\ud800\\u0041\"",
                                        "\"\\ud800x\"",
                                        "\"\xFF\"",
                                        "\"\xC0\x80\"",
                                        "\"\xED\xA0\x80\"",
                                        "\"\xE4\xBA\"",
                                        "{\"\xFF\":1}",
                                        std::string("1\0", 2),
                                        std::string("\"\0\"", 3)};
    for (const std::string& row : rows) {
        CAPTURE(row);
        const auto result = parse(row);
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().code == ErrorCode::kCorrupt);
        CHECK(result.error().what.find(" at byte ") != std::string::npos);
    }
    CHECK(parse(std::string_view{}).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("escapes are read to characters and control characters are escaped again") {
    CHECK(*parse(R"("\u0000a")").value().if_string() == std::string("\0a", 2));
    CHECK(*parse(R"("\ud83d\ude00")").value().if_string() == "\xF0\x9F\x98\x80");
    CHECK(*parse(R"("\/\b\f")").value().if_string() == "/\b\f");
    CHECK(quote(std::string_view("\0\x01\x1F\x7F\r\n\t\b", 8)) ==
          R"("\u0000\u0001\u001f\u007f\r\n\t\u0008")");
}

TEST_CASE("numbers keep their kind, and what does not fit never wraps around") {
    CHECK(parse("-9223372036854775808").value().as_int().value() ==
          std::numeric_limits<std::int64_t>::min());
    CHECK(parse("9223372036854775807").value().as_uint().value() == 9223372036854775807ULL);
    CHECK(parse("18446744073709551615").value().as_uint().value() == UINT64_MAX);
    CHECK_FALSE(parse("18446744073709551615").value().as_int().ok());
    CHECK_FALSE(parse("-1").value().as_uint().ok());
    const Value wide = parse("18446744073709551616").value();
    CHECK_FALSE(wide.as_uint().ok());
    CHECK(wide.as_double().value() == 18446744073709551616.0);
    CHECK(parse("0.5").value().as_double().value() == 0.5);
    CHECK(parse("7").value().as_double().value() == 7.0);
    CHECK(parse("18446744073709551615").value().as_double().value() == 18446744073709551615.0);
    CHECK_FALSE(parse("\"7\"").value().as_double().ok());
    CHECK_FALSE(parse("0.5").value().as_int().ok());
    for (const char* text : {"1e999", "-1e999", "1e400"}) {
        CAPTURE(text);
        REQUIRE_FALSE(parse(text).ok());
        CHECK(parse(text).error().code == ErrorCode::kCorrupt);
    }
    CHECK_FALSE(parse(std::string(1000, '9')).ok());
    const std::string sevens(54, '7');
    CHECK(parse(sevens).value().as_double().value() == std::stod(sevens));
    CHECK(write(parse(write(parse(sevens).value())).value()) == write(parse(sevens).value()));
    CHECK(parse("[0.1,123456789.123456789e-30]").value().if_array()->back().as_double().value() ==
          123456789.123456789e-30);
    CHECK(parse("1e-999").value().as_double().value() == 0.0);
    CHECK(write(parse("-0.0").value()) == "-0.0");
    CHECK(write(parse("-0e3").value()) == "-0.0");
}

TEST_CASE("numbers that JSON does not have are written as null") {
    CHECK(write(std::numeric_limits<double>::infinity()) == "null");
    CHECK(write(std::nan("")) == "null");
    CHECK(write(0.1) == "0.1");
    CHECK(write(1e300) == "1e+300");
}

TEST_CASE("values are made in place and asked for their kind") {
    const Value value = Object{{"n", nullptr}, {"b", true},   {"i", -1},         {"u", UINT64_MAX},
                               {"d", 0.5},     {"s", "text"}, {"a", Array{1, 2}}};
    CHECK(write(value) ==
          R"({"n":null,"b":true,"i":-1,"u":18446744073709551615,"d":0.5,"s":"text","a":[1,2]})");
    CHECK(value.find("n")->is_null());
    CHECK(*value.find("b")->if_bool());
    CHECK(value.find("i")->is_number());
    CHECK(value.find("u")->is_number());
    CHECK(value.find("d")->is_number());
    CHECK_FALSE(value.find("s")->is_number());
    CHECK(value.find("a")->if_array()->size() == 2);
    CHECK(value.if_object()->size() == 7);
    CHECK(value.if_array() == nullptr);
    CHECK(value.find("a")->find("s") == nullptr);
    Value changed = value;
    changed.if_object()->pop_back();
    CHECK(changed.find("a") == nullptr);
}

TEST_CASE("a million small values cost little") {
    std::string text = "[";
    while (text.size() + 4 < limits::kLabelBytesMax) {
        text += "[],";
    }
    text += "0]";
    const auto value = parse(text);
    REQUIRE(value.ok());
    CHECK(write(*value) == text);
}

}  // namespace
}  // namespace colophon::json
