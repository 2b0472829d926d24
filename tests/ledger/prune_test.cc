// SPDX-License-Identifier: Apache-2.0
#include "ledger/prune.h"

#include "ledger/conduct.h"
#include "ledger/internal/packed_facts.h"
#include "ledger/reconcile.h"
#include "ledger/retention.h"
#include "ledger/sequencer.h"
#include "ledger/verify/log.h"
#include "ledger_stores.h"
#include "sample_log.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace colophon::ledger {
namespace {

using std::chrono::days;

// The service log of a store with records of two ages.
struct AgedLog {
    explicit AgedLog(TestStore& given)
        : store(given),
          stores(given),
          records(stores.records()),
          conduct(records, stores.clock, stores.random, {}),
          objects(*stores.objects, "ledger/service") {}

    void append(int count) {
        for (int i = 0; i < count; ++i) {
            appended.push_back(stores.record());
            good(records.append(appended.back()));
        }
    }
    std::uint64_t sequence() {
        StoredHead head(*store, LogClass::kService);
        LogWriterOptions options;
        options.origin = std::string(test::kLogName);
        options.signers.push_back(test::log_signer());
        const auto sequencer = good(
            Sequencer::open({*store, objects, head, LogClass::kService, {}}, std::move(options)));
        while (good(sequencer->step()) != 0) {
        }
        return sequencer->checkpoint().tree.size;
    }
    std::int64_t purge_all_past() {
        const Purge order{.policy = {.service = days(180), .conduct = days(1000)},
                          .now = stores.clock.now(),
                          .service = kInstallation};
        return good(purge(*store, records, order, stores.random)).removed;
    }
    PruneReport prune() { return good(prune_log(*store, objects, LogClass::kService, conduct)); }
    verify::LogReport check(std::uint64_t from, std::vector<std::string> older = {}) {
        const verify::Fetch fetch = [this](const std::string& name) { return objects.get(name); };
        verify::LogOptions options;
        options.keys = test::log_keys();
        options.older = std::move(older);
        options.from = from;
        return good(verify::check_log(fetch, options));
    }
    std::string checkpoint() { return std::string(as_text(*good(objects.get("checkpoint")))); }
    ReconcileReport compare(std::uint64_t size) {
        return good(reconcile(*store, objects,
                              {.log = LogClass::kService,
                               .size = size,
                               .minimum = good(log_minimum(*store, LogClass::kService)),
                               .now = stores.clock.now()}));
    }

    TestStore& store;
    LedgerStores stores;
    Records records;
    Conduct conduct;
    StoredObjects objects;
    std::vector<ServiceRecord> appended;
};

}  // namespace

// [DSP-10] [AILM-9]
TEST_CASE("a log is cut only where all records went, and every later proof stays valid") {
    each_engine([](TestStore& store) {
        AgedLog log(store);
        log.append(300);
        log.sequence();
        const std::string kept_300 = log.checkpoint();
        log.append(300);
        log.sequence();
        CHECK(log.prune().minimum == 0);
        log.stores.clock.advance(days(181));
        log.append(100);
        CHECK(log.sequence() == 700);
        const std::string kept_700 = log.checkpoint();
        CHECK(log.purge_all_past() == 600);
        const PruneReport pruned = log.prune();
        CHECK(pruned.minimum == 512);
        CHECK(pruned.bundles == 2);
        CHECK(log.prune().bundles == 0);
        CHECK_FALSE(good(log.objects.get("tile/entries/001")).has_value());
        CHECK_FALSE(good(log.objects.get("tile/0/000")).has_value());

        // It still grows, is whole from its minimum on, and extends what was kept.
        log.append(100);
        CHECK(log.sequence() == 800);
        const verify::LogReport report = log.check(512, {kept_700});
        CHECK(report.findings.empty());
        CHECK(report.good);
        CHECK(report.entries == 800 - 512);
        CHECK(report.older_good == 1);
        // Whoever does not know of the cut misses what is gone; an older checkpoint inside of it
        // is not called good.
        CHECK_FALSE(log.check(0).good);
        const verify::LogReport lost = log.check(512, {kept_300});
        REQUIRE(lost.findings.size() == 1);
        CHECK(lost.findings[0].code == "ledger.pruned");

        // P7: inclusion from the minimum on, consistency between sizes above it.
        const ReadTile read = tile_reader(log.objects);
        TileNodes nodes(800, read);
        const Hash root = good(root_at(800, nodes.reader()));
        for (const std::uint64_t index : {512U, 599U, 600U, 799U}) {
            const Buffer entry = good(read_entry(read, index, 800));
            const Hashes proof = good(inclusion_proof(index, 800, nodes.reader()));
            CHECK(verify_inclusion(leaf_hash(entry), index, {.size = 800, .root = root}, proof));
        }
        for (const std::uint64_t size : {512U, 600U, 700U}) {
            const Hashes proof = good(consistency_proof(size, 800, nodes.reader()));
            const Tree older{.size = size, .root = good(root_at(size, nodes.reader()))};
            CHECK(verify_consistency(older, {.size = 800, .root = root}, proof));
        }
        CHECK(code_of(read_entry(read, 511, 800)) == ErrorCode::kNotFound);
        const ReconcileReport rows = log.compare(800);
        CHECK(rows.findings.empty());
        CHECK(rows.purged == 600 - 512);
    });
}

TEST_CASE("a legal hold keeps everything that comes behind it in the log") {
    each_engine([](TestStore& store) {
        AgedLog log(store);
        // Records of one time stand in the log in no order.
        log.append(256);
        log.stores.clock.advance(std::chrono::milliseconds(1));
        log.stores.subject = good(make_random_id<SubjectId>(log.stores.random));
        log.append(1);
        log.stores.clock.advance(std::chrono::milliseconds(1));
        const SubjectId held = log.stores.subject;
        log.stores.subject = good(make_random_id<SubjectId>(log.stores.random));
        log.append(400);
        log.sequence();
        good(place_hold(*store,
                        {.id = {},
                         .tenant = {},
                         .subject = held,
                         .from = log.stores.clock.now() - days(1),
                         .until = log.stores.clock.now() + days(1),
                         .reason = "order 5",
                         .placed_by = good(make_random_id<StaffId>(log.stores.random)),
                         .placed_at = log.stores.clock.now()},
                        log.conduct, log.stores.random));
        log.stores.clock.advance(days(200));
        CHECK(log.purge_all_past() == 656);
        CHECK(log.prune().minimum == 256);
        CHECK(log.check(256).good);
        CHECK(log.compare(657).findings.empty());
    });
}

TEST_CASE("a log whose every record went can be cut to its end and goes on") {
    each_engine([](TestStore& store) {
        AgedLog log(store);
        log.append(512);
        log.sequence();
        log.stores.clock.advance(days(200));
        CHECK(log.purge_all_past() == 512);
        CHECK(log.prune().minimum == 512);
        log.append(3);
        CHECK(log.sequence() == 515);
        CHECK(log.check(512).good);
        CHECK(log.compare(515).findings.empty());
    });
}

// [DSP-10]
TEST_CASE("rows that somebody changed, removed or slipped in are named, each of them") {
    each_engine([](TestStore& store) {
        AgedLog log(store);
        log.append(20);
        log.sequence();
        CHECK(log.compare(20).findings.empty());
        const auto id = [&](std::size_t i) {
            return storage::bytes(log.appended[i].facts.id.bytes);
        };
        const auto run = [&](storage::Statement statement, const storage::Values& values) {
            good(store->transact([&](storage::Transaction& transaction) -> Result<void> {
                TRY(transaction.execute(statement, values));
                return {};
            }));
        };
        std::vector<std::int64_t> entry_of;
        for (const ServiceRecord& each : log.appended) {
            entry_of.push_back(good(log.records.disclose(each.facts.id)).entry.value());
        }
        Facts changed = log.appended[3].facts;
        changed.outcome = Outcome::kRefused;
        changed.outcome_code = "input_blocked";
        run({"UPDATE records SET facts_packed = $2 WHERE id = $1"},
            {id(3), storage::bytes(internal::pack_facts(write_facts(changed)))});
        run({"UPDATE records SET kind = 2 WHERE id = $1"}, {id(5)});
        run({"DELETE FROM records WHERE id = $1"}, {id(7)});
        run({"DELETE FROM log_entries WHERE record = $1"}, {id(9)});
        run({"UPDATE records SET salt = $2 WHERE id = $1"}, {id(11), storage::bytes(Buffer(32))});
        run({"UPDATE log_entries SET record = $2 WHERE record = $1"}, {id(13), id(14)});
        const ReconcileReport report = log.compare(20);
        std::vector<std::string> found;
        for (const ReconcileFinding& each : report.findings) {
            found.push_back(each.code + " " + each.where);
        }
        const auto record = [&](std::size_t i) {
            return "record " + to_string(log.appended[i].facts.id);
        };
        const auto has = [&](const std::string& text) {
            return std::ranges::find(found, text) != found.end();
        };
        for (const std::size_t changed_one : {3U, 5U, 7U, 9U, 11U, 13U}) {
            const std::string entry = std::to_string(entry_of.at(changed_one));
            CHECK_MESSAGE(has("ledger.record entry " + entry), entry);
        }
        CHECK(has("ledger.unlogged " + record(9)));
        CHECK(has("ledger.unlogged " + record(13)));
        CHECK(has("ledger.record " + record(14)));
        CHECK(found.size() == 9);
    });
}

}  // namespace colophon::ledger
