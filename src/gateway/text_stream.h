// SPDX-License-Identifier: Apache-2.0
#pragma once

// A streamed answer on its way from the upstream to the client, in one of the shapes that clients
// speak: each text of it goes through a gate of its own, and the end is said only when it was
// recorded. One implementation for each shape.

#include "core/json.h"
#include "core/result.h"
#include "gateway/answer_texts.h"
#include "gateway/refusal.h"
#include "gateway/text_gate.h"
#include "review/review.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {

// What a client's requests and answers look like.
enum class TextShape : std::uint8_t { kChat, kCompletion, kResponses, kMessages };

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
    // Where others look at the texts first.
    // NOLINTNEXTLINE(readability-redundant-member-init): for `{.shape = ...}` without it
    std::shared_ptr<AnswerTexts> texts = {};

    // Of a text for a person, or of one that bears no label; of the arguments of a tool's call.
    TextGate gate(const TextLabel& of) const;
    TextGate call_gate(std::string_view tool) const;
};

class TextStream {
public:
    TextStream() = default;
    TextStream(const TextStream&) = delete;
    TextStream& operator=(const TextStream&) = delete;
    TextStream(TextStream&&) = delete;
    TextStream& operator=(TextStream&&) = delete;
    virtual ~TextStream() = default;

    // Takes the data of one event; returns what goes to the client, as events. kCorrupt when it is
    // not what it should be; kUnavailable when it says that the upstream failed; kUnsupported when
    // it brings what cannot be reviewed or labelled.
    virtual Result<std::string> take(std::string_view data) = 0;

    // The upstream said all of its answer: what is still held is judged, so that verdict() is final
    // before close(kWhole).
    virtual void settle() = 0;

    enum class Ending : std::uint8_t { kWhole, kBlocked, kBroken };
    // The last events but for end_mark(): what was held, the labels, the reasons. Held text goes
    // out only at a whole end.
    virtual std::string close(Ending ending) = 0;
    // What follows close() when nothing failed.
    virtual std::string_view end_mark() const noexcept { return {}; }
    // The event that says that the answer failed.
    virtual std::string error_event(const Refusal& refusal, const ErrorContext& context) = 0;

    // The upstream said the last event of its answer.
    virtual bool said_end() const noexcept = 0;
    // Everything that was begun was also ended, so that an upstream may close now.
    virtual bool all_finished() const noexcept = 0;
    // All that went out, one text after the other.
    virtual std::string text() const = 0;

    // What is held goes before people: close(kBlocked) says by which ticket it can be had.
    void set_ticket(std::string ticket) { ticket_ = std::move(ticket); }

    bool blocked() const noexcept { return verdict_.blocked(); }
    const review::Verdict& verdict() const noexcept { return verdict_; }
    const Usage& usage() const noexcept { return usage_; }
    const std::string& model() const noexcept { return model_; }
    std::size_t text_bytes() const noexcept { return text_bytes_; }

protected:
    // What may go out of the text that came.
    std::string push(TextGate& gate, std::string_view piece);
    void settle(TextGate& gate);
    // What was held of a text that came to its own end, and its label.
    std::string finish(TextGate& gate);
    // Says the ticket in the last event, if there is one.
    void add_ticket(json::Value& event) const;

    review::Verdict verdict_;
    Usage usage_;
    std::string model_;

private:
    void note(const TextGate& gate, std::size_t bytes);

    std::string ticket_;
    std::size_t text_bytes_ = 0;
};

// An upstream's answer that is not what it should be, and why.
Error not_ours(std::string_view what);
// What an upstream says of its own failure; bounded, because it goes into a message.
Error upstream_says(const json::Value& error);
// The member as a number; 0 where it is none or is negative.
std::int64_t count_member(const json::Value& value, std::string_view name);

}  // namespace colophon::gateway
