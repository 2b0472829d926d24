// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/sqlite_connection.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "storage/internal/gathering_vfs.h"
#include "storage/limits.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::storage {
namespace {

// Rows that one statement inserts.
constexpr std::size_t kRowsAtOnce = 16;

// Every connection: no waiting without end, foreign keys kept, LIKE as PostgreSQL has it, checks of
// cells when pages are read, an fsync at each commit. Checkpoints are asked for by the store, since
// SQLite would make one inside a commit for which somebody waits.
constexpr const char* kEveryConnection =
    "PRAGMA foreign_keys=ON; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
    "PRAGMA case_sensitive_like=ON; PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF;"
    "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384;";

// What is written lies at the ends of tables and in small indexes (ledger/internal/find_runs.h),
// and after some commits SQLite looks through its whole cache: where balancing has moved pages
// about, it has used the number of a page that no file has.
// What is deleted is overwritten, also in pages that become free: a key that was destroyed, a
// record whose time is over.
constexpr const char* kWriter = "PRAGMA cache_size=-4096; PRAGMA secure_delete=ON;";

ErrorCode code_of(int extended) {
    switch (extended & 0xFF) {
        case SQLITE_CONSTRAINT:
            return extended == SQLITE_CONSTRAINT_DATATYPE ? ErrorCode::kInvalidArgument
                                                          : ErrorCode::kConflict;
        case SQLITE_MISMATCH:
            return ErrorCode::kInvalidArgument;
        // SQLITE_ERROR: a table or column that is not there. The texts are ours, so the data is
        // what has another shape.
        case SQLITE_ERROR:
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_SCHEMA:
            return ErrorCode::kCorrupt;
        case SQLITE_TOOBIG:
            return ErrorCode::kLimit;
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return ErrorCode::kDenied;
        default:
            return ErrorCode::kUnavailable;
    }
}

bool is_sync_failure(int extended) {
    return extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC;
}

Value column_value(sqlite3_stmt* statement, int column) {
    switch (sqlite3_column_type(statement, column)) {
        case SQLITE_INTEGER:
            return std::int64_t{sqlite3_column_int64(statement, column)};
        case SQLITE_BLOB: {
            const auto* data =
                static_cast<const std::uint8_t*>(sqlite3_column_blob(statement, column));
            const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
            return data == nullptr ? Buffer() : Buffer(data, data + size);
        }
        case SQLITE_NULL:
            return {};
        // SQLITE_TEXT, and a FLOAT as its digits: whoever asks for an integer then hears of it.
        default: {
            const auto* data = sqlite3_column_text(statement, column);
            const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
            return data == nullptr ? std::string()
                                   : std::string(reinterpret_cast<const char*>(data), size);
        }
    }
}

int bind_value(sqlite3_stmt* statement, int slot, const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        return sqlite3_bind_int64(statement, slot, *number);
    }
    // The caller's values outlive the step, so nothing is copied: a null destructor says so.
    if (const auto* text = std::get_if<std::string>(&value)) {
        return sqlite3_bind_text64(statement, slot, text->data(), text->size(), nullptr,
                                   SQLITE_UTF8);
    }
    if (const auto* bytes = std::get_if<Buffer>(&value)) {
        // A null pointer would be stored as NULL.
        return bytes->empty()
                   ? sqlite3_bind_zeroblob(statement, slot, 0)
                   : sqlite3_bind_blob64(statement, slot, bytes->data(), bytes->size(), nullptr);
    }
    return sqlite3_bind_null(statement, slot);
}

// Gives a statement back in whichever way the function is left.
class Running {
public:
    explicit Running(sqlite3_stmt* statement) : statement_(statement) {}
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }

private:
    sqlite3_stmt* statement_;
};

// OR FAIL leaves what came before a row that is refused, which whoever inserts takes back with the
// rest of its work: SQLite needs no copies of the pages for each statement then.
std::string insert_text(const BulkInsert& rows, std::size_t count) {
    std::string text = fmt::format("INSERT OR FAIL INTO \"{}\" (", rows.table);
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
        text += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", rows.columns[i]);
    }
    text += ") VALUES ";
    std::size_t parameter = 0;
    for (std::size_t row = 0; row < count; ++row) {
        text += row == 0 ? "(" : ", (";
        for (std::size_t i = 0; i < rows.columns.size(); ++i) {
            text += fmt::format("{}${}", i == 0 ? "" : ", ", ++parameter);
        }
        text += ')';
    }
    return text;
}

}  // namespace

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::string& path, Role role,
                                                                 const SqliteOptions& options) {
    const bool creates = role == Role::kWriter && options.create;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                      (creates ? SQLITE_OPEN_CREATE : 0);
    sqlite3* handle = nullptr;
    // Counting of its memory takes a lock of the whole process at each allocation. Refused when
    // SQLite has been used before: then it goes on counting.
    static const int kConfigured = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)kConfigured;
    const std::string vfs = role == Role::kWriter ? TRY(gathering_vfs(options.vfs)) : options.vfs;
    const int opened =
        sqlite3_open_v2(path.c_str(), &handle, flags, vfs.empty() ? nullptr : vfs.c_str());
    auto connection = std::make_unique<SqliteConnection>(handle);  // owns it, opened or not
    if (opened != SQLITE_OK) {
        const ErrorCode code =
            (opened & 0xFF) == SQLITE_CANTOPEN ? ErrorCode::kNotFound : code_of(opened);
        return Error{code,
                     fmt::format("cannot open the database {}: {}", path, sqlite3_errstr(opened))};
    }
    sqlite3_busy_timeout(handle, static_cast<int>(options.busy.count()));
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, static_cast<int>(2 * kValueBytesMax));
    sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
    // After a failed fsync a closing connection must not write on; the store asks for the last
    // checkpoint itself.
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    TRY(connection->script(kEveryConnection));
    // After wal_autocheckpoint, which is such a hook itself.
    sqlite3_wal_hook(
        handle,
        [](void* self, sqlite3*, const char*, int pages) {
            static_cast<SqliteConnection*>(self)->wal_pages_ = pages;
            return SQLITE_OK;
        },
        connection.get());
    TRY(connection->script(role == Role::kReader ? "PRAGMA query_only=ON;" : kWriter));
    return connection;
}

SqliteConnection::~SqliteConnection() {
    forget_statements();
    sqlite3_close_v2(handle_);
}

void SqliteConnection::forget_statements() {
    for (auto& [text, prepared] : statements_) {
        sqlite3_finalize(prepared.statement);
    }
    statements_.clear();
}

Error SqliteConnection::failure(const char* doing) {
    const int extended = sqlite3_extended_errcode(handle_);
    const int kind = extended & 0xFF;
    failed_ = failed_ || kind == SQLITE_IOERR || kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB;
    sync_failed_ = sync_failed_ || is_sync_failure(extended);
    if (kind == SQLITE_ERROR) {
        return Error{ErrorCode::kCorrupt,
                     fmt::format("the database has another shape than this program expects: {}",
                                 sqlite3_errmsg(handle_))};
    }
    return Error{code_of(extended), fmt::format("{}: {}", doing, sqlite3_errmsg(handle_))};
}

Result<void> SqliteConnection::script(const char* sql) {
    if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
        return failure("the database refused a statement");
    }
    return {};
}

Result<SqliteConnection::Prepared*> SqliteConnection::prepare(const char* sql) {
    const auto known = statements_.find(std::string_view(sql));
    if (known != statements_.end()) {
        return &known->second;
    }
    if (statements_.size() >= kStatementsCachedMax) {
        forget_statements();
    }
    Prepared prepared;
    const char* rest = nullptr;
    if (sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared.statement,
                           &rest) != SQLITE_OK) {
        return failure("the database refused a statement");
    }
    COLOPHON_ASSERT(prepared.statement != nullptr);
    const int count = sqlite3_bind_parameter_count(prepared.statement);
    for (int slot = 1; slot <= count; ++slot) {
        const char* name = sqlite3_bind_parameter_name(prepared.statement, slot);
        COLOPHON_ASSERT(name != nullptr && *name == '$');
        std::size_t number = 0;
        const auto read = std::from_chars(name + 1, name + std::strlen(name), number);
        COLOPHON_ASSERT(read.ec == std::errc() && number >= 1 && number <= 999);
        prepared.slots.resize(std::max(prepared.slots.size(), number));
        prepared.slots[number - 1] = slot;
    }
    return &statements_.emplace(sql, std::move(prepared)).first->second;
}

Result<void> SqliteConnection::bind(const Prepared& prepared, std::span<const Values> rows) {
    std::size_t slot = 0;
    for (const Values& row : rows) {
        COLOPHON_ASSERT(row.size() <= prepared.slots.size() - slot);
        for (const Value& value : row) {
            const int place = prepared.slots[slot++];
            if (place != 0 && bind_value(prepared.statement, place, value) != SQLITE_OK) {
                return failure("the database refused a value");
            }
        }
    }
    COLOPHON_ASSERT(slot == prepared.slots.size());
    return {};
}

Result<void> SqliteConnection::finish(sqlite3_stmt* statement) {
    int step = SQLITE_ROW;
    while (step == SQLITE_ROW) {
        step = sqlite3_step(statement);
    }
    if (step != SQLITE_DONE) {
        return failure("the database refused a change");
    }
    return {};
}

Result<std::int64_t> SqliteConnection::execute(const char* sql, const Values& parameters) {
    const Prepared* prepared = TRY(prepare(sql));
    const Running running(prepared->statement);
    TRY(bind(*prepared, std::span(&parameters, 1)));
    const std::int64_t before = sqlite3_total_changes64(handle_);
    TRY(finish(prepared->statement));
    // sqlite3_changes() keeps its old value over a statement that changes nothing.
    return sqlite3_total_changes64(handle_) == before ? 0 : sqlite3_changes64(handle_);
}

Result<void> SqliteConnection::visit(const char* sql, const Values& parameters,
                                     const RowVisitor& row) {
    const Prepared* prepared = TRY(prepare(sql));
    const Running running(prepared->statement);
    TRY(bind(*prepared, std::span(&parameters, 1)));
    const int columns = sqlite3_column_count(prepared->statement);
    Values values(static_cast<std::size_t>(columns));
    for (;;) {
        const int step = sqlite3_step(prepared->statement);
        if (step == SQLITE_DONE) {
            return {};
        }
        if (step != SQLITE_ROW) {
            return failure("the database could not be read");
        }
        for (int column = 0; column < columns; ++column) {
            values[static_cast<std::size_t>(column)] = column_value(prepared->statement, column);
        }
        TRY(row(values));
    }
}

Result<Rows> SqliteConnection::query(const char* sql, const Values& parameters) {
    const Prepared* prepared = TRY(prepare(sql));
    Rows rows(static_cast<std::size_t>(sqlite3_column_count(prepared->statement)));
    std::size_t count = 0;
    TRY(visit(sql, parameters, [&](const Values& row) -> Result<void> {
        if (++count > kAnswerRowsMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("the answer has more than {} rows", kAnswerRowsMax)};
        }
        for (const Value& value : row) {
            rows.add(value);
        }
        return {};
    }));
    return rows;
}

Result<void> SqliteConnection::insert(const BulkInsert& rows) {
    std::size_t at = 0;
    if (rows.rows.size() >= kRowsAtOnce) {
        const std::string several = insert_text(rows, kRowsAtOnce);
        const Prepared* prepared = TRY(prepare(several.c_str()));
        for (; at + kRowsAtOnce <= rows.rows.size(); at += kRowsAtOnce) {
            const Running running(prepared->statement);
            TRY(bind(*prepared, std::span(rows.rows).subspan(at, kRowsAtOnce)));
            TRY(finish(prepared->statement));
        }
    }
    const std::string one = at < rows.rows.size() ? insert_text(rows, 1) : std::string();
    for (; at < rows.rows.size(); ++at) {
        TRY(execute(one.c_str(), rows.rows[at]));
    }
    return {};
}

Result<std::int64_t> SqliteConnection::integer(const char* sql) {
    const Rows rows = TRY(query(sql, {}));
    if (rows.empty()) {
        return Error{ErrorCode::kCorrupt, "the database answers with nothing"};
    }
    return rows.integer(0, 0);
}

bool SqliteConnection::in_transaction() const {
    return sqlite3_get_autocommit(handle_) == 0;
}

Result<bool> SqliteConnection::checkpoint(Checkpoint kind) {
    int in_wal = 0;
    int copied = 0;
    const int mode =
        kind == Checkpoint::kPassive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE;
    const int done = sqlite3_wal_checkpoint_v2(handle_, nullptr, mode, &in_wal, &copied);
    if ((done & 0xFF) == SQLITE_BUSY) {
        return false;
    }
    if (done != SQLITE_OK) {
        return failure("the write-ahead log could not be moved into the database");
    }
    return in_wal == copied;
}

}  // namespace colophon::storage
