// SPDX-License-Identifier: Apache-2.0
// Lists of records: of all, of a tenant, of a subject.

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "ledger/internal/find_runs.h"
#include "ledger/internal/outbox.h"
#include "ledger/internal/owned_records.h"
#include "ledger/internal/packed_facts.h"
#include "ledger/internal/waiting_finds.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace colophon::ledger {

namespace {

using internal::FindRange;
using storage::id_value;
using storage::Statement;

Result<Facts> facts_in(const storage::Rows& rows, std::size_t row) {
    const std::string text = TRY(internal::facts_text_at(rows, row, 0));
    return read_facts(text);
}

// Of all records, or of those of one kind that an index has: all but calls.
Result<std::vector<Facts>> list_rows(storage::Snapshot& snapshot, const RecordQuery& query,
                                     const FindRange& range) {
    static constexpr Statement kAll{
        "SELECT facts, facts_packed FROM records WHERE id >= $1 AND id < $2 AND kind >= $3 "
        "AND kind <= $4 ORDER BY id DESC LIMIT $5"};
    static constexpr Statement kOfKind{
        "SELECT facts, facts_packed FROM records WHERE id >= $1 AND id < $2 AND kind = $3 "
        "AND kind <> 1 ORDER BY id DESC LIMIT $4"};
    static_assert(static_cast<int>(RecordKind::kCall) == 1);
    const storage::Value most = storage::integer(static_cast<std::int64_t>(query.records_max));
    storage::Values parameters{id_value(range.from), id_value(range.below)};
    Statement statement = kAll;
    if (query.kind && *query.kind != RecordKind::kCall) {
        statement = kOfKind;
        parameters.push_back(storage::integer(static_cast<std::int64_t>(*query.kind)));
    } else {
        const auto kind = static_cast<std::int64_t>(RecordKind::kCall);
        parameters.push_back(storage::integer(query.kind ? kind : 0));
        parameters.push_back(storage::integer(query.kind ? kind : 255));
    }
    parameters.push_back(most);
    const storage::Rows rows = TRY(snapshot.query(statement, parameters));
    std::vector<Facts> found;
    found.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        found.push_back(TRY(facts_in(rows, row)));
    }
    return found;
}

Result<std::vector<Facts>> list_owned(storage::Snapshot& snapshot, const RecordQuery& query,
                                      const FindRange& range) {
    static constexpr Statement kFacts{"SELECT facts, facts_packed FROM records WHERE id = $1"};
    internal::OwnedRecords owned =
        TRY(internal::OwnedRecords::open(snapshot, query.tenant, query.subject));
    std::vector<Facts> found;
    for (const RecordId& id : TRY(owned.newest(range, query.records_max))) {
        const storage::Rows rows = TRY(snapshot.query(kFacts, {id_value(id)}));
        if (!rows.empty()) {
            found.push_back(TRY(facts_in(rows, 0)));
        }
    }
    return found;
}

}  // namespace

Result<std::vector<Facts>> Records::list(const RecordQuery& query) {
    if (query.records_max == 0 || query.records_max > kRecordPageMax) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("a page has 1 to {} records", kRecordPageMax)};
    }
    const RecordId until = TRY(first_record_id(query.until));
    FindRange range{.from = TRY(first_record_id(query.from)),
                    .below = query.after ? std::min(*query.after, until) : until,
                    .number = std::nullopt};
    if (query.kind) {
        range.number = static_cast<std::int64_t>(*query.kind);
    }
    std::vector<Facts> found;
    const auto body = [&](storage::Snapshot& snapshot) -> Result<void> {
        found = TRY(query.tenant || query.subject ? list_owned(snapshot, query, range)
                                                  : list_rows(snapshot, query, range));
        return {};
    };
    TRY(store_.snapshot(body));
    return found;
}

namespace internal {

Result<OwnedRecords> OwnedRecords::open(storage::Snapshot& snapshot,
                                        const std::optional<TenantId>& tenant,
                                        const std::optional<SubjectId>& subject) {
    FindRuns runs = TRY(FindRuns::open(snapshot));
    OwnedRecords owned(snapshot, std::move(runs), tenant, subject);
    TRY(owned.read_waiting());
    return owned;
}

Result<void> OwnedRecords::read_waiting() {
    const auto each = [&](const WaitingLeaf& leaf) -> Result<void> {
        if (leaf.owners.empty()) {
            return {};  // of before: its row is in the index
        }
        const RecordOwners owners = TRY(unpack_owners(leaf.owners));
        const bool ours = subject_ ? owners.subject == owner_find_key(subject_->bytes)
                                   : owners.tenant == owner_find_key(tenant_->bytes);
        if (ours) {
            waiting_.emplace_back(TRY(record_id_of(leaf.record)), owners.kind);
        }
        return {};
    };
    TRY(visit_outboxes(snapshot_, each));
    std::ranges::sort(waiting_, std::ranges::greater());
    return {};
}

// They may be of somebody else whose id begins alike.
Result<std::vector<RecordId>> OwnedRecords::candidates(const FindRange& range, std::size_t most) {
    static constexpr Statement kOldOfTenant{
        "SELECT id FROM records WHERE in_runs IS NULL AND tenant = $1 AND id >= $2 AND id < $3 "
        "AND kind >= $4 AND kind <= $5 ORDER BY id DESC LIMIT $6"};
    static constexpr Statement kOldOfSubject{
        "SELECT id FROM records WHERE in_runs IS NULL AND subject = $1 AND id >= $2 AND id < $3 "
        "AND kind >= $4 AND kind <= $5 ORDER BY id DESC LIMIT $6"};
    std::vector<RecordId> found;
    const auto in_range = [&](const FindPlace& place) {
        return !(place.first < range.from) && place.first < range.below &&
               (!range.number || place.second == *range.number);
    };
    for (const FindPlace& place : waiting_) {
        if (in_range(place) && found.size() < most) {
            found.push_back(place.first);
        }
    }
    const std::int64_t kind = subject_ ? kSubjectFind : kTenantFind;
    const std::uint64_t key =
        subject_ ? owner_find_key(subject_->bytes) : owner_find_key(tenant_->bytes);
    for (const FindPlace& place : TRY(runs_.newest(kind, key, most, range))) {
        found.push_back(place.first);
    }
    const storage::Rows old = TRY(
        snapshot_.query(subject_ ? kOldOfSubject : kOldOfTenant,
                        {subject_ ? id_value(*subject_) : id_value(*tenant_), id_value(range.from),
                         id_value(range.below), storage::integer(range.number.value_or(0)),
                         storage::integer(range.number.value_or(255)),
                         storage::integer(static_cast<std::int64_t>(most))}));
    for (std::size_t row = 0; row < old.size(); ++row) {
        found.push_back(TRY(storage::id_at<RecordId>(old, row, 0)));
    }
    std::ranges::sort(found, std::ranges::greater());
    const auto doubled = std::ranges::unique(found);
    found.erase(doubled.begin(), doubled.end());
    found.resize(std::min(found.size(), most));
    return found;
}

Result<bool> OwnedRecords::belongs(const RecordId& id) {
    static constexpr Statement kOwners{"SELECT tenant, subject FROM records WHERE id = $1"};
    const storage::Rows rows = TRY(snapshot_.query(kOwners, {id_value(id)}));
    if (rows.empty()) {
        return false;
    }
    const Bytes tenant = TRY(rows.bytes(0, 0));
    if (tenant_ && !std::ranges::equal(tenant, tenant_->bytes)) {
        return false;
    }
    if (!subject_) {
        return true;
    }
    if (rows.is_null(0, 1)) {
        return false;
    }
    const Bytes subject = TRY(rows.bytes(0, 1));
    return std::ranges::equal(subject, subject_->bytes);
}

Result<std::vector<RecordId>> OwnedRecords::newest(const FindRange& range, std::size_t most) {
    std::vector<RecordId> found;
    FindRange rest = range;
    for (;;) {
        const std::vector<RecordId> ids = TRY(candidates(rest, most));
        for (const RecordId& id : ids) {
            if (found.size() < most && TRY(belongs(id))) {
                found.push_back(id);
            }
        }
        if (ids.size() < most || found.size() == most) {
            return found;
        }
        rest.below = ids.back();
    }
}

}  // namespace internal

}  // namespace colophon::ledger
