// SPDX-License-Identifier: Apache-2.0
// Requests: chat completions as messages and back.
#include "core/json.h"
#include "core/result.h"
#include "gateway/dialects.h"
#include "gateway/json_edit.h"
#include "gateway/text_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

// Messages must say how long an answer may become; chats need not.
constexpr std::int64_t kTokensMax = 4096;

Error cannot_ask(std::string_view what) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("this model's upstream has no counterpart of {}", what)};
}

void copy_member(const json::Value& from, std::string_view name, json::Value& to,
                 std::string_view as) {
    const json::Value* found = from.find(name);
    if (found != nullptr && !found->is_null()) {
        set_member(to, as, *found);
    }
}

json::Object text_block(std::string_view text) {
    return {{"type", "text"}, {"text", std::string(text)}};
}

// "data:image/png;base64,...", or an address.
Result<json::Object> picture_source(std::string_view url) {
    if (!url.starts_with("data:")) {
        return json::Object{{"type", "url"}, {"url", std::string(url)}};
    }
    url.remove_prefix(5);
    constexpr std::string_view kCoding = ";base64,";
    const std::size_t coding = url.find(kCoding);
    if (coding == std::string_view::npos) {
        return cannot_ask("a picture that is not coded in base64");
    }
    return json::Object{{"type", "base64"},
                        {"media_type", std::string(url.substr(0, coding))},
                        {"data", std::string(url.substr(coding + kCoding.size()))}};
}

// The content of a message of a chat, as blocks.
Result<json::Array> blocks_of(const json::Value* content) {
    json::Array blocks;
    if (content == nullptr || content->is_null()) {
        return blocks;
    }
    if (const std::string* text = content->if_string()) {
        if (!text->empty()) {
            blocks.push_back(text_block(*text));
        }
        return blocks;
    }
    const json::Array* parts = content->if_array();
    if (parts == nullptr) {
        return cannot_ask("content that is neither a text nor a list");
    }
    for (const json::Value& part : *parts) {
        const std::string_view type = text_member(part, "type");
        if (type == "text") {
            blocks.push_back(text_block(text_member(part, "text")));
        } else if (type == "image_url" && part.find("image_url") != nullptr) {
            json::Object source = TRY(picture_source(text_member(*part.find("image_url"), "url")));
            blocks.push_back(json::Object{{"type", "image"}, {"source", std::move(source)}});
        } else {
            return cannot_ask(fmt::format("a part of the type \"{}\"", type.substr(0, 100)));
        }
    }
    return blocks;
}

Result<void> add_tool_calls(const json::Value& message, json::Array& blocks) {
    const json::Value* calls = message.find("tool_calls");
    if (calls == nullptr || calls->if_array() == nullptr) {
        return {};
    }
    for (const json::Value& call : *calls->if_array()) {
        const json::Value* function = call.find("function");
        if (function == nullptr) {
            return cannot_ask("a tool that is no function");
        }
        const std::string_view arguments = text_member(*function, "arguments");
        auto input =
            json::parse(arguments.empty() ? "{}" : arguments, {.bytes_max = arguments.size() + 2});
        if (!input.ok()) {
            return cannot_ask("arguments of a tool that are no JSON");
        }
        blocks.push_back(json::Object{{"type", "tool_use"},
                                      {"id", std::string(text_member(call, "id"))},
                                      {"name", std::string(text_member(*function, "name"))},
                                      {"input", std::move(*input)}});
    }
    return {};
}

// Messages take turns: what follows of the same role joins the message before it.
void add_turn(json::Array& messages, std::string_view role, json::Array blocks) {
    if (blocks.empty()) {
        return;
    }
    if (!messages.empty() && text_member(messages.back(), "role") == role) {
        json::Array& there = *member(messages.back(), "content")->if_array();
        std::ranges::move(blocks, std::back_inserter(there));
        return;
    }
    messages.push_back(json::Object{{"role", std::string(role)}, {"content", std::move(blocks)}});
}

Result<void> add_message(const json::Value& message, json::Array& system, json::Array& messages) {
    const std::string_view role = text_member(message, "role");
    json::Array blocks = TRY(blocks_of(message.find("content")));
    if (role == "system" || role == "developer") {
        std::ranges::move(blocks, std::back_inserter(system));
    } else if (role == "tool") {
        json::Object result{{"type", "tool_result"},
                            {"tool_use_id", std::string(text_member(message, "tool_call_id"))},
                            {"content", std::move(blocks)}};
        add_turn(messages, "user", json::Array{std::move(result)});
    } else if (role == "user") {
        add_turn(messages, role, std::move(blocks));
    } else if (role == "assistant") {
        TRY(add_tool_calls(message, blocks));
        add_turn(messages, role, std::move(blocks));
    } else {
        return cannot_ask(fmt::format("the role \"{}\"", role.substr(0, 100)));
    }
    return {};
}

Result<void> add_tools(const json::Value& request, json::Value& out) {
    const json::Value* tools = request.find("tools");
    if (tools != nullptr && tools->if_array() != nullptr && !tools->if_array()->empty()) {
        json::Array list;
        for (const json::Value& tool : *tools->if_array()) {
            const json::Value* function = tool.find("function");
            if (function == nullptr) {
                return cannot_ask("a tool that is no function");
            }
            json::Value made = json::Object{{"name", std::string(text_member(*function, "name"))}};
            copy_member(*function, "description", made, "description");
            set_member(made, "input_schema", json::Object{{"type", "object"}});
            copy_member(*function, "parameters", made, "input_schema");
            list.push_back(std::move(made));
        }
        set_member(out, "tools", std::move(list));
    }
    const json::Value* choice = request.find("tool_choice");
    if (choice == nullptr || choice->is_null()) {
        return {};
    }
    const std::string* word = choice->if_string();
    if (word != nullptr) {
        set_member(out, "tool_choice",
                   json::Object{{"type", *word == "required" ? std::string("any") : *word}});
    } else if (const json::Value* function = choice->find("function")) {
        set_member(
            out, "tool_choice",
            json::Object{{"type", "tool"}, {"name", std::string(text_member(*function, "name"))}});
    }
    return {};
}

}  // namespace

Result<json::Value> chat_to_messages(const json::Value& request) {
    const json::Value* n = request.find("n");
    if (n != nullptr && !n->is_null() && count_member(request, "n") != 1) {
        return cannot_ask("several choices (n)");
    }
    if (request.find("response_format") != nullptr &&
        text_member(*request.find("response_format"), "type") != "text") {
        return cannot_ask("response_format");
    }
    json::Value out = json::Object{};
    json::Array system;
    json::Array messages;
    const json::Value* list = request.find("messages");
    if (list == nullptr || list->if_array() == nullptr) {
        return cannot_ask("a call without messages");
    }
    for (const json::Value& message : *list->if_array()) {
        TRY(add_message(message, system, messages));
    }
    if (!system.empty()) {
        set_member(out, "system", std::move(system));
    }
    set_member(out, "messages", std::move(messages));
    set_member(out, "max_tokens", kTokensMax);
    copy_member(request, "max_tokens", out, "max_tokens");
    copy_member(request, "max_completion_tokens", out, "max_tokens");
    copy_member(request, "stream", out, "stream");
    copy_member(request, "top_p", out, "top_p");
    if (const json::Value* temperature = request.find("temperature")) {
        // Chats go up to 2, messages to 1.
        const auto value = temperature->as_double();
        if (value.ok()) {
            set_member(out, "temperature", std::min(*value, 1.0));
        }
    }
    if (const json::Value* stop = request.find("stop"); stop != nullptr && !stop->is_null()) {
        set_member(out, "stop_sequences",
                   stop->if_string() != nullptr ? json::Value(json::Array{*stop}) : *stop);
    }
    if (const std::string_view user = text_member(request, "user"); !user.empty()) {
        set_member(out, "metadata", json::Object{{"user_id", std::string(user)}});
    }
    TRY(add_tools(request, out));
    return out;
}

namespace {

// The texts of a block's content: a text, or a list of blocks of texts.
Result<std::string> plain_text(const json::Value* content) {
    std::string text;
    if (content == nullptr || content->is_null()) {
        return text;
    }
    if (const std::string* whole = content->if_string()) {
        return *whole;
    }
    const json::Array* blocks = content->if_array();
    if (blocks == nullptr) {
        return cannot_ask("content that is neither a text nor a list");
    }
    for (const json::Value& block : *blocks) {
        if (text_member(block, "type") != "text") {
            return cannot_ask("a result of a tool that is no text");
        }
        text += text.empty() ? "" : "\n";
        text += text_member(block, "text");
    }
    return text;
}

Result<json::Value> picture_part(const json::Value& block) {
    const json::Value* source = block.find("source");
    if (source == nullptr) {
        return cannot_ask("a picture without a source");
    }
    std::string url(text_member(*source, "url"));
    if (text_member(*source, "type") == "base64") {
        url = fmt::format("data:{};base64,{}", text_member(*source, "media_type"),
                          text_member(*source, "data"));
    }
    return json::Value(
        json::Object{{"type", "image_url"}, {"image_url", json::Object{{"url", std::move(url)}}}});
}

// What one message becomes: results of tools are messages of their own in a chat, before the rest.
struct ChatTurn {
    json::Array results;
    json::Array parts;
    json::Array calls;
};

Result<void> add_block(const json::Value& block, ChatTurn& turn) {
    const std::string_view type = text_member(block, "type");
    if (type == "text") {
        turn.parts.push_back(text_block(text_member(block, "text")));
    } else if (type == "image") {
        turn.parts.push_back(TRY(picture_part(block)));
    } else if (type == "tool_use") {
        const json::Value* input = block.find("input");
        json::Object function{
            {"name", std::string(text_member(block, "name"))},
            {"arguments", input == nullptr ? std::string("{}") : json::write(*input)}};
        turn.calls.push_back(json::Object{{"id", std::string(text_member(block, "id"))},
                                          {"type", "function"},
                                          {"function", std::move(function)}});
    } else if (type == "tool_result") {
        std::string text = TRY(plain_text(block.find("content")));
        turn.results.push_back(
            json::Object{{"role", "tool"},
                         {"tool_call_id", std::string(text_member(block, "tool_use_id"))},
                         {"content", std::move(text)}});
    } else if (type != "thinking" && type != "redacted_thinking") {
        // What a model thought is signed for its own service, and of no use for another.
        return cannot_ask(fmt::format("a block of the type \"{}\"", type.substr(0, 100)));
    }
    return {};
}

Result<void> add_chat_message(const json::Value& message, json::Array& out) {
    const std::string role(text_member(message, "role"));
    const json::Value* content = message.find("content");
    const json::Array* blocks = content == nullptr ? nullptr : content->if_array();
    if (blocks == nullptr) {
        out.push_back(message);
        return {};
    }
    ChatTurn turn;
    for (const json::Value& block : *blocks) {
        TRY(add_block(block, turn));
    }
    std::ranges::move(turn.results, std::back_inserter(out));
    if (turn.parts.empty() && turn.calls.empty()) {
        return {};
    }
    json::Value made = json::Object{{"role", role}};
    // Many who speak this dialect read a list of parts from users only.
    const bool is_plain = turn.parts.size() == 1 && text_member(turn.parts[0], "type") == "text";
    if (is_plain) {
        set_member(made, "content", std::string(text_member(turn.parts[0], "text")));
    } else {
        set_member(made, "content",
                   turn.parts.empty() ? json::Value() : json::Value(std::move(turn.parts)));
    }
    if (!turn.calls.empty()) {
        set_member(made, "tool_calls", std::move(turn.calls));
    }
    out.push_back(std::move(made));
    return {};
}

void add_functions(const json::Value& request, json::Value& out) {
    const json::Value* tools = request.find("tools");
    if (tools != nullptr && tools->if_array() != nullptr && !tools->if_array()->empty()) {
        json::Array list;
        for (const json::Value& tool : *tools->if_array()) {
            json::Value function = json::Object{{"name", std::string(text_member(tool, "name"))}};
            copy_member(tool, "description", function, "description");
            copy_member(tool, "input_schema", function, "parameters");
            list.push_back(json::Object{{"type", "function"}, {"function", std::move(function)}});
        }
        set_member(out, "tools", std::move(list));
    }
    const json::Value* choice = request.find("tool_choice");
    if (choice == nullptr) {
        return;
    }
    const std::string type(text_member(*choice, "type"));
    if (type == "tool") {
        const std::string name(text_member(*choice, "name"));
        set_member(out, "tool_choice",
                   json::Object{{"type", "function"}, {"function", json::Object{{"name", name}}}});
    } else {
        set_member(out, "tool_choice", type == "any" ? std::string("required") : type);
    }
}

}  // namespace

Result<json::Value> messages_to_chat(const json::Value& request) {
    json::Value out = json::Object{};
    json::Array messages;
    std::string system = TRY(plain_text(request.find("system")));
    if (!system.empty()) {
        messages.push_back(json::Object{{"role", "system"}, {"content", std::move(system)}});
    }
    const json::Value* list = request.find("messages");
    if (list == nullptr || list->if_array() == nullptr) {
        return cannot_ask("a call without messages");
    }
    for (const json::Value& message : *list->if_array()) {
        TRY(add_chat_message(message, messages));
    }
    set_member(out, "messages", std::move(messages));
    for (const std::string_view name : {"max_tokens", "temperature", "top_p", "stream"}) {
        copy_member(request, name, out, name);
    }
    copy_member(request, "stop_sequences", out, "stop");
    if (const json::Value* metadata = request.find("metadata")) {
        copy_member(*metadata, "user_id", out, "user");
    }
    const json::Value* stream = request.find("stream");
    if (stream != nullptr && stream->if_bool() != nullptr && *stream->if_bool()) {
        set_member(out, "stream_options", json::Object{{"include_usage", true}});
    }
    add_functions(request, out);
    return out;
}

}  // namespace colophon::gateway
