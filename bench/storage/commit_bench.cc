// SPDX-License-Identifier: Apache-2.0
// Durable records per second: 64 writers, each with one record at a time and waiting for it, on
// either store; and how long a commit takes against a bare fdatasync on the same disk in the same
// run. Rounds take turns, so that a slow disk is slow for all.

#include "core/bytes.h"
#include "core/digest.h"
#include "storage/postgres_store.h"
#include "storage/sqlite_store.h"
#include "storage/store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace storage = colophon::storage;
using Clock = std::chrono::steady_clock;

constexpr int kWriters = 64;
constexpr int kRounds = 3;
constexpr std::chrono::seconds kRound{5};

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "%s\n", what.c_str());
    std::exit(1);
}

double ms(Clock::duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

double at(std::vector<double>& values, double part) {
    const auto place = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + place, values.end());
    return values[static_cast<std::size_t>(place)];
}

// Appends of 4 KiB, each synced: what no durable commit can be faster than.
void sync_round(const std::string& folder, std::vector<double>& times) {
    const std::string path = folder + "/sync";
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        fail("cannot write in " + folder);
    }
    const std::string block(4096, 'x');
    for (int i = 0; i < 200; ++i) {
        const auto start = Clock::now();
        if (write(fd, block.data(), block.size()) != static_cast<ssize_t>(block.size()) ||
            fdatasync(fd) != 0) {
            fail("cannot sync in " + folder);
        }
        times.push_back(ms(Clock::now() - start));
    }
    close(fd);
    unlink(path.c_str());
}

void make_table(storage::Store& store) {
    const auto made = store.transact([](storage::Transaction& transaction) {
        const bool sqlite = transaction.engine() == storage::Engine::kSqlite;
        return transaction.script(
            std::string("CREATE TABLE records (id ") +
            (sqlite ? "INTEGER PRIMARY KEY, at INTEGER, tenant INTEGER, input BLOB, output BLOB, "
                    : "BIGINT PRIMARY KEY, at BIGINT, tenant BIGINT, input BYTEA, output BYTEA, ") +
            "body TEXT); CREATE INDEX records_at ON records (at);"
            "CREATE INDEX records_tenant ON records (tenant, at)");
    });
    if (!made.ok()) {
        fail(made.error().what);
    }
}

storage::Batch record(std::int64_t id) {
    const std::string body(270, static_cast<char>('a' + id % 26));
    const auto digest = colophon::sha256(colophon::as_bytes(body));
    storage::Batch batch;
    batch.operations.push_back(
        {.statement = {"INSERT INTO records (id, at, tenant, input, output, body)"
                       " VALUES ($1, $2, $3, $4, $5, $6)"},
         .parameters = {storage::integer(id), storage::integer(id), storage::integer(id % 100),
                        storage::bytes(digest), storage::bytes(digest), storage::text(body)}});
    return batch;
}

struct Timings {
    std::vector<double> commits;
    double seconds = 0;
};

void write_round(storage::Store& store, std::atomic<std::int64_t>& next, Timings& timings) {
    std::vector<std::vector<double>> times(kWriters);
    std::vector<std::thread> threads;
    const auto start = Clock::now();
    for (int i = 0; i < kWriters; ++i) {
        threads.emplace_back([&, i] {
            while (Clock::now() - start < kRound) {
                const auto begun = Clock::now();
                const auto outcome = store.apply(record(next++));
                if (!outcome.ok()) {
                    fail(outcome.error().what);
                }
                times[static_cast<std::size_t>(i)].push_back(ms(Clock::now() - begun));
            }
        });
    }
    for (std::thread& each : threads) {
        each.join();
    }
    timings.seconds += ms(Clock::now() - start) / 1000;
    for (const auto& each : times) {
        timings.commits.insert(timings.commits.end(), each.begin(), each.end());
    }
}

void print(const char* name, Timings& timings, double sync) {
    const double median = at(timings.commits, 0.5);
    std::printf("%-10s %8.0f records/s, commit median %.2f ms = %.2f fdatasyncs, p99 %.2f ms\n",
                name, static_cast<double>(timings.commits.size()) / timings.seconds, median,
                median / sync, at(timings.commits, 0.99));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        fail("usage: commit_bench FOLDER POSTGRES-ADDRESS (bench/storage/commit.sh makes both)");
    }
    const std::string folder = argv[1];
    auto sqlite = storage::open_sqlite(folder + "/bench.db");
    auto postgres = storage::open_postgres(argv[2]);
    if (!sqlite.ok() || !postgres.ok()) {
        fail(sqlite.ok() ? postgres.error().what : sqlite.error().what);
    }
    make_table(**sqlite);
    make_table(**postgres);
    std::atomic<std::int64_t> next = 1;
    std::vector<double> syncs;
    Timings in_sqlite;
    Timings in_postgres;
    for (int round = 0; round < kRounds; ++round) {
        sync_round(folder, syncs);
        write_round(**sqlite, next, in_sqlite);
        sync_round(folder, syncs);
        write_round(**postgres, next, in_postgres);
    }
    const double sync = at(syncs, 0.5);
    std::printf("fdatasync  median %.2f ms, p99 %.2f ms\n", sync, at(syncs, 0.99));
    print("SQLite", in_sqlite, sync);
    print("PostgreSQL", in_postgres, sync);
    return 0;
}
