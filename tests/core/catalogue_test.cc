// SPDX-License-Identifier: Apache-2.0
#include "core/catalogue.h"

#include "core/result.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon {
namespace {

Catalogue make(const std::vector<std::string_view>& rows) {
    const auto made = Catalogue::create(rows);
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.error().what));
    return *made;
}

TEST_CASE("a sentence is translated with what stands in its places") {
    const Catalogue table = make({
        "the file ends early\t文件提前结束",
        "truncated: {} needs {} bytes, {} are left\t数据不完整：{1:m}需要 {2} 字节，仅剩 {3} 字节",
        "{} at byte {}\t{1:m}（字节偏移 {2:n}）",
        "size of a box\tbox 的长度",
        "the key \"{}\" should be \"{}\"\t应写作“{2}”，而非“{1}”\tanything",
        "a blob AIGC{{...}} of {} bytes\t{1} 字节的 AIGC{{...}}",
        "not said\t=",
    });
    CHECK(table.size() == 6);
    CHECK(table.translate("the file ends early") == "文件提前结束");
    CHECK(table.translate("the key \"a\" should be \"b\"") == "应写作“b”，而非“a”");
    CHECK(table.translate("truncated: size of a box needs 4 bytes, 2 are left at byte 17") ==
          "数据不完整：box 的长度需要 4 字节，仅剩 2 字节（字节偏移 17）");
    CHECK(table.translate("a blob AIGC{...} of 9 bytes") == "9 字节的 AIGC{...}");
    // What no row fits stays, alone or as a part.
    CHECK(table.translate("something else") == "something else");
    CHECK(table.translate("not said") == "not said");
    CHECK(table.translate("something else at byte 3") == "something else（字节偏移 3）");
    CHECK(table.translate("size of a box at byte three") == "size of a box at byte three");
    CHECK(table.translate("") == "");
}

TEST_CASE("what stands before a message is kept, and both are translated where they can be") {
    const Catalogue table = make({
        "{}: {}\t{1:m}：{2:m}",
        "cannot open {}: {}\t无法打开 {1}：{2:m}",
        "cannot open the sound\t无法打开音频",
        "no permission\t没有权限",
    });
    CHECK(table.translate("a.wav: cannot open the sound") == "a.wav：无法打开音频");
    CHECK(table.translate("a: b: no permission") == "a: b：没有权限");
    CHECK(table.translate("cannot open the sound: no permission") == "无法打开音频：没有权限");
    CHECK(table.translate("cannot open the sound: whatever") == "无法打开音频：whatever");
    CHECK(table.translate("cannot open a: b: no permission") == "无法打开 a: b：没有权限");
    CHECK(table.translate("a: b") == "a: b");
}

TEST_CASE("the row that translates most letters counts, in whatever order they stand") {
    const std::vector<std::string_view> rows{"{} is a folder\t{1} 是文件夹", "{} is {}\t{1} 是 {2}",
                                             "the font {} is a folder\t字体 {1} 是文件夹"};
    const std::vector<std::string_view> backwards(rows.rbegin(), rows.rend());
    for (const auto& order : {rows, backwards}) {
        const Catalogue table = make(order);
        CHECK(table.translate("the font x is a folder") == "字体 x 是文件夹");
        CHECK(table.translate("x is a folder") == "x 是文件夹");
        CHECK(table.translate("x is y") == "x 是 y");
    }
}

TEST_CASE("a table with a row that is wrong is refused, and the row is named") {
    struct Case {
        std::vector<std::string_view> rows;
        std::string_view what;
    };
    const std::vector<Case> cases{
        {{"no tab here"}, "no tab"},
        {{"\tempty"}, "an empty side"},
        {{"empty\t"}, "an empty side"},
        {{"{}{} x\t{1}{2}"}, "two places"},
        {{"a { b\t一"}, "a single brace"},
        {{"a {} b\t一"}, "a place is missing"},
        {{"a {} b\t{1} {1}"}, "a place that"},
        {{"a {} b\t{2}"}, "a place that"},
        {{"a {} b\t{1:x}"}, "a place that"},
        {{"a {} b\t{1"}, "a place that"},
        {{"a {} b\t{"}, "a place that"},
        {{"a {} b\t}{1}"}, "a place that"},
        {{"a {} b\t{}"}, "a place that"},
        {{"a {} b\t一 {1}", "a {} b\t二 {1}"}, "stands there twice"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.rows.back());
        const auto made = Catalogue::create(each.rows);
        REQUIRE_FALSE(made.ok());
        CHECK(made.error().code == ErrorCode::kInvalidArgument);
        CHECK(made.error().what.find(each.what) != std::string::npos);
    }
}

TEST_CASE("a hostile text in a place is copied whole and costs no time") {
    const Catalogue table = make({
        "{}: {}\t{1:m}：{2:m}",
        "{} at byte {}\t{1:m}（字节偏移 {2:n}）",
        "{} is no {}; known are {}\t“{1}”不是{2:m}；可用的有 {3:m}",
        "the key \"{}\" is no field\t键“{1}”不是字段",
        "position\t位置",
    });
    // Another message, braces, the end of the pattern, all inside a place.
    for (const std::string_view text :
         {"position", "{1}", "{2:m}", "}}{{", "x\" is no field", "\" is no field \"", "a at byte 5",
          "a: b: c", "", "\xFF\xFE", "（字节偏移 7）"}) {
        CAPTURE(text);
        CHECK(table.translate("the key \"" + std::string(text) + "\" is no field") ==
              "键“" + std::string(text) + "”不是字段");
    }
    CHECK(table.translate("a is no b; known are c is no position; known are d") ==
          "“a”不是b；可用的有 “c”不是位置；可用的有 d");
    const auto begin = std::chrono::steady_clock::now();
    for (const std::string_view part : {": ", " at byte 1", " is no ", "; known are ", "\"", "a"}) {
        std::string text = "x";
        while (text.size() + part.size() < Catalogue::kTextBytesMax) {
            text += part;
        }
        CHECK(table.translate(text).size() >= text.size() / 4);
        CHECK(table.translate("the key \"" + text.substr(100) + "\" is no field").size() >
              text.size() - 100);
    }
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
    const std::string large(Catalogue::kTextBytesMax + 1, ' ');
    CHECK(table.translate(large) == large);
}

}  // namespace
}  // namespace colophon
