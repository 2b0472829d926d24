// SPDX-License-Identifier: Apache-2.0
#include "ledger/internal/outbox.h"

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "ledger/internal/waiting_finds.h"
#include "ledger/records.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::ledger::internal {

namespace {

using storage::Statement;

// The statements about one log's outbox. Columns: place, record, leaf, digests, bands, owners.
struct OutboxStatements {
    Statement put;
    Statement next;
    Statement all;
    Statement take;
    Statement leaf_of;
    Statement count;
    Statement oldest;
    Statement keep_without_bands;  // SQLite: the row anew, behind all others, so that whoever read
    Statement remove;              // the old one does not find it any more
    Statement clear_bands;         // PostgreSQL
};

#define COLOPHON_OUTBOX(table)                                                                   \
    OutboxStatements {                                                                           \
        .put = {"INSERT INTO " table                                                             \
                " (record, leaf, digests, bands, owners) VALUES ($1, $2, $3, $4, $5)"},          \
        .next = {"SELECT rowid, record, leaf, digests, bands, owners FROM " table                \
                 " ORDER BY rowid LIMIT $1",                                                     \
                 "SELECT 0::bigint, record, leaf, digests, bands, owners FROM " table            \
                 " ORDER BY record LIMIT $1"},                                                   \
        .all = {"SELECT rowid, record, leaf, digests, bands, owners FROM " table,                \
                "SELECT 0::bigint, record, leaf, digests, bands, owners FROM " table},           \
        .take = {"DELETE FROM " table " WHERE rowid >= $1 AND rowid <= $2",                      \
                 "DELETE FROM " table " WHERE record = $1 AND COALESCE(LENGTH(bands), 0) = $2"}, \
        .leaf_of = {"SELECT leaf FROM " table " WHERE record = $1"},                             \
        .count = {"SELECT COUNT(*) FROM (SELECT 1 FROM " table " LIMIT $1) AS waiting"},         \
        .oldest = {"SELECT record FROM " table " ORDER BY rowid LIMIT 1",                        \
                   "SELECT record FROM " table " ORDER BY record LIMIT 1"},                      \
        .keep_without_bands = {"INSERT INTO " table                                              \
                               " (record, leaf, digests, owners) "                               \
                               "SELECT record, leaf, digests, owners FROM " table                \
                               " WHERE rowid = $1"},                                             \
        .remove = {"DELETE FROM " table " WHERE rowid = $1"},                                    \
        .clear_bands = {"UPDATE " table " SET bands = NULL WHERE record = $1"},                  \
    }

const OutboxStatements& statements_of(LogClass log) {
    static constexpr OutboxStatements kService = COLOPHON_OUTBOX("service_outbox");
    static constexpr OutboxStatements kConduct = COLOPHON_OUTBOX("conduct_outbox");
    return log == LogClass::kService ? kService : kConduct;
}

#undef COLOPHON_OUTBOX

Result<WaitingLeaf> leaf_in(const storage::Values& row) {
    const auto* place = std::get_if<std::int64_t>(row.data());
    const Bytes record = bytes_in(row, 1);
    if (place == nullptr || record.size() != RecordId().bytes.size()) {
        return Error{ErrorCode::kCorrupt, "a stored record id has not 16 bytes"};
    }
    return WaitingLeaf{.place = *place,
                       .record = to_buffer(record),
                       .leaf = to_buffer(bytes_in(row, 2)),
                       .digests = to_buffer(bytes_in(row, 3)),
                       .bands = to_buffer(bytes_in(row, 4)),
                       .owners = to_buffer(bytes_in(row, 5))};
}

}  // namespace

storage::Value bytes_or_null(Buffer bytes) {
    return bytes.empty() ? storage::null() : storage::Value(std::move(bytes));
}

storage::Operation put_into_outbox(LogClass log, WaitingLeaf leaf) {
    return {statements_of(log).put,
            storage::moved_values(std::move(leaf.record), std::move(leaf.leaf),
                                  bytes_or_null(std::move(leaf.digests)),
                                  bytes_or_null(std::move(leaf.bands)),
                                  bytes_or_null(std::move(leaf.owners)))};
}

Result<std::vector<WaitingLeaf>> next_of_outbox(storage::Store& store, LogClass log,
                                                std::size_t most) {
    std::vector<WaitingLeaf> leaves;
    const auto each = [&](const storage::Values& row) -> Result<void> {
        leaves.push_back(TRY(leaf_in(row)));
        return {};
    };
    const auto body = [&](storage::Snapshot& snapshot) -> Result<void> {
        leaves.clear();
        return snapshot.visit(statements_of(log).next,
                              {storage::integer(static_cast<std::int64_t>(most))}, each);
    };
    TRY(store.snapshot(body));
    return leaves;
}

void take_from_outbox(storage::Batch& batch, storage::Engine engine, LogClass log,
                      std::span<const WaitingLeaf> leaves) {
    const Statement take = statements_of(log).take;
    if (engine == storage::Engine::kPostgres) {
        for (const WaitingLeaf& leaf : leaves) {
            batch.operations.push_back(
                {take,
                 {storage::bytes(leaf.record),
                  storage::integer(static_cast<std::int64_t>(leaf.bands.size()))},
                 storage::Affects::kOne});
        }
        return;
    }
    // Between places without a gap nothing else can lie.
    for (std::size_t first = 0; first < leaves.size();) {
        std::size_t last = first;
        while (last + 1 < leaves.size() && leaves[last + 1].place == leaves[last].place + 1) {
            ++last;
        }
        batch.operations.push_back(
            {take,
             {storage::integer(leaves[first].place), storage::integer(leaves[last].place)},
             storage::Affects::kRows,
             static_cast<std::int64_t>(last - first + 1)});
        first = last + 1;
    }
}

Result<void> visit_outbox(storage::Snapshot& snapshot, LogClass log, const WaitingVisitor& each) {
    return snapshot.visit(statements_of(log).all, {},
                          [&](const storage::Values& row) -> Result<void> {
                              const WaitingLeaf leaf = TRY(leaf_in(row));
                              return each(leaf);
                          });
}

Result<void> visit_outboxes(storage::Snapshot& snapshot, const WaitingVisitor& each) {
    for (const LogClass log : kLogClasses) {
        TRY(visit_outbox(snapshot, log, each));
    }
    return {};
}

Result<std::optional<Buffer>> waiting_leaf(storage::Snapshot& snapshot, Bytes record) {
    for (const LogClass log : kLogClasses) {
        const storage::Rows rows =
            TRY(snapshot.query(statements_of(log).leaf_of, {storage::bytes(record)}));
        if (!rows.empty()) {
            const Bytes leaf = TRY(rows.bytes(0, 0));
            return std::optional(to_buffer(leaf));
        }
    }
    return std::optional<Buffer>();
}

Result<std::int64_t> count_outbox(storage::Store& store, LogClass log, std::int64_t most) {
    const storage::Rows rows = TRY(store.query(statements_of(log).count, {storage::integer(most)}));
    return rows.integer(0, 0);
}

Result<std::optional<RecordId>> oldest_of_outbox(storage::Store& store, LogClass log) {
    const storage::Rows rows = TRY(store.query(statements_of(log).oldest, {}));
    if (rows.empty()) {
        return std::optional<RecordId>();
    }
    return std::optional(TRY(storage::id_at<RecordId>(rows, 0, 0)));
}

Result<void> forget_waiting_bands(storage::Transaction& transaction,
                                  const std::set<Buffer>& records) {
    for (const LogClass log : kLogClasses) {
        const OutboxStatements& statements = statements_of(log);
        if (transaction.engine() == storage::Engine::kPostgres) {
            for (const Buffer& record : records) {
                TRY(transaction.execute(statements.clear_bands, {storage::bytes(record)}));
            }
            continue;
        }
        std::vector<std::int64_t> places;
        TRY(visit_outbox(transaction, log, [&](const WaitingLeaf& leaf) -> Result<void> {
            if (!leaf.bands.empty() && records.contains(leaf.record)) {
                places.push_back(leaf.place);
            }
            return {};
        }));
        for (const std::int64_t place : places) {
            TRY(transaction.execute(statements.keep_without_bands, {storage::integer(place)}));
            TRY(transaction.execute(statements.remove, {storage::integer(place)}));
        }
    }
    return {};
}

}  // namespace colophon::ledger::internal
