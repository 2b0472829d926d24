// SPDX-License-Identifier: Apache-2.0
#include "gateway/webhooks.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/metrics.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/check_exchange.h"
#include "gateway/course.h"
#include "gateway/held.h"
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
#include "review/entry.h"
#include "review/policy.h"
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

CheckAbout about_of(const Call& call) {
    const ledger::Facts& facts = call.record.facts;
    const label::ServiceClass service = call.model != nullptr ? call.model->service : call.service;
    return {.asked = call.record.personal.input,
            .operation = facts.operation,
            .model = facts.model,
            .service = std::string(label::service_name(service)),
            .trace = call.trace,
            .record = to_string(facts.id),
            .key = to_string(call.caller.key),
            .tenant = to_string(call.caller.tenant),
            .subject = facts.subject ? to_string(*facts.subject) : std::string()};
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
    const review::Occasion occasion = occasion_of(call, stage);
    return std::ranges::any_of(
        course_on(call.settings->courses, occasion).checks,
        [&](const WebhookSettings& each) { return covers(each.scope, occasion); });
}

bool Webhooks::can_pass_unseen(const Call& call, review::Stage stage) {
    const review::Occasion occasion = occasion_of(call, stage);
    return std::ranges::none_of(
        course_on(call.settings->courses, occasion).checks, [&](const WebhookSettings& each) {
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
    auto made = check_request(about_of(call), webhook, view, parts_.clock.now(), to_hex(nonce));
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
    const std::size_t bytes_max = 2 * request.body.size() + kCheckAnswerBytesMore;
    Result<WebhookAnswer> answer = WebhookAnswer();
    auto response = co_await client.send(std::move(request));
    if (!response.ok()) {
        answer = response.error();
    } else if ((*response)->head().status != 200) {
        answer = Error{ErrorCode::kUnavailable,
                       fmt::format("it answered with status {}", (*response)->head().status)};
    } else {
        const auto body = co_await (*response)->read_all(bytes_max);
        answer = body.ok() ? read_check_answer(webhook, *body, view)
                           : Result<WebhookAnswer>(body.error());
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

Task<Result<WebhookAnswer>> Webhooks::ask_each(Call& call, http::Upstream& client,
                                               const WebhookSettings& webhook,
                                               const WebhookView& view) {
    if (webhook.shape == CheckShape::kGuardrail) {
        co_return co_await ask_one(call, client, webhook, view);
    }
    const auto pieces = check_pieces(webhook, view);
    if (!pieces.ok()) {
        co_return pieces.error();
    }
    WebhookAnswer worst;
    for (const WebhookView& one : *pieces) {
        auto answer = co_await ask_one(call, client, webhook, one);
        if (!answer.ok() && worst.action == WebhookAnswer::Action::kFound) {
            break;  // what was found stays found, whatever may be missed
        }
        if (!answer.ok()) {
            co_return answer;
        }
        add_answer(std::move(*answer), worst);
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
        return note_verdict(call, view.stage, check_verdict(webhook, *answer));
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
    review::Verdict verdict = check_verdict(webhook, *answer);
    return verdict.decision == review::Decision::kHold ? std::optional(std::move(verdict))
                                                       : std::nullopt;
}

// It waits now, or is settled when all steps were asked (settle_input()).
Task<std::optional<Refusal>> hold_or_keep(const Stages& stages, Call& call, Unsettled unsettled,
                                          bool waits) {
    if (!waits) {
        call.unsettled.push_back(std::move(unsettled));
        co_return std::nullopt;
    }
    const HeldInput input{
        .text = unsettled.text, .file = {}, .media_type = {}, .verdict = unsettled.verdict};
    co_return co_await held_input(stages, call, input);
}

void keep_first(std::optional<Refusal>& kept, Refusal refusal) {
    if (!kept) {
        kept = std::move(refusal);
    }
}

}  // namespace

Task<std::optional<Refusal>> Webhooks::ask(const Stages& stages, Call& call, http::Upstream& client,
                                           WebhookView& view) {
    const review::Occasion occasion = occasion_of(call, view.stage);
    const std::shared_ptr<const Settings> settings = call.settings;
    const StageCourse& course = course_on(settings->courses, occasion);
    std::optional<Refusal> held;     // of an answer, while others are asked who may block it
    std::optional<Refusal> refused;  // where nothing ends the steps
    for (const WebhookSettings& webhook : course.checks) {
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
            Unsettled unsettled{.verdict = std::move(*verdict), .text = judged_text(call, view)};
            const bool waits = course.stop == review::StopAt::kHold && !refused;
            auto waiting = co_await hold_or_keep(stages, call, std::move(unsettled), waits);
            if (waiting) {
                co_return waiting;
            }
            continue;
        }
        auto refusal = judge(call, webhook, std::move(answer), view);
        if (!refusal) {
            continue;
        }
        const bool holds = refusal->code == kHeldForReview;
        keep_first(holds ? held : refused, std::move(*refusal));
        if (!goes_on_after(course.stop,
                           holds ? review::Decision::kHold : review::Decision::kBlock)) {
            break;
        }
    }
    co_return refused ? std::move(refused) : std::move(held);
}

}  // namespace colophon::gateway
