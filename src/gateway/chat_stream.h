// SPDX-License-Identifier: Apache-2.0
#pragma once

// A streamed answer in the shape of chat completions (and of the older completions), on its way
// from the upstream to the client: each text of it goes through its own gate, events that carry
// nothing new are left out, and the end is said only when it was recorded.

#include "core/json.h"
#include "core/result.h"
#include "gateway/text_gate.h"
#include "review/review.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {

inline constexpr std::size_t kChoicesMax = 128;
inline constexpr std::size_t kToolCallsMax = 128;

enum class TextShape : std::uint8_t { kChat, kCompletion };

struct Usage {
    std::int64_t input = 0;
    std::int64_t output = 0;
};
// The member "usage" of an answer; zeros where there is none.
Usage usage_of(const json::Value& answer);

// What the answers of one call share.
struct AnswerRules {
    TextShape shape = TextShape::kChat;
    std::shared_ptr<const review::Reviewer> reviewer;
    TextLabel label;     // of the texts
    std::string notice;  // for the application to show, where the texts bear no label
    json::Value aigc;    // the implicit label
    bool wants_usage = true;
};

class ChatStream {
public:
    explicit ChatStream(AnswerRules rules) : rules_(std::move(rules)) {}

    // Takes the data of one event; returns what goes to the client, as events. kCorrupt when it is
    // not what it should be; kUnavailable when it says that the upstream failed.
    Result<std::string> take(std::string_view data);

    enum class Ending : std::uint8_t { kWhole, kBlocked, kBroken };
    // The last events but for the final "[DONE]": what was held, the labels, the reasons. Held text
    // goes out only at a whole end.
    std::string close(Ending ending);

    bool blocked() const noexcept { return verdict_.blocked(); }
    const review::Verdict& verdict() const noexcept { return verdict_; }
    bool all_finished() const noexcept;
    const Usage& usage() const noexcept { return usage_; }
    const std::string& model() const noexcept { return model_; }
    // All that went out, one text after the other.
    std::string text() const;
    std::size_t text_bytes() const noexcept { return text_bytes_; }

private:
    struct Choice {
        explicit Choice(const AnswerRules& rules)
            : content(rules.reviewer, rules.label), reasoning(rules.reviewer, {}) {}
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
    Usage usage_;
    std::string model_;
    review::Verdict verdict_;
    std::size_t text_bytes_ = 0;
    bool labelled_ = false;
};

// The same for an answer that came at once: its texts reviewed and labelled, `aigc` added. Returns
// the verdict; when it blocks, nothing of `answer` may go out. `text`: all that goes out.
Result<review::Verdict> pass_answer(json::Value& answer, const AnswerRules& rules,
                                    std::string& text);

}  // namespace colophon::gateway
