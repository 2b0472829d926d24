// SPDX-License-Identifier: Apache-2.0
#include "gateway/responses_stream.h"

#include "core/json.h"
#include "core/result.h"
#include "gateway/json_edit.h"
#include "gateway/refusal.h"
#include "gateway/text_gate.h"
#include "gateway/text_stream.h"
#include "http/limits.h"
#include "http/sse.h"

#include <fmt/format.h>

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
constexpr std::string_view kDelta = ".delta";
constexpr std::string_view kDone = ".done";

Error cannot_review(std::string_view what) {
    return Error{
        ErrorCode::kUnsupported,
        fmt::format("the upstream answers with \"{}\", which cannot be reviewed or labelled",
                    what.substr(0, 100))};
}

}  // namespace

// The texts that an answer has, by the events that bring them.
struct ResponsesStream::Kind {
    std::string_view stem;   // of the event's type
    std::string_view index;  // member that numbers it within its item; empty: there is one
    std::string_view whole;  // member of the event at its end, of the part, or of the item
    std::string_view part;   // type of the part, or member of the item
    bool labelled;           // said to a person [GB45438-5.1]
};

namespace {

template <class Row>
constexpr std::array<Row, 6> kRows{{
    {"response.output_text", "content_index", "text", "output_text", true},
    {"response.refusal", "content_index", "refusal", "refusal", true},
    {"response.reasoning_text", "content_index", "text", "reasoning_text", false},
    {"response.reasoning_summary_text", "summary_index", "text", "summary_text", false},
    {"response.function_call_arguments", "", "arguments", "arguments", false},
    {"response.custom_tool_call_input", "", "input", "input", false},
}};

}  // namespace

const ResponsesStream::Kind* ResponsesStream::kind_of_event(std::string_view type,
                                                            std::string_view ending) {
    if (!type.ends_with(ending)) {
        return nullptr;
    }
    type.remove_suffix(ending.size());
    const auto* row = std::ranges::find(kRows<Kind>, type, &Kind::stem);
    return row == kRows<Kind>.end() ? nullptr : row;
}

const ResponsesStream::Kind* ResponsesStream::kind_of_part(std::string_view part) {
    const auto* row = std::ranges::find(kRows<Kind>, part, &Kind::part);
    return row == kRows<Kind>.end() ? nullptr : row;
}

std::string ResponsesStream::event(json::Value value) {
    set_member(value, "sequence_number", sequence_++);
    const std::string type(text_member(value, "type"));
    return http::write_sse(type, json::write(value));
}

void ResponsesStream::add_label(json::Value& response) const {
    set_member(response, "aigc", rules_.aigc);
    if (!rules_.notice.empty()) {
        set_member(response, "aigc_notice", rules_.notice);
    }
}

Result<ResponsesStream::Part*> ResponsesStream::part_of(const Key& key) {
    const auto found = parts_.find(key);
    if (found != parts_.end()) {
        return &found->second;
    }
    if (parts_.size() >= kItemsMax) {
        return not_ours("too many texts");
    }
    const TextLabel label = std::get<1>(key)->labelled ? rules_.label : TextLabel{};
    const bool is_call = std::get<1>(key)->index.empty();
    Part part{.gate = is_call ? rules_.call_gate(names_[std::get<0>(key)]) : rules_.gate(label),
              .ids = {}};
    return &parts_.emplace(key, std::move(part)).first->second;
}

Result<std::string> ResponsesStream::final_text(const Key& key, const json::Value* whole) {
    Part& part = *TRY(part_of(key));
    const std::string* said = whole == nullptr ? nullptr : whole->if_string();
    // A text that came without pieces is there now; of one that came in pieces, they count.
    const bool in_pieces = !part.ids.empty();
    if (!part.finished && !in_pieces && said != nullptr) {
        push(part.gate, *said);
    }
    settle(part.gate);
    // A text that is blocked here ends with close().
    if (!part.finished && !blocked()) {
        part.finished = true;
        std::string rest = finish(part.gate);
        if (in_pieces && !rest.empty()) {
            json::Value delta = part.ids;
            set_member(delta, "type", std::string(std::get<1>(key)->stem) + std::string(kDelta));
            set_member(delta, "delta", std::move(rest));
            before_ += event(std::move(delta));
        }
    }
    return part.gate.text();
}

Result<std::string> ResponsesStream::take_delta(json::Value value, const Kind& kind) {
    const Key key{count_member(value, "output_index"), &kind, count_member(value, kind.index)};
    Part& part = *TRY(part_of(key));
    const std::string* piece =
        value.find("delta") == nullptr ? nullptr : value.find("delta")->if_string();
    if (piece == nullptr || part.finished) {
        return not_ours("a piece of a text stands in a wrong place");
    }
    // Alternatives to the tokens that were chosen would go out unreviewed.
    if (value.find("logprobs") != nullptr) {
        set_member(value, "logprobs", json::Array{});
    }
    remove_member(value, "obfuscation");
    std::string out = push(part.gate, *piece);
    if (part.ids.empty()) {
        part.ids = *value.if_object();
    }
    if (out.empty()) {
        return out;
    }
    set_member(value, "delta", std::move(out));
    return event(std::move(value));
}

Result<std::string> ResponsesStream::take_done(json::Value value, const Kind& kind) {
    const Key key{count_member(value, "output_index"), &kind, count_member(value, kind.index)};
    std::string text = TRY(final_text(key, value.find(kind.whole)));
    set_member(value, kind.whole, std::move(text));
    if (value.find("logprobs") != nullptr) {
        set_member(value, "logprobs", json::Array{});
    }
    std::string out = std::exchange(before_, {});
    return out + event(std::move(value));
}

// A list of parts: the content of a message, or what reasoning says.
Result<void> ResponsesStream::pass_parts(json::Value& list, std::int64_t item) {
    json::Array* parts = list.if_array();
    if (parts == nullptr) {
        return not_ours("the content of an item is no list");
    }
    std::int64_t at = 0;
    for (json::Value& part : *parts) {
        const std::string_view type = text_member(part, "type");
        const Kind* kind = kind_of_part(type);
        if (kind == nullptr || kind->index.empty()) {
            return cannot_review(type);
        }
        std::string text = TRY(final_text(Key{item, kind, at}, part.find(kind->whole)));
        set_member(part, kind->whole, std::move(text));
        // Annotations name places in the text, which the label has moved, and foreign titles.
        if (part.find("annotations") != nullptr) {
            set_member(part, "annotations", json::Array{});
        }
        remove_member(part, "logprobs");
        ++at;
    }
    return {};
}

Result<void> ResponsesStream::pass_item(json::Value& item, std::int64_t at) {
    const std::string type(text_member(item, "type"));
    if (type == "message" || type == "reasoning") {
        for (const std::string_view name : {"summary", "content"}) {
            json::Value* list = member(item, name);
            if (list != nullptr && !list->is_null()) {
                TRY(pass_parts(*list, at));
            }
        }
        return {};
    }
    if (type == "function_call" || type == "custom_tool_call") {
        names_[at] = text_member(item, "name");
        const std::string_view name = type == "function_call" ? "arguments" : "input";
        std::string text = TRY(final_text(Key{at, kind_of_part(name), 0}, item.find(name)));
        set_member(item, name, std::move(text));
        return {};
    }
    return cannot_review(type);
}

Result<void> ResponsesStream::pass_output(json::Value& response) {
    json::Value* output = member(response, "output");
    json::Array* list = output == nullptr ? nullptr : output->if_array();
    if (list == nullptr) {
        return not_ours("it has no output");
    }
    std::int64_t at = 0;
    for (json::Value& item : *list) {
        TRY(pass_item(item, at));
        ++at;
    }
    remove_member(response, "output_text");
    add_label(response);
    return {};
}

Result<void> ResponsesStream::pass_response(json::Value& response) {
    const json::Value* error = response.find("error");
    if (error != nullptr && !error->is_null()) {
        return upstream_says(*error);
    }
    usage_ = usage_of(response);
    model_ = text_member(response, "model");
    return pass_output(response);
}

Result<std::string> ResponsesStream::take_lifecycle(json::Value value, std::string_view type) {
    json::Value* response = member(value, "response");
    if (response == nullptr || response->if_object() == nullptr) {
        return not_ours("an event has no response");
    }
    const json::Value* error = response->find("error");
    if (error != nullptr && !error->is_null()) {
        return upstream_says(*error);
    }
    if (type == "response.completed" || type == "response.incomplete") {
        usage_ = usage_of(*response);
        TRY(pass_output(*response));
        last_ = std::move(value);
        return std::exchange(before_, {});
    }
    set_member(*response, "output", json::Array{});
    add_label(*response);
    frame_ = *response;
    model_ = text_member(*response, "model");
    return event(std::move(value));
}

Result<std::string> ResponsesStream::take_item(json::Value value, bool done) {
    const std::int64_t at = count_member(value, "output_index");
    json::Value* item = member(value, "item");
    if (item == nullptr || items_.size() >= kItemsMax) {
        return not_ours("an item is missing, or there are too many");
    }
    if (!done) {
        // What it says comes in its own events; here nobody reviews it.
        for (const std::string_view name : {"content", "summary"}) {
            json::Value* list = member(*item, name);
            if (list != nullptr && list->if_array() != nullptr) {
                *list = json::Array{};
            }
        }
        for (const std::string_view name : {"arguments", "input"}) {
            if (json::Value* text = member(*item, name)) {
                *text = "";
            }
        }
        const std::string type(text_member(*item, "type"));
        if (type != "message" && type != "reasoning" && type != "function_call" &&
            type != "custom_tool_call") {
            return cannot_review(type);
        }
        items_[at].skeleton = *item;
        names_[at] = text_member(*item, "name");
        return event(std::move(value));
    }
    TRY(pass_item(*item, at));
    items_[at].skeleton = *item;
    items_[at].done = true;
    std::string out = std::exchange(before_, {});
    return out + event(std::move(value));
}

Result<std::string> ResponsesStream::take_part(json::Value value, std::string_view type) {
    json::Value* part = member(value, "part");
    const Kind* kind = part == nullptr ? nullptr : kind_of_part(text_member(*part, "type"));
    if (kind == nullptr || kind->index.empty()) {
        return cannot_review(part == nullptr ? "" : text_member(*part, "type"));
    }
    std::string text;
    if (type.ends_with(kDone)) {
        const Key key{count_member(value, "output_index"), kind, count_member(value, kind->index)};
        text = TRY(final_text(key, part->find(kind->whole)));
    }
    set_member(*part, kind->whole, std::move(text));
    if (part->find("annotations") != nullptr) {
        set_member(*part, "annotations", json::Array{});
    }
    remove_member(*part, "logprobs");
    std::string out = std::exchange(before_, {});
    return out + event(std::move(value));
}

Result<std::string> ResponsesStream::take(std::string_view data) {
    auto parsed = json::parse(data, {.depth_max = kDepthMax, .bytes_max = http::kSseEventBytesMax});
    if (!parsed.ok() || parsed->if_object() == nullptr) {
        return not_ours("an event is no JSON object");
    }
    json::Value value = std::move(*parsed);
    const std::string type(text_member(value, "type"));
    const json::Value* error = value.find("error");
    if (type == "error" || (error != nullptr && !error->is_null())) {
        return upstream_says(error == nullptr ? value : *error);
    }
    const std::int64_t number = sequence_;
    Result<std::string> out{std::string()};
    if (const Kind* delta = kind_of_event(type, kDelta)) {
        out = take_delta(std::move(value), *delta);
    } else if (const Kind* done = kind_of_event(type, kDone)) {
        out = take_done(std::move(value), *done);
    } else if (type.starts_with("response.output_item.")) {
        out = take_item(std::move(value), type.ends_with(kDone));
    } else if (type.starts_with("response.content_part.") ||
               type.starts_with("response.reasoning_summary_part.")) {
        out = take_part(std::move(value), type);
    } else if (value.find("response") != nullptr) {
        out = take_lifecycle(std::move(value), type);
    }
    if (out.ok() && blocked()) {
        sequence_ = number;  // nothing of this event goes out
        return std::string();
    }
    return out;
}

// The labels of the texts that are cut off.
std::string ResponsesStream::end_labels() {
    std::string out;
    for (auto& [key, part] : parts_) {
        if (part.finished) {
            continue;
        }
        part.finished = true;
        std::string rest = part.gate.finish_without_rest();
        const Kind& kind = *std::get<1>(key);
        json::Value delta = part.ids;
        if (delta.if_object()->empty()) {
            continue;
        }
        if (!rest.empty()) {
            set_member(delta, "type", std::string(kind.stem) + std::string(kDelta));
            set_member(delta, "delta", std::move(rest));
            out += event(delta);
        }
        remove_member(delta, "delta");
        set_member(delta, "type", std::string(kind.stem) + std::string(kDone));
        set_member(delta, kind.whole, part.gate.text());
        out += event(std::move(delta));
    }
    return out;
}

// An answer that review ended: what went out stays, as an incomplete response.
std::string ResponsesStream::close_blocked() {
    std::string out = end_labels();
    json::Array output;
    for (auto& [at, item] : items_) {
        json::Value& value = item.skeleton;
        if (!item.done) {
            json::Array content;
            for (const auto& [key, part] : parts_) {
                const auto& [of, kind, index] = key;
                if (of != at) {
                    continue;
                }
                if (kind->index.empty()) {
                    set_member(value, kind->whole, part.gate.text());
                } else if (kind->index == "content_index") {
                    content.push_back(json::Object{{"type", kind->part},
                                                   {std::string(kind->whole), part.gate.text()},
                                                   {"annotations", json::Array{}}});
                }
            }
            if (value.find("content") != nullptr) {
                set_member(value, "content", std::move(content));
            }
            set_member(value, "status", "incomplete");
            out += event(json::Object{
                {"type", "response.output_item.done"}, {"output_index", at}, {"item", value}});
        }
        output.push_back(value);
    }
    json::Value response = frame_.is_null() ? json::Value(json::Object{}) : frame_;
    set_member(response, "status", "incomplete");
    set_member(response, "incomplete_details", json::Object{{"reason", "content_filter"}});
    set_member(response, "output", std::move(output));
    add_label(response);
    add_ticket(response);
    return out +
           event(json::Object{{"type", "response.incomplete"}, {"response", std::move(response)}});
}

void ResponsesStream::settle() {
    for (auto& [key, part] : parts_) {
        settle(part.gate);
    }
}

std::string ResponsesStream::close(Ending ending) {
    switch (ending) {
        case Ending::kWhole:
            return last_.is_null() ? std::string() : event(std::move(last_));
        case Ending::kBlocked:
            return close_blocked();
        case Ending::kBroken:
            break;
    }
    return end_labels();
}

std::string ResponsesStream::error_event(const Refusal& refusal, const ErrorContext& context) {
    // Flat as the API has it, and as an object, which is what its clients throw.
    json::Value told = error_json(refusal, context);
    const json::Value* error = told.find("error");
    json::Value value = json::Object{{"type", "error"}};
    for (const std::string_view name : {"code", "message", "param"}) {
        set_member(value, name, *error->find(name));
    }
    set_member(value, "error", *error);
    return event(std::move(value));
}

std::string ResponsesStream::text() const {
    std::string all;
    for (const auto& [key, part] : parts_) {
        all += part.gate.text();
    }
    return all;
}

}  // namespace colophon::gateway
