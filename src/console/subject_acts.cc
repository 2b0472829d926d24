// SPDX-License-Identifier: Apache-2.0
#include "console/subject_acts.h"

#include "core/bytes.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "identity/provider_chain.h"
#include "identity/subjects.h"
#include "identity/verification.h"
#include "ledger/record.h"
#include "ledger/records.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

namespace colophon::console {
namespace {

struct Asked {
    TenantId tenant;
    SubjectId subject;
    identity::Means means;
    identity::VerificationState state;
};

// What came of an ask, and who was asked, as a record of the service [DSP-9].
Result<void> record_verification(const VerifyParts& parts, const Asked& asked,
                                 const identity::VerificationAnswer& answer) {
    json::Array earlier;
    for (const identity::AskedEarlier& each : answer.earlier) {
        earlier.emplace_back(json::Object{{"provider", each.provider},
                                          {"outcome", identity::outcome_name(each.outcome)},
                                          {"reference", each.reference},
                                          {"billable", each.billable}});
    }
    ledger::ServiceRecord record;
    record.facts.at = parts.clock.now();
    record.facts.id = TRY(ledger::make_record_id(record.facts.at, parts.random));
    record.facts.kind = ledger::RecordKind::kVerification;
    record.facts.tenant = asked.tenant;
    record.facts.subject = asked.subject;
    record.facts.operation = "subject.verify";
    record.facts.detail =
        json::write(json::Object{{"means", identity::means_name(asked.means)},
                                 {"state", identity::state_name(asked.state)},
                                 {"outcome", identity::outcome_name(answer.outcome)},
                                 {"provider", answer.provider},
                                 {"reference", answer.provider_reference},
                                 {"billable", answer.billable},
                                 {"reply_commitment", to_hex(answer.reply_commitment)},
                                 {"earlier", std::move(earlier)}});
    record.personal.account = parts.actor.account;
    record.personal.source_address = parts.actor.source_address;
    record.personal.source_port = parts.actor.source_port;
    record.personal.client = parts.actor.client;
    return parts.records.append(record);
}

}  // namespace

Result<identity::VerificationState> verify_subject(const VerifyParts& parts, const TenantId& tenant,
                                                   const SubjectId& subject,
                                                   identity::Claim claim) {
    if (!parts.providers.verifies(claim.means)) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("no provider of the configuration verifies by {}",
                                 identity::means_name(claim.means))};
    }
    if (claim.idempotency_key.empty()) {
        const auto random = TRY(make_random_id<RecordId>(parts.random));
        claim.idempotency_key = to_string(random);
    }
    std::optional<identity::VerificationAnswer> answer;
    const auto ask = [&](const identity::VerificationRequest& request) {
        answer = parts.providers.verify(request);
        return *answer;
    };
    const auto state = TRY(parts.subjects.verify(tenant, subject, claim, ask));
    if (answer) {
        TRY(record_verification(
            parts, {.tenant = tenant, .subject = subject, .means = claim.means, .state = state},
            *answer));
    }
    return state;
}

}  // namespace colophon::console
