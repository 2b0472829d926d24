// SPDX-License-Identifier: Apache-2.0
#include "gateway/text_stream.h"

#include "core/json.h"
#include "core/result.h"
#include "gateway/json_edit.h"
#include "gateway/refusal.h"
#include "gateway/text_gate.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::gateway {

Error not_ours(std::string_view what) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("the upstream's answer is not of the expected form: {}", what)};
}

Error upstream_says(const json::Value& error) {
    std::string text(text_member(error, "message"));
    if (text.empty() && error.if_string() != nullptr) {
        text = *error.if_string();
    }
    constexpr std::size_t kSaidMax = 500;
    return Error{ErrorCode::kUnavailable,
                 fmt::format("the upstream failed in its answer: {}", text.substr(0, kSaidMax))};
}

std::int64_t count_member(const json::Value& value, std::string_view name) {
    const json::Value* found = value.find(name);
    const auto number = found == nullptr ? Result<std::int64_t>(std::int64_t{0}) : found->as_int();
    return number.ok() && *number >= 0 ? *number : 0;
}

Usage usage_of(const json::Value& answer) {
    const json::Value* usage = answer.find("usage");
    if (usage == nullptr) {
        return {};
    }
    const std::int64_t input = count_member(*usage, "prompt_tokens");
    const std::int64_t output = count_member(*usage, "completion_tokens");
    return {.input = input > 0 ? input : count_member(*usage, "input_tokens"),
            .output = output > 0 ? output : count_member(*usage, "output_tokens")};
}

TextGate AnswerRules::gate(const TextLabel& of) const {
    return {reviewer, of, texts ? texts->next(false, {}) : nullptr};
}

TextGate AnswerRules::call_gate(std::string_view tool) const {
    return {reviewer, {}, texts ? texts->next(true, tool) : nullptr};
}

void TextStream::note(const TextGate& gate, std::size_t bytes) {
    if (!verdict_.blocked()) {
        add_verdict(gate.verdict(), verdict_);
    }
    text_bytes_ += bytes;
}

std::string TextStream::push(TextGate& gate, std::string_view piece) {
    std::string out = gate.push(piece);
    note(gate, out.size());
    return out;
}

void TextStream::settle(TextGate& gate) {
    gate.settle();
    note(gate, 0);
}

void TextStream::add_ticket(json::Value& event) const {
    if (!ticket_.empty()) {
        set_member(event, "ticket", ticket_);
        set_member(event, "ticket_url", ticket_address(ticket_));
    }
}

std::string TextStream::finish(TextGate& gate) {
    std::string out = gate.finish();
    note(gate, out.size());
    return out;
}

}  // namespace colophon::gateway
