// SPDX-License-Identifier: Apache-2.0
#include "gateway/unlabelled.h"

#include "core/bytes.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/metrics.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/call.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "governance/agreements.h"
#include "http/exchange.h"
#include "http/message.h"
#include "ledger/record.h"

#include <optional>
#include <string_view>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr const char* kParam = "Colophon-Explicit-Label";

}  // namespace

Task<std::optional<Refusal>> admit_unlabelled(const Stages& stages, Call& call) {
    const std::string_view asked = call.exchange.request().header(kExplicitLabelHeader);
    if (asked.empty()) {
        co_return std::nullopt;
    }
    if (asked != "none") {
        co_return invalid_request("the header Colophon-Explicit-Label may only be none", kParam);
    }
    // It would be given out again after the agreement is revoked.
    if (call.keeping != nullptr) {
        co_return invalid_request(
            "an answer without its explicit label is not kept; leave the Idempotency-Key away",
            "Idempotency-Key");
    }
    auto refusal = co_await check_agreement(stages, call);
    call.unlabelled = !refusal;
    co_return refusal;
}

Task<std::optional<Refusal>> check_agreement(const Stages& stages, Call& call) {
    Refusal refusal = policy_refusal(
        "agreement_required",
        "content without its explicit label is given out only under an agreement with the end user "
        "that fixes who labels it and who is liable");
    const auto& subject = call.record.facts.subject;
    if (!subject) {
        co_return refusal;
    }
    const auto look = [&] { return stages.parts.covering(call.caller.tenant, *subject); };
    const auto covering = co_await stages.parts.blocking.run(call.loop(), look);
    if (!covering.ok()) {
        co_return own_failure("agreement_unavailable", "agreements cannot be looked up now");
    }
    if (!*covering) {
        co_return refusal;
    }
    // The one under which it goes out.
    std::erase_if(call.detail, [](const auto& each) { return each.first == "agreement"; });
    call.detail.emplace_back("agreement",
                             json::Object{{"id", to_string((*covering)->id)},
                                          {"document_sha256", to_hex((*covering)->digest)}});
    co_return std::nullopt;
}

std::optional<Refusal> refuse_unlabelled(const Call& call) {
    if (call.exchange.request().header(kExplicitLabelHeader).empty()) {
        return std::nullopt;
    }
    return invalid_request("labels are put on here, not left out", kParam);
}

void note_release(const Stages& stages, Call& call) {
    const ledger::Outcome outcome = call.record.facts.outcome;
    const bool out = outcome == ledger::Outcome::kAnswered ||
                     (outcome == ledger::Outcome::kCutOff && call.exchange.has_begun());
    if (!call.unlabelled || !out) {
        return;
    }
    call.facts().kind = ledger::RecordKind::kUnlabelledRelease;
    stages.parts.metrics
        .counter("colophon_unlabelled_releases_total",
                 "Contents given out without explicit label by agreement")
        .add();
}

}  // namespace colophon::gateway
