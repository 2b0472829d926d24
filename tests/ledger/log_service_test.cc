// SPDX-License-Identifier: Apache-2.0
#include "ledger/log_service.h"

#include "core/clock.h"
#include "ledger/verify/log.h"
#include "ledger_stores.h"
#include "sample_log.h"
#include "storage/lease.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace colophon::ledger {
namespace {

constexpr std::chrono::seconds kPatience{60};

ServiceLog service_log() {
    ServiceLog log{.log = LogClass::kService, .origin = std::string(test::kLogName), .signers = {}};
    log.signers.push_back(test::log_signer());
    return log;
}

// Times short enough that losing and finding leases happens in a test.
LogServiceOptions quick() {
    return {.every = std::chrono::milliseconds(20),
            .lease = std::chrono::milliseconds(400),
            .retry = std::chrono::milliseconds(20),
            .watch = std::chrono::milliseconds(20)};
}

bool wait_for(const std::function<bool()>& done) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
        if (std::chrono::steady_clock::now() > until) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

class ServiceNode {
public:
    ServiceNode(TestStore& store, LedgerStores& stores) : store_(store), stores_(stores) {}

    std::unique_ptr<LogService> start() {
        std::vector<ServiceLog> logs;
        logs.push_back(service_log());
        return LogService::start(parts(), std::move(logs), quick());
    }
    LogService::Parts parts() {
        return {.store = *store_, .objects = *stores_.objects, .clock = clock, .random = random};
    }
    verify::LogReport check() {
        StoredObjects objects(*stores_.objects, log_prefix(LogClass::kService));
        const verify::Fetch fetch = [&](const std::string& name) { return objects.get(name); };
        return good(verify::check_log(fetch, {.keys = test::log_keys(),
                                              .older = {},
                                              .threads = 1,
                                              .findings_max = 10,
                                              .progress = {}}));
    }
    void append(int count) {
        Records records = stores_.records();
        for (int i = 0; i < count; ++i) {
            ServiceRecord record = stores_.record();
            record.facts.at = clock.now();
            record.facts.id = good(make_record_id(record.facts.at, random));
            good(records.append(record));
        }
    }
    std::int64_t waiting() { return good(freshness(*store_, LogClass::kService)).waiting; }

    SystemClock clock;
    SystemRandom random;

private:
    TestStore& store_;
    LedgerStores& stores_;
};

}  // namespace

// [DSP-10] [DSP-16]
TEST_CASE("a service carries records into a log that a stranger can check, and stops cleanly") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        ServiceNode node(store, stores);
        node.append(30);
        {
            const auto service = node.start();
            CHECK(wait_for([&] { return node.waiting() == 0; }));
            node.append(30);
            CHECK(wait_for([&] { return node.waiting() == 0; }));
            CHECK(wait_for([&] { return service->health().front().size == 60; }));
            CHECK(service->health().front().holds_lease);
            CHECK(service->health().front().integrated == 60);
            CHECK(service->health().front().error.empty());
        }
        const verify::LogReport report = node.check();
        CHECK(report.findings.empty());
        CHECK(report.entries == 60);
        // The lease was let go: the next one need not wait for it.
        CHECK(good(storage::acquire_lease(*store, "ledger.service", std::chrono::seconds(1),
                                          node.clock.now(), node.random))
                  .has_value());
    });
}

TEST_CASE("of several services one works, another takes over, and nothing forks or is lost") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        ServiceNode node(store, stores);
        std::vector<std::unique_ptr<LogService>> services;
        for (int i = 0; i < 3; ++i) {
            services.push_back(node.start());
        }
        std::atomic<bool> stop = false;
        std::thread writer([&] {
            while (!stop) {
                node.append(1);
            }
        });
        std::uint64_t integrated = 0;
        // Whoever works is stopped, again and again, while records keep coming.
        for (int round = 0; round < 6; ++round) {
            std::size_t holder = services.size();
            CHECK(wait_for([&] {
                for (std::size_t i = 0; i < services.size(); ++i) {
                    if (services[i]->health().front().holds_lease) {
                        holder = i;
                        return true;
                    }
                }
                return false;
            }));
            REQUIRE(holder < services.size());
            integrated += services[holder]->health().front().integrated;
            services[holder] = node.start();
        }
        stop = true;
        writer.join();
        CHECK(wait_for([&] { return node.waiting() == 0; }));
        services.clear();
        const verify::LogReport report = node.check();
        CHECK(report.findings.empty());
        CHECK(report.entries >= integrated);
        CHECK(report.entries > 0);
        const auto rows = good(store->query({"SELECT COUNT(*) FROM records"}, {}));
        CHECK(report.entries == static_cast<std::uint64_t>(good(rows.integer(0, 0))));
    });
}

TEST_CASE("a service whose lease is taken lets go, writes nothing more, and comes back later") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        ServiceNode node(store, stores);
        node.append(3);
        const auto service = node.start();
        CHECK(wait_for([&] { return service->health().front().size == 3; }));
        // Somebody whose clock runs a day ahead takes it.
        const Time later = node.clock.now() + std::chrono::hours(24);
        auto taken = good(storage::acquire_lease(*store, "ledger.service", std::chrono::hours(1),
                                                 later, node.random));
        REQUIRE(taken.has_value());
        node.append(2);
        CHECK(wait_for([&] { return !service->health().front().holds_lease; }));
        CHECK(node.waiting() == 2);
        CHECK(node.check().entries == 3);
        good(storage::release_lease(*store, *taken));
        CHECK(wait_for([&] { return node.waiting() == 0; }));
        CHECK(wait_for([&] { return service->health().front().size == 5; }));
        CHECK(node.check().findings.empty());
    });
}

TEST_CASE("a log that nobody sequences is told with its age, and is forgotten when it caught up") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        ServiceNode node(store, stores);
        // A dead node still holds the lease.
        const auto dead = good(storage::acquire_lease(
            *store, "ledger.service", std::chrono::hours(1), node.clock.now(), node.random));
        REQUIRE(dead.has_value());
        node.append(2);
        LogServiceOptions options = quick();
        options.behind_max = std::chrono::milliseconds(50);
        std::vector<ServiceLog> logs;
        logs.push_back(service_log());
        const auto service = LogService::start(node.parts(), std::move(logs), options);
        CHECK(wait_for([&] { return service->health().front().behind.has_value(); }));
        const LogHealth health = service->health().front();
        CHECK(health.behind->code == "ledger.behind");
        CHECK(health.behind->what.starts_with("the log of service is behind: 2 leaves wait"));
        CHECK(health.waiting == 2);
        good(storage::release_lease(*store, *dead));
        CHECK(wait_for([&] { return !service->health().front().behind.has_value(); }));
    });
}

TEST_CASE("a checkpoint that a stalled predecessor put back is put right") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        ServiceNode node(store, stores);
        node.append(1);
        good(sequence_once(node.parts(), service_log(), quick()));
        StoredObjects objects(*stores.objects, log_prefix(LogClass::kService));
        const auto older = good(objects.get("checkpoint"));
        REQUIRE(older.has_value());
        node.append(1);
        const auto service = node.start();
        CHECK(wait_for([&] { return service->health().front().size == 2; }));
        good(objects.put("checkpoint", *older));
        CHECK(wait_for([&] { return good(objects.get("checkpoint")) != older; }));
        CHECK(node.check().entries == 2);
    });
}

TEST_CASE("a running service takes new keys, and signs again what the old ones signed") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        ServiceNode node(store, stores);
        node.append(3);
        SeededRandom random(5);
        const NoteSigner sm2 =
            NoteSigner::generate(test::kLogName, SignatureType::kSm2, random).value();
        std::atomic<int> stage = 0;
        ServiceLog log = service_log();
        log.signing = [&]() -> Result<LogSigning> {
            LogSigning signing;
            if (stage < 2) {
                signing.signers.push_back(test::log_signer(1));
            } else {
                signing.former.push_back(test::log_signer(1).verifier());
            }
            if (stage > 0) {
                signing.signers.push_back(test::log_signer(2));
                signing.signers.push_back(sm2);
            }
            return signing;
        };
        LogServiceOptions options = quick();
        options.lease = std::chrono::milliseconds(300);
        const auto service = LogService::start(node.parts(), {log}, options);
        StoredObjects objects(*stores.objects, log_prefix(LogClass::kService));
        const auto signatures = [&](const std::vector<verify::Key>& keys) -> std::size_t {
            const auto published = good(objects.get("checkpoint"));
            return published ? verify::check_checkpoint(as_text(*published), keys)
                                   .checkpoint.signatures.size()
                             : 0;
        };
        std::vector<verify::Key> all = test::log_keys(1);
        all.push_back(test::log_keys(2).front());
        all.push_back(good(verify::read_key(sm2.verifier().vkey())));
        CHECK(wait_for([&] { return signatures(all) == 1; }));
        stage = 1;
        CHECK(wait_for([&] { return signatures(all) == 3; }));
        stage = 2;
        CHECK(wait_for([&] { return signatures(all) == 2; }));
        CHECK(signatures(test::log_keys(1)) == 0);
        CHECK(signatures({all[2]}) == 1);  // SM2 alone is enough for who asks for nothing else
        node.append(2);
        CHECK(wait_for([&] { return service->health().front().size == 5; }));
        CHECK(signatures(all) == 2);
    });
}

TEST_CASE("one step by hand does nothing while a service holds the lease") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        ServiceNode node(store, stores);
        node.append(5);
        const SequencedOnce first = good(sequence_once(node.parts(), service_log(), quick()));
        CHECK_FALSE(first.held);
        CHECK(first.integrated == 5);
        const auto service = node.start();
        CHECK(wait_for([&] { return service->health().front().holds_lease; }));
        CHECK(good(sequence_once(node.parts(), service_log(), quick())).held);
    });
}

}  // namespace colophon::ledger
