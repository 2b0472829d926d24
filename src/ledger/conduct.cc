// SPDX-License-Identifier: Apache-2.0
#include "ledger/conduct.h"

#include "core/json.h"
#include "core/result.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "storage/store.h"

namespace colophon::ledger {

Result<ServiceRecord> Conduct::record_of(const Act& act) const {
    ServiceRecord record;
    record.facts.at = clock_.now();
    record.facts.id = TRY(make_record_id(record.facts.at, random_));
    record.facts.kind = act.kind;
    record.facts.tenant = kInstallation;
    record.facts.operation = act.operation;
    record.facts.detail = json::write(act.facts);
    record.personal.account = actor_.account;
    record.personal.source_address = actor_.source_address;
    record.personal.source_port = actor_.source_port;
    record.personal.client = actor_.client;
    if (!act.names.empty()) {
        record.personal.input = json::write(act.names);
    }
    return record;
}

Result<storage::Batch> Conduct::prepare(const Act& act) const {
    const ServiceRecord record = TRY(record_of(act));
    return records_.prepare(record);
}

Result<void> Conduct::append(const Act& act) const {
    const ServiceRecord record = TRY(record_of(act));
    return records_.append(record);
}

}  // namespace colophon::ledger
