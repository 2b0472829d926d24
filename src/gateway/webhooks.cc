// SPDX-License-Identifier: Apache-2.0
#include "gateway/webhooks.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/hmac.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/metrics.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/cloud_classifiers.h"
#include "gateway/guard_models.h"
#include "gateway/held.h"
#include "gateway/json_edit.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "gateway/settings.h"
#include "gateway/webhook_settings.h"
#include "http/loop.h"
#include "http/message.h"
#include "http/upstream.h"
#include "identity/circuit_breaker.h"
#include "label/record.h"
#include "ledger/record.h"
#include "ledger/record_contents.h"
#include "review/entry.h"
#include "review/review.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr std::size_t kDepthMax = 16;
constexpr std::size_t kReasonBytesMax = 500;
// An answer repeats the texts at most; this much is for what stands around them.
constexpr std::size_t kAnswerBytesMore = 1U << 20U;
// A guard that restarts is asked again after this.
constexpr identity::BreakerPolicy kPolicy{.rest = std::chrono::seconds(5)};
const std::vector<double> kSeconds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                   0.1,   0.25,   0.5,   1,    2.5,   10};

// Ends an exchange when its time is over or the client left.
class TimeLimit final : public http::Expiring {
public:
    TimeLimit(http::Loop& loop, std::chrono::milliseconds time, const std::stop_token& gone)
        : loop_(loop), follow_(gone, [this] { source_.request_stop(); }) {
        loop_.watch(*this);
        expire_in(time);
    }
    ~TimeLimit() override { loop_.unwatch(*this); }
    TimeLimit(const TimeLimit&) = delete;
    TimeLimit& operator=(const TimeLimit&) = delete;
    TimeLimit(TimeLimit&&) = delete;
    TimeLimit& operator=(TimeLimit&&) = delete;

    void expire() override {
        expired_ = true;
        source_.request_stop();
    }
    bool expired() const noexcept { return expired_; }
    std::stop_token token() const noexcept { return source_.get_token(); }

private:
    http::Loop& loop_;
    std::stop_source source_;
    bool expired_ = false;
    std::stop_callback<std::function<void()>> follow_;
};

Error wrong_answer(std::string_view what) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("the check's answer is not of its form: {}", what)};
}

// Nothing when the member is missing or null.
Result<std::optional<std::vector<std::string>>> list_member(const json::Value& answer,
                                                            std::string_view name) {
    std::optional<std::vector<std::string>> list;
    const json::Value* found = answer.find(name);
    if (found == nullptr || found->is_null()) {
        return list;
    }
    const json::Array* items = found->if_array();
    if (items == nullptr) {
        return wrong_answer("texts and images are lists");
    }
    list.emplace();
    for (const json::Value& each : *items) {
        const std::string* text = each.if_string();
        if (text == nullptr) {
            return wrong_answer("texts and images are lists of texts");
        }
        list->push_back(*text);
    }
    return list;
}

// Guards may repeat what they were sent.
bool repeats(const json::Value& answer, std::string_view name, const json::Value& sent) {
    const json::Value* found = answer.find(name);
    return found == nullptr || found->is_null() || json::write(*found) == json::write(sent);
}

Result<void> read_changes(const json::Value& value, const WebhookView& view,
                          WebhookAnswer& answer) {
    answer.texts = TRY(list_member(value, "texts"));
    answer.images = TRY(list_member(value, "images"));
    if (answer.images && *answer.images == view.images) {
        answer.images.reset();
    }
    // A change that cannot be made would leave what the check did not want.
    if (!repeats(value, "structured_messages", view.messages) ||
        !repeats(value, "tools", view.tools) || !repeats(value, "tool_calls", view.tool_calls)) {
        return wrong_answer("messages, tools and calls of tools cannot be changed here");
    }
    if (answer.images && !view.images_may_change) {
        return wrong_answer("these images cannot be changed");
    }
    if ((answer.texts && answer.texts->size() != view.texts.size()) ||
        (answer.images && answer.images->size() != view.images.size())) {
        return wrong_answer("it has more or fewer texts or images than it was asked about");
    }
    if (!answer.texts && !answer.images) {
        return wrong_answer("it changes something, but does not say what");
    }
    std::size_t bytes = 0;
    for (const std::string& each : answer.texts ? *answer.texts : std::vector<std::string>()) {
        bytes += each.size();
    }
    if (bytes > ledger::kRecordContentBytesMax) {
        return wrong_answer("its texts are too long");
    }
    return {};
}

std::string plain_reason(std::string_view said) {
    std::string reason(said.substr(0, kReasonBytesMax));
    std::ranges::replace_if(
        reason, [](char c) { return static_cast<unsigned char>(c) < 0x20U; }, ' ');
    return reason;
}

std::string body_of(const Call& call, const WebhookView& view) {
    const ledger::Facts& facts = call.record.facts;
    json::Object who{{"user_api_key_hash", to_string(call.caller.key)},
                     {"user_api_key_team_id", to_string(call.caller.tenant)}};
    if (facts.subject) {
        who.emplace_back("user_api_key_end_user_id", to_string(*facts.subject));
    }
    const label::ServiceClass service = call.model != nullptr ? call.model->service : call.service;
    json::Object body{{"texts", json::Array(view.texts.begin(), view.texts.end())}};
    if (!view.images.empty()) {
        body.emplace_back("images", json::Array(view.images.begin(), view.images.end()));
    }
    for (const auto& [name, value] :
         {std::pair("tools", &view.tools), std::pair("tool_calls", &view.tool_calls),
          std::pair("structured_messages", &view.messages)}) {
        if (!value->is_null()) {
            body.emplace_back(name, *value);
        }
    }
    body.emplace_back("request_data", std::move(who));
    body.emplace_back("input_type", view.stage == review::Stage::kInput ? "request" : "response");
    body.emplace_back("litellm_call_id", to_string(facts.id));
    body.emplace_back("litellm_trace_id",
                      call.trace.empty() ? json::Value() : json::Value(call.trace));
    body.emplace_back("model", facts.model);
    body.emplace_back("additional_provider_specific_params",
                      json::Object{{"operation", facts.operation},
                                   {"service", std::string(label::service_name(service))}});
    return json::write(body);
}

Result<http::UpstreamRequest> request_of(const Call& call, const WebhookSettings& webhook,
                                         const WebhookView& view, Time now,
                                         std::string_view nonce) {
    const bool classifier = webhook.shape != CheckShape::kGuardrail;
    if (is_cloud(webhook.shape)) {
        return cloud_request(webhook, view, now, nonce);
    }
    http::UpstreamRequest request;
    request.url = webhook.url;
    request.headers.push_back({"content-type", "application/json"});
    request.headers.push_back({"accept", "application/json"});
    if (!webhook.key.empty()) {
        request.headers.push_back(classifier
                                      ? http::Header{"authorization", "Bearer " + webhook.key}
                                      : http::Header{"x-api-key", webhook.key});
    }
    request.body = classifier ? TRY(guard_request_body(call, webhook, view)) : body_of(call, view);
    if (!webhook.secret.empty()) {
        const auto seconds =
            std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
        const std::string time = std::to_string(seconds);
        const std::string message = time + "." + request.body;
        request.headers.push_back({"colophon-timestamp", time});
        request.headers.push_back(
            {"colophon-signature",
             "sha256=" + to_hex(hmac_sha256(as_bytes(webhook.secret), as_bytes(message)))});
    }
    // The whole exchange has one limit (TimeLimit).
    request.times = {.connect = webhook.time, .first_byte = webhook.time, .idle = webhook.time};
    return request;
}

review::Occasion occasion_of(const Call& call, review::Stage stage) {
    const label::ServiceClass service = call.model != nullptr ? call.model->service : call.service;
    return {.stage = stage,
            .tenant = to_string(call.caller.tenant),
            .service = std::string(label::service_name(service))};
}

// What each check said, for the record.
void note(Call& call, const WebhookSettings& webhook, json::Object said) {
    json::Object entry{{"name", webhook.name}};
    for (json::Member& each : said) {
        entry.push_back(std::move(each));
    }
    auto list = std::ranges::find(call.detail, "webhooks", &json::Member::first);
    if (list == call.detail.end()) {
        call.detail.emplace_back("webhooks", json::Array{});
        list = call.detail.end() - 1;
    }
    list->second.if_array()->emplace_back(std::move(entry));
}

void note_decision(Call& call, const WebhookSettings& webhook, review::Stage stage,
                   std::string_view decision, std::string_view category = "webhook") {
    if (call.facts().verdicts.size() < ledger::kRecordVerdictsMax) {
        const bool allowed = decision == "allow";
        call.facts().verdicts.push_back(
            {.stage = std::string(stage_name(stage)),
             .decision = std::string(decision),
             .category = allowed ? std::string() : std::string(category),
             .rule = "webhook:" + webhook.name});
    }
}

void note_missed(Call& call, const WebhookSettings& webhook, review::Stage stage,
                 const Error& error) {
    note_decision(call, webhook, stage, "error");
    note(call, webhook, {{"stage", std::string(stage_name(stage))}, {"failed", error.what}});
}

// What a classifier found, as review would say it.
review::Verdict verdict_of(const WebhookSettings& webhook, const WebhookAnswer& answer) {
    review::Verdict verdict;
    verdict.decision = webhook.action;
    // Whoever is not sure does not block by himself.
    if (answer.is_unsure && verdict.decision == review::Decision::kBlock) {
        verdict.decision = review::Decision::kHold;
    }
    verdict.category = answer.category;
    verdict.rule = fmt::format("webhook:{}/{}", webhook.name, answer.code);
    verdict.entries = {verdict.rule};
    return verdict;
}

// Nobody judged it: a person has to.
review::Verdict missed_verdict(const WebhookSettings& webhook) {
    review::Verdict verdict;
    verdict.decision = review::Decision::kHold;
    verdict.category = "unreviewed";
    verdict.rule = fmt::format("webhook:{}/missed", webhook.name);
    verdict.entries = {verdict.rule};
    return verdict;
}

Refusal missed() {
    return own_failure("webhook_failed",
                       "a check that every call of this service must pass does not answer now");
}

Refusal blocked_by(review::Stage stage, const WebhookAnswer& answer) {
    const bool input = stage == review::Stage::kInput;
    Refusal refusal =
        policy_refusal(input ? "input_blocked" : "output_blocked",
                       input ? "the request has content that the rules of this service do not allow"
                             : "the model's answer has content that the rules of this service do "
                               "not allow");
    if (!answer.reason.empty()) {
        refusal.message = answer.reason;
    }
    refusal.category = "webhook";
    return refusal;
}

}  // namespace

Result<WebhookAnswer> read_webhook_answer(std::string_view body, const WebhookView& view) {
    const auto parsed = json::parse(
        body, {.depth_max = kDepthMax, .bytes_max = body.size() + 1, .unique_names = true});
    if (!parsed.ok() || parsed->if_object() == nullptr) {
        return wrong_answer("it is no JSON object");
    }
    WebhookAnswer answer;
    const std::string_view action = text_member(*parsed, "action");
    if (action == "NONE") {
        return answer;
    }
    if (action == "BLOCKED") {
        answer.action = WebhookAnswer::Action::kBlocked;
        answer.reason = plain_reason(text_member(*parsed, "blocked_reason"));
        return answer;
    }
    if (action != "GUARDRAIL_INTERVENED") {
        return wrong_answer("its action is none of NONE, BLOCKED and GUARDRAIL_INTERVENED");
    }
    answer.action = WebhookAnswer::Action::kIntervened;
    TRY(read_changes(*parsed, view, answer));
    return answer;
}

namespace {

// What else there is stands beside the first.
std::vector<WebhookView> one_picture_each(const WebhookView& view) {
    std::vector<WebhookView> pieces;
    for (const std::string& image : view.images) {
        WebhookView one;
        one.stage = view.stage;
        one.images.push_back(image);
        if (pieces.empty()) {
            one.texts = view.texts;
            one.tool_calls = view.tool_calls;
        }
        pieces.push_back(std::move(one));
    }
    return pieces;
}

}  // namespace

identity::CircuitBreaker& Webhooks::breaker(const std::string& name) {
    const std::lock_guard lock(mutex_);
    auto& found = breakers_[name];
    if (!found) {
        found = std::make_unique<identity::CircuitBreaker>(parts_.clock, kPolicy);
    }
    return *found;
}

std::optional<WebhookAnswer> Webhooks::known(const Digest256& question) {
    const std::lock_guard lock(mutex_);
    const auto found = answers_.find(question);
    if (found == answers_.end() || found->second.until <= parts_.clock.now()) {
        return std::nullopt;
    }
    return found->second.answer;
}

void Webhooks::remember(const Digest256& question, const WebhookAnswer& answer) {
    const Time until = parts_.clock.now() + kAnswersKept;
    const std::lock_guard lock(mutex_);
    if (!answers_.insert_or_assign(question, Remembered{answer, until}).second) {
        return;
    }
    questions_.push_back(question);
    if (questions_.size() > kAnswersKeptMax) {
        answers_.erase(questions_.front());
        questions_.pop_front();
    }
}

bool Webhooks::wanted(const Call& call, review::Stage stage) {
    const auto& all = call.settings->webhooks;
    if (all.empty()) {
        return false;
    }
    const review::Occasion occasion = occasion_of(call, stage);
    return std::ranges::any_of(
        all, [&](const WebhookSettings& each) { return covers(each.scope, occasion); });
}

bool Webhooks::can_pass_unseen(const Call& call, review::Stage stage) {
    const auto& all = call.settings->webhooks;
    if (all.empty()) {
        return true;
    }
    const review::Occasion occasion = occasion_of(call, stage);
    return std::ranges::none_of(all, [&](const WebhookSettings& each) {
        return covers(each.scope, occasion) && each.when_missed != WhenMissed::kPass;
    });
}

Task<Result<WebhookAnswer>> Webhooks::ask_one(Call& call, http::Upstream& client,
                                              const WebhookSettings& webhook,
                                              const WebhookView& view) {
    std::array<std::uint8_t, 16> nonce{};
    if (const auto filled = parts_.random.fill(nonce); !filled.ok()) {
        co_return filled.error();
    }
    auto made = request_of(call, webhook, view, parts_.clock.now(), to_hex(nonce));
    if (!made.ok()) {
        co_return made.error();
    }
    http::UpstreamRequest request = std::move(*made);
    const bool classifier = webhook.shape != CheckShape::kGuardrail;
    Digest256 question{};
    if (classifier) {
        // What a stricter configuration asks is another question.
        question = sha256(as_bytes(fmt::format(
            "{}\n{}{}\n{}\n{}\n{}", webhook.name, request.url.authority(), request.url.path,
            webhook.model, webhook.threshold_per_mille, request.body)));
        if (auto before = known(question)) {
            co_return std::move(*before);
        }
    }
    // Whoever may call must also say how it went.
    identity::CircuitBreaker& rest = breaker(webhook.name);
    if (!rest.may_call()) {
        co_return Error{ErrorCode::kUnavailable, "it failed too often and rests"};
    }
    const TimeLimit limit(call.loop(), webhook.time, call.exchange.gone());
    request.stop = limit.token();
    const std::size_t bytes_max = 2 * request.body.size() + kAnswerBytesMore;
    Result<WebhookAnswer> answer = WebhookAnswer();
    auto response = co_await client.send(std::move(request));
    if (!response.ok()) {
        answer = response.error();
    } else if ((*response)->head().status != 200) {
        answer = Error{ErrorCode::kUnavailable,
                       fmt::format("it answered with status {}", (*response)->head().status)};
    } else {
        const auto body = co_await (*response)->read_all(bytes_max);
        answer = !body.ok()                ? Result<WebhookAnswer>(body.error())
                 : is_cloud(webhook.shape) ? read_cloud_answer(webhook, *body)
                 : classifier              ? read_guard_answer(webhook, *body)
                                           : read_webhook_answer(*body, view);
    }
    if (classifier && answer.ok()) {
        remember(question, *answer);
    }
    if (limit.expired() && !answer.ok()) {
        answer = Error{ErrorCode::kLimit,
                       fmt::format("it did not answer within {} ms", webhook.time.count())};
    }
    // That our client left says nothing about the check.
    rest.record(answer.ok() || call.exchange.gone().stop_requested());
    co_return answer;
}

// Services of moderation take one picture a call, clouds one text or picture: each is asked about,
// and the worst counts.
Task<Result<WebhookAnswer>> Webhooks::ask_each(Call& call, http::Upstream& client,
                                               const WebhookSettings& webhook,
                                               const WebhookView& view) {
    Result<std::vector<WebhookView>> pieces = std::vector<WebhookView>();
    if (is_cloud(webhook.shape)) {
        pieces = cloud_pieces(webhook, view);
    } else if (webhook.shape == CheckShape::kModerations && view.images.size() > 1) {
        pieces = one_picture_each(view);
    } else {
        co_return co_await ask_one(call, client, webhook, view);
    }
    if (!pieces.ok()) {
        co_return pieces.error();
    }
    WebhookAnswer worst;
    for (const WebhookView& one : *pieces) {
        auto answer = co_await ask_one(call, client, webhook, one);
        const bool found = worst.action == WebhookAnswer::Action::kFound;
        if (!answer.ok() && found) {
            break;  // what was found stays found, whatever may be missed
        }
        if (!answer.ok()) {
            co_return answer;
        }
        const bool finds = answer->action == WebhookAnswer::Action::kFound;
        const bool surer = answer->score.value_or(0) > worst.score.value_or(0);
        // Who is sure counts before who is not.
        const bool is_worse = finds && (!found || (worst.is_unsure && !answer->is_unsure) ||
                                        (surer && worst.is_unsure == answer->is_unsure));
        const double score = std::max(answer->score.value_or(0), worst.score.value_or(0));
        const bool scored = answer->score || worst.score;
        if (is_worse) {
            worst = std::move(*answer);
        }
        worst.score = scored ? std::optional(score) : std::nullopt;
    }
    co_return worst;
}

void Webhooks::count(const WebhookSettings& webhook, const WebhookView& view,
                     std::string_view outcome, double seconds) {
    parts_.metrics
        .counter("colophon_webhook_calls_total", "Checks of webhooks by what they said",
                 {{"webhook", webhook.name},
                  {"stage", std::string(stage_name(view.stage))},
                  {"outcome", std::string(outcome)}})
        .add();
    parts_.metrics
        .histogram("colophon_webhook_duration_seconds", "Duration of checks of webhooks", kSeconds,
                   {{"webhook", webhook.name}})
        .observe(seconds);
}

std::optional<Refusal> Webhooks::judge(Call& call, const WebhookSettings& webhook,
                                       Result<WebhookAnswer> answer, WebhookView& view) {
    using Action = WebhookAnswer::Action;
    const std::string stage(stage_name(view.stage));
    if (!answer.ok()) {
        note_missed(call, webhook, view.stage, answer.error());
        switch (webhook.when_missed) {
            case WhenMissed::kPass:
                return std::nullopt;
            case WhenMissed::kHold:
                return note_verdict(call, view.stage, missed_verdict(webhook));
            case WhenMissed::kRefuse:
                break;
        }
        return missed();
    }
    if (answer->score) {
        call.scores.emplace_back(webhook.name + ":" + stage, *answer->score);
    }
    if (answer->action == Action::kFound) {
        return note_verdict(call, view.stage, verdict_of(webhook, *answer));
    }
    if (answer->action == Action::kBlocked) {
        note_decision(call, webhook, view.stage, "block");
        return blocked_by(view.stage, *answer);
    }
    if (answer->action == Action::kNone) {
        note_decision(call, webhook, view.stage, "allow");
        return std::nullopt;
    }
    note_decision(call, webhook, view.stage, "change");
    view.changed = true;
    if (answer->texts) {
        view.texts = std::move(*answer->texts);
        // They say what stood there before.
        view.messages = json::Value();
    }
    if (answer->images) {
        view.images = std::move(*answer->images);
    }
    return std::nullopt;
}

namespace {

std::string_view outcome_of(const Result<WebhookAnswer>& answer) {
    using Action = WebhookAnswer::Action;
    if (!answer.ok()) {
        return "failed";
    }
    switch (answer->action) {
        case Action::kNone:
            return "none";
        case Action::kBlocked:
            return "blocked";
        case Action::kFound:
            return "found";
        case Action::kIntervened:
            break;
    }
    return "intervened";
}

// Guard models read texts only: a picture alone is nothing that they could agree to.
bool is_for(const WebhookSettings& webhook, const WebhookView& view) {
    const bool reads_only =
        webhook.shape == CheckShape::kLlamaGuard || webhook.shape == CheckShape::kQwen3Guard;
    return reads_only ? !view.texts.empty() || !view.tool_calls.is_null() : !view.is_empty();
}

// What was judged, so that what people release is exactly that.
std::string judged_text(const Call& call, const WebhookView& view) {
    std::string text = call.record.personal.input;
    for (const std::string& each : view.images) {
        text += "\nimage sha256:" + to_hex(sha256(as_bytes(each)));
    }
    if (!view.tool_calls.is_null()) {
        text += "\n" + json::write(view.tool_calls);
    }
    return text;
}

// What a classifier holds of a request goes before people, unless they have let it go.
std::optional<review::Verdict> held_verdict(const WebhookSettings& webhook,
                                            const Result<WebhookAnswer>& answer,
                                            review::Stage stage) {
    if (stage == review::Stage::kInput && !answer.ok() &&
        webhook.when_missed == WhenMissed::kHold) {
        return missed_verdict(webhook);
    }
    if (!answer.ok() || answer->action != WebhookAnswer::Action::kFound ||
        stage != review::Stage::kInput) {
        return std::nullopt;
    }
    review::Verdict verdict = verdict_of(webhook, *answer);
    return verdict.decision == review::Decision::kHold ? std::optional(std::move(verdict))
                                                       : std::nullopt;
}

}  // namespace

Task<std::optional<Refusal>> Webhooks::ask(const Stages& stages, Call& call, http::Upstream& client,
                                           WebhookView& view) {
    const review::Occasion occasion = occasion_of(call, view.stage);
    const std::shared_ptr<const Settings> settings = call.settings;
    std::optional<Refusal> held;  // of an answer, while others are asked who may block it
    for (const WebhookSettings& webhook : settings->webhooks) {
        if (!is_for(webhook, view) || !covers(webhook.scope, occasion)) {
            continue;
        }
        const auto began = std::chrono::steady_clock::now();
        auto answer = co_await ask_each(call, client, webhook, view);
        const auto took = std::chrono::steady_clock::now() - began;
        call.waited += took;
        count(webhook, view, outcome_of(answer), std::chrono::duration<double>(took).count());
        if (auto verdict = held_verdict(webhook, answer, view.stage)) {
            if (!answer.ok()) {
                note_missed(call, webhook, view.stage, answer.error());
            }
            const std::string judged = judged_text(call, view);
            const HeldInput input{
                .text = judged, .file = {}, .media_type = {}, .verdict = *verdict};
            auto waiting = co_await held_input(stages, call, input);
            if (waiting) {
                co_return waiting;
            }
            continue;
        }
        auto refusal = judge(call, webhook, std::move(answer), view);
        if (refusal && refusal->code == kHeldForReview) {
            held = std::move(refusal);
        } else if (refusal) {
            co_return refusal;
        }
    }
    co_return held;
}

}  // namespace colophon::gateway
