// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/text.h"

#include "core/bytes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::fingerprint {
namespace {

constexpr std::string_view kArticle =
    "昨日傍晚，城东一座跨河大桥的施工现场传出异响，附近居民以为桥体开裂，消息很快在网上传开。"
    "市政部门当晚通报，异响来自吊装设备的钢缆，桥梁结构完好，未造成人员受伤。"
    "通报同时提醒，网传的视频系由多年前另一城市的画面拼接而成，请勿转发。";

constexpr std::string_view kEnglish =
    "The harbour authority said on Tuesday that the crane had been inspected twice this year, and "
    "that no defects were found in either of the inspections.";

TextPrint print_of(std::string_view text) {
    TextPrintKey key;
    key.bytes[3] = 7;
    auto print = print_text(text, key);
    REQUIRE(print.ok());
    return std::move(print).value();
}

TEST_CASE("a passage is found whole in a text that has it, whatever stands around it") {
    const std::string passage(kArticle.substr(0, 300));
    const std::string around = "转发一条：" + passage + "大家怎么看？" + std::string(kEnglish);
    const TextPrint part = print_of(passage);
    REQUIRE(part.marks.size() > 10);
    CHECK(containment(part, print_of(kArticle)) > 0.95);
    CHECK(containment(part, print_of(around)) > 0.95);
    CHECK(containment(print_of(around), part) < 0.7);
    CHECK(containment(part, print_of(kEnglish)) == 0);
    CHECK(likeness(part, part) == doctest::Approx(1));
}

TEST_CASE("case, width, spaces and punctuation change nothing") {
    const TextPrint plain = print_of("Crane 42 had been INSPECTED twice this year");
    CHECK(print_of("crane42 -- had been, inspected; twice (this) year!") == plain);
    CHECK(print_of("Ｃｒａｎｅ　４２ ｈａｄ been inspected twice this\u200b year") == plain);
    CHECK(print_of("ÉCOLE ПРИВЕТ ΑΛΦΑ Ё") == print_of("école привет αλφα ё"));
    CHECK(print_of("昨日傍晚，城东一座跨河大桥。") == print_of("昨日傍晚城东 一座「跨河」大桥"));
}

TEST_CASE("some changed words leave most of a text") {
    std::string edited(kArticle);
    edited.replace(edited.find("城东"), std::string("城东").size(), "城西");
    edited.replace(edited.find("当晚"), std::string("当晚").size(), "随后");
    const double kept = containment(print_of(kArticle), print_of(edited));
    CHECK(kept > 0.6);
    CHECK(kept < 1);
}

TEST_CASE("every shared passage of fifteen characters shares a mark") {
    // All places of a text of random letters, each in foreign surroundings.
    std::string text;
    unsigned state = 9;
    for (int i = 0; i < 400; ++i) {
        state = state * 1664525U + 1013904223U;
        text += static_cast<char>('a' + (state >> 24U) % 26U);
    }
    const TextPrint whole = print_of(text);
    for (std::size_t i = 0; i + kTextSharedCharsMin <= text.size(); ++i) {
        CAPTURE(i);
        const TextPrint part =
            print_of("甲乙丙丁" + text.substr(i, kTextSharedCharsMin) + "戊己庚辛");
        std::vector<std::uint64_t> both;
        std::ranges::set_intersection(part.marks, whole.marks, std::back_inserter(both));
        REQUIRE(!both.empty());
    }
    // And the print is a fraction of the text.
    CHECK(whole.marks.size() < text.size() / 3);
}

TEST_CASE("prints under two keys have nothing in common") {
    TextPrintKey one;
    TextPrintKey other;
    other.bytes[31] = 1;
    const TextPrint a = print_text(kArticle, one).value();
    const TextPrint b = print_text(kArticle, other).value();
    CHECK(likeness(a, b) == 0);
    CHECK(a.marks.size() > 10);
}

TEST_CASE("short texts are compared as a whole, and empty ones are like nothing") {
    CHECK(print_of("同意").marks.size() == 1);
    CHECK(print_of("同意。") == print_of("同意"));
    CHECK(print_of("同意") != print_of("不同意"));
    CHECK(print_of(" ... ").marks.empty());
    CHECK(containment(print_of(""), print_of("同意")) == 0);
    CHECK(likeness(print_of(""), print_of("")) == 0);
}

TEST_CASE("what is no text or no print is refused with its place") {
    CHECK(print_text("ab\xff", {}).error().what == "no UTF-8 at byte 2");
    const TextPrint print = print_of(kArticle);
    const Buffer bytes = to_bytes(print);
    CHECK(parse_text_print(bytes).value() == print);
    CHECK(parse_text_print(Bytes(bytes).first(9)).error().what ==
          "a text print has 8 bytes a mark, not 9 in all");
    const std::array<std::uint8_t, 16> same{};
    CHECK(parse_text_print(same).error().what ==
          "a mark of a text print that is not above the one before at byte 8");
}

}  // namespace
}  // namespace colophon::fingerprint
