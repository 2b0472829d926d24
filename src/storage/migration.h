// SPDX-License-Identifier: Apache-2.0
#pragma once

// The shape of the data, forward only. Each module lists its steps; the composition root puts the
// lists together. A step that was published is never edited: its digest is kept beside its number
// and a difference is refused, as is a database that a newer program has shaped.

#include "core/clock.h"
#include "core/digest.h"
#include "storage/store.h"  // IWYU pragma: export

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::storage {

struct Migration {
    const char* module;  // "ledger"; steps of one module are numbered 1, 2, 3, ...
    int step;
    // Statements separated by ";" at line ends, in words that translate_sql() turns into the
    // engine's own.
    const char* sql;
    const char* postgres = nullptr;  // where the engines cannot agree
};

// In statements that begin with CREATE TABLE or ALTER TABLE, outside of quotes:
//   INTEGER, BIGINT   64 bits on both
//   TEXT              sorts by its bytes on both
//   BYTES             BLOB or BYTEA
//   SERIAL_KEY        a primary key of growing integers that are never used twice
//   CLUSTERED         at the end of a table: SQLite keeps its rows in the index of their primary
//   key
// and a table of SQLite becomes STRICT. Other statements stay as they are. No DEFERRABLE: a
// constraint that is only looked at during the commit would fail the whole group.
std::vector<std::string> translate_sql(std::string_view sql, Engine engine);

// What is kept of a step, the same on both engines.
Digest256 migration_digest(const Migration& migration);

struct AppliedMigration {
    std::string module;
    std::int64_t step;
    Digest256 digest;
};
// In the order of modules and steps; empty for a database without a shape.
Result<std::vector<AppliedMigration>> applied_migrations(Snapshot& snapshot);

// All of them, unconditionally, with the table that lists them: for a database that is being made
// inside one transaction. Otherwise migrate() is right.
Result<void> apply_migrations(Transaction& transaction, std::span<const Migration> migrations,
                              Time now);

// Error{kConflict} that says which module is newer than this program, or was edited;
// Error{kNotFound} when steps are missing (run `colophon admin migrate`).
Result<void> check_schema(Store& store, std::span<const Migration> migrations);

// Applies what is missing, each step in a transaction of its own, one node at a time (others wait).
// Returns how many steps were applied.
Result<int> migrate(Store& store, std::span<const Migration> migrations, Clock& clock);

}  // namespace colophon::storage
