// SPDX-License-Identifier: Apache-2.0
#include "identity/erasure.h"

#include "core/clock.h"
#include "core/ids.h"
#include "core/result.h"
#include "identity/subjects.h"
#include "ledger/conduct.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "ledger/retention.h"
#include "storage/data_keys.h"
#include "storage/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace colophon::identity {
namespace {

Result<void> check_holds(const ErasureParts& parts, const Erasure& erasure) {
    const std::vector<ledger::LegalHold> holds = TRY(ledger::holds(parts.store));
    const bool held = std::ranges::any_of(holds, [&](const ledger::LegalHold& hold) {
        return hold.tenant.value_or(erasure.tenant) == erasure.tenant &&
               hold.subject.value_or(erasure.subject) == erasure.subject;
    });
    if (held) {
        return Error{ErrorCode::kConflict,
                     "a legal hold covers this subject: nothing about it may be erased"};
    }
    return {};
}

Result<void> check_retention(const ErasureParts& parts, const Erasure& erasure) {
    const Time now = parts.clock.now();
    ledger::RecordQuery query;
    query.subject = erasure.subject;
    query.from = now - ledger::kRetentionLeast;
    query.until = now + std::chrono::days{1};
    query.records_max = 1;
    const std::vector<ledger::Facts> newest = TRY(parts.records.list(query));
    if (!newest.empty()) {
        return Error{ErrorCode::kConflict,
                     fmt::format("records of this subject have to be kept until {}: close the "
                                 "account now and erase it then, or say that it must be",
                                 format_time(newest.front().at + ledger::kRetentionLeast))};
    }
    return {};
}

}  // namespace

Result<void> erase_subject(const ErasureParts& parts, const Erasure& erasure) {
    TRY(check_holds(parts, erasure));
    if (!erasure.despite_retention) {
        TRY(check_retention(parts, erasure));
    }
    TRY(parts.subjects.erase(erasure.tenant, erasure.subject));
    TRY(parts.records.forget_prints(erasure.subject));
    storage::Batch record =
        TRY(parts.conduct.prepare({.operation = "subject.erased",
                                   .facts = {{"tenant", to_string(erasure.tenant)},
                                             {"subject", to_string(erasure.subject)},
                                             {"despite_retention", erasure.despite_retention}},
                                   .names = {{"reason", erasure.reason}},
                                   .kind = ledger::RecordKind::kErasure}));
    record.operations.push_back(ledger::release_contents_of(erasure.subject));
    return parts.keys.destroy(to_string(erasure.subject), record);
}

Result<void> finish_erasures(storage::DataKeys& keys, const ledger::Conduct& conduct) {
    const std::vector<std::string> owners = TRY(keys.unrecorded());
    for (const std::string& owner : owners) {
        const storage::Batch record =
            TRY(conduct.prepare({.operation = "subject.erased",
                                 .facts = {{"subject", owner}, {"by_tombstone", true}},
                                 .names = {},
                                 .kind = ledger::RecordKind::kErasure}));
        const auto kept = keys.mark_recorded(owner, record);
        // A conflict: another node was quicker.
        if (!kept.ok() && kept.error().code != ErrorCode::kConflict) {
            return kept;
        }
    }
    return {};
}

}  // namespace colophon::identity
