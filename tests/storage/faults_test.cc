// SPDX-License-Identifier: Apache-2.0
// What is left after the disk failed, the process was killed or the server was: everything that was
// acknowledged, and of everything else all or nothing.
#include "core/bytes.h"
#include "core/random.h"
#include "core/result.h"
#include "storage/engines.h"
#include "storage/postgres_store.h"
#include "storage/sqlite_store.h"
#include "storage/store.h"
#include "support/cutting_proxy.h"
#include "support/fault_vfs.h"
#include "support/postgres_server.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

constexpr std::int64_t kBatches = 12;

// One batch is two rows; half a batch is a fault.
Batch batch_of(std::int64_t id) {
    Batch batch;
    for (const std::int64_t row : {2 * id, 2 * id + 1}) {
        batch.operations.push_back({.statement = {"INSERT INTO events (id, data) VALUES ($1, $2)"},
                                    .parameters = {integer(row), bytes(Buffer(300, 0x5A))}});
    }
    return batch;
}

void make_events(Store& store) {
    good(store.transact([](Transaction& transaction) {
        return transaction.script(transaction.engine() == Engine::kSqlite
                                      ? "CREATE TABLE events (id INTEGER PRIMARY KEY, data BLOB)"
                                      : "CREATE TABLE events (id BIGINT PRIMARY KEY, data BYTEA)");
    }));
}

std::set<std::int64_t> rows_of(Store& store) {
    std::set<std::int64_t> ids;
    good(store.snapshot([&](Snapshot& snapshot) {
        return snapshot.visit({"SELECT id FROM events"}, {}, [&](const Values& row) {
            ids.insert(std::get<std::int64_t>(row[0]));
            return Result<void>();
        });
    }));
    return ids;
}

// What was lost of `acknowledged`, and what is there by half.
void check_events(Store& store, const std::set<std::int64_t>& acknowledged) {
    const std::set<std::int64_t> rows = rows_of(store);
    std::size_t lost = 0;
    std::size_t half = 0;
    for (const std::int64_t id : acknowledged) {
        lost += rows.contains(2 * id) && rows.contains(2 * id + 1) ? 0U : 1U;
    }
    for (const std::int64_t row : rows) {
        half += rows.contains(row ^ 1) ? 0U : 1U;
    }
    CHECK(lost == 0);
    CHECK(half == 0);
}

// Opens, writes, closes on the failing disk; returns what was acknowledged. An acknowledgement
// after a failed sync is a fault of its own.
std::set<std::int64_t> work_on_bad_disk(const std::string& path) {
    std::set<std::int64_t> acknowledged;
    SqliteOptions options;
    options.vfs = test::FaultVfs::kName;
    options.busy = std::chrono::milliseconds(50);
    auto store = open_sqlite(path, options);
    if (!store.ok()) {
        CHECK(store.error().code == ErrorCode::kUnavailable);
        return acknowledged;
    }
    for (std::int64_t id = 0; id < kBatches; ++id) {
        const bool suspect = test::FaultVfs::sync_struck();
        const auto outcome =
            id % 4 == 3 ? (*store)->transact([id](Transaction& transaction) -> Result<void> {
                for (const Operation& each : batch_of(id).operations) {
                    TRY(transaction.execute(each.statement, each.parameters));
                }
                return {};
            })
                        : (*store)->apply(batch_of(id));
        if (outcome.ok()) {
            CHECK_FALSE(suspect);
            acknowledged.insert(id);
        } else {
            CHECK(outcome.error().code == ErrorCode::kUnavailable);
        }
    }
    return acknowledged;
}

void check_after_fault(const std::string& path, const std::set<std::int64_t>& acknowledged) {
    SqliteOptions options;
    options.vfs = test::FaultVfs::kName;  // disarmed: it is the disk without its waits
    const auto store = good(open_sqlite(path, options));
    const Rows verdict =
        good(store->query({"SELECT integrity_check FROM pragma_integrity_check"}, {}));
    CHECK(good(verdict.text(0, 0)) == "ok");
    check_events(*store, acknowledged);
    good(store->apply(batch_of(1'000'000)));  // it works again
}

// Each test of a disk runs on both kinds: only on the second one the log is gathered.
test::FaultVfs::Overwrite a_disk() {
    auto overwrite = test::FaultVfs::Overwrite::kMayDamage;
    SUBCASE("a write that is cut off may damage what lies beside it") {}
    SUBCASE("a write that is cut off damages nothing else") {
        overwrite = test::FaultVfs::Overwrite::kSafe;
    }
    return overwrite;
}

// A new database with the table, closed.
std::string fresh_database(const test::TempDir& dir, int number) {
    const std::string path = dir.file(std::to_string(number) + ".db");
    SqliteOptions options;
    options.vfs = test::FaultVfs::kName;
    make_events(*good(open_sqlite(path, options)));
    return path;
}

int kills() {
    const char* text = std::getenv("COLOPHON_KILLS");
    return text == nullptr ? 0 : std::atoi(text);
}

// A child that writes with eight threads and says on the pipe what was acknowledged, until it is
// killed.
[[noreturn]] void write_until_killed(const TestStore& place, int pipe, std::int64_t first) {
    auto opened = place.engine() == Engine::kSqlite ? open_sqlite(place.address())
                                                    : open_postgres(place.address());
    if (!opened.ok()) {
        _exit(1);
    }
    std::atomic<std::int64_t> next = first;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            for (;;) {
                const std::int64_t id = next++;
                if ((*opened)->apply(batch_of(id)).ok() &&
                    write(pipe, &id, sizeof id) != sizeof id) {
                    _exit(1);
                }
            }
        });
    }
    for (std::thread& each : threads) {
        each.join();
    }
    _exit(0);
}

void kill_writers(Engine engine, int rounds) {
    TestStore place(engine);
    make_events(*place);
    place.close();
    SeededRandom random(42);
    std::set<std::int64_t> acknowledged;
    for (int round = 0; round < rounds; ++round) {
        std::array<int, 2> ends{};
        REQUIRE(pipe(ends.data()) == 0);
        const pid_t child = fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            close(ends[0]);
            write_until_killed(place, ends[1], std::int64_t{round} * 1'000'000);
        }
        close(ends[1]);
        // Killed at some time after its first acknowledgement.
        const std::size_t enough = 1 + good(random.next()) % 200;
        std::int64_t id = 0;
        for (std::size_t seen = 0; read(ends[0], &id, sizeof id) == sizeof id; ++seen) {
            acknowledged.insert(id);
            if (seen == enough) {
                kill(child, SIGKILL);
            }
        }
        close(ends[0]);
        int status = 0;
        waitpid(child, &status, 0);
        CHECK(WIFSIGNALED(status));
        place.reopen();
        check_events(*place, acknowledged);
        place.close();
    }
    CHECK(acknowledged.size() > static_cast<std::size_t>(rounds));
}

}  // namespace

TEST_CASE(
    "power is cut after any write: what was not synced is gone, what was acknowledged is not") {
    const test::TempDir dir;
    const test::FaultVfs vfs(a_disk());
    for (std::int64_t at = 1;; ++at) {
        const std::string path = fresh_database(dir, static_cast<int>(at));
        CAPTURE(at);
        test::FaultVfs::arm(test::Fault::kShortWrite, at, true);
        const auto acknowledged = work_on_bad_disk(path);
        const bool struck = test::FaultVfs::struck();
        test::FaultVfs::disarm();
        test::FaultVfs::cut_power();
        check_after_fault(path, acknowledged);
        if (!struck) {
            break;
        }
    }
}

TEST_CASE("a full disk fails writes and goes on when there is room again") {
    const test::TempDir dir;
    const test::FaultVfs vfs(a_disk());
    const std::string path = fresh_database(dir, 1);
    SqliteOptions options;
    options.vfs = test::FaultVfs::kName;
    const auto store = good(open_sqlite(path, options));
    good(store->apply(batch_of(1)));
    test::FaultVfs::arm(test::Fault::kFull, 1, true);
    CHECK(code_of(store->apply(batch_of(2))) == ErrorCode::kUnavailable);
    CHECK(rows_of(*store).size() == 2);  // reading goes on
    test::FaultVfs::disarm();
    good(store->apply(batch_of(3)));
}

TEST_CASE("after a failed sync nothing is acknowledged until the database is opened again") {
    const test::TempDir dir;
    const test::FaultVfs vfs(a_disk());
    const std::string path = fresh_database(dir, 1);
    SqliteOptions options;
    options.vfs = test::FaultVfs::kName;
    auto store = good(open_sqlite(path, options));
    good(store->apply(batch_of(1)));
    // The first fault that hits a sync; earlier ones fail a write and are forgiven.
    for (std::int64_t at = 1; !test::FaultVfs::sync_struck(); ++at) {
        test::FaultVfs::arm(test::Fault::kError, at, false);
        CHECK_FALSE(store->apply(batch_of(100 + at)).ok());
    }
    test::FaultVfs::disarm();
    CHECK(code_of(store->apply(batch_of(2))) == ErrorCode::kUnavailable);
    CHECK(code_of(store->transact([](Transaction&) { return Result<void>(); })) ==
          ErrorCode::kUnavailable);
    store.reset();
    store = good(open_sqlite(path, options));
    good(store->apply(batch_of(2)));
    check_events(*store, {1, 2});
}

TEST_CASE("connections of PostgreSQL that are cut under load lose nothing acknowledged") {
    TestStore store(Engine::kPostgres);
    make_events(*store);
    Collected<std::string> heard;
    const auto subscription = good(
        store->listen("changes", [&](std::string_view what) { heard.add(std::string(what)); }));
    std::atomic<bool> stop = false;
    std::array<std::set<std::int64_t>, 8> acknowledged;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < acknowledged.size(); ++i) {
        threads.emplace_back([&, i] {
            for (auto id = static_cast<std::int64_t>(i) * 1'000'000; !stop.load(); ++id) {
                const auto outcome = store->apply(batch_of(id));
                if (outcome.ok()) {
                    acknowledged[i].insert(id);
                } else {
                    CHECK(outcome.error().code == ErrorCode::kUnavailable);
                }
            }
        });
    }
    for (int round = 0; round < 10; ++round) {
        test::PostgresServer::shared().psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'colophon'");
    }
    stop = true;
    std::set<std::int64_t> all;
    for (std::size_t i = 0; i < threads.size(); ++i) {
        threads[i].join();
        all.insert(acknowledged[i].begin(), acknowledged[i].end());
    }
    CHECK(all.size() > 10);
    check_events(*store, all);
    CHECK(heard.wait_for(1).front().empty());  // the listener knows that it may have missed some
    // The last cut may have come after that; what was told meanwhile is an empty payload, too.
    for (int attempt = 0; attempt < 20 && heard.now().back() != "again"; ++attempt) {
        const std::size_t before = heard.now().size();
        Batch batch;
        batch.notifications.push_back({.channel = "changes", .payload = "again"});
        good(store->apply(std::move(batch)));
        heard.wait_for(before + 1);
    }
    CHECK(heard.now().back() == "again");
}

TEST_CASE(
    "a connection that is cut before, in or after a commit leaves all of a batch or nothing") {
    TestStore direct(Engine::kPostgres);
    make_events(*direct);
    test::CuttingProxy proxy(test::PostgresServer::shared().socket_path());
    PostgresOptions options;
    options.writers = 1;
    const auto store = good(open_postgres(
        test::PostgresServer::shared().through(direct.address(), proxy.port()), options));
    std::set<std::int64_t> acknowledged;
    std::set<std::int64_t> unknown;
    std::int64_t id = 0;
    const auto attempt = [&] {
        const std::int64_t mine = id++;
        const auto outcome = store->apply(batch_of(mine));
        if (!outcome.ok()) {
            CHECK(outcome.error().code == ErrorCode::kUnavailable);
        }
        (outcome.ok() ? acknowledged : unknown).insert(mine);
    };
    for (int round = 0; round < 30; ++round) {
        attempt();
        const int before = proxy.cuts();
        proxy.arm(static_cast<test::Cut>(round % 3), 300);
        attempt();
        CHECK(proxy.cuts() == before + 1);
        attempt();  // finds a new connection
    }
    CHECK(unknown.size() == 30);
    check_events(*direct, acknowledged);
    const std::set<std::int64_t> rows = rows_of(*direct);
    std::size_t kept = 0;
    for (const std::int64_t each : unknown) {
        kept += rows.contains(2 * each) ? 1U : 0U;
        // Who must know asks again by a key of his own: it is there, or it is kept now.
        const auto again = store->apply(batch_of(each));
        CHECK((again.ok() != rows.contains(2 * each)));
    }
    CHECK(kept == 10);  // those whose commit was done and whose answer was cut off
}

TEST_CASE("no message has the password of the database in it") {
    const std::string secret = "s3cr3t-w0rd";
    const std::vector<std::string> addresses{
        "postgres://user:" + secret + "@127.0.0.1:1/name?connect_timeout=2",
        "postgres://user:" + secret + "@[bad",
        "postgres://user:" + secret + "@localhost:99999999/x",
        "postgres://colophon:" + secret +
            "@/missing?host=" + test::PostgresServer::shared().folder(),
    };
    for (const std::string& each : addresses) {
        const auto opened = open_postgres(each);
        REQUIRE_FALSE(opened.ok());
        CHECK(opened.error().what.find(secret) == std::string::npos);
    }
}

TEST_SUITE("slow") {
    TEST_CASE(
        "whatever operation of the disk fails, once or from then on, nothing acknowledged is "
        "lost") {
        const test::TempDir dir;
        const test::FaultVfs vfs;
        int number = 0;
        int runs = 0;
        for (const test::Fault fault :
             {test::Fault::kError, test::Fault::kShortWrite, test::Fault::kFull}) {
            for (const bool sticky : {false, true}) {
                for (std::int64_t at = 1;; ++at) {
                    const std::string path = fresh_database(dir, ++number);
                    CAPTURE(static_cast<int>(fault));
                    CAPTURE(sticky);
                    CAPTURE(at);
                    test::FaultVfs::arm(fault, at, sticky);
                    const auto acknowledged = work_on_bad_disk(path);
                    const bool struck = test::FaultVfs::struck();
                    test::FaultVfs::disarm();
                    check_after_fault(path, acknowledged);
                    ++runs;
                    if (!struck) {
                        CHECK(acknowledged.size() == kBatches);
                        break;
                    }
                }
            }
        }
        CHECK(runs > 100);
    }

    TEST_CASE("a process that is killed while it writes loses nothing acknowledged") {
        const int rounds = kills() > 0 ? kills() : 40;
        SUBCASE("SQLite") {
            kill_writers(Engine::kSqlite, rounds);
        }
        SUBCASE("PostgreSQL") {
            kill_writers(Engine::kPostgres, rounds);
        }
    }

    TEST_CASE("a PostgreSQL server that is killed loses nothing acknowledged, and is found again") {
        test::PostgresServer server;
        const std::string address = server.new_address();
        const auto store = good(open_postgres(address));
        make_events(*store);
        std::set<std::int64_t> acknowledged;
        std::int64_t id = 0;
        const int rounds = kills() > 0 ? kills() : 6;
        for (int round = 0; round < rounds; ++round) {
            Collected<std::int64_t> done;
            std::atomic<bool> stop = false;
            std::thread writer([&] {
                while (!stop.load()) {
                    const std::int64_t mine = id++;
                    if (store->apply(batch_of(mine)).ok()) {
                        done.add(mine);
                    }
                }
            });
            done.wait_for(5);
            server.kill();
            stop = true;
            writer.join();
            for (const std::int64_t each : done.now()) {
                acknowledged.insert(each);
            }
            server.start();
            check_events(*store, acknowledged);  // through the same store
        }
    }
}

}  // namespace colophon::storage
