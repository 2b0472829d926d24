// SPDX-License-Identifier: Apache-2.0
// /v1/chat/completions, /v1/completions, /v1/responses and /v1/messages.
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/answer_texts.h"
#include "gateway/call.h"
#include "gateway/chat_stream.h"
#include "gateway/dialects.h"
#include "gateway/gateway.h"
#include "gateway/json_edit.h"
#include "gateway/messages_stream.h"
#include "gateway/refusal.h"
#include "gateway/responses_stream.h"
#include "gateway/routing.h"
#include "gateway/settings.h"
#include "gateway/template_upstream.h"
#include "gateway/text_request.h"
#include "gateway/text_stream.h"
#include "gateway/webhook_texts.h"
#include "gateway/webhooks.h"
#include "http/message.h"
#include "http/sse.h"
#include "http/upstream.h"
#include "ledger/record.h"
#include "ledger/record_contents.h"
#include "review/review.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr std::size_t kDepthMax = 64;

// What is kept of a call; room for the labels that come last.
constexpr std::size_t kAnswerTextMax = ledger::kRecordContentBytesMax - (64U << 10U);

Error too_long() {
    return Error{ErrorCode::kLimit, "the upstream's answer is longer than a record can hold"};
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

std::int64_t seconds_now(const Gateway& gateway) {
    return std::chrono::duration_cast<std::chrono::seconds>(
               gateway.parts().clock.now().time_since_epoch())
        .count();
}

// Nothing of the answer goes out.
Refusal end_unsaid(Call& call, Refusal refusal) {
    call.record.personal.output.clear();
    call.facts().label.clear();
    return refusal;
}

// Reviews and labels an answer that came at once; counts its tokens.
Result<review::Verdict> pass_whole(Call& call, json::Value& answer, const AnswerRules& rules) {
    std::string& text = call.record.personal.output;
    if (rules.shape == TextShape::kResponses) {
        ResponsesStream all(rules);
        TRY(all.pass_response(answer));
        text = all.text();
        note_usage(call, all.usage());
        return all.verdict();
    }
    if (rules.shape == TextShape::kMessages) {
        MessagesStream all(rules);
        TRY(all.pass_message(answer));
        text = all.text();
        note_usage(call, all.usage());
        return all.verdict();
    }
    note_usage(call, usage_of(answer));
    return pass_answer(answer, rules, text);
}

// What an upstream answered, in the shape of its dialect; that of a template is chat completions.
Result<json::Value> read_answer(const Gateway& gateway, const Routing::Sent& sent,
                                const std::string& body, TextShape shape) {
    if (sent.upstream->dialect == Dialect::kTemplate) {
        json::Value chat = TRY(
            template_chat(*sent.upstream->pattern, body, sent.target->model, seconds_now(gateway)));
        return shape == TextShape::kCompletion ? chat_as_completion(std::move(chat))
                                               : std::move(chat);
    }
    auto parsed = json::parse(body, {.depth_max = kDepthMax, .bytes_max = body.size() + 1});
    if (!parsed.ok() || parsed->if_object() == nullptr) {
        return Error{ErrorCode::kCorrupt, "the upstream's answer is no JSON object"};
    }
    return std::move(*parsed);
}

// The answer in the shape that the client reads.
Result<json::Value> in_shape(const Gateway& gateway, json::Value answer, const AnswerRules& rules,
                             Dialect dialect) {
    if (!is_translated(rules.shape, dialect)) {
        return answer;
    }
    return dialect == Dialect::kAnthropic ? message_as_chat(answer, seconds_now(gateway))
                                          : chat_as_message(answer);
}

Task<std::optional<Refusal>> answer_whole(Gateway& gateway, Call& call, Routing::Sent sent,
                                          AnswerRules rules) {
    const auto body = co_await sent.response->read_all(call.settings->answer_bytes_max);
    if (call.exchange.gone().stop_requested()) {
        co_return gone_refusal();
    }
    if (!body.ok()) {
        gateway.routing().note_broken(*sent.target);
        co_return upstream_failure(body.error());
    }
    auto parsed = read_answer(gateway, sent, *body, rules.shape);
    if (!parsed.ok()) {
        co_return upstream_failure(parsed.error());
    }
    auto shaped = in_shape(gateway, std::move(*parsed), rules, sent.upstream->dialect);
    if (!shaped.ok()) {
        co_return upstream_failure(shaped.error());
    }
    json::Value answer = std::move(*shaped);
    call.facts().model_version =
        std::string(text_member(answer, "model").substr(0, ledger::kRecordNameBytesMax));
    if (Webhooks::wanted(call, review::Stage::kOutput)) {
        rules.texts = std::make_shared<AnswerTexts>();
        json::Value seen = answer;
        const auto collected = pass_whole(call, seen, rules);
        if (!collected.ok()) {
            co_return upstream_failure(collected.error());
        }
        auto refused = co_await guard_answer(gateway, call, *rules.texts);
        if (refused) {
            co_return end_unsaid(call, std::move(*refused));
        }
    }
    const auto verdict = pass_whole(call, answer, rules);
    if (!verdict.ok()) {
        co_return upstream_failure(verdict.error());
    }
    if (auto refusal = note_verdict(call, review::Stage::kOutput, *verdict)) {
        co_return end_unsaid(call, std::move(*refusal));
    }
    if (call.record.personal.output.size() > ledger::kRecordContentBytesMax) {
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
    TextStream& stream;
    std::unique_ptr<EventTranslator> translator;  // none where both sides speak the same
    http::SseReader events;
    bool done = false;
    std::optional<Error> broken;
    // Where set, nothing goes out yet: all events are kept here, in the client's shape.
    std::vector<std::string>* held = nullptr;
    std::size_t held_bytes = 0;
};

// What one event gives to the client, in the client's shape.
std::string take_one(Relay& relay, std::string_view data) {
    if (data == "[DONE]") {
        relay.done = true;
        return {};
    }
    auto text = relay.stream.take(data);
    if (!text.ok()) {
        relay.broken = text.error();
        return {};
    }
    // What a record cannot hold does not go out: this text is held back too.
    if (relay.stream.text_bytes() > kAnswerTextMax) {
        relay.broken = too_long();
        return {};
    }
    relay.done = relay.stream.said_end();
    if (relay.held == nullptr) {
        return std::move(*text);
    }
    relay.held_bytes += data.size();
    if (relay.held_bytes > relay.call.settings->answer_bytes_max) {
        relay.broken = too_long();
    }
    relay.held->emplace_back(data);
    return {};
}

std::string take_all(Relay& relay, const std::vector<std::string>& events) {
    std::string out;
    for (const std::string& each : events) {
        if (relay.done || relay.broken || relay.stream.blocked()) {
            break;
        }
        out += take_one(relay, each);
    }
    return out;
}

// What the events that are there give to the client.
std::string take_events(Relay& relay) {
    std::string out;
    while (!relay.done && !relay.broken && !relay.stream.blocked()) {
        auto event = relay.events.next();
        if (!event.ok()) {
            relay.broken = event.error();
            break;
        }
        if (!*event) {
            break;
        }
        if (!relay.translator) {
            out += take_one(relay, (*event)->data);
            continue;
        }
        const auto translated = relay.translator->take((*event)->data);
        if (!translated.ok()) {
            relay.broken = translated.error();
            break;
        }
        out += take_all(relay, *translated);
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
            if (relay.translator) {
                const std::string out = take_all(relay, relay.translator->close());
                if (!out.empty()) {
                    co_await send_events(relay, out);
                }
            }
            relay.done = relay.done || relay.stream.all_finished();
            if (!relay.done && !relay.broken) {
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

// The same for an upstream that answers at once: its answer goes out as a stream all the same.
Task<void> relay_whole(Gateway& gateway, Relay& relay, TextShape shape) {
    const auto began = std::chrono::steady_clock::now();
    const auto body = co_await relay.sent.response->read_all(relay.call.settings->answer_bytes_max);
    relay.call.waited += std::chrono::steady_clock::now() - began;
    const auto answer = body.ok() ? read_answer(gateway, relay.sent, *body, shape)
                                  : Result<json::Value>(body.error());
    if (!answer.ok()) {
        relay.broken = answer.error();
        co_return;
    }
    std::string out;
    for (const std::string& each : chat_as_chunks(*answer)) {
        if (!relay.translator) {
            out += take_all(relay, {each});
            continue;
        }
        const auto translated = relay.translator->take(each);
        if (!translated.ok()) {
            relay.broken = translated.error();
            co_return;
        }
        out += take_all(relay, *translated);
    }
    if (!out.empty()) {
        co_await send_events(relay, out);
    }
}

Task<void> relay_answer(Gateway& gateway, Relay& relay, TextShape shape) {
    if (relay.sent.upstream->dialect == Dialect::kTemplate) {
        co_await relay_whole(gateway, relay, shape);
    } else {
        co_await relay_events(relay);
    }
}

// The end of a stream: the record first, then the last events.
Task<std::optional<Refusal>> end_stream(Gateway& gateway, Relay& relay) {
    Call& call = relay.call;
    TextStream& stream = relay.stream;
    const bool gone = call.exchange.gone().stop_requested();
    if (!gone && !relay.broken) {
        stream.settle();
    }
    std::optional<Refusal> refusal = note_verdict(call, review::Stage::kOutput, stream.verdict());
    if (gone) {
        refusal = gone_refusal();
    } else if (!refusal && relay.broken) {
        gateway.routing().note_broken(*relay.sent.target);
        refusal = upstream_failure(*relay.broken);
    }
    using Ending = TextStream::Ending;
    const Ending ending = !refusal           ? Ending::kWhole
                          : stream.blocked() ? Ending::kBlocked
                                             : Ending::kBroken;
    std::string last = stream.close(ending);
    note_usage(call, stream.usage());
    call.facts().model_version = stream.model().substr(0, ledger::kRecordNameBytesMax);
    call.record.personal.output = stream.text();
    if (call.record.personal.output.size() > ledger::kRecordContentBytesMax) {
        cut_text(call.record.personal.output, kAnswerTextMax);
        call.detail.emplace_back("output_cut", true);
    }
    if (refusal && !call.exchange.has_begun()) {
        co_return end_unsaid(call, std::move(*refusal));
    }
    call.facts().outcome = refusal ? ledger::Outcome::kCutOff : ledger::Outcome::kAnswered;
    call.facts().outcome_code = refusal ? refusal->code : std::string();
    const auto kept = co_await append_record(gateway.stages(), call);
    if (!kept.ok()) {
        gateway.owe_record(call);
        last = stream.error_event(
            own_failure("record_unavailable",
                        "the call cannot be recorded now, so it is not answered"),
            call.errors);
    } else if (refusal && ending == Ending::kBroken) {
        call.errors.record = to_string(call.facts().id);
        last += stream.error_event(*refusal, call.errors);
    } else {
        last += stream.end_mark();
    }
    if (!gone) {
        co_await send_events(relay, last);
        (void)co_await call.exchange.end();
    }
    co_return std::nullopt;
}

std::unique_ptr<TextStream> make_stream(AnswerRules rules) {
    if (rules.shape == TextShape::kMessages) {
        return std::make_unique<MessagesStream>(std::move(rules));
    }
    if (rules.shape == TextShape::kResponses) {
        return std::make_unique<ResponsesStream>(std::move(rules));
    }
    return std::make_unique<ChatStream>(std::move(rules));
}

Task<std::optional<Refusal>> answer_stream(Gateway& gateway, Call& call, Routing::Sent sent,
                                           AnswerRules rules) {
    const Dialect dialect = sent.upstream->dialect;
    std::unique_ptr<EventTranslator> translator;
    if (is_translated(rules.shape, dialect)) {
        translator = dialect == Dialect::kAnthropic ? messages_as_chunks(seconds_now(gateway))
                                                    : chunks_as_messages();
    }
    std::optional<Refusal> refused;
    std::vector<std::string> held;
    std::optional<Error> broken;
    if (Webhooks::wanted(call, review::Stage::kOutput)) {
        rules.texts = std::make_shared<AnswerTexts>();
        const std::unique_ptr<TextStream> collecting = make_stream(rules);
        Relay first{.call = call,
                    .sent = sent,
                    .stream = *collecting,
                    .translator = std::move(translator),
                    .events = {},
                    .broken = {},
                    .held = &held};
        co_await relay_answer(gateway, first, rules.shape);
        broken = first.broken;
        if (!broken && !call.exchange.gone().stop_requested()) {
            refused = co_await guard_answer(gateway, call, *rules.texts);
        }
        if (refused) {
            note_usage(call, collecting->usage());
            co_return end_unsaid(call, std::move(*refused));
        }
    }
    const bool was_held = rules.texts != nullptr;
    const TextShape shape = rules.shape;
    const std::unique_ptr<TextStream> stream = make_stream(std::move(rules));
    Relay relay{.call = call,
                .sent = sent,
                .stream = *stream,
                .translator = std::move(translator),
                .events = {},
                .broken = std::move(broken)};
    if (!was_held) {
        co_await relay_answer(gateway, relay, shape);
    } else if (!relay.broken) {
        const std::string out = take_all(relay, held);
        if (!out.empty()) {
            co_await send_events(relay, out);
        }
    }
    // Whoever works for nobody shall stop.
    sent.response.reset();
    co_return co_await end_stream(gateway, relay);
}

Task<std::optional<Refusal>> call_model(Gateway& gateway, Call& call, TextRequest& request,
                                        Words words) {
    prepare_text_body(call, request);
    const auto make = [&](const UpstreamSettings& upstream,
                          const Target& target) -> Result<http::UpstreamRequest> {
        return text_upstream_request(request, upstream, target, call);
    };
    const auto began = std::chrono::steady_clock::now();
    auto sent = co_await gateway.routing().send(call, gateway.upstream(call.loop()), make);
    call.waited += std::chrono::steady_clock::now() - began;
    if (call.exchange.gone().stop_requested()) {
        co_return gone_refusal();
    }
    if (!sent.ok() && sent.error().code == ErrorCode::kInvalidArgument) {
        co_return invalid_request(sent.error().what, "");
    }
    if (!sent.ok()) {
        co_return upstream_failure(sent.error());
    }
    const int status = sent->response->head().status;
    if (status < 200 || status > 299) {
        co_return co_await upstream_refusal(*sent);
    }
    AnswerRules rules{.shape = request.shape,
                      .reviewer = reviewer_of(call, review::Stage::kOutput),
                      .label = std::move(words.label),
                      .notice = std::move(words.notice),
                      .aigc = aigc_value(call),
                      .wants_usage = request.wants_usage};
    if (request.stream) {
        co_return co_await answer_stream(gateway, call, std::move(*sent), std::move(rules));
    }
    co_return co_await answer_whole(gateway, call, std::move(*sent), std::move(rules));
}

Task<std::optional<Refusal>> serve_text(Gateway& gateway, Call& call, TextShape shape) {
    TextRequest request;
    request.shape = shape;
    const Wanted wanted{.kind = ModelKind::kText, .otherwise = "this model makes no text"};
    auto refused = co_await take_request(gateway, call, wanted, read_text_request, request);
    if (refused) {
        co_return refused;
    }
    if (Webhooks::wanted(call, review::Stage::kInput)) {
        refused = co_await guard_request(gateway, call, texts_of_request(shape, request.body),
                                         request.ask.text);
        if (refused) {
            co_return refused;
        }
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
constexpr const char* kResponsesRequest =
    R"({"type":"object","required":["model","input"],"properties":{"model":{"type":"string"},)"
    R"("input":{},"instructions":{"type":"string"},"stream":{"type":"boolean"},)"
    R"("user":{"type":"string"}},"additionalProperties":true})";
constexpr const char* kMessagesRequest =
    R"({"type":"object","required":["model","messages"],"properties":{"model":{"type":"string"},)"
    R"("messages":{"type":"array","minItems":1},"system":{},"stream":{"type":"boolean"},)"
    R"("metadata":{"type":"object","properties":{"user_id":{"type":"string"}}}},)"
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
    gateway.add_call(
        {.method = "POST",
         .pattern = "/v1/responses",
         .operation = "responses",
         .right = "generate",
         .summary = "a labelled answer in the shape of the Responses API",
         .request_schema = kResponsesRequest,
         .response_schema = R"({"type":"object","properties":{"output":{"type":"array"},)"
                            R"("aigc":{"type":"object"}},"additionalProperties":true})",
         .handle = {}},
        [](Gateway& own, Call& call) { return serve_text(own, call, TextShape::kResponses); });
    gateway.add_call(
        {.method = "POST",
         .pattern = "/v1/messages",
         .operation = "messages",
         .right = "generate",
         .summary = "a labelled answer in the shape of Anthropic's messages",
         .request_schema = kMessagesRequest,
         .response_schema = R"({"type":"object","properties":{"content":{"type":"array"},)"
                            R"("aigc":{"type":"object"}},"additionalProperties":true})",
         .handle = {}},
        [](Gateway& own, Call& call) { return serve_text(own, call, TextShape::kMessages); });
}

}  // namespace colophon::gateway
