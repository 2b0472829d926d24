// SPDX-License-Identifier: Apache-2.0
#pragma once

// The records of a tenant, or of a subject: those that wait in the outbox, those that runs have
// (find_runs.h), and those of before, which have an index.

#include "core/ids.h"
#include "core/result.h"
#include "ledger/internal/find_runs.h"
#include "storage/store.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace colophon::ledger::internal {

// Of one state of the data.
class OwnedRecords {
public:
    // Of the subject, and of the tenant where no subject is given; with both, those that are of
    // both. One of them is given.
    static Result<OwnedRecords> open(storage::Snapshot& snapshot,
                                     const std::optional<TenantId>& tenant,
                                     const std::optional<SubjectId>& subject);

    // The newest `most` in this range, newest first; `number` is the kind of record.
    Result<std::vector<RecordId>> newest(const FindRange& range, std::size_t most);

private:
    OwnedRecords(storage::Snapshot& snapshot, FindRuns runs, const std::optional<TenantId>& tenant,
                 const std::optional<SubjectId>& subject)
        : snapshot_(snapshot), runs_(std::move(runs)), tenant_(tenant), subject_(subject) {}
    Result<void> read_waiting();
    Result<std::vector<RecordId>> candidates(const FindRange& range, std::size_t most);
    Result<bool> belongs(const RecordId& id);

    storage::Snapshot& snapshot_;
    FindRuns runs_;
    std::optional<TenantId> tenant_;
    std::optional<SubjectId> subject_;
    std::vector<FindPlace> waiting_;  // newest first
};

}  // namespace colophon::ledger::internal
