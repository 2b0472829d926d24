// SPDX-License-Identifier: Apache-2.0
#include "label/propagation.h"

#include "label/record.h"

#include <array>
#include <cstddef>
#include <string_view>

namespace colophon::label {
namespace {

struct StatusRow {
    std::string_view name;
    std::string_view prompt_zh;
    std::string_view prompt_en;
};

// In the order of PropagationStatus. The Chinese words are those of the article.
constexpr std::array<StatusRow, 4> kRows{{
    {"none", "", ""},
    {"confirmed", "该内容属于生成合成内容", "This content is AI-generated (属于生成合成内容)"},
    {"possible", "该内容可能为生成合成内容，发布者已声明",
     "This content may be AI-generated, as its publisher declares (可能为生成合成内容)"},
    {"suspected", "该内容疑似生成合成内容",
     "This content is suspected to be AI-generated (疑似生成合成内容)"},
}};

const StatusRow& row_of(PropagationStatus status) noexcept {
    return kRows[static_cast<std::size_t>(status)];
}

}  // namespace

// [AILM-6] The evidence is weighed in the order of the article: what the file says of itself counts
// more than what its publisher says, and that more than what a detector sees.
PropagationDecision decide_propagation(const PropagationEvidence& evidence) noexcept {
    if (evidence.metadata_says_generated) {
        return {.status = PropagationStatus::kConfirmed, .label = "1"};
    }
    if (evidence.user_declares) {
        return {.status = PropagationStatus::kPossible, .label = "2"};
    }
    if (evidence.explicit_mark_or_traces) {
        return {.status = PropagationStatus::kSuspected, .label = "3"};
    }
    return {};
}

std::string_view propagation_status_name(PropagationStatus status) noexcept {
    return row_of(status).name;
}

std::string_view propagation_prompt(PropagationStatus status, Language language) noexcept {
    const StatusRow& row = row_of(status);
    return language == Language::kZh ? row.prompt_zh : row.prompt_en;
}

}  // namespace colophon::label
