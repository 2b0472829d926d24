// SPDX-License-Identifier: Apache-2.0
#include "gateway/text_request.h"

#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/call.h"
#include "gateway/dialects.h"
#include "gateway/json_edit.h"
#include "gateway/refusal.h"
#include "gateway/request_body.h"
#include "gateway/settings.h"
#include "gateway/template_upstream.h"
#include "gateway/text_stream.h"
#include "http/message.h"
#include "http/upstream.h"
#include "label/apply.h"
#include "label/format.h"
#include "label/plan.h"
#include "ledger/record_contents.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

// The texts of a content that is a string, or a list of parts.
void add_content(const json::Value& content, std::string& text) {
    if (const std::string* whole = content.if_string()) {
        text += *whole;
        text += '\n';
    } else if (const json::Array* parts = content.if_array()) {
        for (const json::Value& part : *parts) {
            if (const std::string* plain = part.if_string()) {
                text += *plain;
            } else {
                text += text_member(part, "text");
            }
            text += '\n';
        }
    }
}

void add_messages(const json::Value& messages, std::string& text) {
    const json::Array* list = messages.if_array();
    if (list == nullptr) {
        return;
    }
    for (const json::Value& message : *list) {
        text += text_member(message, "role");
        text += ": ";
        if (const json::Value* content = message.find("content")) {
            add_content(*content, text);
        }
        const json::Value* calls = message.find("tool_calls");
        if (calls != nullptr && calls->if_array() != nullptr) {
            for (const json::Value& call : *calls->if_array()) {
                if (const json::Value* function = call.find("function")) {
                    text += text_member(*function, "arguments");
                    text += '\n';
                }
            }
        }
    }
}

bool bool_member(const json::Value& value, std::string_view name) {
    const json::Value* found = value.find(name);
    const bool* flag = found == nullptr ? nullptr : found->if_bool();
    return flag != nullptr && *flag;
}

// A list, or a text, of the Responses API: messages, results of tools, what was said before.
std::optional<Refusal> add_input(const json::Value& input, std::string& text) {
    const json::Array* items = input.if_array();
    if (items == nullptr) {
        add_content(input, text);
        return std::nullopt;
    }
    for (const json::Value& item : *items) {
        const std::string_view type = text_member(item, "type");
        if (type == "item_reference") {
            return invalid_request("items that are kept elsewhere cannot be reviewed", "input");
        }
        text += text_member(item, "role");
        text += ": ";
        for (const std::string_view name : {"content", "summary", "output"}) {
            if (const json::Value* content = item.find(name)) {
                add_content(*content, text);
            }
        }
        for (const std::string_view name : {"arguments", "input"}) {
            const std::string_view said = text_member(item, name);
            text += said;
            text += said.empty() ? "" : "\n";
        }
    }
    return std::nullopt;
}

// What would make the upstream use texts, or answer with content, that does not pass here.
std::optional<Refusal> refuse_hidden(const json::Value& body) {
    for (const char* name : {"previous_response_id", "conversation", "prompt"}) {
        const json::Value* found = body.find(name);
        if (found != nullptr && !found->is_null()) {
            return invalid_request(
                "texts that are kept at the upstream cannot be reviewed; send them in input", name);
        }
    }
    if (bool_member(body, "background")) {
        return invalid_request("answers in the background are not kept here", "background");
    }
    const json::Value* tools = body.find("tools");
    if (tools != nullptr && tools->if_array() != nullptr) {
        for (const json::Value& tool : *tools->if_array()) {
            const std::string_view type = text_member(tool, "type");
            if (type != "function" && type != "custom") {
                return invalid_request(
                    "only tools of the types function and custom can be used here, because what "
                    "others bring into the answer is not reviewed",
                    "tools");
            }
        }
    }
    return std::nullopt;
}

std::optional<Refusal> read_responses(TextRequest& request) {
    if (auto refusal = refuse_hidden(request.body)) {
        return refusal;
    }
    const json::Value* input = request.body.find("input");
    if (input == nullptr || (input->if_string() == nullptr && input->if_array() == nullptr)) {
        return invalid_request("the field input is missing", "input");
    }
    if (const json::Value* instructions = request.body.find("instructions")) {
        add_content(*instructions, request.ask.text);
    }
    if (auto refusal = add_input(*input, request.ask.text)) {
        return refusal;
    }
    const json::Value* text = request.body.find("text");
    if (const json::Value* format = text == nullptr ? nullptr : text->find("format")) {
        const std::string_view type = text_member(*format, "type");
        request.wants_json = type == "json_object" || type == "json_schema";
    }
    return std::nullopt;
}

// A block of a message, or of the result of a tool. False for what nobody can review.
bool add_message_block(const json::Value& block, std::string& text);

bool add_blocks(const json::Value& content, std::string& text) {
    const json::Array* blocks = content.if_array();
    if (blocks == nullptr) {
        add_content(content, text);
        return content.if_string() != nullptr;
    }
    return std::ranges::all_of(
        *blocks, [&](const json::Value& block) { return add_message_block(block, text); });
}

bool add_message_block(const json::Value& block, std::string& text) {
    const std::string_view type = text_member(block, "type");
    if (type == "text" || type == "thinking") {
        text += text_member(block, type);
        text += '\n';
        return true;
    }
    if (type == "tool_use") {
        if (const json::Value* input = block.find("input")) {
            text += json::write(*input);
            text += '\n';
        }
        return true;
    }
    if (type == "tool_result") {
        const json::Value* content = block.find("content");
        return content == nullptr || add_blocks(*content, text);
    }
    return type == "image" || type == "redacted_thinking";
}

std::optional<Refusal> read_messages(TextRequest& request) {
    const json::Value* messages = request.body.find("messages");
    const json::Array* list = messages == nullptr ? nullptr : messages->if_array();
    if (list == nullptr || list->empty()) {
        return invalid_request("messages must be a list that is not empty", "messages");
    }
    const json::Value* system = request.body.find("system");
    if (system != nullptr && !add_blocks(*system, request.ask.text)) {
        return invalid_request("a block is of a type that cannot be reviewed", "system");
    }
    for (const json::Value& message : *list) {
        request.ask.text += text_member(message, "role");
        request.ask.text += ": ";
        const json::Value* content = message.find("content");
        if (content == nullptr || !add_blocks(*content, request.ask.text)) {
            return invalid_request("a block is of a type that cannot be reviewed", "messages");
        }
    }
    const json::Value* tools = request.body.find("tools");
    if (tools != nullptr && tools->if_array() != nullptr) {
        for (const json::Value& tool : *tools->if_array()) {
            const std::string_view type = text_member(tool, "type");
            if (!type.empty() && type != "custom") {
                return invalid_request(
                    "only tools of the types function and custom can be used here, because what "
                    "others bring into the answer is not reviewed",
                    "tools");
            }
        }
    }
    for (const char* name : {"mcp_servers", "container"}) {
        if (request.body.find(name) != nullptr) {
            return invalid_request(
                "texts that are kept at the upstream cannot be reviewed; send them in input", name);
        }
    }
    if (const json::Value* metadata = request.body.find("metadata")) {
        request.ask.account = text_member(*metadata, "user_id");
    }
    const json::Value* output = request.body.find("output_config");
    request.wants_json = request.body.find("output_format") != nullptr ||
                         (output != nullptr && output->find("format") != nullptr);
    return std::nullopt;
}

std::optional<Refusal> read_chat(TextRequest& request) {
    const char* what = request.shape == TextShape::kChat ? "messages" : "prompt";
    const json::Value* content = request.body.find(what);
    if (content == nullptr) {
        return invalid_request(fmt::format("the field {} is missing", what), what);
    }
    if (request.shape == TextShape::kChat) {
        if (content->if_array() == nullptr || content->if_array()->empty()) {
            return invalid_request("messages must be a list that is not empty", what);
        }
        add_messages(*content, request.ask.text);
    } else {
        add_content(*content, request.ask.text);
    }
    if (const json::Value* options = request.body.find("stream_options")) {
        request.wants_usage = bool_member(*options, "include_usage");
    }
    if (const json::Value* format = request.body.find("response_format")) {
        const std::string_view type = text_member(*format, "type");
        request.wants_json = type == "json_object" || type == "json_schema";
    }
    return std::nullopt;
}

constexpr std::string_view path_of(TextShape shape) {
    switch (shape) {
        case TextShape::kChat:
            return "/chat/completions";
        case TextShape::kCompletion:
            return "/completions";
        case TextShape::kResponses:
            return "/responses";
        case TextShape::kMessages:
            break;
    }
    return "/messages";
}

}  // namespace

// Reads what we need to know; the rest passes through as it is.
std::optional<Refusal> read_text_request(const Call& call, const std::string& body,
                                         TextRequest& request) {
    if (auto refusal = read_json_body(body, request.body)) {
        return refusal;
    }
    request.ask.model = text_member(request.body, "model");
    if (request.ask.model.empty()) {
        return invalid_request("the call names no model", "model");
    }
    auto refusal = request.shape == TextShape::kResponses  ? read_responses(request)
                   : request.shape == TextShape::kMessages ? read_messages(request)
                                                           : read_chat(request);
    if (refusal) {
        return refusal;
    }
    if (request.ask.text.size() > ledger::kRecordContentBytesMax) {
        Refusal too_long = invalid_request("the texts of the call are too long", "");
        too_long.status = 413;
        return too_long;
    }
    for (const std::string_view name : {"user", "safety_identifier"}) {
        if (request.ask.account.empty()) {
            request.ask.account = text_member(request.body, name);
        }
    }
    if (request.ask.account.empty()) {
        request.ask.account = call.exchange.request().header("colophon-subject");
    }
    request.stream = bool_member(request.body, "stream");
    return std::nullopt;
}

std::optional<Refusal> words_of(const Call& call, const TextRequest& request, Words& words) {
    if (call.unlabelled) {
        return std::nullopt;
    }
    const Settings& settings = *call.settings;
    const label::LabelPlan plan =
        label::plan(call.model->service, settings.label.profile, label::Format::kMarkdown);
    if (!plan.owed.has(label::Mark::kExplicit)) {
        return std::nullopt;
    }
    label::ApplyOptions options;
    options.record = settings.label.record;
    options.profile = settings.label.profile;
    options.language = settings.label.language;
    options.text = settings.label.text;
    auto text = label::explicit_wording(options, label::Kind::kText);
    if (!text.ok()) {
        return own_failure("label_failed", text.error().what);
    }
    if (call.model->text_label == TextLabelPlace::kInterface) {
        words.notice = std::move(*text);
        return std::nullopt;
    }
    if (request.wants_json) {
        // [DSP-17] The label cannot stand in such a text, and without it the text may not leave.
        return invalid_request(
            "an answer in JSON cannot bear the label that this service owes; the operator may set "
            "text_label = \"interface\" for this model, where the application shows the label",
            "response_format");
    }
    words.label.words = std::move(*text);
    return std::nullopt;
}

void prepare_text_body(const Call& call, TextRequest& request) {
    remove_member(request.body, "user");
    remove_member(request.body, "safety_identifier");
    if (request.shape == TextShape::kMessages) {
        remove_member(request.body, "metadata");
        if (call.record.facts.subject) {
            set_member(request.body, "metadata",
                       json::Object{{"user_id", to_string(*call.record.facts.subject)}});
        }
        return;
    }
    if (call.record.facts.subject) {
        set_member(request.body, "user", to_string(*call.record.facts.subject));
    }
    if (request.shape == TextShape::kResponses) {
        // Nobody may ask for it later, so it shall not be kept there.
        set_member(request.body, "store", false);
        return;
    }
    if (request.stream) {
        json::Value* options = member(request.body, "stream_options");
        if (options != nullptr && options->if_object() != nullptr) {
            set_member(*options, "include_usage", true);
        } else {
            set_member(request.body, "stream_options", json::Object{{"include_usage", true}});
        }
    }
}

bool is_translated(TextShape shape, Dialect dialect) noexcept {
    return (shape == TextShape::kMessages) != (dialect == Dialect::kAnthropic);
}

namespace {

// The body for this upstream, in its dialect.
Result<json::Value> body_for(const TextRequest& request, Dialect dialect) {
    if (dialect == Dialect::kTemplate && request.shape == TextShape::kResponses) {
        return Error{ErrorCode::kInvalidArgument,
                     "this model's upstream speaks chat and messages only"};
    }
    if (!is_translated(request.shape, dialect)) {
        return request.body;
    }
    if (request.shape == TextShape::kMessages) {
        return messages_to_chat(request.body);
    }
    if (request.shape == TextShape::kChat) {
        return chat_to_messages(request.body);
    }
    return Error{ErrorCode::kInvalidArgument,
                 "this model's upstream speaks chat and messages only"};
}

// A request of any shape but the Responses API, as a chat or a prompt.
Result<http::UpstreamRequest> template_text_request(const TextRequest& request,
                                                    const UpstreamSettings& upstream,
                                                    const Target& target) {
    const json::Value body = TRY(body_for(request, Dialect::kTemplate));
    const bool chat = request.shape != TextShape::kCompletion;
    const TemplateAsk ask{
        .body = body,
        .prompt = chat ? last_prompt(body) : std::string(text_member(body, "prompt"))};
    http::UpstreamRequest out;
    out.method = upstream.pattern->method;
    out.url = upstream.url;
    out.url.path += template_path(upstream, target, ask);
    out.headers = TRY(template_headers(upstream, target));
    out.body = template_body(upstream, target, ask);
    return out;
}

}  // namespace

Result<http::UpstreamRequest> text_upstream_request(TextRequest& request,
                                                    const UpstreamSettings& upstream,
                                                    const Target& target) {
    if (upstream.dialect == Dialect::kTemplate) {
        return template_text_request(request, upstream, target);
    }
    const bool anthropic = upstream.dialect == Dialect::kAnthropic;
    TextShape shape = request.shape;
    if (is_translated(shape, upstream.dialect)) {
        shape = anthropic ? TextShape::kMessages : TextShape::kChat;
    }
    http::UpstreamRequest out;
    out.url = upstream.url;
    out.url.path += path_of(shape);
    out.headers.push_back({"content-type", "application/json"});
    out.headers.push_back({"accept", request.stream ? "text/event-stream" : "application/json"});
    if (anthropic) {
        out.headers.push_back({"anthropic-version", "2023-06-01"});
    }
    if (!upstream.key.empty()) {
        out.headers.push_back(anthropic ? http::Header{"x-api-key", upstream.key}
                                        : http::Header{"authorization", "Bearer " + upstream.key});
    }
    json::Value body = TRY(body_for(request, upstream.dialect));
    set_member(body, "model", target.model);
    out.body = json::write(body);
    return out;
}

}  // namespace colophon::gateway
