// SPDX-License-Identifier: Apache-2.0
// Answers, whole and streamed: messages as chat completions and back.
#include "core/json.h"
#include "core/result.h"
#include "gateway/dialects.h"
#include "gateway/json_edit.h"
#include "gateway/text_stream.h"
#include "http/limits.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr std::size_t kDepthMax = 64;

// Why an answer ended: the reason of messages, and of chats.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kReasons{
    {{"end_turn", "stop"},
     {"max_tokens", "length"},
     {"tool_use", "tool_calls"},
     {"refusal", "content_filter"},
     {"stop_sequence", "stop"}}};

std::string chat_reason(std::string_view reason) {
    for (const auto& [message, chat] : kReasons) {
        if (message == reason) {
            return std::string(chat);
        }
    }
    return "stop";
}

std::string message_reason(std::string_view reason) {
    for (const auto& [message, chat] : kReasons) {
        if (chat == reason) {
            return std::string(message);
        }
    }
    return "end_turn";
}

json::Object chat_usage(std::int64_t input, std::int64_t output) {
    return {
        {"prompt_tokens", input}, {"completion_tokens", output}, {"total_tokens", input + output}};
}

json::Object message_usage(const Usage& usage) {
    return {{"input_tokens", usage.input}, {"output_tokens", usage.output}};
}

// What was read from a cache was input too.
std::int64_t input_tokens(const json::Value& usage) {
    return count_member(usage, "input_tokens") + count_member(usage, "cache_read_input_tokens") +
           count_member(usage, "cache_creation_input_tokens");
}

Result<json::Value> parse_event(std::string_view data) {
    auto parsed = json::parse(data, {.depth_max = kDepthMax, .bytes_max = http::kSseEventBytesMax});
    if (!parsed.ok() || parsed->if_object() == nullptr) {
        return not_ours("an event is no JSON object");
    }
    return parsed;
}

Error unknown_block() {
    return not_ours("a block is of a type that a chat has not");
}

}  // namespace

Result<json::Value> message_as_chat(const json::Value& answer, std::int64_t created) {
    const json::Value* content = answer.find("content");
    if (content == nullptr || content->if_array() == nullptr) {
        return not_ours("a message has no list of blocks");
    }
    std::string text;
    std::string reasoning;
    json::Array calls;
    for (const json::Value& block : *content->if_array()) {
        const std::string_view type = text_member(block, "type");
        if (type == "text") {
            text += text_member(block, "text");
        } else if (type == "thinking") {
            reasoning += text_member(block, "thinking");
        } else if (type == "tool_use") {
            const json::Value* input = block.find("input");
            json::Object function{
                {"name", std::string(text_member(block, "name"))},
                {"arguments", input == nullptr ? std::string("{}") : json::write(*input)}};
            calls.push_back(json::Object{{"id", std::string(text_member(block, "id"))},
                                         {"type", "function"},
                                         {"function", std::move(function)}});
        } else if (type != "redacted_thinking") {
            return unknown_block();
        }
    }
    json::Value message = json::Object{{"role", "assistant"}};
    set_member(message, "content",
               text.empty() && !calls.empty() ? json::Value() : json::Value(std::move(text)));
    if (!reasoning.empty()) {
        set_member(message, "reasoning_content", std::move(reasoning));
    }
    if (!calls.empty()) {
        set_member(message, "tool_calls", std::move(calls));
    }
    json::Object choice{{"index", 0},
                        {"message", std::move(message)},
                        {"finish_reason", chat_reason(text_member(answer, "stop_reason"))}};
    json::Value out = json::Object{{"id", std::string(text_member(answer, "id"))},
                                   {"object", "chat.completion"},
                                   {"created", created},
                                   {"model", std::string(text_member(answer, "model"))},
                                   {"choices", json::Array{std::move(choice)}}};
    if (const json::Value* usage = answer.find("usage")) {
        set_member(out, "usage",
                   chat_usage(input_tokens(*usage), count_member(*usage, "output_tokens")));
    }
    return out;
}

Result<json::Value> chat_as_message(const json::Value& answer) {
    const json::Value* choices = answer.find("choices");
    const json::Array* list = choices == nullptr ? nullptr : choices->if_array();
    const json::Value* message =
        list == nullptr || list->empty() ? nullptr : list->front().find("message");
    if (message == nullptr) {
        return not_ours("it has no choices");
    }
    json::Array content;
    const std::string_view reasoning = text_member(*message, "reasoning_content");
    if (!reasoning.empty()) {
        content.push_back(json::Object{
            {"type", "thinking"}, {"thinking", std::string(reasoning)}, {"signature", ""}});
    }
    const std::string_view text = text_member(*message, "content");
    if (!text.empty()) {
        content.push_back(json::Object{{"type", "text"}, {"text", std::string(text)}});
    }
    const json::Value* calls = message->find("tool_calls");
    if (calls != nullptr && calls->if_array() != nullptr) {
        for (const json::Value& call : *calls->if_array()) {
            const json::Value* function = call.find("function");
            const std::string_view said =
                function == nullptr ? std::string_view() : text_member(*function, "arguments");
            auto input = json::parse(said.empty() ? "{}" : said, {.bytes_max = said.size() + 2});
            if (function == nullptr || !input.ok()) {
                return not_ours("arguments of a tool are no JSON");
            }
            content.push_back(json::Object{{"type", "tool_use"},
                                           {"id", std::string(text_member(call, "id"))},
                                           {"name", std::string(text_member(*function, "name"))},
                                           {"input", std::move(*input)}});
        }
    }
    return json::Value(
        json::Object{{"id", std::string(text_member(answer, "id"))},
                     {"type", "message"},
                     {"role", "assistant"},
                     {"model", std::string(text_member(answer, "model"))},
                     {"content", std::move(content)},
                     {"stop_reason", message_reason(text_member(list->front(), "finish_reason"))},
                     {"stop_sequence", nullptr},
                     {"usage", message_usage(usage_of(answer))}});
}

namespace {

class MessagesAsChunks final : public EventTranslator {
public:
    explicit MessagesAsChunks(std::int64_t created) : created_(created) {}

    Result<std::vector<std::string>> take(std::string_view data) override {
        const json::Value value = TRY(parse_event(data));
        const std::string_view type = text_member(value, "type");
        std::vector<std::string> out;
        if (type == "error") {
            out.emplace_back(data);  // the error object is that of a chat
        } else if (type == "message_start") {
            start(value, out);
        } else if (type == "content_block_start") {
            TRY(begin_block(value, out));
        } else if (type == "content_block_delta") {
            take_delta(value, out);
        } else if (type == "message_delta") {
            end(value, out);
        } else if (type == "message_stop") {
            out.emplace_back("[DONE]");
        }
        return out;
    }

private:
    std::string chunk(json::Object delta, json::Value reason) const {
        json::Object choice{
            {"index", 0}, {"delta", std::move(delta)}, {"finish_reason", std::move(reason)}};
        return json::write(frame(json::Array{std::move(choice)}));
    }
    json::Value frame(json::Array choices) const {
        return json::Object{{"id", id_},
                            {"object", "chat.completion.chunk"},
                            {"created", created_},
                            {"model", model_},
                            {"choices", std::move(choices)}};
    }
    void start(const json::Value& value, std::vector<std::string>& out) {
        if (const json::Value* message = value.find("message")) {
            id_ = text_member(*message, "id");
            model_ = text_member(*message, "model");
            const json::Value* usage = message->find("usage");
            input_ = usage == nullptr ? 0 : input_tokens(*usage);
        }
        out.push_back(chunk({{"role", "assistant"}, {"content", ""}}, nullptr));
    }
    Result<void> begin_block(const json::Value& value, std::vector<std::string>& out) {
        const json::Value* block = value.find("content_block");
        const std::string type(block == nullptr ? "" : text_member(*block, "type"));
        if (type == "tool_use") {
            const auto number = static_cast<std::int64_t>(tools_.size());
            tools_[count_member(value, "index")] = number;
            json::Object function{{"name", std::string(text_member(*block, "name"))},
                                  {"arguments", ""}};
            json::Object call{{"index", number},
                              {"id", std::string(text_member(*block, "id"))},
                              {"type", "function"},
                              {"function", std::move(function)}};
            out.push_back(chunk({{"tool_calls", json::Array{std::move(call)}}}, nullptr));
        } else if (type == "text" && !text_member(*block, "text").empty()) {
            out.push_back(chunk({{"content", std::string(text_member(*block, "text"))}}, nullptr));
        } else if (type != "text" && type != "thinking" && type != "redacted_thinking") {
            return unknown_block();
        }
        return {};
    }
    void take_delta(const json::Value& value, std::vector<std::string>& out) {
        const json::Value* delta = value.find("delta");
        if (delta == nullptr) {
            return;
        }
        const std::string_view type = text_member(*delta, "type");
        if (type == "text_delta") {
            out.push_back(chunk({{"content", std::string(text_member(*delta, "text"))}}, nullptr));
        } else if (type == "thinking_delta") {
            out.push_back(chunk(
                {{"reasoning_content", std::string(text_member(*delta, "thinking"))}}, nullptr));
        } else if (type == "input_json_delta") {
            json::Object function{{"arguments", std::string(text_member(*delta, "partial_json"))}};
            json::Object call{{"index", tools_[count_member(value, "index")]},
                              {"function", std::move(function)}};
            out.push_back(chunk({{"tool_calls", json::Array{std::move(call)}}}, nullptr));
        }
    }
    void end(const json::Value& value, std::vector<std::string>& out) {
        const json::Value* delta = value.find("delta");
        const std::string_view reason =
            delta == nullptr ? std::string_view() : text_member(*delta, "stop_reason");
        out.push_back(chunk({}, chat_reason(reason)));
        if (const json::Value* usage = value.find("usage")) {
            json::Value last = frame({});
            const std::int64_t input = std::max(input_, input_tokens(*usage));
            set_member(last, "usage", chat_usage(input, count_member(*usage, "output_tokens")));
            out.push_back(json::write(last));
        }
    }

    std::int64_t created_;
    std::string id_;
    std::string model_;
    std::int64_t input_ = 0;
    std::map<std::int64_t, std::int64_t> tools_;  // block -> number of the call
};

class ChunksAsMessages final : public EventTranslator {
public:
    Result<std::vector<std::string>> take(std::string_view data) override {
        std::vector<std::string> out;
        if (data == "[DONE]") {
            end(out);
            return out;
        }
        const json::Value value = TRY(parse_event(data));
        if (const json::Value* error = value.find("error"); error != nullptr && !error->is_null()) {
            return upstream_says(*error);
        }
        begin(value, out);
        const Usage usage = usage_of(value);
        if (usage.input + usage.output > 0) {
            usage_ = usage;
        }
        const json::Value* choices = value.find("choices");
        const json::Array* list = choices == nullptr ? nullptr : choices->if_array();
        if (list == nullptr || list->empty()) {
            return out;
        }
        if (const json::Value* delta = list->front().find("delta")) {
            TRY(take_delta(*delta, out));
        }
        const std::string_view reason = text_member(list->front(), "finish_reason");
        if (!reason.empty()) {
            reason_ = message_reason(reason);
        }
        return out;
    }
    std::vector<std::string> close() override {
        std::vector<std::string> out;
        if (!reason_.empty()) {
            end(out);
        }
        return out;
    }

private:
    void begin(const json::Value& value, std::vector<std::string>& out) {
        if (begun_) {
            return;
        }
        begun_ = true;
        json::Object message{{"id", std::string(text_member(value, "id"))},
                             {"type", "message"},
                             {"role", "assistant"},
                             {"model", std::string(text_member(value, "model"))},
                             {"content", json::Array{}},
                             {"stop_reason", nullptr},
                             {"stop_sequence", nullptr},
                             {"usage", message_usage({})}};
        out.push_back(
            json::write(json::Object{{"type", "message_start"}, {"message", std::move(message)}}));
    }
    void close_block(std::vector<std::string>& out) {
        if (!open_.empty()) {
            out.push_back(
                json::write(json::Object{{"type", "content_block_stop"}, {"index", index_ - 1}}));
            open_.clear();
        }
    }
    // Blocks follow each other: another kind, or another call, ends the one before.
    void open_block(const std::string& kind, json::Object block, std::vector<std::string>& out) {
        if (open_ == kind) {
            return;
        }
        close_block(out);
        open_ = kind;
        out.push_back(json::write(json::Object{{"type", "content_block_start"},
                                               {"index", index_++},
                                               {"content_block", std::move(block)}}));
    }
    void add(std::string_view type, std::string_view name, std::string_view text,
             std::vector<std::string>& out) const {
        json::Object delta{{"type", std::string(type)}, {std::string(name), std::string(text)}};
        out.push_back(json::write(json::Object{
            {"type", "content_block_delta"}, {"index", index_ - 1}, {"delta", std::move(delta)}}));
    }
    Result<void> take_delta(const json::Value& delta, std::vector<std::string>& out) {
        for (const std::string_view name : {"audio", "images"}) {
            if (delta.find(name) != nullptr) {
                return not_ours("sound or pictures in a stream of text");
            }
        }
        const std::string_view reasoning = text_member(delta, "reasoning_content");
        if (!reasoning.empty()) {
            open_block("thinking", {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}},
                       out);
            add("thinking_delta", "thinking", reasoning, out);
        }
        const std::string_view text = text_member(delta, "content");
        if (!text.empty()) {
            open_block("text", {{"type", "text"}, {"text", ""}}, out);
            add("text_delta", "text", text, out);
        }
        const json::Value* calls = delta.find("tool_calls");
        if (calls == nullptr || calls->if_array() == nullptr) {
            return {};
        }
        for (const json::Value& call : *calls->if_array()) {
            const json::Value* function = call.find("function");
            const std::string kind = "tool " + std::to_string(count_member(call, "index"));
            if (function == nullptr) {
                return not_ours("a call of a tool has no function");
            }
            const std::string name(text_member(*function, "name"));
            if (open_ != kind && name.empty()) {
                return not_ours("pieces of several calls of tools are mixed");
            }
            open_block(kind,
                       {{"type", "tool_use"},
                        {"id", std::string(text_member(call, "id"))},
                        {"name", name},
                        {"input", json::Object{}}},
                       out);
            const std::string_view arguments = text_member(*function, "arguments");
            if (!arguments.empty()) {
                add("input_json_delta", "partial_json", arguments, out);
            }
        }
        return {};
    }
    void end(std::vector<std::string>& out) {
        close_block(out);
        json::Object delta{{"stop_reason", reason_.empty() ? "end_turn" : reason_},
                           {"stop_sequence", nullptr}};
        out.push_back(json::write(json::Object{{"type", "message_delta"},
                                               {"delta", std::move(delta)},
                                               {"usage", message_usage(usage_)}}));
        out.push_back(json::write(json::Object{{"type", "message_stop"}}));
    }

    bool begun_ = false;
    std::string open_;  // the kind of the block that is open
    std::int64_t index_ = 0;
    std::string reason_;  // why it ended, once that was said
    Usage usage_;
};

}  // namespace

std::unique_ptr<EventTranslator> messages_as_chunks(std::int64_t created) {
    return std::make_unique<MessagesAsChunks>(created);
}

std::unique_ptr<EventTranslator> chunks_as_messages() {
    return std::make_unique<ChunksAsMessages>();
}

}  // namespace colophon::gateway
