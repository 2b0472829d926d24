// SPDX-License-Identifier: Apache-2.0
#include "storage/sqlite_store.h"

#include "core/assert.h"
#include "core/result.h"
#include "storage/internal/check.h"
#include "storage/internal/connection_pool.h"
#include "storage/internal/machine_lock.h"
#include "storage/internal/sqlite_connection.h"
#include "storage/internal/sqlite_follower.h"
#include "storage/limits.h"
#include "storage/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

constexpr std::int64_t kApplicationId = 0x436F6C6F;  // "Colo"
constexpr std::int64_t kStoreVersion = 1;
// 16 MB of WAL, then it is moved into the database. Rarely enough that the fsyncs of it do not
// count.
constexpr int kCheckpointPages = 4096;
constexpr int kWalPagesHigh = 16 * kCheckpointPages;
constexpr std::int64_t kForgetEvery = 1000;  // notifications
// A commit costs the processor as much for one work as for twenty. After a group of several the
// next one is waited for, until half as many more have come; whoever writes alone waits for nobody.
constexpr std::size_t kGroupWorthWaiting = 4;
constexpr std::chrono::milliseconds kGroupWait{1};

// What a body works on, inside a savepoint of the writer.
class SqliteTransaction final : public Transaction {
public:
    explicit SqliteTransaction(SqliteConnection& connection) : connection_(connection) {}

    Engine engine() const noexcept override { return Engine::kSqlite; }

    Result<Rows> query(Statement statement, const Values& parameters) override {
        TRY(check_values(parameters));
        return remember(connection_.query(statement.sql, parameters));
    }
    Result<void> visit(Statement statement, const Values& parameters,
                       const RowVisitor& row) override {
        TRY(check_values(parameters));
        bool visitor_failed = false;
        auto result = connection_.visit(statement.sql, parameters, [&](const Values& values) {
            auto each = row(values);
            visitor_failed = !each.ok();
            return each;
        });
        return visitor_failed ? std::move(result) : remember(std::move(result));
    }
    Result<std::int64_t> execute(Statement statement, const Values& parameters) override {
        TRY(check_values(parameters));
        return remember(connection_.execute(statement.sql, parameters));
    }
    Result<void> insert(const BulkInsert& rows) override {
        TRY(check_insert(rows));
        return remember(connection_.insert(rows));
    }
    Result<void> script(const std::string& sql) override {
        return remember(connection_.script(sql.c_str()));
    }
    void notify(Notification notification) override {
        notifications_.push_back(std::move(notification));
    }

    const std::vector<Notification>& notifications() const { return notifications_; }
    // The first error that the database gave, even if the body went over it.
    Result<void> verdict() const { return verdict_; }

private:
    template <class T>
    Result<T> remember(Result<T> result) {
        if (!result.ok() && verdict_.ok() && result.error().code != ErrorCode::kLimit) {
            verdict_ = result.error();
        }
        return result;
    }

    SqliteConnection& connection_;
    std::vector<Notification> notifications_;
    Result<void> verdict_;
};

class SqliteSnapshot final : public Snapshot {
public:
    explicit SqliteSnapshot(SqliteConnection& connection) : connection_(connection) {}

    Engine engine() const noexcept override { return Engine::kSqlite; }

    Result<Rows> query(Statement statement, const Values& parameters) override {
        TRY(check_values(parameters));
        return connection_.query(statement.sql, parameters);
    }
    Result<void> visit(Statement statement, const Values& parameters,
                       const RowVisitor& row) override {
        TRY(check_values(parameters));
        return connection_.visit(statement.sql, parameters, row);
    }

private:
    SqliteConnection& connection_;
};

// One caller that waits for the writer: a batch, or a body that lives at its caller's.
struct Work {
    Batch batch;
    const Store::TransactionBody* body = nullptr;
    Store::Done done;
};

Result<void> change_rows(SqliteConnection& writer, const Batch& batch) {
    for (const Operation& each : batch.operations) {
        const std::int64_t changed = TRY(writer.execute(each.statement.sql, each.parameters));
        const auto wanted = each.wanted_rows();
        if (wanted && changed != *wanted) {
            return Error{ErrorCode::kConflict,
                         fmt::format("a change met {} rows instead of {}", changed, *wanted)};
        }
    }
    for (const BulkInsert& each : batch.inserts) {
        TRY(writer.insert(each));
    }
    return {};
}

Result<void> write_notifications(SqliteConnection& writer, const std::vector<Notification>& list) {
    for (const Notification& each : list) {
        TRY(check_notification(each));
        TRY(writer.execute(kSqliteNotify, Values{text(each.channel), text(each.payload)}));
    }
    return {};
}

class SqliteStore final : public Store {
public:
    SqliteStore(std::string path, SqliteOptions options, MachineLock lock,
                std::unique_ptr<SqliteConnection> writer)
        : lock_(std::move(lock)),
          writer_(std::move(writer)),
          readers_(
              [path, options] {
                  return SqliteConnection::open(path, SqliteConnection::Role::kReader, options);
              },
              options.readers_max),
          follower_(std::move(path), std::move(options)),
          thread_([this] { run(); }) {}
    SqliteStore(const SqliteStore&) = delete;
    SqliteStore& operator=(const SqliteStore&) = delete;
    ~SqliteStore() override {
        {
            const std::scoped_lock lock(mutex_);
            stop_ = true;
        }
        waiting_changed_.notify_all();
        thread_.join();
        if (!writer_->sync_failed()) {
            // Who comes next starts with an empty WAL; when this fails it is as good as a crash.
            (void)writer_->checkpoint(SqliteConnection::Checkpoint::kTruncate);
        }
    }

    using Store::apply;
    Engine engine() const noexcept override { return Engine::kSqlite; }
    void apply(Batch batch, Done done) override;
    Result<void> transact(const TransactionBody& body) override;
    Result<void> snapshot(const SnapshotBody& body) override;
    Result<Rows> query(Statement statement, const Values& parameters) override;
    Result<std::unique_ptr<Subscription>> listen(std::string channel, Listener listener) override;

private:
    void run();
    bool enqueue(Work& work);
    std::vector<Work> take_group();
    void commit_group(std::vector<Work>& group);
    Result<void> run_one(const Work& work, bool apart);
    Result<void> run_group(const std::vector<Work>& group, bool apart,
                           std::vector<Result<void>>& outcomes);
    Result<void> run_work(const Work& work);
    Result<void> run_batch(const Batch& batch);
    void tidy_up();

    MachineLock lock_;
    std::unique_ptr<SqliteConnection> writer_;  // the thread's
    ConnectionPool<SqliteConnection> readers_;
    SqliteFollower follower_;
    std::int64_t notified_ = 0;               // the thread's
    bool notified_now_ = false;               // the thread's: by the group that is open
    int next_checkpoint_ = kCheckpointPages;  // the thread's, in pages of the WAL

    std::mutex mutex_;
    std::condition_variable waiting_changed_;
    std::deque<Work> waiting_;
    std::size_t last_group_ = 0;  // works in it
    std::size_t enough_ = 1;      // works that the thread waits for
    bool stop_ = false;
    std::thread thread_;  // last: it uses all of the above
};

bool SqliteStore::enqueue(Work& work) {
    bool wake = false;
    {
        const std::scoped_lock lock(mutex_);
        if (waiting_.size() >= kBatchesWaitingMax) {
            return false;
        }
        waiting_.push_back(std::move(work));
        wake = waiting_.size() >= enough_;
    }
    if (wake) {
        waiting_changed_.notify_one();
    }
    return true;
}

void SqliteStore::apply(Batch batch, Done done) {
    auto checked = check_batch(batch);
    if (!checked.ok()) {
        done(std::move(checked));
        return;
    }
    Work work{.batch = std::move(batch), .body = nullptr, .done = std::move(done)};
    if (!enqueue(work)) {
        work.done(Error{ErrorCode::kLimit, "too many writes wait for the database"});
    }
}

Result<void> SqliteStore::transact(const TransactionBody& body) {
    COLOPHON_ASSERT(std::this_thread::get_id() != thread_.get_id());
    const auto outcome = std::make_shared<std::promise<Result<void>>>();
    auto answer = outcome->get_future();
    Work work{.batch = {}, .body = &body, .done = [outcome](Result<void> result) {
                  outcome->set_value(std::move(result));
              }};
    if (!enqueue(work)) {
        return Error{ErrorCode::kLimit, "too many writes wait for the database"};
    }
    return answer.get();
}

Result<void> SqliteStore::snapshot(const SnapshotBody& body) {
    return readers_.with([&body](SqliteConnection& connection) -> Result<void> {
        TRY(connection.script("BEGIN"));
        SqliteSnapshot view(connection);
        auto result = body(view);
        auto ended = connection.script("ROLLBACK");
        return result.ok() ? std::move(ended) : std::move(result);
    });
}

Result<Rows> SqliteStore::query(Statement statement, const Values& parameters) {
    TRY(check_values(parameters));
    return readers_.with(
        [&](SqliteConnection& connection) { return connection.query(statement.sql, parameters); });
}

Result<std::unique_ptr<Subscription>> SqliteStore::listen(std::string channel, Listener listener) {
    TRY(check_channel(channel));
    return follower_.listen(std::move(channel), std::move(listener));
}

std::vector<Work> SqliteStore::take_group() {
    std::unique_lock lock(mutex_);
    waiting_changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    if (last_group_ >= kGroupWorthWaiting) {
        enough_ = last_group_ + last_group_ / 2;
        waiting_changed_.wait_for(lock, kGroupWait,
                                  [this] { return stop_ || waiting_.size() >= enough_; });
        enough_ = 1;
    }
    const std::size_t count = std::min(waiting_.size(), kGroupMax);
    std::vector<Work> group(
        std::make_move_iterator(waiting_.begin()),
        std::make_move_iterator(waiting_.begin() + static_cast<std::ptrdiff_t>(count)));
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    last_group_ = count;
    return group;
}

void SqliteStore::run() {
    for (;;) {
        std::vector<Work> group = take_group();
        if (group.empty()) {
            return;  // stopped, and nobody waits
        }
        commit_group(group);
        tidy_up();
    }
}

Result<void> SqliteStore::run_batch(const Batch& batch) {
    if (!batch.leaves_remains) {
        return change_rows(*writer_, batch);
    }
    TRY(writer_->script("PRAGMA secure_delete=FAST"));
    auto result = change_rows(*writer_, batch);
    auto restored = writer_->script("PRAGMA secure_delete=ON");
    return result.ok() ? std::move(restored) : std::move(result);
}

Result<void> SqliteStore::run_work(const Work& work) {
    if (work.body == nullptr) {
        TRY(run_batch(work.batch));
        notified_now_ = notified_now_ || !work.batch.notifications.empty();
        return write_notifications(*writer_, work.batch.notifications);
    }
    SqliteTransaction transaction(*writer_);
    TRY((*work.body)(transaction));
    TRY(transaction.verdict());
    notified_now_ = notified_now_ || !transaction.notifications().empty();
    return write_notifications(*writer_, transaction.notifications());
}

// Apart: what a work that fails has done is taken back, and the transaction goes on.
Result<void> SqliteStore::run_one(const Work& work, bool apart) {
    if (!apart) {
        return run_work(work);
    }
    TRY(writer_->execute("SAVEPOINT one", {}));
    auto result = run_work(work);
    // Some errors (a full disk) end the whole transaction by themselves.
    if (!result.ok() && writer_->in_transaction()) {
        TRY(writer_->execute("ROLLBACK TO one", {}));
    }
    if (writer_->in_transaction()) {
        TRY(writer_->execute("RELEASE one", {}));
    }
    return result;
}

// Begins a transaction and runs the works in it. Not apart, it ends with the first that fails. An
// error is that of all of them.
Result<void> SqliteStore::run_group(const std::vector<Work>& group, bool apart,
                                    std::vector<Result<void>>& outcomes) {
    notified_now_ = false;
    TRY(writer_->execute("BEGIN IMMEDIATE", {}));
    for (std::size_t i = 0; i < group.size(); ++i) {
        outcomes[i] = run_one(group[i], apart);
        if (!writer_->in_transaction()) {
            COLOPHON_ASSERT(!outcomes[i].ok());  // a body cannot end the transaction
            return outcomes[i].error();
        }
        if (!apart && !outcomes[i].ok()) {
            break;
        }
    }
    return {};
}

void SqliteStore::commit_group(std::vector<Work>& group) {
    std::vector<Result<void>> outcomes(group.size());
    Result<void> common;
    if (writer_->sync_failed()) {
        common = Error{ErrorCode::kUnavailable,
                       "the disk failed to keep what was written; nothing more is taken until the "
                       "database is opened again"};
    } else {
        // A savepoint for each copies each page that the next one changes, so they are for groups
        // in which one failed; that is seldom, and then all of them run again.
        common = run_group(group, false, outcomes);
        const bool failed = !common.ok() || std::ranges::any_of(outcomes, [](const auto& outcome) {
            return !outcome.ok();
        });
        if (failed && group.size() > 1) {
            if (writer_->in_transaction()) {
                (void)writer_->execute("ROLLBACK", {});
            }
            std::ranges::fill(outcomes, Result<void>());
            common = run_group(group, true, outcomes);
        }
    }
    const bool commits = common.ok() && (group.size() > 1 || outcomes[0].ok());
    if (commits) {
        const auto committed = writer_->execute("COMMIT", {});
        common = committed.ok() ? Result<void>() : Result<void>(committed.error());
    }
    if (writer_->in_transaction()) {
        // When even this fails, the next BEGIN does, and says so.
        (void)writer_->execute("ROLLBACK", {});
    }
    if (common.ok() && notified_now_) {
        follower_.wake();
    }
    for (std::size_t i = 0; i < group.size(); ++i) {
        // Who failed for a reason of its own hears that reason.
        const bool own = common.ok() || !outcomes[i].ok();
        group[i].done(own ? std::move(outcomes[i]) : common);
    }
}

// Between two groups, when nobody waits for the outcome.
void SqliteStore::tidy_up() {
    if (writer_->sync_failed()) {
        return;
    }
    notified_ += notified_now_ ? 1 : 0;
    if (notified_ >= kForgetEvery) {
        notified_ = 0;
        (void)writer_->execute(kSqliteForgetNotifications, {});
    }
    const int pages = writer_->wal_pages();
    if (pages < next_checkpoint_ - kCheckpointPages) {
        next_checkpoint_ = kCheckpointPages;  // the WAL has begun again
    }
    if (pages >= next_checkpoint_) {
        next_checkpoint_ = pages + kCheckpointPages;
        // Readers may hold the WAL back; when it has grown too far, it is they who are waited for.
        (void)writer_->checkpoint(pages >= kWalPagesHigh ? SqliteConnection::Checkpoint::kTruncate
                                                         : SqliteConnection::Checkpoint::kPassive);
    }
}

// A file that holds nothing yet becomes ours; any other must say that it is.
Result<void> make_or_check(SqliteConnection& writer, const std::string& path) {
    std::int64_t id = TRY(writer.integer("PRAGMA application_id"));
    const std::int64_t things = TRY(writer.integer("SELECT COUNT(*) FROM sqlite_schema"));
    if (id != kApplicationId && (id != 0 || things != 0)) {
        return Error{ErrorCode::kCorrupt, fmt::format("{} is no database of Colophon", path)};
    }
    const std::int64_t version = TRY(writer.integer("PRAGMA user_version"));
    if (version > kStoreVersion) {
        return Error{
            ErrorCode::kConflict,
            fmt::format("{} was made by a newer Colophon (version {} of the file)", path, version)};
    }
    TRY(writer.script("PRAGMA journal_mode=WAL"));
    if (version < kStoreVersion) {
        TRY(writer.script("BEGIN IMMEDIATE"));
        TRY(writer.script(kSqliteNotificationsTable));
        TRY(writer.script(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}; COMMIT",
                                      kApplicationId, kStoreVersion)
                              .c_str()));
    }
    return {};
}

// What is in it is nobody else's business; SQLite gives the files beside it the same mode. Only a
// new file: closing one that this process has open elsewhere would drop SQLite's locks on it.
void create_private(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
    }
}

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(const std::string& path, const SqliteOptions& options) {
    MachineLock lock = TRY(MachineLock::take(path + ".lock"));
    if (options.create) {
        create_private(path);
    }
    auto writer = TRY(SqliteConnection::open(path, SqliteConnection::Role::kWriter, options));
    TRY(make_or_check(*writer, path));
    // After a crash or a failed fsync the last good state is the WAL's; this writes it anew.
    // Another process that has the file open may hold it back, and then vouches for the WAL itself.
    TRY(writer->checkpoint(SqliteConnection::Checkpoint::kTruncate));
    return std::unique_ptr<Store>(
        std::make_unique<SqliteStore>(path, options, std::move(lock), std::move(writer)));
}

}  // namespace colophon::storage
