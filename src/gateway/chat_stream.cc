// SPDX-License-Identifier: Apache-2.0
#include "gateway/chat_stream.h"

#include "core/json.h"
#include "core/result.h"
#include "gateway/json_edit.h"
#include "gateway/refusal.h"
#include "gateway/text_gate.h"
#include "gateway/text_stream.h"
#include "http/limits.h"
#include "http/sse.h"
#include "review/review.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

constexpr std::size_t kDepthMax = 64;
// Texts of reasoning have no one name among those who speak this dialect.
constexpr std::array<std::string_view, 2> kReasoning{"reasoning_content", "reasoning"};

std::string_view tool_name(const json::Value& call) {
    const json::Value* function = call.find("function");
    return function == nullptr ? std::string_view() : text_member(*function, "name");
}

}  // namespace

Result<ChatStream::Choice*> ChatStream::choice_of(const json::Value& value) {
    const std::int64_t index = count_member(value, "index");
    const auto found = choices_.find(index);
    if (found != choices_.end()) {
        return &found->second;
    }
    if (choices_.size() >= kChoicesMax) {
        return not_ours("too many choices");
    }
    return &choices_.emplace(index, Choice(rules_)).first->second;
}

// Puts what may go out in the place of what came. True when there is something.
bool ChatStream::pass(json::Value& text, TextGate& gate) {
    const std::string* piece = text.if_string();
    if (piece == nullptr) {
        return false;
    }
    std::string out = push(gate, *piece);
    const bool any = !out.empty();
    text = std::move(out);
    return any;
}

Result<bool> ChatStream::take_tools(json::Value& calls, Choice& choice) {
    json::Array* list = calls.if_array();
    if (list == nullptr) {
        return false;
    }
    bool any = false;
    for (json::Value& call : *list) {
        const std::int64_t index = count_member(call, "index");
        auto gate = choice.tools.find(index);
        if (gate == choice.tools.end()) {
            if (choice.tools.size() >= kToolCallsMax) {
                return not_ours("too many calls of tools");
            }
            gate = choice.tools.emplace(index, rules_.call_gate(tool_name(call))).first;
            any = true;  // its id and name
        }
        if (json::Value* function = member(call, "function")) {
            if (json::Value* arguments = member(*function, "arguments")) {
                any = pass(*arguments, gate->second) || any;
            }
        }
    }
    return any;
}

Result<bool> ChatStream::take_delta(json::Value& delta, Choice& choice) {
    json::Object* members = delta.if_object();
    if (members == nullptr) {
        return false;
    }
    bool any = false;
    for (auto& [name, value] : *members) {
        if (name == "content" || name == "refusal") {
            any = pass(value, choice.content) || any;
        } else if (std::ranges::find(kReasoning, name) != kReasoning.end()) {
            any = pass(value, choice.reasoning) || any;
        } else if (name == "tool_calls") {
            any = TRY(take_tools(value, choice)) || any;
        } else if (name == "audio" || name == "images") {
            // They would leave without the marks that they owe.
            return Error{ErrorCode::kUnsupported,
                         "the upstream answers with sound or pictures, which cannot be labelled "
                         "in a stream of text"};
        } else {
            any = any || !value.is_null();
        }
    }
    return any;
}

Result<bool> ChatStream::take_choice(json::Value& value) {
    Choice& choice = *TRY(choice_of(value));
    bool any = false;
    if (rules_.shape == TextShape::kCompletion) {
        if (json::Value* text = member(value, "text")) {
            any = pass(*text, choice.content);
        }
    } else if (json::Value* delta = member(value, "delta")) {
        any = TRY(take_delta(*delta, choice));
    }
    if (json::Value* finish = member(value, "finish_reason")) {
        if (const std::string* reason = finish->if_string()) {
            choice.finish = *reason;
            *finish = json::Value();
        }
    }
    // Alternatives to the tokens that were chosen would go out unreviewed.
    remove_member(value, "logprobs");
    return any;
}

Result<std::string> ChatStream::take(std::string_view data) {
    auto parsed = json::parse(data, {.depth_max = kDepthMax, .bytes_max = http::kSseEventBytesMax});
    if (!parsed.ok() || parsed->if_object() == nullptr) {
        return not_ours("an event is no JSON object");
    }
    json::Value value = std::move(*parsed);
    if (const json::Value* error = value.find("error"); error != nullptr && !error->is_null()) {
        return upstream_says(*error);
    }
    const Usage usage = usage_of(value);
    if (usage.input + usage.output > 0) {
        usage_ = usage;
    }
    json::Value* choices = member(value, "choices");
    json::Array* list = choices == nullptr ? nullptr : choices->if_array();
    if (list == nullptr || list->empty()) {
        if (usage.input + usage.output > 0) {
            usage_event_ = std::move(value);
        }
        return std::string();
    }
    if (frame_.is_null()) {
        frame_ = value;
        remove_member(frame_, "choices");
        remove_member(frame_, "usage");
        model_ = text_member(value, "model");
    }
    bool any = false;
    for (json::Value& choice : *list) {
        any = TRY(take_choice(choice)) || any;
    }
    if (!any || blocked()) {
        return std::string();
    }
    return event(std::move(value));
}

std::string ChatStream::event(json::Value value) {
    // The implicit label stands in the first event and in the last.
    if (!labelled_) {
        labelled_ = true;
        set_member(value, "aigc", rules_.aigc);
    }
    return http::write_sse({}, json::write(value));
}

json::Value ChatStream::frame(json::Value choices) const {
    json::Value value = frame_;
    if (value.is_null()) {
        value = json::Object{};
    }
    set_member(value, "choices", std::move(choices));
    return value;
}

// What a choice still has to say before its reason.
json::Value ChatStream::last_delta(std::int64_t index, Choice& choice, Ending ending) const {
    // Held text stays where it is unless the answer came to its own end.
    std::string content =
        ending == Ending::kWhole ? choice.content.finish() : choice.content.finish_without_rest();
    json::Object value{{"index", index}};
    if (rules_.shape == TextShape::kCompletion) {
        value.emplace_back("text", std::move(content));
        return value;
    }
    json::Object delta;
    if (!content.empty()) {
        delta.emplace_back("content", std::move(content));
    }
    if (ending == Ending::kWhole) {
        std::string reasoning = choice.reasoning.finish();
        if (!reasoning.empty()) {
            delta.emplace_back(std::string(kReasoning[0]), std::move(reasoning));
        }
        json::Array calls;
        for (auto& [tool, gate] : choice.tools) {
            std::string rest = gate.finish();
            if (!rest.empty()) {
                calls.push_back(json::Object{
                    {"index", tool}, {"function", json::Object{{"arguments", std::move(rest)}}}});
            }
        }
        if (!calls.empty()) {
            delta.emplace_back("tool_calls", std::move(calls));
        }
    }
    value.emplace_back("delta", std::move(delta));
    return value;
}

void ChatStream::settle() {
    for (auto& [index, choice] : choices_) {
        settle(choice.content);
        settle(choice.reasoning);
        for (auto& [tool, gate] : choice.tools) {
            settle(gate);
        }
    }
}

std::string ChatStream::close(Ending ending) {
    std::string out;
    json::Array last;
    for (auto& [index, choice] : choices_) {
        json::Value value = last_delta(index, choice, ending);
        const bool broken = ending == Ending::kBroken;
        std::string reason = ending == Ending::kBlocked ? "content_filter" : choice.finish;
        if (reason.empty() && !broken) {
            reason = "stop";
        }
        set_member(value, "finish_reason",
                   reason.empty() ? json::Value() : json::Value(std::move(reason)));
        last.push_back(std::move(value));
    }
    json::Value value = frame(std::move(last));
    set_member(value, "aigc", rules_.aigc);
    if (!rules_.notice.empty()) {
        set_member(value, "aigc_notice", rules_.notice);
    }
    add_ticket(value);
    out += http::write_sse({}, json::write(value));
    if (usage_event_ && rules_.wants_usage && ending != Ending::kBroken) {
        out += http::write_sse({}, json::write(*usage_event_));
    }
    return out;
}

std::string ChatStream::error_event(const Refusal& refusal, const ErrorContext& context) {
    return http::write_sse({}, json::write(error_json(refusal, context)));
}

bool ChatStream::all_finished() const noexcept {
    return !choices_.empty() && std::ranges::all_of(choices_, [](const auto& each) {
        return !each.second.finish.empty();
    });
}

std::string ChatStream::text() const {
    std::string all;
    for (const auto& [index, choice] : choices_) {
        all += choice.reasoning.text();
        all += choice.content.text();
        for (const auto& [tool, gate] : choice.tools) {
            all += gate.text();
        }
    }
    return all;
}

namespace {

// A text of an answer that came at once.
void pass_text(json::Value& value, TextGate gate, review::Verdict& verdict, std::string& text) {
    const std::string* whole = value.if_string();
    if (whole == nullptr || verdict.blocked()) {
        return;
    }
    std::string out = gate.push(*whole);
    out += gate.finish();
    add_verdict(gate.verdict(), verdict);
    text += out;
    value = std::move(out);
}

void pass_message(json::Value& message, const AnswerRules& rules, review::Verdict& verdict,
                  std::string& text) {
    json::Object* members = message.if_object();
    if (members == nullptr) {
        return;
    }
    for (auto& [name, value] : *members) {
        if (name == "content" || name == "refusal") {
            pass_text(value, rules.gate(rules.label), verdict, text);
        } else if (std::ranges::find(kReasoning, name) != kReasoning.end()) {
            pass_text(value, rules.gate({}), verdict, text);
        } else if (name == "tool_calls" && value.if_array() != nullptr) {
            for (json::Value& call : *value.if_array()) {
                json::Value* function = member(call, "function");
                json::Value* arguments =
                    function == nullptr ? nullptr : member(*function, "arguments");
                if (arguments != nullptr) {
                    pass_text(*arguments, rules.call_gate(tool_name(call)), verdict, text);
                }
            }
        }
    }
}

Result<void> check_message(const json::Value& message) {
    for (const std::string_view name : {"audio", "images"}) {
        const json::Value* found = message.find(name);
        if (found != nullptr && !found->is_null()) {
            return Error{ErrorCode::kUnsupported,
                         "the upstream answers with sound or pictures, which cannot be labelled "
                         "in an answer of text"};
        }
    }
    const json::Value* content = message.find("content");
    if (content != nullptr && !content->is_null() && content->if_string() == nullptr) {
        return not_ours("the content of a message is no text");
    }
    return {};
}

}  // namespace

Result<review::Verdict> pass_answer(json::Value& answer, const AnswerRules& rules,
                                    std::string& text) {
    json::Value* choices = member(answer, "choices");
    json::Array* list = choices == nullptr ? nullptr : choices->if_array();
    if (list == nullptr || list->size() > kChoicesMax) {
        return not_ours("it has no choices");
    }
    review::Verdict verdict;
    for (json::Value& choice : *list) {
        remove_member(choice, "logprobs");
        if (json::Value* whole = member(choice, "text")) {
            pass_text(*whole, rules.gate(rules.label), verdict, text);
        }
        if (json::Value* message = member(choice, "message")) {
            TRY(check_message(*message));
            pass_message(*message, rules, verdict, text);
        }
    }
    set_member(answer, "aigc", rules.aigc);
    if (!rules.notice.empty()) {
        set_member(answer, "aigc_notice", rules.notice);
    }
    return verdict;
}

}  // namespace colophon::gateway
