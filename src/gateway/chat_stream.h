// SPDX-License-Identifier: Apache-2.0
#pragma once

// A streamed answer in the shape of chat completions (and of the older completions), on its way
// from the upstream to the client: each text of it goes through its own gate, events that carry
// nothing new are left out, and the end is said only when it was recorded.

#include "core/json.h"
#include "core/result.h"
#include "gateway/refusal.h"
#include "gateway/text_gate.h"
#include "gateway/text_stream.h"
#include "review/review.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {

inline constexpr std::size_t kChoicesMax = 128;
inline constexpr std::size_t kToolCallsMax = 128;

class ChatStream final : public TextStream {
public:
    explicit ChatStream(AnswerRules rules) : rules_(std::move(rules)) {}

    Result<std::string> take(std::string_view data) override;
    void settle() override;
    std::string close(Ending ending) override;
    std::string_view end_mark() const noexcept override { return "data: [DONE]\n\n"; }
    std::string error_event(const Refusal& refusal, const ErrorContext& context) override;
    // The end is the mark [DONE], which is no event of this shape.
    bool said_end() const noexcept override { return false; }
    bool all_finished() const noexcept override;
    std::string text() const override;

private:
    using TextStream::settle;
    struct Choice {
        explicit Choice(const AnswerRules& rules)
            : content(rules.gate(rules.label)), reasoning(rules.gate({})) {}
        TextGate content;
        TextGate reasoning;
        std::map<std::int64_t, TextGate> tools;
        std::string finish;  // the reason; empty: not finished
    };
    Result<Choice*> choice_of(const json::Value& value);
    Result<bool> take_choice(json::Value& value);
    Result<bool> take_delta(json::Value& delta, Choice& choice);
    Result<bool> take_tools(json::Value& calls, Choice& choice);
    bool pass(json::Value& text, TextGate& gate);
    json::Value frame(json::Value choices) const;
    json::Value last_delta(std::int64_t index, Choice& choice, Ending ending) const;
    std::string event(json::Value value);

    AnswerRules rules_;
    std::map<std::int64_t, Choice> choices_;
    json::Value frame_;  // members of the first event but for its choices
    std::optional<json::Value> usage_event_;
    bool labelled_ = false;
};

// The same for an answer that came at once: its texts reviewed and labelled, `aigc` added. Returns
// the verdict; when it blocks, nothing of `answer` may go out. `text`: all that goes out.
Result<review::Verdict> pass_answer(json::Value& answer, const AnswerRules& rules,
                                    std::string& text);

}  // namespace colophon::gateway
