// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/digest.h"
#include "core/executor.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/cost.h"
#include "gateway/course.h"
#include "gateway/held.h"
#include "gateway/id_reserve.h"
#include "gateway/parts.h"
#include "gateway/quotas.h"
#include "gateway/refusal.h"
#include "gateway/settings.h"
#include "gateway/shared_quotas.h"
#include "gateway/unlabelled.h"
#include "http/message.h"
#include "identity/caches.h"
#include "label/existing.h"
#include "label/metadata/aigc.h"
#include "label/record.h"
#include "ledger/record.h"
#include "ledger/record_contents.h"
#include "ledger/records.h"
#include "review/entry.h"
#include "review/policy.h"
#include "review/review.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <algorithm>
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

std::optional<Refusal> admit_model(Call& call, const Ask& ask) {
    const auto& models = call.settings->models;
    const auto found = models.find(ask.model);
    if (found == models.end()) {
        Refusal refusal = invalid_request("there is no model of that name here", "model");
        refusal.status = 404;
        refusal.code = "model_not_found";
        return refusal;
    }
    const auto& tenants = found->second.tenants;
    if (!tenants.empty() &&
        std::ranges::find(tenants, to_string(call.caller.tenant)) == tenants.end()) {
        return policy_refusal("model_not_admitted", "this model is not admitted for your service");
    }
    call.model = &found->second;
    return std::nullopt;
}

// [DSP-9] Nobody is served who did not say and prove who he is.
std::optional<Refusal> admit_subject(Call& call,
                                     const std::optional<identity::SubjectState>& subject) {
    if (!subject) {
        return policy_refusal("identity_required",
                              "the end user is not registered; register and verify it first");
    }
    call.facts().subject = subject->id;
    if (subject->closed) {
        return policy_refusal("account_restricted", "the end user's account is closed");
    }
    if (!subject->verified) {
        return policy_refusal("identity_required", "the end user's identity is not verified");
    }
    if (subject->needs_guardian) {
        return policy_refusal("consent_required",
                              "the end user is under 14 and needs a guardian's consent");
    }
    return std::nullopt;
}

}  // namespace

Task<std::optional<Refusal>> admit_identity(const Stages& stages, Call& call,
                                            const std::string& account) {
    if (account.empty()) {
        if (!call.settings->subject_required) {
            co_return std::nullopt;
        }
        co_return policy_refusal("identity_required",
                                 "the call names no end user; send it as the field \"user\" or "
                                 "the header Colophon-Subject");
    }
    call.record.personal.account = account.substr(0, ledger::kRecordNameBytesMax);
    std::optional<identity::SubjectState> subject =
        stages.parts.subjects.find(call.caller.tenant, account);
    if (!subject) {
        const auto load = [&] { return stages.parts.subjects.load(call.caller.tenant, account); };
        auto loaded = co_await stages.parts.blocking.run(call.loop(), load);
        if (!loaded.ok()) {
            co_return own_failure("identity_unavailable",
                                  "the end user's identity cannot be looked up now");
        }
        subject = *loaded;
    }
    if (!subject && !call.settings->subject_required) {
        co_return std::nullopt;
    }
    co_return admit_subject(call, subject);
}

namespace {

Task<std::optional<Refusal>> enter_quota(const Stages& stages, Call& call, Quotas::Key key,
                                         Quota quota) {
    std::optional<Quotas::Refused> used;
    if (stages.shared_quotas == nullptr) {
        used = stages.quotas.enter(key, quota);
    } else {
        const auto began = std::chrono::steady_clock::now();
        auto answer = co_await stages.shared_quotas->enter(call.loop(), key, quota);
        call.waited += std::chrono::steady_clock::now() - began;
        if (!answer.ok()) {
            co_return own_failure("quota_unavailable", "the quotas cannot be looked up now");
        }
        used = std::move(*answer);
    }
    if (used) {
        co_return too_many(used->what, used->seconds);
    }
    co_return std::nullopt;
}

Task<std::optional<Refusal>> admit_quotas(const Stages& stages, Call& call) {
    auto refusal =
        co_await enter_quota(stages, call, call.caller.tenant.bytes, call.settings->tenant_quota);
    call.in_tenant_quota = !refusal;
    if (refusal || !call.facts().subject) {
        co_return refusal;
    }
    refusal = co_await enter_quota(stages, call, call.facts().subject->bytes,
                                   call.settings->subject_quota);
    call.in_subject_quota = !refusal;
    co_return refusal;
}

}  // namespace

// The application is authenticated, so it may say where its user sits; else we say what we see.
void note_source(Call& call) {
    const http::Request& request = call.exchange.request();
    ledger::Private& personal = call.record.personal;
    const std::string_view said = request.header("colophon-client-address");
    personal.source_address =
        said.empty() || said.size() > 64 ? call.exchange.peer_address() : std::string(said);
    personal.source_port = said.empty() ? call.exchange.peer_port() : 0;
    personal.target_address = call.exchange.local_address();
    const std::string_view agent = request.header("user-agent");
    personal.client = agent.substr(0, ledger::kRecordNameBytesMax);
}

std::int64_t milliseconds_since(SteadyTime began) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 began)
        .count();
}

Task<std::optional<Refusal>> admit(const Stages& stages, Call& call, const Ask& ask) {
    note_source(call);
    call.facts().model = ask.model.substr(0, ledger::kRecordNameBytesMax);
    if (auto refusal = admit_model(call, ask)) {
        co_return refusal;
    }
    auto unknown = co_await admit_identity(stages, call, ask.account);
    if (unknown) {
        co_return unknown;
    }
    auto uncovered = co_await admit_unlabelled(stages, call);
    if (uncovered) {
        co_return uncovered;
    }
    co_return co_await admit_quotas(stages, call);
}

std::shared_ptr<const review::Reviewer> reviewer_of(const Call& call, review::Stage stage) {
    return call.settings->reviewer->on(occasion_of(call, stage));
}

namespace {

review::Verdict verdict_on_input(Call& call, std::string_view text) {
    const auto began = std::chrono::steady_clock::now();
    review::Verdict verdict = reviewer_of(call, review::Stage::kInput)->review(text);
    call.facts().durations.review_ms =
        call.facts().durations.review_ms.value_or(0) + milliseconds_since(began);
    return verdict;
}

}  // namespace

Task<std::optional<Refusal>> review_input(const Stages& stages, Call& call, std::string_view text) {
    review::Verdict verdict = verdict_on_input(call, text);
    if (verdict.decision == review::Decision::kHold) {
        const HeldInput input{.text = text, .file = {}, .media_type = {}, .verdict = verdict};
        co_return co_await held_input(stages, call, input);
    }
    co_return note_verdict(call, review::Stage::kInput, verdict);
}

Task<std::optional<Refusal>> review_input_first(const Stages& stages, Call& call,
                                                std::string_view text) {
    const review::StopAt stop = course_of(call, review::Stage::kInput).stop;
    review::Verdict verdict = verdict_on_input(call, text);
    const bool goes_on = goes_on_after(stop, verdict.decision);
    if (verdict.decision == review::Decision::kHold && goes_on) {
        call.unsettled.push_back({.verdict = std::move(verdict), .text = std::string(text)});
        co_return std::nullopt;
    }
    if (verdict.decision == review::Decision::kHold) {
        const HeldInput input{.text = text, .file = {}, .media_type = {}, .verdict = verdict};
        co_return co_await held_input(stages, call, input);
    }
    auto refusal = note_verdict(call, review::Stage::kInput, verdict);
    if (refusal && goes_on) {
        call.unsettled_refusal = std::move(refusal);
        co_return std::nullopt;
    }
    co_return refusal;
}

Task<std::optional<Refusal>> settle_input(const Stages& stages, Call& call,
                                          std::optional<Refusal> refusal) {
    std::vector<Unsettled> all = std::exchange(call.unsettled, {});
    if (auto before = std::exchange(call.unsettled_refusal, std::nullopt)) {
        refusal = std::move(before);
    }
    for (Unsettled& each : all) {
        if (refusal) {
            (void)note_verdict(call, review::Stage::kInput, each.verdict);
            continue;
        }
        const HeldInput input{
            .text = each.text, .file = {}, .media_type = {}, .verdict = each.verdict};
        refusal = co_await held_input(stages, call, input);
    }
    co_return refusal;
}

std::optional<Refusal> note_verdict(Call& call, review::Stage stage,
                                    const review::Verdict& verdict) {
    call.matched.insert(call.matched.end(), verdict.entries.begin(), verdict.entries.end());
    call.facts().verdicts.push_back({.stage = std::string(stage_name(stage)),
                                     .decision = std::string(decision_name(verdict.decision)),
                                     .category = verdict.category,
                                     .rule = verdict.rule});
    if (verdict.score) {
        call.scores.emplace_back(stage_name(stage), *verdict.score);
    }
    if (verdict.decision == review::Decision::kFlag) {
        call.flagged.push_back(
            {.stage = stage, .verdict = verdict, .text = {}, .file = {}, .media_type = {}});
    }
    if (verdict.blocked()) {
        return blocked(verdict,
                       stage == review::Stage::kInput ? "input_blocked" : "output_blocked");
    }
    return std::nullopt;
}

label::LabelRecord label_record(const Call& call) {
    label::LabelRecord record = call.settings->label.record;
    record.service = call.model != nullptr ? call.model->service : call.service;
    record.origin = call.origin;
    record.content_id = call.record.facts.content_id;
    record.created_at = call.record.facts.at;
    return record;
}

Task<Result<NumberedLabel>> new_label(const Stages& stages, Call& call) {
    const auto id = co_await stages.ids.take(call.loop());
    if (!id.ok()) {
        co_return id.error();
    }
    label::LabelRecord record = label_record(call);
    record.content_id = *id;
    const label::AigcLabel own = label::own_label(record, "");
    const auto checked = label::check_aigc(own);
    if (!checked.ok()) {
        co_return Error{ErrorCode::kInvalidArgument, checked.error().what};
    }
    co_return NumberedLabel{.id = *id, .aigc = label::write_aigc(own, label::Wrapping::kBare)};
}

Task<std::optional<Refusal>> make_label(const Stages& stages, Call& call) {
    // Whoever forgot to ask the steps that were left has not reviewed it.
    if (!call.unsettled.empty() || call.unsettled_refusal) {
        co_return own_failure("review_failed", "the request was not reviewed to the end");
    }
    auto label = co_await new_label(stages, call);
    if (!label.ok() && label.error().code == ErrorCode::kInvalidArgument) {
        co_return own_failure("label_failed", label.error().what);
    }
    if (!label.ok()) {
        co_return own_failure("content_id_unavailable", "no content number can be given now");
    }
    call.facts().content_id = label->id;
    call.aigc = std::move(label->aigc);
    call.facts().label = call.aigc;
    co_return std::nullopt;
}

json::Value aigc_value(std::string_view aigc) {
    auto parsed = json::parse(aigc);
    return parsed.ok() ? std::move(*parsed) : json::Value();
}

http::Headers answer_headers(const Call& call, std::string_view content_type) {
    http::Headers headers;
    headers.push_back({"content-type", std::string(content_type)});
    if (call.record.facts.content_id) {
        headers.push_back({"colophon-content-id", to_string(*call.record.facts.content_id)});
    }
    const std::string& filing = call.settings->filing;
    headers.push_back({"colophon-filing", filing.empty() ? std::string("none") : filing});
    headers.push_back({"cache-control", "no-store"});
    if (call.unlabelled) {
        headers.push_back({std::string(kExplicitLabelHeader), "none"});
    }
    if (call.record.facts.id != RecordId{}) {
        headers.push_back({"colophon-record", to_string(call.record.facts.id)});
        headers.push_back({"x-request-id", to_string(call.record.facts.id)});
    }
    return headers;
}

namespace {

// By which the record is found again when somebody shows a near copy of the text. A text without a
// print is no reason to keep no record.
Task<void> add_text_print(const Stages& stages, Call& call) {
    constexpr std::size_t kAtOnceBytes = 16U << 10U;  // half a millisecond
    const std::string& text = call.record.personal.output;
    if (text.empty() || call.has_text_print) {
        co_return;
    }
    call.has_text_print = true;
    const auto make = [&] { return stages.parts.records.print_of_text(text); };
    Result<std::optional<ledger::Print>> print = std::optional<ledger::Print>();
    if (text.size() <= kAtOnceBytes) {
        print = make();
    } else {
        print = co_await stages.parts.blocking.run(call.loop(), make);
    }
    if (print.ok() && *print) {
        call.prints.push_back(**std::move(print));
    }
}

}  // namespace

namespace {

// What stages noted of the call, once.
Task<void> fill_facts(const Stages& stages, Call& call) {
    call.filled = true;
    ledger::ServiceRecord& record = call.record;
    if (!call.flagged.empty() && record.facts.outcome == ledger::Outcome::kAnswered) {
        co_await queue_flagged(stages, call);
    }
    if (call.target != nullptr && call.target->price.is_set()) {
        call.cost = cost_of(call.target->price, {.input_tokens = record.facts.input_tokens,
                                                 .output_tokens = record.facts.output_tokens,
                                                 .characters = call.characters,
                                                 .pictures = call.pictures,
                                                 .videos = call.videos,
                                                 .video_seconds = call.video_seconds});
        call.detail.emplace_back("cost", json::Object{{"amount", format_cost(call.cost)},
                                                      {"currency", call.settings->currency}});
    }
    if (!call.trace.empty()) {
        call.detail.emplace_back("trace", call.trace);
    }
    if (!record.facts.verdicts.empty()) {
        // Entries and policies are for classes of service: who replays the call needs it.
        const label::ServiceClass service =
            call.model != nullptr ? call.model->service : call.service;
        call.detail.emplace_back("service", std::string(label::service_name(service)));
    }
    if (!call.matched.empty()) {
        stages.parts.count_hits(call.matched);
        call.detail.emplace_back("entries", json::Array(call.matched.begin(), call.matched.end()));
    }
    if (!call.scores.empty()) {
        call.detail.emplace_back("scores", call.scores);
    }
    if (!call.detail.empty()) {
        record.facts.detail = json::write(call.detail);
    }
    for (const std::string* text : {&record.personal.input, &record.personal.output}) {
        if (!text->empty()) {
            record.content_digests.push_back(sha256(as_bytes(*text)));
        }
    }
    co_await add_text_print(stages, call);
}

// A record that is refused for what it says is none.
bool is_store_failure(const Error& error) {
    return error.code != ErrorCode::kLimit && error.code != ErrorCode::kInvalidArgument &&
           error.code != ErrorCode::kConflict;
}

}  // namespace

Task<Result<void>> fill_record(const Stages& stages, Call& call) {
    ledger::ServiceRecord& record = call.record;
    record.facts.durations.total_ms = milliseconds_since(call.began);
    note_release(stages, call);
    if (!call.filled) {
        co_await fill_facts(stages, call);
    }
    if (ledger::has_large_content(record)) {
        const auto move = [&] { return stages.parts.move_out(record); };
        co_return co_await stages.parts.blocking.run(call.loop(), move);
    }
    co_return Result<void>();
}

Task<Result<void>> append_record(const Stages& stages, Call& call) {
    // Whatever comes of it, nobody appends it a second time.
    call.recorded = true;
    auto filled = co_await fill_record(stages, call);
    if (!filled.ok()) {
        stages.recording.note(!is_store_failure(filled.error()));
        co_return filled;
    }
    ledger::ServiceRecord& record = call.record;
    // The record is taken over when append() returns; it is durable when we go on.
    auto kept = co_await when_done<Result<void>>(call.loop(), [&](const auto& done) {
        stages.parts.records.append(record, call.prints, done);
    });
    stages.recording.note(kept.ok() || !is_store_failure(kept.error()));
    co_return kept;
}

}  // namespace colophon::gateway
