// SPDX-License-Identifier: Apache-2.0
#include "ledger/retention.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/random.h"
#include "ledger/conduct.h"
#include "ledger/internal/find_runs.h"
#include "ledger/internal/record_rows.h"
#include "ledger/internal/waiting_finds.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "storage/batch.h"
#include "storage/migration.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace colophon::ledger {

namespace {

using storage::id_at;
using storage::Statement;
using storage::time_at;
using storage::time_value;

constexpr std::size_t kReasonBytesMax = 1000;
constexpr std::size_t kHoldIdBytes = 16;

constexpr std::array kMigrations{
    storage::Migration{
        .module = "retention",
        .step = 1,
        // A hold covers records by the range of their ids, which begin with their time.
        .sql = "CREATE TABLE legal_holds (\n"
               "  id BYTES NOT NULL PRIMARY KEY, tenant BYTES, subject BYTES,\n"
               "  from_id BYTES NOT NULL, until_id BYTES NOT NULL,\n"
               "  from_at BIGINT NOT NULL, until_at BIGINT NOT NULL, reason TEXT NOT NULL,\n"
               "  placed_by BYTES NOT NULL, placed_at BIGINT NOT NULL,\n"
               "  lifted_by BYTES, lifted_at BIGINT);\n"
               "CREATE TABLE purged_blobs (blob TEXT NOT NULL PRIMARY KEY);\n"},
    // Nothing was ever written into it: record_blob_releases says more.
    storage::Migration{.module = "retention", .step = 2, .sql = "DROP TABLE purged_blobs;\n"},
};

template <class Id>
Result<std::optional<Id>> optional_id_at(const storage::Rows& rows, std::size_t row,
                                         std::size_t column) {
    if (rows.is_null(row, column)) {
        return std::optional<Id>();
    }
    const Id id = TRY(id_at<Id>(rows, row, column));
    return std::optional<Id>(id);
}

template <class Id>
storage::Value optional_id(const std::optional<Id>& id) {
    return id ? storage::bytes(id->bytes) : storage::null();
}

template <class Id>
json::Value id_or_null(const std::optional<Id>& id) {
    return id ? json::Value(to_string(*id)) : json::Value();
}

constexpr std::array kKinds{
    RecordKind::kCall,           RecordKind::kUnlabelledRelease, RecordKind::kVerification,
    RecordKind::kAdministration, RecordKind::kErasure,           RecordKind::kPurge,
};

// The index of kinds leaves out calls, which are nearly all there is, and serves only a question
// that says so.
std::string past_records_sql(bool calls) {
    return fmt::format(
        "SELECT r.id FROM records r WHERE r.kind = $1 AND r.kind {} 1 AND r.id < $2 "
        "AND NOT EXISTS (SELECT 1 FROM legal_holds h WHERE h.lifted_at IS NULL "
        "AND h.from_id <= r.id AND r.id < h.until_id "
        "AND (h.tenant IS NULL OR h.tenant = r.tenant) "
        "AND (h.subject IS NULL OR h.subject = r.subject)) "
        "AND EXISTS (SELECT 1 FROM log_entries e WHERE e.record = r.id) "
        "ORDER BY r.id LIMIT 1000",
        calls ? "=" : "<>");
}

// Records of one kind that are past their time, under no hold, and in their log.
Result<std::vector<Buffer>> past_records(storage::Snapshot& snapshot, RecordKind kind,
                                         RecordId before) {
    static const std::string kCalls = past_records_sql(true);
    static const std::string kOthers = past_records_sql(false);
    static_assert(static_cast<int>(RecordKind::kCall) == 1);
    const Statement find{(kind == RecordKind::kCall ? kCalls : kOthers).c_str()};
    static_assert(kPurgeBatchRecords == 1000);
    const storage::Rows rows = TRY(snapshot.query(
        find, {storage::integer(static_cast<std::int64_t>(kind)), storage::bytes(before.bytes)}));
    std::vector<Buffer> ids;
    ids.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        ids.push_back(to_buffer(TRY(rows.bytes(row, 0))));
    }
    return ids;
}

// Takes a record out of all that it is found by.
Result<void> unfind(storage::Transaction& transaction, const internal::PrintKeys& keys,
                    Bytes record) {
    static constexpr Statement kFind{
        "SELECT kind, tenant, subject, digests FROM records WHERE id = $1"};
    static constexpr Statement kRemove{
        "DELETE FROM record_digests WHERE digest = $1 AND record = $2"};
    const storage::Rows rows = TRY(transaction.query(kFind, {storage::bytes(record)}));
    if (rows.empty()) {
        return {};
    }
    std::vector<internal::Find> finds;
    internal::RecordOwners owners{.kind = TRY(rows.integer(0, 0)),
                                  .tenant = internal::owner_find_key(TRY(rows.bytes(0, 1))),
                                  .subject = std::nullopt};
    if (!rows.is_null(0, 2)) {
        owners.subject = internal::owner_find_key(TRY(rows.bytes(0, 2)));
    }
    internal::add_owner_finds(finds, record, owners);
    if (!rows.is_null(0, 3)) {
        const Bytes packed = TRY(rows.bytes(0, 3));
        for (const Digest256& digest : TRY(internal::unpack_digests(packed))) {
            TRY(transaction.execute(kRemove, {storage::bytes(digest), storage::bytes(record)}));
            finds.push_back(internal::make_find(internal::kDigestFind,
                                                internal::digest_find_key(digest), record, 0));
        }
    }
    const RecordId id = TRY(internal::record_id_of(record));
    TRY(internal::remove_prints(transaction, keys, id, finds));
    return internal::remove_finds(transaction, record, finds);
}

Result<void> remove_records(storage::Transaction& transaction, const internal::PrintKeys& keys,
                            const std::vector<Buffer>& ids) {
    static constexpr std::array kRemovals{
        Statement{"INSERT INTO record_blob_releases (record, due_at) SELECT DISTINCT record, 0 "
                  "FROM record_blobs WHERE record = $1 ON CONFLICT DO NOTHING"},
        Statement{"DELETE FROM record_blobs WHERE record = $1"},
        Statement{"DELETE FROM records WHERE id = $1"},
    };
    for (const Buffer& id : ids) {
        TRY(unfind(transaction, keys, id));
        for (const Statement& removal : kRemovals) {
            TRY(transaction.execute(removal, {storage::bytes(id)}));
        }
    }
    return {};
}

Result<ServiceRecord> purge_record(const Purge& purge, RecordKind kind,
                                   const std::vector<Buffer>& ids, Random& random) {
    Hasher hasher(DigestAlgorithm::kSha256);
    for (const Buffer& id : ids) {
        hasher.update(id);
    }
    ServiceRecord record;
    record.facts.id = TRY(make_record_id(purge.now, random));
    record.facts.kind = RecordKind::kPurge;
    record.facts.at = purge.now;
    record.facts.tenant = purge.service;
    record.facts.operation = "records.purge";
    record.facts.detail = json::write(json::Object{
        {"kind", record_kind_name(kind)},
        {"kept_days", static_cast<std::int64_t>(purge.policy.of(kind).count())},
        {"records", static_cast<std::uint64_t>(ids.size())},
        {"first", to_hex(ids.front())},
        {"last", to_hex(ids.back())},
        {"sha256_of_ids", to_hex(hasher.finish())},
    });
    return record;
}

Result<std::size_t> purge_batch(storage::Store& store, Records& records, const Purge& purge,
                                RecordKind kind, Random& random) {
    const RecordId before = TRY(first_record_id(purge.now - purge.policy.of(kind)));
    std::vector<Buffer> ids;
    const auto look = [&](storage::Snapshot& snapshot) -> Result<void> {
        ids = TRY(past_records(snapshot, kind, before));
        return {};
    };
    TRY(store.snapshot(look));
    if (ids.empty()) {
        return std::size_t{0};
    }
    // Sealing may ask the store for a key, which no transaction may wait for; so the record is made
    // first, and the transaction looks again whether it is still true.
    const ServiceRecord record = TRY(purge_record(purge, kind, ids, random));
    const storage::Batch batch = TRY(records.prepare(record));
    const auto remove = [&](storage::Transaction& transaction) -> Result<void> {
        const std::vector<Buffer> still = TRY(past_records(transaction, kind, before));
        if (still != ids) {
            return Error{ErrorCode::kConflict,
                         "records or holds changed while a purge was prepared: purge again"};
        }
        TRY(remove_records(transaction, records.print_keys(), ids));
        return storage::execute_batch(transaction, batch);
    };
    TRY(store.transact(remove));
    return ids.size();
}

}  // namespace

Result<void> RetentionPolicy::check() const {
    for (const auto& [name, days] :
         {std::pair{"service", service}, std::pair{"conduct", conduct}}) {
        if (days < kRetentionLeast) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("records of {} must be kept for at least {} days, not {}",
                                     name, kRetentionLeast.count(), days.count())};
        }
    }
    return {};
}

std::chrono::days RetentionPolicy::of(RecordKind kind) const noexcept {
    if (kind == RecordKind::kUnlabelledRelease) {
        return std::max(service, kReleaseRetentionLeast);
    }
    return log_class(kind) == LogClass::kService ? service : conduct;
}

std::span<const storage::Migration> retention_migrations() {
    return kMigrations;
}

Result<std::string> place_hold(storage::Store& store, const LegalHold& hold, const Conduct& conduct,
                               Random& random) {
    static constexpr Statement kInsert{
        "INSERT INTO legal_holds (id, tenant, subject, from_id, until_id, from_at, until_at, "
        "reason, placed_by, placed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};
    if (hold.reason.empty() || hold.reason.size() > kReasonBytesMax) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("a hold needs a reason of 1 to {} bytes", kReasonBytesMax)};
    }
    if (!(hold.from < hold.until)) {
        return Error{ErrorCode::kInvalidArgument, "a hold must end after it begins"};
    }
    const RecordId from = TRY(first_record_id(hold.from));
    const RecordId until = TRY(first_record_id(hold.until));
    Buffer id(kHoldIdBytes);
    TRY(random.fill(id));
    storage::Batch batch = TRY(conduct.prepare({.operation = "hold.place",
                                                .facts = {{"hold", to_hex(id)},
                                                          {"tenant", id_or_null(hold.tenant)},
                                                          {"subject", id_or_null(hold.subject)},
                                                          {"from", format_time(hold.from)},
                                                          {"until", format_time(hold.until)},
                                                          {"reason", hold.reason}},
                                                .names = {}}));
    batch.operations.push_back(
        {kInsert,
         {storage::bytes(id), optional_id(hold.tenant), optional_id(hold.subject),
          storage::bytes(from.bytes), storage::bytes(until.bytes), time_value(hold.from),
          time_value(hold.until), storage::text(hold.reason), storage::bytes(hold.placed_by.bytes),
          time_value(hold.placed_at)},
         storage::Affects::kOne});
    TRY(store.apply(std::move(batch)));
    return to_hex(id);
}

Result<void> lift_hold(storage::Store& store, const LiftedHold& lifted, const Conduct& conduct) {
    static constexpr Statement kLift{
        "UPDATE legal_holds SET lifted_by = $2, lifted_at = $3 "
        "WHERE id = $1 AND lifted_at IS NULL"};
    const Error none{ErrorCode::kNotFound, "there is no such hold in force"};
    const auto bytes = from_hex(lifted.id);
    if (!bytes.ok()) {
        return none;
    }
    storage::Batch batch = TRY(conduct.prepare(
        {.operation = "hold.lift", .facts = {{"hold", to_hex(*bytes)}}, .names = {}}));
    batch.operations.push_back(
        {kLift,
         {storage::bytes(*bytes), storage::bytes(lifted.by.bytes), time_value(lifted.at)},
         storage::Affects::kOne});
    auto applied = store.apply(std::move(batch));
    if (!applied.ok() && applied.error().code == ErrorCode::kConflict) {
        return none;
    }
    return applied;
}

Result<std::vector<LegalHold>> holds(storage::Store& store) {
    static constexpr Statement kList{
        "SELECT id, tenant, subject, from_at, until_at, reason, placed_by, placed_at "
        "FROM legal_holds WHERE lifted_at IS NULL ORDER BY placed_at, id"};
    const storage::Rows rows = TRY(store.query(kList, {}));
    std::vector<LegalHold> found;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        LegalHold hold;
        hold.id = to_hex(TRY(rows.bytes(row, 0)));
        hold.tenant = TRY(optional_id_at<TenantId>(rows, row, 1));
        hold.subject = TRY(optional_id_at<SubjectId>(rows, row, 2));
        hold.from = TRY(time_at(rows, row, 3));
        hold.until = TRY(time_at(rows, row, 4));
        hold.reason = TRY(rows.text(row, 5));
        hold.placed_by = TRY(id_at<StaffId>(rows, row, 6));
        hold.placed_at = TRY(time_at(rows, row, 7));
        found.push_back(std::move(hold));
    }
    return found;
}

Result<PurgeReport> purge(storage::Store& store, Records& records, const Purge& purge,
                          Random& random) {
    TRY(purge.policy.check());
    PurgeReport report;
    std::size_t batches = 0;
    for (const RecordKind kind : kKinds) {
        for (;;) {
            if (batches++ == purge.batches_max) {
                report.more = true;
                return report;
            }
            const std::size_t removed = TRY(purge_batch(store, records, purge, kind, random));
            report.removed += static_cast<std::int64_t>(removed);
            if (removed < kPurgeBatchRecords) {
                break;
            }
        }
    }
    return report;
}

storage::Operation release_contents_of(SubjectId subject) {
    static constexpr Statement kRelease{
        "INSERT INTO record_blob_releases (record, due_at) SELECT DISTINCT record, 0 "
        "FROM record_blobs WHERE subject = $1 ON CONFLICT DO NOTHING"};
    return {kRelease, {storage::id_value(subject)}};
}

}  // namespace colophon::ledger
