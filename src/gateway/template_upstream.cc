// SPDX-License-Identifier: Apache-2.0
#include "gateway/template_upstream.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/json_edit.h"
#include "gateway/settings.h"
#include "gateway/text_stream.h"
#include "http/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr std::size_t kDepthMax = 64;

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// The name of the placeholder at the start of the text; empty when there is none.
std::string_view placeholder_at(std::string_view text) {
    if (text.empty() || text.front() != '{') {
        return {};
    }
    const std::size_t end = text.find('}');
    if (end == std::string_view::npos || end == 1) {
        return {};
    }
    const std::string_view name = text.substr(1, end - 1);
    return std::ranges::all_of(name, is_name_character) ? name : std::string_view();
}

std::string content_text(const json::Value& content) {
    if (const std::string* whole = content.if_string()) {
        return *whole;
    }
    std::string all;
    if (const json::Array* parts = content.if_array()) {
        for (const json::Value& part : *parts) {
            all += text_member(part, "text");
        }
    }
    return all;
}

std::string texts_of_role(const json::Value& chat, std::string_view role) {
    std::string all;
    const json::Value* messages = chat.find("messages");
    if (messages == nullptr || messages->if_array() == nullptr) {
        return all;
    }
    for (const json::Value& message : *messages->if_array()) {
        const json::Value* content = message.find("content");
        if (content != nullptr && text_member(message, "role") == role) {
            all += all.empty() ? "" : "\n";
            all += content_text(*content);
        }
    }
    return all;
}

json::Value value_of(std::string_view name, const Target& target, const TemplateAsk& ask) {
    if (name == "model") {
        return target.model;
    }
    if (name == "prompt") {
        return ask.prompt;
    }
    if (name == "system") {
        return texts_of_role(ask.body, "system");
    }
    const json::Value* found = ask.body.find(name);
    return found == nullptr ? json::Value() : *found;
}

std::string text_of(const json::Value& value) {
    if (value.is_null()) {
        return {};
    }
    const std::string* text = value.if_string();
    return text == nullptr ? json::write(value) : *text;
}

// Replaces each placeholder by what `get` says.
template <class Get>
std::string fill(std::string_view pattern, Get get) {
    std::string out;
    while (!pattern.empty()) {
        const std::string_view name = placeholder_at(pattern);
        if (name.empty()) {
            out += pattern.front();
            pattern.remove_prefix(1);
        } else {
            out += get(name);
            pattern.remove_prefix(name.size() + 2);
        }
    }
    return out;
}

// The depth is that of the template, which was bounded when it was read.
json::Value filled(const json::Value& pattern, const Target& target, const TemplateAsk& ask) {
    if (const std::string* text = pattern.if_string()) {
        const std::string_view name = placeholder_at(*text);
        if (!name.empty() && name.size() + 2 == text->size()) {
            return value_of(name, target, ask);
        }
        return fill(*text,
                    [&](std::string_view each) { return text_of(value_of(each, target, ask)); });
    }
    if (const json::Array* list = pattern.if_array()) {
        json::Array out;
        for (const json::Value& each : *list) {
            out.push_back(filled(each, target, ask));
        }
        return out;
    }
    if (const json::Object* members = pattern.if_object()) {
        json::Object out;
        for (const auto& [name, value] : *members) {
            json::Value made = filled(value, target, ask);
            if (!made.is_null() || value.is_null()) {
                out.emplace_back(name, std::move(made));
            }
        }
        return out;
    }
    return pattern;
}

std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

Result<json::Value> parsed_answer(const UpstreamTemplate& from, std::string_view body) {
    auto answer = json::parse(body, {.depth_max = kDepthMax, .bytes_max = body.size() + 1});
    if (!answer.ok()) {
        return Error{ErrorCode::kCorrupt, "the upstream's answer is no JSON"};
    }
    const json::Value* error = from.error ? from.error->find(*answer) : nullptr;
    if (error != nullptr && !error->is_null() && !text_of(*error).empty()) {
        return upstream_says(*error);
    }
    return std::move(*answer);
}

std::int64_t count_at(const std::optional<JsonPointer>& pointer, const json::Value& answer) {
    const json::Value* found = pointer ? pointer->find(answer) : nullptr;
    const auto number = found == nullptr ? Result<std::int64_t>(std::int64_t{0}) : found->as_int();
    return number.ok() && *number > 0 ? *number : 0;
}

bool is_address(std::string_view text) {
    return text.starts_with("http://") || text.starts_with("https://");
}

// "data:image/png;base64,AAAA" is AAAA.
std::string_view without_data(std::string_view text) {
    const std::size_t comma = text.starts_with("data:") ? text.find(',') : std::string_view::npos;
    return comma == std::string_view::npos ? text : text.substr(comma + 1);
}

Result<json::Value> image_item(const UpstreamTemplate& from, const json::Value& item) {
    const json::Value* found = from.image ? from.image->find(item) : &item;
    const std::string* text = found == nullptr ? nullptr : found->if_string();
    if (text == nullptr) {
        return Error{ErrorCode::kCorrupt, "the upstream's answer has no picture"};
    }
    if (is_address(*text)) {
        return json::Value(json::Object{{"url", *text}});
    }
    return json::Value(json::Object{{"b64_json", without_data(*text)}});
}

}  // namespace

Result<JsonPointer> JsonPointer::parse(std::string_view text) {
    JsonPointer pointer;
    if (!text.empty() && text.front() != '/') {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("\"{}\" is no JSON pointer; it begins with a slash", text)};
    }
    while (!text.empty()) {
        text.remove_prefix(1);
        const std::string_view raw = text.substr(0, text.find('/'));
        text.remove_prefix(raw.size());
        std::string step;
        for (std::size_t i = 0; i < raw.size(); ++i) {
            if (raw[i] != '~') {
                step += raw[i];
                continue;
            }
            const char next = i + 1 < raw.size() ? raw[++i] : ' ';
            if (next != '0' && next != '1') {
                return Error{ErrorCode::kInvalidArgument,
                             "in a JSON pointer \"~\" is written ~0, and \"/\" is written ~1"};
            }
            step += next == '0' ? '~' : '/';
        }
        pointer.steps_.push_back(std::move(step));
    }
    return pointer;
}

const json::Value* JsonPointer::find(const json::Value& value) const noexcept {
    constexpr std::size_t kDigitsMax = 6;
    const json::Value* at = &value;
    for (const std::string& step : steps_) {
        const json::Array* list = at->if_array();
        if (list == nullptr) {
            at = at->find(step);
        } else {
            const bool digits = !step.empty() && step.size() <= kDigitsMax &&
                                step.find_first_not_of("0123456789") == std::string::npos;
            const std::size_t index = digits ? std::stoul(step) : list->size();
            at = index < list->size() ? &(*list)[index] : nullptr;
        }
        if (at == nullptr) {
            return nullptr;
        }
    }
    return at;
}

std::string last_prompt(const json::Value& chat) {
    const json::Value* messages = chat.find("messages");
    const json::Array* list = messages == nullptr ? nullptr : messages->if_array();
    if (list == nullptr) {
        return {};
    }
    for (auto message = list->rbegin(); message != list->rend(); ++message) {
        const json::Value* content = message->find("content");
        if (content != nullptr && text_member(*message, "role") == "user") {
            return content_text(*content);
        }
    }
    return {};
}

Result<http::Headers> template_headers(const UpstreamSettings& upstream, const Target& target) {
    http::Headers out;
    for (const http::Header& each : upstream.pattern->headers) {
        std::string value = fill(each.value, [&](std::string_view name) {
            return name == "key" ? upstream.key : name == "model" ? target.model : std::string();
        });
        if (value.find_first_of("\r\n") != std::string::npos) {
            return Error{ErrorCode::kInvalidArgument, "a header of the upstream has a line break"};
        }
        out.push_back({each.name, std::move(value)});
    }
    return out;
}

std::string template_path(const UpstreamSettings& upstream, const Target& target,
                          const TemplateAsk& ask) {
    return fill(upstream.pattern->path, [&](std::string_view name) {
        return percent_encoded(text_of(value_of(name, target, ask)));
    });
}

std::string template_task_path(std::string_view path, std::string_view task) {
    return fill(path, [&](std::string_view name) {
        return name == "task" ? percent_encoded(task) : std::string();
    });
}

Result<json::Value> template_answer(const UpstreamTemplate& from, std::string_view body) {
    return parsed_answer(from, body);
}

std::string template_body(const UpstreamSettings& upstream, const Target& target,
                          const TemplateAsk& ask) {
    const json::Value& pattern = upstream.pattern->body;
    return pattern.is_null() ? std::string() : json::write(filled(pattern, target, ask));
}

Result<json::Value> template_chat(const UpstreamTemplate& from, std::string_view body,
                                  std::string_view model, std::int64_t created) {
    std::string text;
    json::Object usage;
    if (!from.text) {
        text = body;
    } else {
        const json::Value answer = TRY(parsed_answer(from, body));
        const json::Value* found = from.text->find(answer);
        if (found == nullptr || found->if_string() == nullptr) {
            return Error{ErrorCode::kCorrupt, "the upstream's answer has no text"};
        }
        text = *found->if_string();
        usage = {{"prompt_tokens", count_at(from.input_tokens, answer)},
                 {"completion_tokens", count_at(from.output_tokens, answer)}};
    }
    json::Object choice{
        {"index", 0},
        {"message", json::Object{{"role", "assistant"}, {"content", std::move(text)}}},
        {"finish_reason", "stop"}};
    return json::Value(json::Object{{"id", "chatcmpl-template"},
                                    {"object", "chat.completion"},
                                    {"created", created},
                                    {"model", model},
                                    {"choices", json::Array{std::move(choice)}},
                                    {"usage", std::move(usage)}});
}

json::Value chat_as_completion(json::Value chat) {
    const json::Value& choice = chat.find("choices")->if_array()->front();
    json::Array choices{json::Object{{"index", 0},
                                     {"text", *choice.find("message")->find("content")},
                                     {"finish_reason", *choice.find("finish_reason")}}};
    set_member(chat, "object", "text_completion");
    set_member(chat, "choices", std::move(choices));
    return chat;
}

std::vector<std::string> chat_as_chunks(const json::Value& chat) {
    json::Value chunk = chat;
    remove_member(chunk, "usage");
    if (text_member(chat, "object") == "chat.completion") {
        set_member(chunk, "object", "chat.completion.chunk");
    }
    const json::Value& choice = chat.find("choices")->if_array()->front();
    json::Object out{{"index", 0}, {"finish_reason", *choice.find("finish_reason")}};
    if (const json::Value* message = choice.find("message")) {
        out.emplace_back("delta", *message);
    } else {
        out.emplace_back("text", *choice.find("text"));
    }
    set_member(chunk, "choices", json::Array{std::move(out)});
    json::Value last = chunk;
    set_member(last, "choices", json::Array{});
    set_member(last, "usage", *chat.find("usage"));
    return {json::write(chunk), json::write(last), "[DONE]"};
}

Result<json::Value> template_images(const UpstreamTemplate& from, std::string_view body) {
    json::Array data;
    if (!from.images) {
        data.push_back(json::Object{{"b64_json", to_base64(as_bytes(body))}});
        return json::Value(json::Object{{"data", std::move(data)}});
    }
    const json::Value answer = TRY(parsed_answer(from, body));
    const json::Value* found = from.images->find(answer);
    if (found == nullptr) {
        return Error{ErrorCode::kCorrupt, "the upstream's answer has no picture"};
    }
    if (const json::Array* list = found->if_array()) {
        for (const json::Value& each : *list) {
            data.push_back(TRY(image_item(from, each)));
        }
    } else {
        data.push_back(TRY(image_item(from, *found)));
    }
    return json::Value(json::Object{
        {"data", std::move(data)},
        {"usage", json::Object{{"input_tokens", count_at(from.input_tokens, answer)},
                               {"output_tokens", count_at(from.output_tokens, answer)}}}});
}

Result<TemplateSound> template_sound(const UpstreamTemplate& from, std::string_view body) {
    TemplateSound sound;
    if (!from.audio) {
        sound.bytes = to_buffer(as_bytes(body));
        return sound;
    }
    const json::Value answer = TRY(parsed_answer(from, body));
    const json::Value* found = from.audio->find(answer);
    const std::string* text = found == nullptr ? nullptr : found->if_string();
    if (text == nullptr) {
        return Error{ErrorCode::kCorrupt, "the upstream's answer has no sound"};
    }
    if (is_address(*text)) {
        sound.address = *text;
        return sound;
    }
    auto bytes = from_base64(without_data(*text));
    if (!bytes.ok()) {
        return Error{ErrorCode::kCorrupt, "the upstream's sound is no base64"};
    }
    sound.bytes = std::move(*bytes);
    return sound;
}

}  // namespace colophon::gateway
