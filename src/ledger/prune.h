// SPDX-License-Identifier: Apache-2.0
#pragma once

// Cutting a log at its start, by the minimum index of C2SP tlog-tiles: full bundles that end at or
// below it, and the tiles over them, go. Every later proof stays valid, because a hash over a
// removed tile stands in the tile above it. Entries go only after all their records did
// (ledger/retention.h), so a record on legal hold keeps everything that comes behind it.
//
//   minimum moves (a row, with its record of conduct) -> files are removed -> the entries' rows
//
// The minimum is durable before the first file goes; a crash in between is finished by the next
// call.

#include "ledger/conduct.h"
#include "ledger/log_objects.h"
#include "ledger/records.h"
#include "storage/migration.h"
#include "storage/store.h"

#include <cstdint>
#include <span>

namespace colophon::ledger {

std::span<const storage::Migration> prune_migrations();

// Where a log begins; 0 when it was never cut. A multiple of 256.
Result<std::uint64_t> log_minimum(storage::Store& store, LogClass log);

struct PruneReport {
    std::uint64_t minimum = 0;  // now
    std::uint64_t bundles = 0;  // removed by this call
};
// Moves the minimum to the first entry whose record is still kept, cut down to a full bundle, and
// removes what lies before. `conduct` records it.
Result<PruneReport> prune_log(storage::Store& store, LogObjects& objects, LogClass log,
                              const Conduct& conduct);

}  // namespace colophon::ledger
