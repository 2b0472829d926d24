// SPDX-License-Identifier: Apache-2.0
#pragma once

// The shape of the data, forward only. Each module lists its steps; the composition root puts the
// lists together. A step that was published is never edited: its digest is kept beside its number
// and a difference is refused, as is a database that a newer program has shaped.

#include "core/clock.h"
#include "storage/store.h"

#include <span>

namespace colophon::storage {

struct Migration {
    const char* module;  // "ledger"; steps of one module are numbered 1, 2, 3, ...
    int step;
    // Statements separated by ";" at line ends. "BYTES" as a column type becomes BLOB or BYTEA,
    // "SERIAL_KEY" a primary key of growing integers that are never used twice.
    const char* sql;
    const char* postgres = nullptr;  // where the engines cannot agree
};

// Error{kConflict} that says which module is newer than this program, or was edited;
// Error{kNotFound} when steps are missing (run `colophon admin migrate`).
Result<void> check_schema(Store& store, std::span<const Migration> migrations);

// Applies what is missing, each step in a transaction of its own, one node at a time (others wait).
// Returns how many steps were applied.
Result<int> migrate(Store& store, std::span<const Migration> migrations, Clock& clock);

}  // namespace colophon::storage
