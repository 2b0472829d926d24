// SPDX-License-Identifier: Apache-2.0
#pragma once

// The outbox of each log: leaves of records that are durable and wait for the sequencer, with what
// the records are found by (waiting_finds.h). On SQLite its rows lie in the order in which they
// were committed, and go from the front, without any index; PostgreSQL, where a row can become
// visible after later ones, has them under their records.

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "ledger/records.h"
#include "storage/store.h"
#include "storage/value.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace colophon::ledger::internal {

struct WaitingLeaf {
    std::int64_t place = 0;  // of its row, on SQLite
    Buffer record;           // its id
    Buffer leaf;
    Buffer digests;  // the rest may be empty
    Buffer bands;
    Buffer owners;
};

// As an absent value where there are none.
storage::Value bytes_or_null(Buffer bytes);
// What puts a leaf there; its place is not asked for.
storage::Operation put_into_outbox(LogClass log, WaitingLeaf leaf);

// Those that are next, at most `most`.
Result<std::vector<WaitingLeaf>> next_of_outbox(storage::Store& store, LogClass log,
                                                std::size_t most);
// Joins to a batch what takes exactly these; the batch fails with kConflict when one is gone, or
// has lost its bands since it was read.
void take_from_outbox(storage::Batch& batch, storage::Engine engine, LogClass log,
                      std::span<const WaitingLeaf> leaves);

using WaitingVisitor = std::function<Result<void>(const WaitingLeaf&)>;
Result<void> visit_outbox(storage::Snapshot& snapshot, LogClass log, const WaitingVisitor& each);
// Of both logs.
Result<void> visit_outboxes(storage::Snapshot& snapshot, const WaitingVisitor& each);

// The leaf of this record, if it waits.
Result<std::optional<Buffer>> waiting_leaf(storage::Snapshot& snapshot, Bytes record);
// At most `most`.
Result<std::int64_t> count_outbox(storage::Store& store, LogClass log, std::int64_t most);
// The record that waits longest, or one beside it.
Result<std::optional<RecordId>> oldest_of_outbox(storage::Store& store, LogClass log);

// Takes the bands of these records away from where they wait.
Result<void> forget_waiting_bands(storage::Transaction& transaction,
                                  const std::set<Buffer>& records);

}  // namespace colophon::ledger::internal
