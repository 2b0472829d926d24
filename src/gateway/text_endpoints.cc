// SPDX-License-Identifier: Apache-2.0
// /v1/chat/completions and /v1/completions.
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/chat_stream.h"
#include "gateway/gateway.h"
#include "gateway/json_edit.h"
#include "gateway/refusal.h"
#include "gateway/routing.h"
#include "gateway/settings.h"
#include "gateway/text_gate.h"
#include "http/message.h"
#include "http/sse.h"
#include "http/upstream.h"
#include "label/apply.h"
#include "label/format.h"
#include "label/plan.h"
#include "ledger/record.h"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

constexpr std::size_t kDepthMax = 64;
constexpr std::string_view kDone = "data: [DONE]\n\n";

// Room for the labels that come last.
constexpr std::size_t kAnswerTextMax = ledger::kRecordTextBytesMax - (64U << 10U);

Error too_long() {
    return Error{ErrorCode::kLimit, "the upstream's answer is longer than a record can hold"};
}

struct TextRequest {
    TextShape shape = TextShape::kChat;
    json::Value body;
    Ask ask;
    bool stream = false;
    bool wants_usage = false;
    bool wants_json = false;  // response_format: words in the text would break it
};

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

// Reads what we need to know; the rest passes through as it is.
std::optional<Refusal> read_request(const Call& call, const std::string& body,
                                    TextRequest& request) {
    auto parsed = json::parse(body, {.depth_max = kDepthMax, .bytes_max = body.size() + 1});
    if (!parsed.ok()) {
        return invalid_request("the body is no JSON: " + parsed.error().what, "");
    }
    request.body = std::move(*parsed);
    if (request.body.if_object() == nullptr) {
        return invalid_request("the body is no JSON object", "");
    }
    request.ask.model = text_member(request.body, "model");
    if (request.ask.model.empty()) {
        return invalid_request("the call names no model", "model");
    }
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
    if (request.ask.text.size() > ledger::kRecordTextBytesMax) {
        Refusal refusal = invalid_request("the texts of the call are too long", what);
        refusal.status = 413;
        return refusal;
    }
    request.ask.account = text_member(request.body, "user");
    if (request.ask.account.empty()) {
        request.ask.account = call.exchange.request().header("colophon-subject");
    }
    request.stream = bool_member(request.body, "stream");
    if (const json::Value* options = request.body.find("stream_options")) {
        request.wants_usage = bool_member(*options, "include_usage");
    }
    if (const json::Value* format = request.body.find("response_format")) {
        const std::string_view type = text_member(*format, "type");
        request.wants_json = type == "json_object" || type == "json_schema";
    }
    return std::nullopt;
}

// The words that the texts of this call bear, or that the application shall show.
struct Words {
    TextLabel label;
    std::string notice;
};

std::optional<Refusal> words_of(const Call& call, const TextRequest& request, Words& words) {
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

void prepare_body(const Call& call, TextRequest& request) {
    // The upstream learns a handle of the end user, not the name that the application uses.
    remove_member(request.body, "user");
    if (call.record.facts.subject) {
        set_member(request.body, "user", to_string(*call.record.facts.subject));
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

http::UpstreamRequest upstream_request(TextRequest& request, const UpstreamSettings& upstream,
                                       const Target& target, const Call& call) {
    http::UpstreamRequest out;
    out.url = upstream.url;
    out.url.path += request.shape == TextShape::kChat ? "/chat/completions" : "/completions";
    out.headers.push_back({"content-type", "application/json"});
    out.headers.push_back({"accept", request.stream ? "text/event-stream" : "application/json"});
    if (!upstream.key.empty()) {
        out.headers.push_back({"authorization", "Bearer " + upstream.key});
    }
    const std::string_view trace = call.exchange.request().header("traceparent");
    if (!call.trace.empty()) {
        out.headers.push_back({"traceparent", std::string(trace)});
    }
    set_member(request.body, "model", target.model);
    out.body = json::write(request.body);
    return out;
}

Refusal gone_refusal() {
    return {.status = 400,
            .type = "invalid_request_error",
            .code = "client_gone",
            .message = "the client left",
            .outcome = ledger::Outcome::kCutOff};
}

// What an upstream says when it refuses: its status where that is the caller's business.
Task<Refusal> upstream_refusal(Routing::Sent& sent) {
    constexpr std::size_t kSaidMax = 64U << 10U;
    const int status = sent.response->head().status;
    const auto body = co_await sent.response->read_all(kSaidMax);
    const bool callers = status == 400 || status == 404 || status == 413 || status == 422;
    std::string said;
    if (body.ok()) {
        const auto parsed = json::parse(*body);
        const json::Value* error = parsed.ok() ? parsed->find("error") : nullptr;
        said = error == nullptr ? std::string() : std::string(text_member(*error, "message"));
    }
    const std::string message =
        said.empty() ? fmt::format("the upstream answered with status {}", status)
                     : fmt::format("the upstream refused the call: {}", said.substr(0, 500));
    Refusal refusal = upstream_failure(Error{ErrorCode::kUnavailable, message});
    if (callers) {
        refusal.status = status;
        refusal.type = "invalid_request_error";
    } else if (status == 429) {
        refusal.status = 429;
        refusal.type = "rate_limit_error";
        refusal.code = "upstream_busy";
    }
    co_return refusal;
}

void note_usage(Call& call, const Usage& usage) {
    call.facts().input_tokens = usage.input;
    call.facts().output_tokens = usage.output;
}

Task<std::optional<Refusal>> answer_whole(Gateway& gateway, Call& call, Routing::Sent sent,
                                          const AnswerRules& rules) {
    const auto body = co_await sent.response->read_all(call.settings->answer_bytes_max);
    if (call.exchange.gone().stop_requested()) {
        co_return gone_refusal();
    }
    if (!body.ok()) {
        gateway.routing().note_broken(*sent.target);
        co_return upstream_failure(body.error());
    }
    auto parsed = json::parse(*body, {.depth_max = kDepthMax, .bytes_max = body->size() + 1});
    if (!parsed.ok() || parsed->if_object() == nullptr) {
        co_return upstream_failure(
            Error{ErrorCode::kCorrupt, "the upstream's answer is no JSON object"});
    }
    json::Value answer = std::move(*parsed);
    note_usage(call, usage_of(answer));
    call.facts().model_version =
        std::string(text_member(answer, "model").substr(0, ledger::kRecordNameBytesMax));
    const auto verdict = pass_answer(answer, rules, call.record.personal.output);
    if (!verdict.ok()) {
        co_return upstream_failure(verdict.error());
    }
    if (auto refusal = note_output_verdict(call, *verdict)) {
        call.record.personal.output.clear();
        call.facts().label.clear();
        co_return refusal;
    }
    if (call.record.personal.output.size() > ledger::kRecordTextBytesMax) {
        co_return upstream_failure(too_long());
    }
    http::Headers headers = answer_headers(call, "application/json");
    std::string out = json::write(answer);
    co_return co_await record_and_answer(gateway, call, std::move(headers), std::move(out));
}

// At most so many bytes, and no half character at the end.
void cut_text(std::string& text, std::size_t bytes_max) {
    while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0U) == 0x80U) {
        --bytes_max;
    }
    text.resize(bytes_max);
}

// Where a stream stands between upstream and client.
struct Relay {
    Call& call;
    Routing::Sent& sent;
    ChatStream& stream;
    http::SseReader events;
    bool done = false;
    std::optional<Error> broken;
};

// What the events that are there give to the client.
std::string take_events(Relay& relay) {
    std::string out;
    while (!relay.done && !relay.stream.blocked()) {
        auto event = relay.events.next();
        if (!event.ok()) {
            relay.broken = event.error();
            break;
        }
        if (!*event) {
            break;
        }
        if ((*event)->data == "[DONE]") {
            relay.done = true;
            break;
        }
        auto text = relay.stream.take((*event)->data);
        if (!text.ok()) {
            relay.broken = text.error();
            break;
        }
        // What a record cannot hold does not go out: this text is held back too.
        if (relay.stream.text_bytes() > kAnswerTextMax) {
            relay.broken = too_long();
            break;
        }
        out += *text;
    }
    return out;
}

Task<void> send_events(Relay& relay, std::string_view events) {
    http::Exchange& exchange = relay.call.exchange;
    const auto began = std::chrono::steady_clock::now();
    if (!exchange.has_begun()) {
        http::Headers headers = answer_headers(relay.call, "text/event-stream; charset=utf-8");
        headers.push_back({"x-accel-buffering", "no"});
        (void)co_await exchange.begin(200, std::move(headers));
    }
    (void)co_await exchange.write(events);
    relay.call.waited += std::chrono::steady_clock::now() - began;
}

// Until the upstream ended, failed, or review ended it.
Task<void> relay_events(Relay& relay) {
    std::string piece;
    const auto is_over = [&relay] {
        return relay.done || relay.broken || relay.stream.blocked() ||
               relay.call.exchange.gone().stop_requested();
    };
    while (!is_over()) {
        piece.clear();
        const auto began = std::chrono::steady_clock::now();
        const auto got = co_await relay.sent.response->read(piece);
        relay.call.waited += std::chrono::steady_clock::now() - began;
        if (!got.ok()) {
            relay.broken = got.error();
            break;
        }
        if (*got == 0) {
            relay.done = relay.stream.all_finished();
            if (!relay.done) {
                relay.broken = Error{ErrorCode::kUnavailable,
                                     "the upstream ended before its answer was whole"};
            }
            break;
        }
        relay.events.feed(piece);
        const std::string out = take_events(relay);
        if (!out.empty()) {
            co_await send_events(relay, out);
        }
    }
}

std::string error_event(const Refusal& refusal, const Call& call) {
    return http::write_sse({}, json::write(error_json(refusal, call.errors)));
}

// The end of a stream: the record first, then the last events.
Task<std::optional<Refusal>> end_stream(Gateway& gateway, Relay& relay) {
    Call& call = relay.call;
    ChatStream& stream = relay.stream;
    const bool gone = call.exchange.gone().stop_requested();
    std::optional<Refusal> refusal = note_output_verdict(call, stream.verdict());
    if (gone) {
        refusal = gone_refusal();
    } else if (!refusal && relay.broken) {
        gateway.routing().note_broken(*relay.sent.target);
        refusal = upstream_failure(*relay.broken);
    }
    using Ending = ChatStream::Ending;
    const Ending ending = !refusal           ? Ending::kWhole
                          : stream.blocked() ? Ending::kBlocked
                                             : Ending::kBroken;
    std::string last = stream.close(ending);
    note_usage(call, stream.usage());
    call.facts().model_version = stream.model().substr(0, ledger::kRecordNameBytesMax);
    call.record.personal.output = stream.text();
    if (call.record.personal.output.size() > ledger::kRecordTextBytesMax) {
        cut_text(call.record.personal.output, kAnswerTextMax);
        call.detail.emplace_back("output_cut", true);
    }
    if (refusal && !call.exchange.has_begun()) {
        call.record.personal.output.clear();
        call.facts().label.clear();
        co_return refusal;
    }
    call.facts().outcome = refusal ? ledger::Outcome::kCutOff : ledger::Outcome::kAnswered;
    call.facts().outcome_code = refusal ? refusal->code : std::string();
    const auto kept = co_await append_record(gateway.stages(), call);
    if (!kept.ok()) {
        gateway.owe_record(call);
        last = error_event(own_failure("record_unavailable",
                                       "the call cannot be recorded now, so it is not answered"),
                           call);
    } else if (refusal && ending == Ending::kBroken) {
        call.errors.record = to_string(call.facts().id);
        last += error_event(*refusal, call);
    } else {
        last += kDone;
    }
    if (!gone) {
        co_await send_events(relay, last);
        (void)co_await call.exchange.end();
    }
    co_return std::nullopt;
}

Task<std::optional<Refusal>> answer_stream(Gateway& gateway, Call& call, Routing::Sent sent,
                                           AnswerRules rules) {
    ChatStream stream(std::move(rules));
    Relay relay{.call = call, .sent = sent, .stream = stream, .events = {}, .broken = {}};
    co_await relay_events(relay);
    // Whoever works for nobody shall stop.
    sent.response.reset();
    co_return co_await end_stream(gateway, relay);
}

Task<std::optional<Refusal>> call_model(Gateway& gateway, Call& call, TextRequest& request,
                                        Words words) {
    prepare_body(call, request);
    const auto make = [&](const UpstreamSettings& upstream,
                          const Target& target) -> Result<http::UpstreamRequest> {
        return upstream_request(request, upstream, target, call);
    };
    const auto began = std::chrono::steady_clock::now();
    auto sent = co_await gateway.routing().send(call, gateway.upstream(call.loop()), make);
    call.waited += std::chrono::steady_clock::now() - began;
    if (call.exchange.gone().stop_requested()) {
        co_return gone_refusal();
    }
    if (!sent.ok()) {
        co_return upstream_failure(sent.error());
    }
    const int status = sent->response->head().status;
    if (status < 200 || status > 299) {
        co_return co_await upstream_refusal(*sent);
    }
    AnswerRules rules{.shape = request.shape,
                      .reviewer = call.settings->reviewer,
                      .label = std::move(words.label),
                      .notice = std::move(words.notice),
                      .aigc = aigc_value(call),
                      .wants_usage = request.wants_usage};
    if (request.stream) {
        co_return co_await answer_stream(gateway, call, std::move(*sent), std::move(rules));
    }
    co_return co_await answer_whole(gateway, call, std::move(*sent), rules);
}

Task<std::optional<Refusal>> serve_text(Gateway& gateway, Call& call, TextShape shape) {
    TextRequest request;
    request.shape = shape;
    const Wanted wanted{.kind = ModelKind::kText, .otherwise = "this model makes no text"};
    auto refused = co_await take_request(gateway, call, wanted, read_request, request);
    if (refused) {
        co_return refused;
    }
    Words words;
    if (auto refusal = words_of(call, request, words)) {
        co_return refusal;
    }
    auto unlabelled = co_await make_label(gateway.stages(), call);
    if (unlabelled) {
        co_return unlabelled;
    }
    co_return co_await call_model(gateway, call, request, std::move(words));
}

constexpr const char* kChatRequest =
    R"({"type":"object","required":["model","messages"],"properties":{"model":{"type":"string"},)"
    R"("messages":{"type":"array","minItems":1},"stream":{"type":"boolean"},)"
    R"("user":{"type":"string","description":"the end user"}},"additionalProperties":true})";
constexpr const char* kCompletionRequest =
    R"({"type":"object","required":["model","prompt"],"properties":{"model":{"type":"string"},)"
    R"("prompt":{},"stream":{"type":"boolean"},"user":{"type":"string"}},)"
    R"("additionalProperties":true})";
constexpr const char* kTextResponse =
    R"({"type":"object","properties":{"choices":{"type":"array"},"aigc":{"type":"object"}},)"
    R"("additionalProperties":true})";

}  // namespace

void add_text_routes(Gateway& gateway) {
    gateway.add_call(
        {.method = "POST",
         .pattern = "/v1/chat/completions",
         .operation = "chat",
         .right = "generate",
         .summary = "a labelled answer of a chat model",
         .request_schema = kChatRequest,
         .response_schema = kTextResponse,
         .handle = {}},
        [](Gateway& own, Call& call) { return serve_text(own, call, TextShape::kChat); });
    gateway.add_call(
        {.method = "POST",
         .pattern = "/v1/completions",
         .operation = "text_completion",
         .right = "generate",
         .summary = "a labelled continuation of a text",
         .request_schema = kCompletionRequest,
         .response_schema = kTextResponse,
         .handle = {}},
        [](Gateway& own, Call& call) { return serve_text(own, call, TextShape::kCompletion); });
}

}  // namespace colophon::gateway
