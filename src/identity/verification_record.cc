// SPDX-License-Identifier: Apache-2.0
#include "identity/verification_record.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "identity/verification.h"
#include "ledger/conduct.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "storage/store.h"

#include <string>
#include <utility>

namespace colophon::identity {
namespace {

json::Object facts_of(const VerificationEvent& event) {
    json::Object facts{{"means", means_name(event.means)}, {"state", std::string(event.state)}};
    if (event.answer == nullptr) {
        return facts;
    }
    const VerificationAnswer& answer = *event.answer;
    facts.emplace_back("outcome", outcome_name(answer.outcome));
    facts.emplace_back("provider", answer.provider);
    facts.emplace_back("reference", answer.provider_reference);
    facts.emplace_back("code", answer.provider_code);
    facts.emplace_back("billable", answer.billable);
    facts.emplace_back("reply_commitment", to_hex(answer.reply_commitment));
    json::Array earlier;
    for (const AskedEarlier& each : answer.earlier) {
        earlier.emplace_back(json::Object{{"provider", each.provider},
                                          {"outcome", outcome_name(each.outcome)},
                                          {"reference", each.reference},
                                          {"billable", each.billable}});
    }
    facts.emplace_back("earlier", std::move(earlier));
    return facts;
}

}  // namespace

VerificationRecorder verification_recorder(const VerificationRecords& parts, ledger::Actor actor) {
    return [parts,
            actor = std::move(actor)](const VerificationEvent& event) -> Result<storage::Batch> {
        ledger::ServiceRecord record;
        record.facts.at = parts.clock.now();
        record.facts.id = TRY(ledger::make_record_id(record.facts.at, parts.random));
        record.facts.kind = ledger::RecordKind::kVerification;
        record.facts.tenant = event.tenant;
        record.facts.subject = event.subject;
        record.facts.operation = event.operation;
        record.facts.detail = json::write(facts_of(event));
        record.personal.account = actor.account;
        record.personal.source_address = actor.source_address;
        record.personal.source_port = actor.source_port;
        record.personal.client = actor.client;
        return parts.records.prepare(record);
    };
}

}  // namespace colophon::identity
