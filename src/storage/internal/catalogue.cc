// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/catalogue.h"

#include "core/result.h"
#include "storage/archive.h"
#include "storage/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

constexpr Statement kTables{
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    " AND name NOT LIKE 'colophon\\_%' ESCAPE '\\' ORDER BY name",
    "SELECT CAST(tablename AS TEXT) COLLATE \"C\" AS name FROM pg_catalog.pg_tables"
    " WHERE schemaname = current_schema() AND tablename NOT LIKE 'colophon\\_%' ORDER BY name"};
constexpr Statement kColumns{
    "SELECT name FROM pragma_table_info($1) ORDER BY cid",
    "SELECT CAST(a.attname AS TEXT) FROM pg_catalog.pg_attribute a"
    " JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
    " WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = $1"
    " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"};
// SQLite: AUTOINCREMENT is known by its row in sqlite_sequence, which the first insertion makes.
constexpr Statement kSerial{
    "SELECT (SELECT name FROM pragma_table_info($1) WHERE pk = 1),"
    " COALESCE((SELECT seq FROM sqlite_sequence WHERE name = $1), 0)"
    " FROM sqlite_schema WHERE type = 'table' AND name = $1 AND sql LIKE '%AUTOINCREMENT%'",
    "SELECT CAST(a.attname AS TEXT), COALESCE(pg_sequence_last_value("
    "pg_get_serial_sequence(quote_ident(c.relname), a.attname)::regclass), 0)"
    " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
    " WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = $1"
    " AND a.attidentity <> '' AND NOT a.attisdropped"};
constexpr Statement kForgetSerial{"DELETE FROM sqlite_sequence WHERE name = $1"};
constexpr Statement kSetSerial{
    "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)",
    "SELECT setval(pg_get_serial_sequence(quote_ident($1), $3), GREATEST($2, 1), $2 > 0)"};
constexpr Statement kForeignKeys{
    "SELECT 1 WHERE 0",
    "SELECT CAST(c.relname AS TEXT), CAST(k.conname AS TEXT) FROM pg_catalog.pg_constraint k"
    " JOIN pg_catalog.pg_class c ON c.oid = k.conrelid"
    " WHERE k.contype = 'f' AND c.relnamespace = current_schema()::regnamespace"};
constexpr Statement kBrokenKeys{"SELECT COUNT(*) FROM pragma_foreign_key_check",
                                "SELECT 0::bigint"};

// PostgreSQL can only put off a constraint that was declared so; ours are not, and are again not
// afterwards.
Result<void> alter_foreign_keys(Transaction& transaction, std::string_view how) {
    const Rows keys = TRY(transaction.query(kForeignKeys, {}));
    for (std::size_t row = 0; row < keys.size(); ++row) {
        const std::string_view table = TRY(keys.text(row, 0));
        const std::string_view name = TRY(keys.text(row, 1));
        TRY(transaction.script(
            fmt::format("ALTER TABLE \"{}\" ALTER CONSTRAINT \"{}\" {}", table, name, how)));
    }
    return {};
}

}  // namespace

Result<std::vector<ArchiveTable>> tables_of(Snapshot& snapshot) {
    std::vector<ArchiveTable> tables;
    const Rows names = TRY(snapshot.query(kTables, {}));
    for (std::size_t row = 0; row < names.size(); ++row) {
        ArchiveTable table{.name = std::string(TRY(names.text(row, 0))), .columns = {}};
        const Rows columns = TRY(snapshot.query(kColumns, {text(table.name)}));
        for (std::size_t column = 0; column < columns.size(); ++column) {
            table.columns.emplace_back(TRY(columns.text(column, 0)));
        }
        const bool fits = is_archive_name(table.name) && !table.columns.empty() &&
                          table.columns.size() <= kArchiveColumnsMax &&
                          std::ranges::all_of(table.columns, is_archive_name);
        if (!fits) {
            return Error{ErrorCode::kUnsupported,
                         fmt::format("the table \"{}\" is none of Colophon's: give it another "
                                     "database or schema",
                                     table.name)};
        }
        tables.push_back(std::move(table));
    }
    return tables;
}

Result<SerialKey> serial_of(Snapshot& snapshot, const std::string& table) {
    const Rows rows = TRY(snapshot.query(kSerial, {text(table)}));
    if (rows.empty()) {
        return SerialKey{};
    }
    return SerialKey{.column = std::string(TRY(rows.text(0, 0))), .last = TRY(rows.integer(0, 1))};
}

Result<void> set_serial(Transaction& transaction, const std::string& table,
                        const SerialKey& serial) {
    const SerialKey known = TRY(serial_of(transaction, table));
    if (known.column != serial.column || !serial.last) {
        return Error{ErrorCode::kCorrupt,
                     fmt::format("the table {} has no growing key {}", table, serial.column)};
    }
    if (transaction.engine() == Engine::kSqlite) {
        TRY(transaction.execute(kForgetSerial, {text(table)}));
        TRY(transaction.execute(kSetSerial, {text(table), integer(*serial.last)}));
    } else {
        TRY(transaction.query(kSetSerial,
                              {text(table), integer(*serial.last), text(serial.column)}));
    }
    return {};
}

Result<void> defer_foreign_keys(Transaction& transaction) {
    if (transaction.engine() == Engine::kSqlite) {
        return transaction.script("PRAGMA defer_foreign_keys=ON");
    }
    TRY(alter_foreign_keys(transaction, "DEFERRABLE"));
    return transaction.script("SET CONSTRAINTS ALL DEFERRED");
}

Result<void> check_foreign_keys(Transaction& transaction) {
    const Rows broken = TRY(transaction.query(kBrokenKeys, {}));
    if (TRY(broken.integer(0, 0)) != 0) {
        return Error{ErrorCode::kConflict, "rows refer to rows that are not there"};
    }
    if (transaction.engine() == Engine::kPostgres) {
        TRY(transaction.script("SET CONSTRAINTS ALL IMMEDIATE"));
        TRY(alter_foreign_keys(transaction, "NOT DEFERRABLE"));
    }
    return {};
}

}  // namespace colophon::storage
