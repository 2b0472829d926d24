// SPDX-License-Identifier: Apache-2.0
#include "core/nfc.h"

#include "core/result.h"
#include "core/utf8.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

namespace colophon {
namespace {

std::string from_hex_points(std::string_view field) {
    std::string text;
    std::istringstream in{std::string(field)};
    unsigned long code = 0;
    while (in >> std::hex >> code) {
        append_utf8(text, static_cast<char32_t>(code));
    }
    return text;
}

// Unicode's own test file: for each row NFC of the columns 1 to 3 is column 2, of 4 and 5 column 4;
// and every character that has no row of its own is its own form.
TEST_CASE("form C is that of Unicode's test file, for every character there is") {
    const std::string file =
        test::run_tool_ok({"bzip2", "-dc", "/usr/share/unicode/NormalizationTest.txt.bz2"});
    std::set<std::string> single;
    std::istringstream lines(file);
    std::string line;
    bool first_part = false;
    std::size_t rows = 0;
    while (std::getline(lines, line)) {
        if (line.starts_with("@")) {
            first_part = line.starts_with("@Part1");
        }
        if (line.empty() || line.front() == '#' || line.front() == '@') {
            continue;
        }
        std::array<std::string, 5> column;
        std::string_view rest = line;
        for (std::string& each : column) {
            each = from_hex_points(rest.substr(0, rest.find(';')));
            rest.remove_prefix(rest.find(';') + 1);
        }
        CAPTURE(line);
        bool good = true;
        for (std::size_t i = 0; i < column.size(); ++i) {
            const auto got = to_nfc(column[i]);
            good = good && got.ok() && *got == column[i < 3 ? 1 : 3];
        }
        // The same between letters that have nothing to do with it.
        const auto between = to_nfc("q" + column[0] + "\xE4\xB8\x80");
        CHECK((good && between.ok() && *between == "q" + column[1] + "\xE4\xB8\x80"));
        ++rows;
        if (first_part) {
            single.insert(column[0]);
        }
    }
    CHECK(rows > 18000);
    for (char32_t code = 0; code <= 0x10FFFF; ++code) {
        if (code >= 0xD800 && code < 0xE000) {
            continue;
        }
        std::string text;
        append_utf8(text, code);
        if (!single.contains(text)) {
            const auto got = to_nfc(text);
            REQUIRE_MESSAGE((got.ok() && *got == text), code);
        }
    }
}

TEST_CASE("what is no UTF-8, or has marks without end, has no form C") {
    CHECK(to_nfc("").value().empty());
    CHECK(to_nfc("a\xFF").error().code == ErrorCode::kInvalidArgument);
    std::string marks = "a";
    for (int i = 0; i < 20000; ++i) {
        append_utf8(marks, 0x301);
    }
    CHECK(to_nfc(marks).error().code == ErrorCode::kLimit);
    // A few are as good as any.
    CHECK(to_nfc(marks.substr(0, 201)).value() == "\xC3\xA1" + marks.substr(3, 198));
}

}  // namespace
}  // namespace colophon
