// SPDX-License-Identifier: Apache-2.0
#pragma once

// One interface over SQLite (embedded, one machine) and PostgreSQL (many nodes). It knows rows, not
// what they mean: each module owns its tables (storage/migration.h) and its statements.
//
// Three ways to change data, from fast to free:
//   apply(Batch)       statements that need no answer in between. Batches that arrive together
//                      share one transaction and one fsync (group commit), yet each succeeds or
//                      fails alone. This is the way of service records.
//   transact(body)     reads and writes that depend on each other, as one serializable transaction.
//   Subscription       hears within a second what another node's transaction notified.
// A call that returned without error is durable: power may fail right after.
//
// Threads: every method of Store may be called from any thread at the same time. A Transaction or a
// Snapshot belongs to the body that it was handed to.

#include "storage/value.h"  // IWYU pragma: export

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::storage {

enum class Engine { kSqlite, kPostgres };

// One statement that is prepared once per connection and found again by its text, so the text is
// fixed and what varies is a parameter: $1, $2, ... The dialect is what both engines take:
// integers, TEXT and bytes only, ON CONFLICT for upserts, CAST(SUM(x) AS BIGINT) for sums
// (PostgreSQL answers NUMERIC otherwise), no comparison of TEXT with LIKE but for its beginning.
// Where the engines cannot agree, the second text is for PostgreSQL. Text sorts by its bytes on
// both.
struct Statement {
    const char* sql;
    const char* postgres = nullptr;
};

// What an operation of a batch must have done to count as done.
enum class Affects {
    kAny,
    kOne,   // exactly one row was inserted, updated or deleted; otherwise Error{kConflict}
    kRows,  // exactly Operation::rows of them
};

struct Operation {
    Statement statement;
    Values parameters;
    Affects affects = Affects::kAny;
    std::int64_t rows = 1;

    // How many rows it must meet; nothing when any number will do.
    std::optional<std::int64_t> wanted_rows() const {
        return affects == Affects::kAny   ? std::nullopt
               : affects == Affects::kOne ? std::optional<std::int64_t>(1)
                                          : std::optional(rows);
    }
};

// Many rows into one table, by COPY where the engine has it. Names are literals of ours, never
// input.
struct BulkInsert {
    const char* table;
    std::vector<const char*> columns;
    std::vector<Values> rows;  // each as long as columns
};

// Told to subscribers when, and only when, the transaction commits. Equal ones of one transaction
// may be told once.
struct Notification {
    std::string channel;  // [a-z_]{1,60}
    std::string payload;  // at most kNotificationBytesMax bytes of UTF-8, no personal data
};

struct Batch {
    std::vector<Operation> operations;
    std::vector<BulkInsert> inserts;  // after the operations
    std::vector<Notification> notifications;
    // What it deletes is no secret: SQLite need not overwrite the pages that become free by it.
    bool leaves_remains = false;
};

using RowVisitor = std::function<Result<void>(const Values& row)>;

// Reads that all see one state of the data.
class Snapshot {
public:
    Snapshot() = default;
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;
    Snapshot(Snapshot&&) = delete;
    Snapshot& operator=(Snapshot&&) = delete;
    virtual ~Snapshot() = default;

    virtual Engine engine() const noexcept = 0;

    // Error{kLimit} when the answer would have more than kAnswerRowsMax rows: page by key instead.
    virtual Result<Rows> query(Statement statement, const Values& parameters) = 0;
    // The same row by row, without that limit and without holding more than one row. Ends early
    // with the error of `row`. No other call may be made on this snapshot meanwhile.
    virtual Result<void> visit(Statement statement, const Values& parameters,
                               const RowVisitor& row) = 0;
};

class Transaction : public Snapshot {
public:
    // The number of rows inserted, updated or deleted. A broken unique, foreign-key or check
    // constraint is Error{kConflict}; afterwards the transaction can only be given up.
    virtual Result<std::int64_t> execute(Statement statement, const Values& parameters) = 0;
    virtual Result<void> insert(const BulkInsert& rows) = 0;
    virtual void notify(Notification notification) = 0;
    // Statements without parameters and answer, separated by ";": for the shape of the data.
    virtual Result<void> script(const std::string& sql) = 0;
};

// Ends the subscription when it is destroyed; waits for a callback that is running.
class Subscription {
public:
    Subscription() = default;
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;
    Subscription(Subscription&&) = delete;
    Subscription& operator=(Subscription&&) = delete;
    virtual ~Subscription() = default;
};

class Store {
public:
    using Done = std::function<void(Result<void>)>;
    using TransactionBody = std::function<Result<void>(Transaction&)>;
    using SnapshotBody = std::function<Result<void>(Snapshot&)>;
    // `payload` is empty after a connection was lost and found again: anything may have been
    // missed.
    using Listener = std::function<void(std::string_view payload)>;

    Store() = default;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;
    Store(Store&&) = delete;
    Store& operator=(Store&&) = delete;
    virtual ~Store() = default;

    virtual Engine engine() const noexcept = 0;

    // Durable group commit. `done` is called once, from a thread of the store; it must not block
    // and may be called before apply() returns. Statements see what is committed while they run
    // (READ COMMITTED): a batch whose sense depends on what was read before says so in its WHERE,
    // with Affects::kOne. Error{kConflict}: a constraint or Affects::kOne; nothing of this batch
    // was kept, others were. Error{kUnavailable}: the outcome is a failure or, when the connection
    // was cut during the commit, not known; callers that must know use an idempotency key of their
    // own. Error{kLimit}: more than kBatchesWaitingMax are waiting (answer 503 and let the caller
    // retry).
    virtual void apply(Batch batch, Done done) = 0;
    // The same, waiting for the outcome.
    Result<void> apply(Batch batch);

    // Runs `body` in one transaction and commits when it returns without error. Transactions are
    // serializable among themselves. The body may run again after a serialization failure, and in a
    // thread of the store, so it must have no other effect and call nothing of the store itself.
    virtual Result<void> transact(const TransactionBody& body) = 0;

    virtual Result<void> snapshot(const SnapshotBody& body) = 0;
    // One statement that only reads.
    virtual Result<Rows> query(Statement statement, const Values& parameters) = 0;

    // Calls `listener` from a thread of the store for each notification on `channel`, from this
    // process and from every other on the same data.
    virtual Result<std::unique_ptr<Subscription>> listen(std::string channel,
                                                         Listener listener) = 0;
};

}  // namespace colophon::storage
