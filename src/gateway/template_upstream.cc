// SPDX-License-Identifier: Apache-2.0
#include "gateway/template_upstream.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/json_edit.h"
#include "gateway/json_template.h"
#include "gateway/settings.h"
#include "gateway/text_stream.h"
#include "http/message.h"

#include <fmt/format.h>

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

Result<json::Value> parsed_answer(const UpstreamTemplate& from, std::string_view body) {
    auto answer = json::parse(body, {.depth_max = kDepthMax, .bytes_max = body.size() + 1});
    if (!answer.ok()) {
        return Error{ErrorCode::kCorrupt, "the upstream's answer is no JSON"};
    }
    const json::Value* error = from.error ? from.error->find(*answer) : nullptr;
    if (error != nullptr && !error->is_null() && !plain_text(*error).empty()) {
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
    return fill_headers(upstream.pattern->headers, [&](std::string_view name) {
        return name == "key" ? upstream.key : name == "model" ? target.model : std::string();
    });
}

std::string template_path(const UpstreamSettings& upstream, const Target& target,
                          const TemplateAsk& ask) {
    return fill_path(upstream.pattern->path,
                     [&](std::string_view name) { return value_of(name, target, ask); });
}

std::string template_task_path(std::string_view path, std::string_view task) {
    return fill_path(path, [&](std::string_view name) {
        return name == "task" ? json::Value(task) : json::Value();
    });
}

Result<json::Value> template_answer(const UpstreamTemplate& from, std::string_view body) {
    return parsed_answer(from, body);
}

std::string template_body(const UpstreamSettings& upstream, const Target& target,
                          const TemplateAsk& ask) {
    const json::Value& pattern = upstream.pattern->body;
    return pattern.is_null() ? std::string()
                             : json::write(fill_value(pattern, [&](std::string_view name) {
                                   return value_of(name, target, ask);
                               }));
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
