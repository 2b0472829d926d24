// SPDX-License-Identifier: Apache-2.0
#include "ledger/sequencer.h"

#include "ledger/reconcile.h"
#include "ledger_stores.h"
#include "sample_log.h"
#include "sequenced_log.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace colophon::ledger {
namespace {

// [DSP-10] [DSP-16]
TEST_CASE("what was appended becomes entries of a log that a stranger can check") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        SequencedLog log(store, stores);
        std::vector<ServiceRecord> appended;
        for (int i = 0; i < 300; ++i) {
            appended.push_back(stores.record());
            good(records.append(appended.back()));
        }
        good(records.append(stores.record(RecordKind::kAdministration)));
        CHECK(good(freshness(*store, LogClass::kService)).waiting == 300);
        CHECK(good(freshness(*store, LogClass::kService)).oldest_waiting == stores.clock.now());
        const auto sequencer = log.open();
        CHECK(drain(*sequencer) == 300);
        CHECK(good(freshness(*store, LogClass::kService)).waiting == 0);
        CHECK_FALSE(good(freshness(*store, LogClass::kService)).oldest_waiting.has_value());
        CHECK(good(freshness(*store, LogClass::kConduct)).waiting == 1);

        const verify::LogReport report = log.check();
        CHECK(report.findings.empty());
        CHECK(report.entries == 300);
        const ReadTile read = tile_reader(log.objects);
        for (const ServiceRecord& record : appended) {
            const auto disclosure = good(records.disclose(record.facts.id));
            REQUIRE(disclosure.entry.has_value());
            const Buffer entry =
                good(read_entry(read, static_cast<std::uint64_t>(*disclosure.entry), 300));
            const Leaf leaf = good(parse_leaf(entry));
            CHECK(opens(leaf, open_field(disclosure.salt, "facts", disclosure.facts)));
        }
    });
}

TEST_CASE("a crash between the log and the tables loses nothing and doubles nothing") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        SequencedLog log(store, stores);
        for (int i = 0; i < 5; ++i) {
            good(records.append(stores.record()));
        }
        CHECK(drain(*log.open()) == 5);
        std::vector<RecordId> ids;
        std::vector<Buffer> leaves;
        for (int i = 0; i < 7; ++i) {
            const ServiceRecord record = stores.record();
            good(records.append(record));
            ids.push_back(record.facts.id);
            leaves.push_back(good(records.disclose(record.facts.id)).waiting_leaf);
        }
        // The writer integrates four of the seven, out of order, and the process dies before the
        // tables hear of it.
        {
            LogWriter writer =
                good(LogWriter::open(log.objects, log.head, SequencedLog::options()));
            const std::vector<Bytes> entries{leaves[2], leaves[0], leaves[6], leaves[1]};
            good(writer.integrate(entries));
        }
        stores.reopen();
        Records again = stores.records();
        SequencedLog reopened(store, stores);
        // Not broken, only unfinished: the leaves still wait.
        const auto unknown = [&] {
            return good(reconcile(*store, reopened.objects,
                                  {.log = LogClass::kService,
                                   .size = 9,
                                   .minimum = 0,
                                   .now = stores.clock.now(),
                                   .findings_max = 10}))
                .findings_count;
        };
        CHECK(unknown() == 0);
        const auto sequencer = reopened.open();
        CHECK(good(again.disclose(ids[2])).entry == std::optional<std::int64_t>(5));
        CHECK(good(again.disclose(ids[1])).entry == std::optional<std::int64_t>(8));
        CHECK(drain(*sequencer) == 3);
        const verify::LogReport report = reopened.check();
        CHECK(report.findings.empty());
        CHECK(report.entries == 12);
        // Rows that are gone while nothing waits are missed.
        good(store->apply({.operations = {{.statement = {"DELETE FROM log_entries WHERE entry = 8"},
                                           .parameters = {}}},
                           .inserts = {},
                           .notifications = {}}));
        CHECK(unknown() == 2);
    });
}

TEST_CASE("of two sequencers at once one is refused, and the log does not fork") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        SequencedLog log(store, stores);
        good(records.append(stores.record()));
        const auto first = log.open();
        const auto second = log.open();
        CHECK(good(first->step()) == 1);
        good(records.append(stores.record()));
        CHECK(code_of(second->step()) == ErrorCode::kConflict);
        CHECK(good(first->step()) == 1);
        const verify::LogReport report = log.check();
        CHECK(report.findings.empty());
        CHECK(report.entries == 2);
    });
}

TEST_CASE("a database that is behind its log is refused by name") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        SequencedLog log(store, stores);
        {
            LogWriter writer =
                good(LogWriter::open(log.objects, log.head, SequencedLog::options()));
            const Buffer foreign = to_buffer("an entry of which no record knows");
            const std::vector<Bytes> entries{foreign};
            good(writer.integrate(entries));
        }
        const auto opened = Sequencer::open({*store, log.objects, log.head, LogClass::kService},
                                            SequencedLog::options());
        REQUIRE_FALSE(opened.ok());
        CHECK(opened.error().code == ErrorCode::kCorrupt);
        CHECK(opened.error().what.find("entry 0") != std::string::npos);
    });
}

}  // namespace
}  // namespace colophon::ledger
