// SPDX-License-Identifier: Apache-2.0
// What only the embedded engine promises.
#include "storage/sqlite_store.h"

#include "core/bytes.h"
#include "core/result.h"
#include "storage/engines.h"
#include "storage/limits.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstddef>
#include <future>
#include <string>
#include <utility>

namespace colophon::storage {
namespace {

void run_sqlite(const std::string& path, const char* sql) {
    sqlite3* handle = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &handle) == SQLITE_OK);
    CHECK(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(handle);
}

}  // namespace

TEST_CASE("a file that is not ours is refused and not touched") {
    const test::TempDir dir;
    const std::string path = dir.file("other.db");
    SUBCASE("another program's database") {
        run_sqlite(path, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    }
    SUBCASE("no database at all") {
        test::write_file(path, as_bytes(std::string(8192, 'x')));
    }
    const Buffer before = test::read_file(path);
    CHECK(code_of(open_sqlite(path)) == ErrorCode::kCorrupt);
    CHECK(test::read_file(path) == before);
}

TEST_CASE("only its owner may read a database and the files beside it") {
    const test::TempDir dir;
    const std::string path = dir.file("own.db");
    const auto store = good(open_sqlite(path));
    for (const char* end : {"", "-wal", "-shm", ".lock"}) {
        CAPTURE(end);
        CHECK((std::filesystem::status(path + end).permissions() &
               (std::filesystem::perms::group_all | std::filesystem::perms::others_all)) ==
              std::filesystem::perms::none);
    }
}

TEST_CASE("a file of a newer program is refused") {
    const test::TempDir dir;
    const std::string path = dir.file("new.db");
    good(open_sqlite(path)).reset();
    run_sqlite(path, "PRAGMA user_version = 2");
    CHECK(code_of(open_sqlite(path)) == ErrorCode::kConflict);
}

TEST_CASE("a missing folder or, when asked so, a missing file is not found") {
    const test::TempDir dir;
    CHECK(code_of(open_sqlite(dir.file("no/such.db"))) == ErrorCode::kNotFound);
    SqliteOptions existing;
    existing.create = false;
    CHECK(code_of(open_sqlite(dir.file("no.db"), existing)) == ErrorCode::kNotFound);
}

TEST_CASE("a database that another machine has open is refused") {
    const test::TempDir dir;
    const std::string path = dir.file("colophon.db");
    good(open_sqlite(path)).reset();
    // Another machine: somebody holds the lock, and another boot id stands in it.
    test::write_file(path + ".lock", as_bytes("another boot id\n"));
    const int fd = open((path + ".lock").c_str(), O_RDWR);
    REQUIRE(flock(fd, LOCK_SH) == 0);
    CHECK(code_of(open_sqlite(path)) == ErrorCode::kConflict);
    close(fd);
    good(open_sqlite(path));
}

TEST_CASE("when too many writes wait the next one is told so at once") {
    const TestStore store(Engine::kSqlite);
    store.script("CREATE TABLE counts (id INTEGER PRIMARY KEY) STRICT");
    std::promise<void> started;
    std::promise<void> release;
    auto blocked = std::async(std::launch::async, [&] {
        return store->transact([&](Transaction&) -> Result<void> {
            started.set_value();
            release.get_future().wait();
            return {};
        });
    });
    started.get_future().wait();
    Collected<bool> outcomes;
    for (std::size_t i = 0; i < kBatchesWaitingMax; ++i) {
        Batch batch;
        batch.operations.push_back(
            {.statement = {"INSERT INTO counts DEFAULT VALUES"}, .parameters = {}});
        store->apply(std::move(batch), [&](const Result<void>& each) { outcomes.add(each.ok()); });
    }
    CHECK(outcomes.now().empty());
    CHECK(code_of(store->apply(Batch{})) == ErrorCode::kLimit);
    release.set_value();
    good(blocked.get());
    CHECK(outcomes.wait_for(kBatchesWaitingMax) == std::vector<bool>(kBatchesWaitingMax, true));
}

TEST_CASE("the log beside the database does not grow without end") {
    TestStore store(Engine::kSqlite);
    store.script("CREATE TABLE pages (id INTEGER PRIMARY KEY, data BLOB) STRICT");
    std::uintmax_t largest = 0;
    for (int i = 0; i < 60; ++i) {
        Batch batch;
        batch.operations.push_back({.statement = {"INSERT INTO pages (data) VALUES ($1)"},
                                    .parameters = {bytes(Buffer(1U << 20U, 7))}});
        good(store->apply(std::move(batch)));
        largest = std::max(largest, std::filesystem::file_size(store.address() + "-wal"));
    }
    CHECK(largest > 0);
    CHECK(largest < 24U << 20U);
    store.close();
    CHECK(std::filesystem::file_size(store.address() + "-wal") == 0);
}

}  // namespace colophon::storage
