// SPDX-License-Identifier: Apache-2.0
#pragma once

// Comparing the database with its log, row by row: whoever can change tables can change what
// records say, but not what their leaves committed to [DSP-10]. That the log itself is whole is the
// checker's matter (ledger/verify); this believes its entries.
//
//   entry of the log   has a row that says which record it is, and the record is what it was, or
//                      was purged: then a purge says so, and it was old enough; or it is one of the
//                      last, published by a sequencer that was stopped, and still in the outbox
//   record of a log    is an entry, or waits for its place in the outbox
//
// Needs no keys: the private half of a record is only looked at in its sealed form, which nobody
// can exchange unnoticed, because it opens for its own record alone.

#include "core/clock.h"
#include "ledger/log_objects.h"
#include "ledger/records.h"
#include "storage/store.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace colophon::ledger {

struct ReconcileFinding {
    std::string code;   // "ledger.record", "ledger.unlogged": docs/reference/findings.md
    std::string where;  // "entry 17", "record 0199..."
    std::string what;
};

struct ReconcileReport {
    std::uint64_t entries = 0;  // compared
    std::uint64_t purged = 0;   // of these, entries whose record was purged
    std::uint64_t waiting = 0;  // records that wait for the log
    std::uint64_t findings_count = 0;
    std::vector<ReconcileFinding> findings;  // the first ones
};

struct ReconcileOptions {
    LogClass log = LogClass::kService;
    std::uint64_t size = 0;     // entries of the checkpoint that was judged good
    std::uint64_t minimum = 0;  // where the log begins
    Time now;
    std::size_t findings_max = 100;
};

Result<ReconcileReport> reconcile(storage::Store& store, LogObjects& objects,
                                  const ReconcileOptions& options);

}  // namespace colophon::ledger
