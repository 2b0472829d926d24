// SPDX-License-Identifier: Apache-2.0
// /v1/chat/completions, /v1/completions, /v1/responses and /v1/messages.
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/answer_texts.h"
#include "gateway/call.h"
#include "gateway/chat_pictures.h"
#include "gateway/chat_sounds.h"
#include "gateway/chat_stream.h"
#include "gateway/dialects.h"
#include "gateway/file_prints.h"
#include "gateway/gateway.h"
#include "gateway/held.h"
#include "gateway/json_edit.h"
#include "gateway/messages_stream.h"
#include "gateway/refusal.h"
#include "gateway/responses_stream.h"
#include "gateway/routing.h"
#include "gateway/settings.h"
#include "gateway/text_relay.h"
#include "gateway/text_request.h"
#include "gateway/text_stream.h"
#include "gateway/unseen_parts.h"
#include "gateway/webhook_texts.h"
#include "gateway/webhooks.h"
#include "http/message.h"
#include "http/upstream.h"
#include "ledger/record.h"
#include "ledger/record_contents.h"
#include "review/entry.h"
#include "review/queue.h"
#include "review/review.h"
#include "review/scope.h"

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

// The answer in the shape that the client reads.
Result<json::Value> in_shape(const Gateway& gateway, json::Value answer, const AnswerRules& rules,
                             Dialect dialect) {
    if (!is_translated(rules.shape, dialect)) {
        return answer;
    }
    return dialect == Dialect::kAnthropic ? message_as_chat(answer, seconds_now(gateway))
                                          : chat_as_message(answer);
}

struct HeldWhole {
    const std::string& body;  // as it came
    const AnswerRules& rules;
    const Routing::Sent& sent;
};

// The answer waits for a person, when nothing of it but what was held stands against it.
Task<void> hold_whole(Gateway& gateway, Call& call, HeldWhole held, Refusal& refusal) {
    AnswerRules rules = held.rules;
    rules.reviewer = rules.reviewer->letting_holds_go();
    if (rules.texts) {
        rules.texts->rewind();
    }
    const auto pass = [&]() -> Result<std::pair<json::Value, review::Verdict>> {
        json::Value parsed = TRY(read_answer(gateway, held.sent, held.body, rules.shape));
        json::Value answer =
            TRY(in_shape(gateway, std::move(parsed), rules, held.sent.upstream->dialect));
        call.record.personal.output.clear();
        review::Verdict verdict = TRY(pass_whole(call, answer, rules));
        return std::pair(std::move(answer), std::move(verdict));
    };
    auto passed = pass();
    if (!passed.ok()) {
        refusal = upstream_failure(passed.error());
        co_return;
    }
    if (auto other = note_verdict(call, review::Stage::kOutput, passed->second)) {
        refusal = std::move(*other);
        co_return;
    }
    review::WaitingAnswer answer;
    answer.body = json::write(passed->first);
    answer.headers.emplace_back("content-type", "application/json");
    hand_over_label(call, answer);
    answer.text = call.record.personal.output;
    Holding holding{.stage = review::Stage::kOutput,
                    .text = answer.text,
                    .file = {},
                    .media_type = {},
                    .answer = std::move(answer)};
    co_await hold(gateway.stages(), call, std::move(holding), refusal);
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
        std::optional<Refusal> refused;
        const OwnView own{.reviewer = *rules.reviewer, .texts = *rules.texts};
        if (asks_checks(call, own)) {
            refused = co_await guard_answer(gateway, call, *rules.texts);
            note_own_verdict(call, refused, own);
        } else {
            rules.texts->let_go();
        }
        if (refused && refused->code == kHeldForReview) {
            const HeldWhole whole{.body = *body, .rules = rules, .sent = sent};
            co_await hold_whole(gateway, call, whole, *refused);
        }
        if (refused) {
            co_return end_unsaid(call, std::move(*refused));
        }
    }
    const auto verdict = pass_whole(call, answer, rules);
    if (!verdict.ok()) {
        co_return upstream_failure(verdict.error());
    }
    if (auto refusal = note_verdict(call, review::Stage::kOutput, *verdict)) {
        if (verdict->decision == review::Decision::kHold) {
            const HeldWhole whole{.body = *body, .rules = rules, .sent = sent};
            co_await hold_whole(gateway, call, whole, *refusal);
        }
        co_return end_unsaid(call, std::move(*refusal));
    }
    if (call.record.personal.output.size() > ledger::kRecordContentBytesMax) {
        co_return upstream_failure(too_long());
    }
    http::Headers headers = answer_headers(call, "application/json");
    std::string out = json::write(answer);
    co_return co_await record_and_answer(gateway, call, std::move(headers), std::move(out));
}

Task<std::optional<Refusal>> call_model(Gateway& gateway, Call& call, TextRequest& request,
                                        Words words) {
    prepare_text_body(call, request);
    const auto make = [&](const UpstreamSettings& upstream,
                          const Target& target) -> Result<http::UpstreamRequest> {
        return text_upstream_request(request, upstream, target);
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
                      .aigc = aigc_value(call.aigc),
                      .wants_usage = request.wants_usage};
    if (request.stream) {
        co_return co_await answer_stream(gateway, call, std::move(*sent), std::move(rules));
    }
    co_return co_await answer_whole(gateway, call, std::move(*sent), std::move(rules));
}

// A record of what was refused first says what else came with it.
void keep_unlooked_files(Call& call, json::Value& body) {
    keep_unlooked(call, "part", unseen_parts(body).size());
    keep_unlooked_pictures(call, body);
}

Task<std::optional<Refusal>> serve_text(Gateway& gateway, Call& call, TextShape shape) {
    TextRequest request;
    request.shape = shape;
    const Wanted wanted{.kind = ModelKind::kText, .otherwise = "this model makes no text"};
    auto refused = co_await take_request(gateway, call, wanted, read_text_request, request);
    if (refused) {
        keep_unlooked_files(call, request.body);
        co_return refused;
    }
    refused = co_await review_unseen_parts(gateway, call, request.body);
    if (refused) {
        keep_unlooked_files(call, request.body);
        co_return refused;
    }
    refused = co_await review_chat_sounds(gateway, call, request.body);
    if (refused) {
        keep_unlooked_pictures(call, request.body);
        co_return refused;
    }
    refused = co_await review_chat_pictures(gateway, call, request.body);
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
