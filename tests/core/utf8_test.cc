// SPDX-License-Identifier: Apache-2.0
#include "core/utf8.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace colophon {
namespace {

TEST_CASE("every character there is encodes, decodes and counts as one") {
    for (std::uint32_t value = 0; value <= 0x10FFFF; ++value) {
        if (value >= 0xD800 && value <= 0xDFFF) {
            continue;
        }
        std::string text;
        append_utf8(text, static_cast<char32_t>(value));
        std::size_t at = 0;
        const auto back = next_code_point(text, at);
        if (back != static_cast<char32_t>(value) || at != text.size() || find_invalid_utf8(text) ||
            count_code_points(text) != 1) {
            CAPTURE(value);
            CHECK(false);
        }
    }
}

TEST_CASE("what is no character is written as U+FFFD") {
    for (const std::uint32_t value : {0xD800U, 0xDBFFU, 0xDC00U, 0xDFFFU, 0x110000U, 0xFFFFFFFFU}) {
        std::string text;
        append_utf8(text, static_cast<char32_t>(value));
        CHECK(text == "\xEF\xBF\xBD");
    }
}

// A second decoder, written from the table of RFC 3629 section 4 instead of arithmetic.
std::size_t table_size(const std::string& s, std::size_t at) {
    const auto in = [&](std::size_t i, unsigned low, unsigned high) {
        return at + i < s.size() && static_cast<unsigned char>(s[at + i]) >= low &&
               static_cast<unsigned char>(s[at + i]) <= high;
    };
    const auto tail = [&](std::size_t i) { return in(i, 0x80, 0xBF); };
    if (in(0, 0x00, 0x7F)) {
        return 1;
    }
    if (in(0, 0xC2, 0xDF) && tail(1)) {
        return 2;
    }
    const bool three = (in(0, 0xE0, 0xE0) && in(1, 0xA0, 0xBF)) || (in(0, 0xE1, 0xEC) && tail(1)) ||
                       (in(0, 0xED, 0xED) && in(1, 0x80, 0x9F)) || (in(0, 0xEE, 0xEF) && tail(1));
    if (three && tail(2)) {
        return 3;
    }
    const bool four = (in(0, 0xF0, 0xF0) && in(1, 0x90, 0xBF)) || (in(0, 0xF1, 0xF3) && tail(1)) ||
                      (in(0, 0xF4, 0xF4) && in(1, 0x80, 0x8F));
    return four && tail(2) && tail(3) ? 4 : 0;
}

TEST_CASE("the decoder agrees with the table of RFC 3629 on all short strings that matter") {
    const std::string bytes(
        "\x00\x41\x7F\x80\x8F\x90\x9F\xA0\xBF\xC0\xC1\xC2\xDF\xE0\xE1\xEC\xED\xEE"
        "\xEF\xF0\xF1\xF3\xF4\xF5\xFF",
        25);
    std::size_t disagreements = 0;
    for (const char a : bytes) {
        for (const char b : bytes) {
            for (const char c : bytes) {
                for (const char d : bytes) {
                    const std::string text{a, b, c, d};
                    std::size_t at = 0;
                    const bool good = next_code_point(text, at).has_value();
                    const std::size_t size = table_size(text, 0);
                    disagreements += good != (size != 0) || at != size ? 1 : 0;
                }
            }
        }
    }
    CHECK(disagreements == 0);
}

TEST_CASE("an invalid byte counts as one character and stops the decoder where it stands") {
    CHECK(count_code_points("a\xFF\xFE") == 3);
    CHECK(count_code_points("\xE4\xBA") == 2);
    CHECK(count_code_points("") == 0);
    std::size_t at = 1;
    CHECK_FALSE(next_code_point("a\xFFz", at).has_value());
    CHECK(at == 1);
    at = 1;
    CHECK_FALSE(next_code_point("a", at).has_value());
}

}  // namespace
}  // namespace colophon
