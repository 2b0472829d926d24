// SPDX-License-Identifier: Apache-2.0
#pragma once

// One connection to an SQLite file, with its prepared statements. Belongs to one thread at a time.

#include "storage/sqlite_store.h"  // IWYU pragma: export

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// NOLINTBEGIN(readability-identifier-naming): the library names its types so.
struct sqlite3;
struct sqlite3_stmt;
// NOLINTEND(readability-identifier-naming)

namespace colophon::storage {

class SqliteConnection {
public:
    enum class Role { kWriter, kReader };

    static Result<std::unique_ptr<SqliteConnection>> open(const std::string& path, Role role,
                                                          const SqliteOptions& options);
    explicit SqliteConnection(sqlite3* handle) : handle_(handle) {}
    SqliteConnection(const SqliteConnection&) = delete;
    SqliteConnection& operator=(const SqliteConnection&) = delete;
    ~SqliteConnection();

    // Several statements, none of which answers.
    Result<void> script(const char* sql);
    Result<std::int64_t> execute(const char* sql, const Values& parameters);
    Result<Rows> query(const char* sql, const Values& parameters);
    Result<void> visit(const char* sql, const Values& parameters, const RowVisitor& row);
    Result<void> insert(const BulkInsert& rows);
    // One integer, such as a PRAGMA or a count answers.
    Result<std::int64_t> integer(const char* sql);

    bool in_transaction() const;
    // A failing file may be better read by a connection that knows nothing of it yet.
    bool reusable() const { return !failed_ && !in_transaction(); }
    bool alive() const noexcept { return true; }
    // True from the first failed fsync on: nothing that was written since the last good one may be
    // taken for durable.
    bool sync_failed() const noexcept { return sync_failed_; }
    // Pages in the WAL after the last commit on this connection.
    int wal_pages() const noexcept { return wal_pages_; }
    // Copies what the WAL holds into the database, without waiting for readers; false when some of
    // it had to stay.
    enum class Checkpoint { kPassive, kTruncate };
    Result<bool> checkpoint(Checkpoint kind);

private:
    struct Prepared {
        sqlite3_stmt* statement = nullptr;
        // slots[n - 1] is SQLite's number of the parameter $n; 0 when the text has no such one.
        std::vector<int> slots;
    };

    Result<Prepared*> prepare(const char* sql);
    // All parameters, of one row after the other.
    Result<void> bind(const Prepared& prepared, std::span<const Values> rows);
    // Runs a change to its end.
    Result<void> finish(sqlite3_stmt* statement);
    Error failure(const char* doing);
    void forget_statements();

    sqlite3* handle_;  // owned
    // Asked with the text as it stands in the program, which makes no string of it.
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>()(text);
        }
    };
    std::unordered_map<std::string, Prepared, TextHash, std::equal_to<>> statements_;
    bool failed_ = false;
    bool sync_failed_ = false;
    int wal_pages_ = 0;
};

}  // namespace colophon::storage
