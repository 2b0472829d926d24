// SPDX-License-Identifier: Apache-2.0
#include "gateway/text_relay.h"

#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "core/utf8.h"
#include "gateway/answer_texts.h"
#include "gateway/call.h"
#include "gateway/chat_stream.h"
#include "gateway/dialects.h"
#include "gateway/gateway.h"
#include "gateway/held.h"
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
#include "http/exchange.h"
#include "http/message.h"
#include "http/sse.h"
#include "http/upstream.h"
#include "ledger/record.h"
#include "ledger/record_contents.h"
#include "review/entry.h"
#include "review/queue.h"
#include "review/review.h"
#include "review/scope.h"

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

// Where a stream stands between upstream and client.
struct Relay {
    Call& call;
    Routing::Sent& sent;
    AnswerRules rules;
    std::unique_ptr<TextStream> stream;
    std::unique_ptr<EventTranslator> translator;  // none where both sides speak the same
    http::SseReader events;
    bool done = false;
    std::optional<Error> broken;
    // All that came so far, where something may be held.
    bool keeps = false;
    std::vector<std::string> came;
    std::size_t came_bytes = 0;
    // Where set, nothing goes out: all events go there, in the client's shape.
    std::vector<std::string>* collected = nullptr;
    std::size_t collected_bytes = 0;

    // Nothing goes out any more, and the rest is taken for the person who is to look at it.
    bool is_holding() const {
        return keeps && stream->blocked() && stream->verdict().decision == review::Decision::kHold;
    }
    bool is_blocked() const { return stream->blocked() && !is_holding(); }
};

std::unique_ptr<TextStream> make_stream(AnswerRules rules) {
    if (rules.shape == TextShape::kMessages) {
        return std::make_unique<MessagesStream>(std::move(rules));
    }
    if (rules.shape == TextShape::kResponses) {
        return std::make_unique<ResponsesStream>(std::move(rules));
    }
    return std::make_unique<ChatStream>(std::move(rules));
}

void keep(Relay& relay, std::string_view data) {
    if (!relay.keeps) {
        return;
    }
    relay.came_bytes += data.size();
    if (relay.came_bytes > kHeldStreamBytesMax) {
        relay.keeps = false;
        relay.came = {};
        return;
    }
    relay.came.emplace_back(data);
}

void collect(Relay& relay, std::string_view data) {
    relay.collected_bytes += data.size();
    if (relay.collected_bytes > relay.call.settings->answer_bytes_max) {
        relay.broken = too_long();
    }
    relay.collected->emplace_back(data);
}

// What one event gives to the client, in the client's shape.
std::string take_one(Relay& relay, std::string_view data) {
    if (data == "[DONE]") {
        relay.done = true;
        return {};
    }
    keep(relay, data);
    const bool held_before = relay.stream->blocked();
    auto text = relay.stream->take(data);
    if (!text.ok()) {
        relay.broken = text.error();
        return {};
    }
    // What a record cannot hold does not go out: this text is held back too.
    if (relay.stream->text_bytes() > kAnswerTextMax) {
        relay.broken = too_long();
        return {};
    }
    relay.done = relay.stream->said_end();
    if (relay.collected != nullptr) {
        collect(relay, data);
        return {};
    }
    return held_before ? std::string() : std::move(*text);
}

std::string take_all(Relay& relay, const std::vector<std::string>& events) {
    std::string out;
    for (const std::string& each : events) {
        if (relay.done || relay.broken || relay.is_blocked()) {
            break;
        }
        out += take_one(relay, each);
    }
    return out;
}

// What the events that are there give to the client.
std::string take_events(Relay& relay) {
    std::string out;
    while (!relay.done && !relay.broken && !relay.is_blocked()) {
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
        return relay.done || relay.broken || relay.is_blocked() ||
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
            relay.done = relay.done || relay.stream->all_finished();
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
Task<void> relay_whole(Gateway& gateway, Relay& relay) {
    const auto began = std::chrono::steady_clock::now();
    const auto body = co_await relay.sent.response->read_all(relay.call.settings->answer_bytes_max);
    relay.call.waited += std::chrono::steady_clock::now() - began;
    const auto answer = body.ok() ? read_answer(gateway, relay.sent, *body, relay.rules.shape)
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

Task<void> relay_answer(Gateway& gateway, Relay& relay) {
    if (relay.sent.upstream->dialect == Dialect::kTemplate) {
        co_await relay_whole(gateway, relay);
    } else {
        co_await relay_events(relay);
    }
}

// The whole answer as it goes out when a person releases it, from all that came.
Result<std::string> make_whole(Relay& relay, TextStream& whole) {
    std::string out;
    for (const std::string& each : std::exchange(relay.came, {})) {
        out += TRY(whole.take(each));
        if (whole.blocked()) {
            return out;
        }
        if (whole.text_bytes() > kAnswerTextMax || out.size() > review::kEvidenceBytesMax) {
            return too_long();
        }
    }
    whole.settle();
    if (!whole.blocked()) {
        out += whole.close(TextStream::Ending::kWhole);
        out += whole.end_mark();
    }
    return out;
}

// It waits for a person, when nothing of it but what was held stands against it. Part of it has
// gone out under this call's number, so it has one of its own.
Task<void> put_before_people(Gateway& gateway, Relay& relay, Refusal& refusal) {
    const auto label = co_await new_label(gateway.stages(), relay.call);
    if (!label.ok()) {
        refusal =
            own_failure("review_unavailable", "what was held cannot be put before people now");
        co_return;
    }
    AnswerRules rules = relay.rules;
    rules.reviewer = rules.reviewer->letting_holds_go();
    rules.aigc = aigc_value(label->aigc);
    if (rules.texts) {
        rules.texts->rewind();
    }
    const std::unique_ptr<TextStream> whole = make_stream(std::move(rules));
    auto body = make_whole(relay, *whole);
    if (!body.ok()) {
        co_return;
    }
    if (whole->blocked()) {
        if (auto worse = note_verdict(relay.call, review::Stage::kOutput, whole->verdict())) {
            refusal = std::move(*worse);
        }
        co_return;
    }
    review::WaitingAnswer answer;
    answer.headers.emplace_back("content-type", "text/event-stream; charset=utf-8");
    answer.body = std::move(*body);
    answer.text = whole->text();
    answer.label = label->aigc;
    answer.content_id = label->id;
    Holding holding{.stage = review::Stage::kOutput,
                    .text = answer.text,
                    .file = {},
                    .media_type = {},
                    .answer = std::move(answer)};
    co_await hold(gateway.stages(), relay.call, std::move(holding), refusal);
}

// All that the upstream says, before anything goes out: the webhooks see its texts. What they do
// not want ends the call; what they change stands in `rules`.
struct Collected {
    std::vector<std::string> events;
    std::optional<Error> broken;
    std::optional<Refusal> refusal;
};
Task<Collected> collect_answer(Gateway& gateway, Relay relay) {
    Collected out;
    relay.collected = &out.events;
    co_await relay_answer(gateway, relay);
    out.broken = relay.broken;
    if (out.broken || relay.call.exchange.gone().stop_requested()) {
        co_return out;
    }
    const OwnView own{.reviewer = *relay.rules.reviewer, .texts = *relay.rules.texts};
    if (!asks_checks(relay.call, own)) {
        relay.rules.texts->let_go();
    } else {
        out.refusal = co_await guard_answer(gateway, relay.call, *relay.rules.texts);
        note_own_verdict(relay.call, out.refusal, own);
        note_usage(relay.call, relay.stream->usage());
        if (out.refusal && out.refusal->code == kHeldForReview) {
            relay.came = std::move(out.events);
            co_await put_before_people(gateway, relay, *out.refusal);
        }
    }
    co_return out;
}

// The end of a stream: the record first, then the last events.
Task<std::optional<Refusal>> end_stream(Gateway& gateway, Relay& relay) {
    Call& call = relay.call;
    TextStream& stream = *relay.stream;
    const bool gone = call.exchange.gone().stop_requested();
    if (!gone && !relay.broken) {
        stream.settle();
    }
    std::optional<Refusal> refusal = note_verdict(call, review::Stage::kOutput, stream.verdict());
    if (refusal && relay.is_holding() && !gone && !relay.broken) {
        co_await put_before_people(gateway, relay, *refusal);
    }
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
    if (refusal) {
        stream.set_ticket(refusal->ticket);
    }
    std::string last = stream.close(ending);
    note_usage(call, stream.usage());
    call.facts().model_version = stream.model().substr(0, ledger::kRecordNameBytesMax);
    call.record.personal.output = stream.text();
    if (call.record.personal.output.size() > ledger::kRecordContentBytesMax) {
        std::string& output = call.record.personal.output;
        output.resize(utf8_prefix(output, kAnswerTextMax).size());
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

}  // namespace

Refusal end_unsaid(Call& call, Refusal refusal) {
    call.record.personal.output.clear();
    call.facts().label.clear();
    return refusal;
}

Error too_long() {
    return Error{ErrorCode::kUnsupported, "the upstream's answer is longer than a record can hold"};
}

Refusal gone_refusal() {
    return {.status = 400,
            .type = "invalid_request_error",
            .code = "client_gone",
            .message = "the client left",
            .outcome = ledger::Outcome::kCutOff};
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

Task<std::optional<Refusal>> answer_stream(Gateway& gateway, Call& call, Routing::Sent sent,
                                           AnswerRules rules) {
    const Dialect dialect = sent.upstream->dialect;
    std::unique_ptr<EventTranslator> translator;
    if (is_translated(rules.shape, dialect)) {
        translator = dialect == Dialect::kAnthropic ? messages_as_chunks(seconds_now(gateway))
                                                    : chunks_as_messages();
    }
    std::optional<Collected> collected;
    if (Webhooks::wanted(call, review::Stage::kOutput)) {
        rules.texts = std::make_shared<AnswerTexts>();
        Relay first{.call = call,
                    .sent = sent,
                    .rules = rules,
                    .stream = make_stream(rules),
                    .translator = std::move(translator),
                    .events = {},
                    .broken = {},
                    .came = {}};
        collected = co_await collect_answer(gateway, std::move(first));
        if (collected->refusal) {
            co_return end_unsaid(call, std::move(*collected->refusal));
        }
    }
    Relay relay{.call = call,
                .sent = sent,
                .rules = rules,
                .stream = make_stream(rules),
                .translator = std::move(translator),
                .events = {},
                .broken = {},
                .keeps = rules.reviewer->may_hold(),
                .came = {}};
    if (!collected) {
        co_await relay_answer(gateway, relay);
    } else if (collected->broken) {
        relay.broken = collected->broken;
    } else {
        const std::string out = take_all(relay, collected->events);
        if (!out.empty()) {
            co_await send_events(relay, out);
        }
    }
    // Whoever works for nobody shall stop.
    sent.response.reset();
    co_return co_await end_stream(gateway, relay);
}

}  // namespace colophon::gateway
