// SPDX-License-Identifier: Apache-2.0
#include "ledger/prune.h"

#include "core/result.h"
#include "ledger/conduct.h"
#include "ledger/log_objects.h"
#include "ledger/records.h"
#include "ledger/tiles.h"
#include "storage/batch.h"
#include "storage/migration.h"
#include "storage/store.h"
#include "storage/value.h"

#include <array>
#include <cstdint>
#include <span>
#include <utility>

namespace colophon::ledger {
namespace {

using storage::Statement;

// `removed` trails `minimum` while files of the part between are still there.
constexpr std::array kMigrations{
    storage::Migration{.module = "log_minimums",
                       .step = 1,
                       .sql = "CREATE TABLE log_minimums (log BIGINT NOT NULL PRIMARY KEY,\n"
                              "  minimum BIGINT NOT NULL, removed BIGINT NOT NULL);\n"},
};

struct Minimum {
    std::uint64_t minimum = 0;
    std::uint64_t removed = 0;
};

storage::Value log_value(LogClass log) {
    return storage::integer(static_cast<std::int64_t>(log));
}
storage::Value number(std::uint64_t value) {
    return storage::integer(static_cast<std::int64_t>(value));
}

Result<Minimum> read_minimum(storage::Store& store, LogClass log) {
    static constexpr Statement kRead{"SELECT minimum, removed FROM log_minimums WHERE log = $1"};
    const storage::Rows rows = TRY(store.query(kRead, {log_value(log)}));
    Minimum minimum;
    if (!rows.empty()) {
        minimum.minimum = static_cast<std::uint64_t>(TRY(rows.integer(0, 0)));
        minimum.removed = static_cast<std::uint64_t>(TRY(rows.integer(0, 1)));
    }
    return minimum;
}

// The first entry whose record is kept; behind the last one when none is. Entries that the tables
// do not know yet are behind all that they know.
Result<std::uint64_t> first_kept(storage::Snapshot& snapshot, LogClass log) {
    static constexpr Statement kFirst{
        "SELECT COALESCE((SELECT MIN(e.entry) FROM log_entries e WHERE e.log = $1"
        " AND EXISTS (SELECT 1 FROM records r WHERE r.id = e.record)),"
        " (SELECT MAX(entry) + 1 FROM log_entries WHERE log = $1), 0)"};
    const storage::Rows rows = TRY(snapshot.query(kFirst, {log_value(log)}));
    const std::int64_t first = TRY(rows.integer(0, 0));
    return static_cast<std::uint64_t>(first) / kTileWidth * kTileWidth;
}

Result<void> move_minimum(storage::Store& store, LogClass log, const Minimum& now,
                          const Conduct& conduct) {
    static constexpr Statement kMove{
        "INSERT INTO log_minimums (log, minimum, removed) VALUES ($1, $2, $3)"
        " ON CONFLICT (log) DO UPDATE SET minimum = excluded.minimum"};
    const storage::Batch record =
        TRY(conduct.prepare({.operation = "log.prune",
                             .facts = {{"log", log_class_name(log)}, {"minimum", now.minimum}},
                             .names = {}}));
    const auto body = [&](storage::Transaction& transaction) -> Result<void> {
        if (TRY(first_kept(transaction, log)) < now.minimum) {
            return Error{ErrorCode::kConflict, "records came back while a log was pruned"};
        }
        TRY(transaction.execute(kMove, {log_value(log), number(now.minimum), number(now.removed)}));
        return storage::execute_batch(transaction, record);
    };
    return store.transact(body);
}

}  // namespace

std::span<const storage::Migration> prune_migrations() {
    return kMigrations;
}

Result<std::uint64_t> log_minimum(storage::Store& store, LogClass log) {
    const Minimum minimum = TRY(read_minimum(store, log));
    return minimum.minimum;
}

Result<PruneReport> prune_log(storage::Store& store, LogObjects& objects, LogClass log,
                              const Conduct& conduct) {
    static constexpr Statement kRemoved{"UPDATE log_minimums SET removed = $2 WHERE log = $1"};
    static constexpr Statement kForget{"DELETE FROM log_entries WHERE log = $1 AND entry < $2"};
    Minimum minimum = TRY(read_minimum(store, log));
    std::uint64_t first = 0;
    const auto look = [&](storage::Snapshot& snapshot) -> Result<void> {
        first = TRY(first_kept(snapshot, log));
        return {};
    };
    TRY(store.snapshot(look));
    if (first > minimum.minimum) {
        minimum.minimum = first;
        TRY(move_minimum(store, log, minimum, conduct));
    }
    PruneReport report{.minimum = minimum.minimum, .bundles = 0};
    for (std::uint64_t n = minimum.removed / kTileWidth; n < minimum.minimum / kTileWidth; ++n) {
        TRY(objects.remove(tile_path({.kind = TileKind::kEntries, .level = 0, .index = n})));
        TRY(objects.remove(tile_path({.kind = TileKind::kHashes, .level = 0, .index = n})));
        ++report.bundles;
    }
    if (report.bundles > 0) {
        TRY(objects.flush());
        storage::Batch batch;
        batch.operations.push_back({kRemoved, {log_value(log), number(minimum.minimum)}});
        // The last one stays, so that the tables still say how many there are.
        batch.operations.push_back({kForget, {log_value(log), number(minimum.minimum - 1)}});
        TRY(store.apply(std::move(batch)));
    }
    return report;
}

}  // namespace colophon::ledger
