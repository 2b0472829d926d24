// SPDX-License-Identifier: Apache-2.0
#include "label/propagation.h"

#include <doctest/doctest.h>

#include <string_view>

namespace colophon::label {
namespace {

// [AILM-6] All eight combinations of evidence.
TEST_CASE("what a platform says follows the strongest evidence") {
    for (int bits = 0; bits < 8; ++bits) {
        const PropagationEvidence evidence{.metadata_says_generated = (bits & 4) != 0,
                                           .user_declares = (bits & 2) != 0,
                                           .explicit_mark_or_traces = (bits & 1) != 0};
        const PropagationDecision decision = decide_propagation(evidence);
        const std::string_view expected = bits >= 4   ? "confirmed 1"
                                          : bits >= 2 ? "possible 2"
                                          : bits == 1 ? "suspected 3"
                                                      : "none ";
        CAPTURE(bits);
        CHECK(std::string(propagation_status_name(decision.status)) + " " +
                  std::string(decision.label) ==
              expected);
    }
}

// [AILM-6]
TEST_CASE("the prompt holds the words of the article in both languages") {
    struct Row {
        PropagationStatus status;
        std::string_view words;
    };
    constexpr Row kRows[] = {
        {PropagationStatus::kConfirmed, "属于生成合成内容"},
        {PropagationStatus::kPossible, "可能为生成合成内容"},
        {PropagationStatus::kSuspected, "疑似生成合成内容"},
    };
    for (const Row& row : kRows) {
        for (const Language language : {Language::kZh, Language::kEn}) {
            CHECK(propagation_prompt(row.status, language).find(row.words) !=
                  std::string_view::npos);
        }
    }
    CHECK(propagation_prompt(PropagationStatus::kNone, Language::kZh).empty());
    CHECK(propagation_prompt(PropagationStatus::kNone, Language::kEn).empty());
}

}  // namespace
}  // namespace colophon::label
