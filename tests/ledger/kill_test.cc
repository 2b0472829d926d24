// SPDX-License-Identifier: Apache-2.0
// A whole node killed with SIGKILL while it appends, sequences and publishes, or cut off from its
// database again and again; then recovery and a full check: of the log, of its older checkpoints,
// of the tables against it.
#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/random.h"
#include "ledger/log_service.h"
#include "ledger/reconcile.h"
#include "ledger/verify/log.h"
#include "ledger_stores.h"
#include "sample_log.h"
#include "storage/postgres_store.h"
#include "support/cutting_proxy.h"
#include "support/postgres_server.h"

#include <doctest/doctest.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

using colophon::test::Cut;
using colophon::test::CuttingProxy;
using colophon::test::PostgresServer;

constexpr std::size_t kWriters = 4;
constexpr std::size_t kOlderMax = 8;

int kills() {
    const char* text = std::getenv("COLOPHON_KILLS");
    return text == nullptr ? 12 : std::atoi(text);
}

ServiceLog log_of_service() {
    ServiceLog log{.log = LogClass::kService, .origin = std::string(test::kLogName), .signers = {}};
    log.signers.push_back(test::log_signer());
    return log;
}

LogServiceOptions short_lease() {
    LogServiceOptions options;
    options.every = std::chrono::milliseconds(5);
    options.lease = std::chrono::milliseconds(400);
    options.retry = std::chrono::milliseconds(10);
    return options;
}

LogService::Parts parts_of(TestStore& store, LedgerStores& stores, Clock& clock) {
    return {.store = *store, .objects = *stores.objects, .clock = clock, .random = stores.random};
}

// The child: says on the pipe which records are kept, until it is killed.
[[noreturn]] void append_until_killed(TestStore& store, LedgerStores& stores, int pipe) {
    stores.reopen();
    SystemClock clock;
    const auto service =
        LogService::start(parts_of(store, stores, clock), {log_of_service()}, short_lease());
    Records records = stores.records();
    const auto append = [&] {
        for (;;) {
            ServiceRecord record = stores.record();
            record.facts.at = clock.now();
            record.facts.id = good(make_record_id(record.facts.at, stores.random));
            if (records.append(record).ok() &&
                write(pipe, record.facts.id.bytes.data(), record.facts.id.bytes.size()) !=
                    static_cast<ssize_t>(record.facts.id.bytes.size())) {
                _exit(1);
            }
        }
    };
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kWriters; ++i) {
        threads.emplace_back(append);
    }
    for (std::thread& each : threads) {
        each.join();
    }
    _exit(0);
}

// Kills a child some records after its first; returns what it had acknowledged.
std::vector<RecordId> kill_one(TestStore& store, LedgerStores& stores, std::size_t enough) {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        close(ends[0]);
        append_until_killed(store, stores, ends[1]);
    }
    close(ends[1]);
    std::vector<RecordId> acknowledged;
    RecordId id;
    while (read(ends[0], id.bytes.data(), id.bytes.size()) ==
           static_cast<ssize_t>(id.bytes.size())) {
        acknowledged.push_back(id);
        if (acknowledged.size() == enough) {
            kill(child, SIGKILL);
        }
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    return acknowledged;
}

// Everything that waits is integrated, as soon as the dead one's lease is over.
void recover(TestStore& store, LedgerStores& stores, Clock& clock) {
    for (;;) {
        const auto done =
            sequence_once(parts_of(store, stores, clock), log_of_service(), short_lease());
        if (done.ok() && !done->held) {
            return;
        }
        // On a busy machine a lease so short may end while it is held; nothing else may go wrong.
        CHECK((done.ok() || done.error().code == ErrorCode::kConflict));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

void check_whole(TestStore& store, LedgerStores& stores, const std::vector<std::string>& older,
                 const std::vector<RecordId>& acknowledged) {
    StoredObjects objects(*stores.objects, log_prefix(LogClass::kService));
    const verify::LogReport report = good(verify::check_log(
        [&](const std::string& name) { return objects.get(name); }, {.keys = test::log_keys(),
                                                                     .older = older,
                                                                     .threads = 1,
                                                                     .findings_max = 10,
                                                                     .progress = {}}));
    CHECK(report.good);
    for (const verify::Finding& each : report.findings) {
        MESSAGE(each.code << " " << each.where << " " << each.what);
    }
    const ReconcileReport rows = good(reconcile(*store, objects,
                                                {.log = LogClass::kService,
                                                 .size = report.checkpoint.size,
                                                 .minimum = 0,
                                                 .now = SystemClock().now()}));
    CHECK(rows.findings_count == 0);
    CHECK(rows.waiting == 0);
    Records records = stores.records();
    std::size_t lost = 0;
    for (const RecordId id : acknowledged) {
        const auto kept = records.disclose(id);
        lost += kept.ok() && kept->entry ? 0U : 1U;
    }
    CHECK(lost == 0);
}

void kill_nodes(TestStore& store) {
    LedgerStores stores(store);
    SystemClock clock;
    SeededRandom random(7);
    std::vector<std::string> older;
    const int rounds = kills();
    std::size_t all = 0;
    for (int round = 0; round < rounds; ++round) {
        CAPTURE(round);
        stores.close();
        const auto acknowledged =
            kill_one(store, stores, 1 + static_cast<std::size_t>(good(random.next()) % 100));
        all += acknowledged.size();
        stores.reopen();
        StoredObjects objects(*stores.objects, log_prefix(LogClass::kService));
        if (const auto published = good(objects.get("checkpoint"))) {
            older.emplace_back(as_text(*published));
        }
        if (older.size() > kOlderMax) {
            older.erase(older.begin());
        }
        recover(store, stores, clock);
        check_whole(store, stores, older, acknowledged);
    }
    MESSAGE(rounds << " nodes killed, " << all << " records acknowledged, none lost");
}

// A node whose every connection to the database may be cut at any message, for some seconds.
std::vector<RecordId> append_through(LedgerStores& stores, storage::Store& shaky,
                                     CuttingProxy& proxy) {
    SystemClock clock;
    const LogService::Parts parts{
        .store = shaky, .objects = *stores.objects, .clock = clock, .random = stores.random};
    const auto service = LogService::start(parts, {log_of_service()}, short_lease());
    Records records(shaky, *stores.keys, stores.random, {.digest_key = {1, 2, 3}});
    std::vector<RecordId> acknowledged;
    for (int round = 0; round < 60; ++round) {
        proxy.arm(static_cast<Cut>(round % 3), 100 + static_cast<std::size_t>(round) * 10);
        for (int i = 0; i < 5; ++i) {
            ServiceRecord record = stores.record();
            record.facts.at = clock.now();
            record.facts.id = good(make_record_id(record.facts.at, stores.random));
            if (records.append(record).ok()) {
                acknowledged.push_back(record.facts.id);
            }
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return acknowledged;
}

}  // namespace

// [DSP-10] [DSP-16]
TEST_CASE("a node that is killed while it appends loses nothing and forks nothing" *
          doctest::test_suite("slow")) {
    each_engine([](TestStore& store) { kill_nodes(store); });
}

// [DSP-10] [DSP-16]
TEST_CASE("a log whose connections are cut at any message loses nothing and forks nothing") {
    TestStore store(storage::Engine::kPostgres);
    LedgerStores stores(store);
    CuttingProxy proxy(PostgresServer::shared().socket_path());
    std::vector<RecordId> acknowledged;
    {
        const auto shaky = good(storage::open_postgres(
            PostgresServer::shared().through(store.address(), proxy.port())));
        acknowledged = append_through(stores, *shaky, proxy);
    }
    CHECK(proxy.cuts() > 20);
    CHECK(acknowledged.size() > 100);
    StoredObjects objects(*stores.objects, log_prefix(LogClass::kService));
    std::vector<std::string> older;
    if (const auto published = good(objects.get("checkpoint"))) {
        older.emplace_back(as_text(*published));
    }
    SystemClock clock;
    recover(store, stores, clock);
    check_whole(store, stores, older, acknowledged);
}

}  // namespace colophon::ledger
