// SPDX-License-Identifier: Apache-2.0
#include "storage/postgres_store.h"

#include "core/result.h"
#include "storage/internal/check.h"
#include "storage/internal/connection_pool.h"
#include "storage/internal/postgres_connection.h"
#include "storage/internal/postgres_listener.h"
#include "storage/limits.h"
#include "storage/store.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

constexpr int kAttemptsMax = 12;
// A serializable transaction that met others is tried for so long at least: on a busy machine a
// dozen attempts are over before anybody else has come to an end, and somebody always gets on.
constexpr std::chrono::seconds kAttemptsTime{10};
constexpr const char* kNotify = "SELECT pg_notify($1, $2)";
const Values kNoValues;

// What a body works on. The server ends a transaction in which a statement failed; the first such
// error is the verdict, whatever the body makes of it.
class PostgresTransaction final : public Transaction {
public:
    explicit PostgresTransaction(PostgresConnection& connection) : connection_(connection) {}

    Engine engine() const noexcept override { return Engine::kPostgres; }

    Result<Rows> query(Statement statement, const Values& parameters) override {
        TRY(check_values(parameters));
        return remember(connection_.query(sql_for(statement, Engine::kPostgres), parameters));
    }
    Result<void> visit(Statement statement, const Values& parameters,
                       const RowVisitor& row) override {
        TRY(check_values(parameters));
        bool visitor_failed = false;
        auto result = connection_.visit(sql_for(statement, Engine::kPostgres), parameters,
                                        [&](const Values& values) {
                                            auto each = row(values);
                                            visitor_failed = !each.ok();
                                            return each;
                                        });
        return visitor_failed ? std::move(result) : remember(std::move(result));
    }
    Result<std::int64_t> execute(Statement statement, const Values& parameters) override {
        TRY(check_values(parameters));
        return remember(connection_.execute(sql_for(statement, Engine::kPostgres), parameters));
    }
    Result<void> insert(const BulkInsert& rows) override {
        TRY(check_insert(rows));
        return remember(connection_.insert(rows));
    }
    Result<void> script(const std::string& sql) override {
        return remember(connection_.script(sql));
    }
    void notify(Notification notification) override {
        notifications_.push_back(std::move(notification));
    }

    Result<void> send_notifications() {
        for (const Notification& each : notifications_) {
            TRY(check_notification(each));
            TRY(remember(
                connection_.query(kNotify, Values{text(each.channel), text(each.payload)})));
        }
        return {};
    }
    Result<void> verdict() const { return verdict_; }
    bool may_repeat() const { return may_repeat_; }

private:
    template <class T>
    Result<T> remember(Result<T> result) {
        if (!result.ok() && verdict_.ok() && result.error().code != ErrorCode::kLimit) {
            verdict_ = result.error();
            may_repeat_ = connection_.broken() || connection_.may_repeat();
        }
        return result;
    }

    PostgresConnection& connection_;
    std::vector<Notification> notifications_;
    Result<void> verdict_;
    bool may_repeat_ = false;
};

struct Work {
    Batch batch;
    Store::Done done;
};

using Step = PostgresConnection::Step;

void add_steps(const Work& work, std::vector<Step>& steps) {
    for (const Operation& each : work.batch.operations) {
        steps.push_back({.sql = sql_for(each.statement, Engine::kPostgres),
                         .parameters = &each.parameters,
                         .rows = each.wanted_rows()});
    }
}

void wait_before_attempt(int attempt) {
    // The nanoseconds of the clock part those who collided.
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    const std::int64_t most = std::int64_t{1000} << std::min(attempt, 6);
    std::this_thread::sleep_for(std::chrono::microseconds(most / 2 + now % (most / 2)));
}

class PostgresStore final : public Store {
public:
    PostgresStore(const PostgresAddress& address, const PostgresOptions& options)
        : open_writer_([address, options] {
              return PostgresConnection::open(address, PostgresConnection::Role::kWriter, options);
          }),
          transactions_(open_writer_, options.connections_max),
          readers_(
              [address, options] {
                  return PostgresConnection::open(address, PostgresConnection::Role::kReader,
                                                  options);
              },
              options.connections_max),
          listener_(address, options),
          statement_max_(options.statement_max) {
        for (std::size_t i = 0; i < std::max<std::size_t>(options.writers, 1); ++i) {
            threads_.emplace_back([this] { run(); });
        }
    }
    PostgresStore(const PostgresStore&) = delete;
    PostgresStore& operator=(const PostgresStore&) = delete;
    ~PostgresStore() override {
        {
            const std::scoped_lock lock(mutex_);
            stop_ = true;
        }
        waiting_changed_.notify_all();
        for (std::thread& each : threads_) {
            each.join();
        }
    }
    void add_connection(std::unique_ptr<PostgresConnection> connection) {
        transactions_.add(std::move(connection));
    }

    using Store::apply;
    Engine engine() const noexcept override { return Engine::kPostgres; }
    void apply(Batch batch, Done done) override;
    Result<void> transact(const TransactionBody& body) override;
    Result<void> snapshot(const SnapshotBody& body) override;
    Result<Rows> query(Statement statement, const Values& parameters) override;
    Result<std::unique_ptr<Subscription>> listen(std::string channel, Listener listener) override;

private:
    void run();
    bool enqueue(Work& work);
    std::vector<Work> take_group();
    static Result<void> run_body(PostgresConnection& connection, const TransactionBody& body,
                                 bool& repeat);

    ConnectionPool<PostgresConnection>::Open open_writer_;
    ConnectionPool<PostgresConnection> transactions_;
    ConnectionPool<PostgresConnection> readers_;
    PostgresListener listener_;
    std::chrono::milliseconds statement_max_;

    std::mutex mutex_;
    std::condition_variable waiting_changed_;
    std::deque<Work> waiting_;
    bool stop_ = false;
    std::vector<std::thread> threads_;  // last: they use all of the above
};

// What one thread does with the batches that it took.
class Group {
public:
    Group(PostgresConnection& connection, std::vector<Work>& works)
        : connection_(connection), works_(works) {}

    void commit() {
        std::vector<std::size_t> together;
        std::vector<std::size_t> alone;
        for (std::size_t i = 0; i < works_.size(); ++i) {
            // COPY cannot travel in a pipeline.
            const bool bulk = !works_[i].batch.inserts.empty();
            (bulk ? alone : together).push_back(i);
        }
        commit_together(std::move(together), alone);
        for (const std::size_t each : alone) {
            finish(each, commit_alone(works_[each]));
        }
    }

private:
    // Leaves out who makes the group fail; what is wrong with it is found out when it is alone.
    void commit_together(std::vector<std::size_t> members, std::vector<std::size_t>& alone) {
        for (int attempt = 0; members.size() > 1 && attempt < kAttemptsMax; ++attempt) {
            const auto failed = send(members);
            if (!failed) {
                for (const std::size_t each : members) {
                    finish(each, {});
                }
                return;
            }
            if (connection_.broken()) {
                for (const std::size_t each : members) {
                    finish(each, failed->error);
                }
                return;
            }
            if (connection_.may_repeat()) {
                wait_before_attempt(attempt);
            } else if (owner_ < members.size()) {
                alone.push_back(members[owner_]);
                members.erase(members.begin() + static_cast<std::ptrdiff_t>(owner_));
            } else {
                break;
            }
        }
        alone.insert(alone.end(), members.begin(), members.end());
    }

    // BEGIN, all members, COMMIT in one round trip. After a failure owner_ is the place of the
    // member that failed, or members.size().
    std::optional<PostgresConnection::Failure> send(const std::vector<std::size_t>& members) {
        std::vector<Step> steps{{.sql = "BEGIN", .parameters = &kNoValues}};
        std::vector<Values> notifications = notifications_of(members);
        std::vector<std::size_t> ends;
        auto notification = notifications.cbegin();
        for (const std::size_t each : members) {
            add_steps(works_[each], steps);
            for (std::size_t i = 0; i < works_[each].batch.notifications.size(); ++i) {
                steps.push_back({.sql = kNotify, .parameters = &*notification++});
            }
            ends.push_back(steps.size());
        }
        steps.push_back({.sql = "COMMIT", .parameters = &kNoValues});
        auto failed = connection_.pipeline(steps);
        if (failed) {
            const auto end = std::ranges::upper_bound(ends, failed->step);
            owner_ =
                failed->step == 0 ? members.size() : static_cast<std::size_t>(end - ends.begin());
            roll_back();
        }
        return failed;
    }

    std::vector<Values> notifications_of(const std::vector<std::size_t>& members) const {
        std::vector<Values> all;
        for (const std::size_t member : members) {
            for (const Notification& each : works_[member].batch.notifications) {
                all.push_back(Values{text(each.channel), text(each.payload)});
            }
        }
        return all;
    }

    Result<void> commit_alone(const Work& work) {
        if (connection_.broken()) {
            return Error{ErrorCode::kUnavailable, "the connection to the database was lost"};
        }
        for (int attempt = 0;; ++attempt) {
            auto result = try_alone(work);
            if (result.ok() || connection_.broken()) {
                return result;
            }
            const bool repeat = connection_.may_repeat();
            roll_back();
            if (!repeat || attempt >= kAttemptsMax) {
                return result;
            }
            wait_before_attempt(attempt);
        }
    }

    Result<void> try_alone(const Work& work) {
        if (work.batch.inserts.empty()) {
            const auto index = static_cast<std::size_t>(&work - works_.data());
            auto failed = send({index});
            return failed ? Result<void>(std::move(failed->error)) : Result<void>();
        }
        std::vector<Step> steps{{.sql = "BEGIN", .parameters = &kNoValues}};
        add_steps(work, steps);
        if (auto failed = connection_.pipeline(steps)) {
            return std::move(failed->error);
        }
        for (const BulkInsert& each : work.batch.inserts) {
            TRY(connection_.insert(each));
        }
        for (const Notification& each : work.batch.notifications) {
            TRY(connection_.query(kNotify, Values{text(each.channel), text(each.payload)}));
        }
        return connection_.script("COMMIT");
    }

    void roll_back() {
        if (!connection_.broken() && connection_.in_transaction()) {
            // When this fails the connection is broken, and the server rolls back.
            (void)connection_.script("ROLLBACK");
        }
    }

    void finish(std::size_t index, Result<void> outcome) { works_[index].done(std::move(outcome)); }

    PostgresConnection& connection_;
    std::vector<Work>& works_;
    std::size_t owner_ = 0;
};

void PostgresStore::apply(Batch batch, Done done) {
    auto checked = check_batch(batch);
    if (!checked.ok()) {
        done(std::move(checked));
        return;
    }
    Work work{.batch = std::move(batch), .done = std::move(done)};
    if (!enqueue(work)) {
        work.done(Error{ErrorCode::kLimit, "too many writes wait for the database"});
    }
}

bool PostgresStore::enqueue(Work& work) {
    {
        const std::scoped_lock lock(mutex_);
        if (waiting_.size() >= kBatchesWaitingMax) {
            return false;
        }
        waiting_.push_back(std::move(work));
    }
    waiting_changed_.notify_one();
    return true;
}

std::vector<Work> PostgresStore::take_group() {
    std::unique_lock lock(mutex_);
    waiting_changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    const std::size_t count = std::min(waiting_.size(), kGroupMax);
    std::vector<Work> group;
    group.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        group.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    return group;
}

void PostgresStore::run() {
    std::unique_ptr<PostgresConnection> connection;
    for (;;) {
        std::vector<Work> group = take_group();
        if (group.empty()) {
            return;  // stopped, and nobody waits
        }
        if (connection == nullptr || !connection->alive()) {
            connection.reset();
            auto opened = open_writer_();
            if (!opened.ok()) {
                for (Work& each : group) {
                    each.done(opened.error());
                }
                continue;
            }
            connection = std::move(opened).value();
        }
        Group(*connection, group).commit();
    }
}

// `repeat` says afterwards whether the same may succeed another time.
Result<void> PostgresStore::run_body(PostgresConnection& connection, const TransactionBody& body,
                                     bool& repeat) {
    repeat = false;
    if (auto begun = connection.script("BEGIN ISOLATION LEVEL SERIALIZABLE"); !begun.ok()) {
        repeat = connection.broken();
        return begun;
    }
    PostgresTransaction transaction(connection);
    Result<void> outcome = body(transaction);
    if (outcome.ok() && transaction.verdict().ok()) {
        outcome = transaction.send_notifications();
    }
    if (!transaction.verdict().ok()) {
        repeat = transaction.may_repeat();
        return outcome.ok() ? transaction.verdict() : outcome;
    }
    if (outcome.ok()) {
        // From here on a lost connection leaves it open what became of it.
        outcome = connection.script("COMMIT");
        repeat = !outcome.ok() && !connection.broken() && connection.may_repeat();
    }
    return outcome;
}

Result<void> PostgresStore::transact(const TransactionBody& body) {
    const auto until = std::chrono::steady_clock::now() + kAttemptsTime;
    for (int attempt = 0;; ++attempt) {
        bool repeat = false;
        auto result = transactions_.with([&](PostgresConnection& connection) -> Result<void> {
            auto outcome = run_body(connection, body, repeat);
            if (!connection.broken() && connection.in_transaction()) {
                (void)connection.script("ROLLBACK");  // a failure shows as broken()
            }
            return outcome;
        });
        const bool over = attempt >= kAttemptsMax && std::chrono::steady_clock::now() >= until;
        if (result.ok() || !repeat || over) {
            return result;
        }
        wait_before_attempt(attempt);
    }
}

Result<void> PostgresStore::snapshot(const SnapshotBody& body) {
    bool begun = false;
    const auto view_once = [&](PostgresConnection& connection) -> Result<void> {
        // An export may take longer than a request.
        connection.set_patience(std::chrono::minutes(10));
        TRY(
            connection.script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                              "SET LOCAL statement_timeout = 0"));
        begun = true;
        PostgresTransaction view(connection);
        Result<void> outcome = body(view);
        if (!connection.broken()) {
            (void)connection.script("ROLLBACK");  // a failure shows as broken()
        }
        connection.set_patience(statement_max_ + std::chrono::seconds(5));
        return outcome;
    };
    auto outcome = readers_.with(view_once);
    // A connection that died while it was idle; the body has not run yet.
    if (!outcome.ok() && !begun && outcome.error().code == ErrorCode::kUnavailable) {
        outcome = readers_.with(view_once);
    }
    return outcome;
}

Result<Rows> PostgresStore::query(Statement statement, const Values& parameters) {
    TRY(check_values(parameters));
    for (bool again = true;; again = false) {
        bool lost = false;
        auto rows = readers_.with([&](PostgresConnection& connection) {
            auto answer = connection.query(sql_for(statement, Engine::kPostgres), parameters);
            lost = connection.broken();
            return answer;
        });
        // What only reads may be asked twice.
        if (rows.ok() || !lost || !again) {
            return rows;
        }
    }
}

Result<std::unique_ptr<Subscription>> PostgresStore::listen(std::string channel,
                                                            Listener listener) {
    TRY(check_channel(channel));
    return listener_.listen(std::move(channel), std::move(listener));
}

}  // namespace

Result<std::unique_ptr<Store>> open_postgres(const std::string& url,
                                             const PostgresOptions& options) {
    const PostgresAddress address = TRY(parse_postgres_address(url, options));
    auto connection =
        TRY(PostgresConnection::open(address, PostgresConnection::Role::kWriter, options));
    auto store = std::make_unique<PostgresStore>(address, options);
    store->add_connection(std::move(connection));
    return std::unique_ptr<Store>(std::move(store));
}

}  // namespace colophon::storage
