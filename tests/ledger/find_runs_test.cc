// SPDX-License-Identifier: Apache-2.0
// Sorted runs of what records are found by: every question is answered as a plain set would answer
// it, before and after runs are merged, while something is taken out of them, and after a crash.

#include "ledger/internal/find_runs.h"

#include "core/bytes.h"
#include "core/ids.h"
#include "ledger/ledger_stores.h"
#include "ledger/likeness.h"
#include "ledger/records.h"
#include "storage/engines.h"
#include "storage/store.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace colophon::ledger::internal {
namespace {

constexpr auto kLog = static_cast<std::int64_t>(LogClass::kService);

std::int64_t count(TestStore& store, const std::string& sql) {
    return good(good(store->query({sql.c_str()}, {})).integer(0, 0));
}

// Ids in the order of their numbers, as times would order them.
RecordId record_id(std::uint64_t number) {
    RecordId id;
    for (std::size_t i = 0; i < 8; ++i) {
        id.bytes[i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
    }
    id.bytes[15] = 7;
    return id;
}

Find find_of(std::int64_t kind, std::uint64_t key, std::uint64_t record, std::int64_t number = 0) {
    return make_find(kind, key, record_id(record).bytes, number);
}

void add(TestStore& store, RunKeeper& keeper, std::vector<Find> finds) {
    storage::Batch batch;
    good(keeper.add(batch, std::move(finds)));
    good(store->apply(std::move(batch)));
}

std::vector<FindPlace> newest(TestStore& store, std::int64_t kind, std::uint64_t key,
                              std::size_t most) {
    std::vector<FindPlace> places;
    const auto body = [&](storage::Snapshot& snapshot) -> Result<void> {
        FindRuns runs = TRY(FindRuns::open(snapshot));
        places = TRY(runs.newest(kind, key, most));
        return {};
    };
    good(store->snapshot(body));
    return places;
}

// The same from a set.
std::vector<FindPlace> newest_of(const std::set<Find>& all, std::int64_t kind, std::uint64_t key,
                                 std::size_t most) {
    std::vector<FindPlace> places;
    for (auto find = all.rbegin(); find != all.rend(); ++find) {
        const Bytes bytes(*find);
        if (load_be16(bytes) == kind && load_be64(bytes.subspan(2)) == key &&
            places.size() < most) {
            RecordId id;
            std::ranges::copy(bytes.subspan(10, 16), id.bytes.begin());
            places.emplace_back(id, load_be16(bytes.subspan(26)));
        }
    }
    return places;
}

void remove(TestStore& store, std::uint64_t record, const std::vector<Find>& finds) {
    good(store->transact([&](storage::Transaction& transaction) {
        return remove_finds(transaction, record_id(record).bytes, finds);
    }));
}

std::int64_t runs_of_level(TestStore& store, int level) {
    return count(store,
                 "SELECT COUNT(*) FROM record_find_runs WHERE level = " + std::to_string(level));
}

}  // namespace

TEST_CASE("runs answer as a set does, merged or not, with finds taken out of them") {
    each_engine([](TestStore& store) {
        const LedgerStores stores(store);
        RunKeeper keeper(*store, LogClass::kService, {});
        good(keeper.open());
        std::mt19937_64 random(5);
        std::set<Find> all;
        // Few keys, so that one has the finds of many segments.
        const auto compare = [&] {
            for (const std::int64_t kind : {kDigestFind, kTextPrint}) {
                for (std::uint64_t key = 0; key < 6; ++key) {
                    for (const std::size_t most : {1U, 31U, 100U, 100'000U}) {
                        CHECK(newest(store, kind, key, most) == newest_of(all, kind, key, most));
                    }
                }
            }
        };
        std::uint64_t record = 0;
        for (int batch = 0; batch < 40; ++batch) {
            std::vector<Find> finds;
            const std::size_t records = random() % 60;
            for (std::size_t i = 0; i < records; ++i, ++record) {
                // Some come late.
                const std::uint64_t at = random() % 8 == 0 ? record / 2 : record;
                finds.push_back(find_of(random() % 2 == 0 ? kDigestFind : kTextPrint, random() % 5,
                                        at, static_cast<std::int64_t>(i)));
            }
            all.insert(finds.begin(), finds.end());
            add(store, keeper, std::move(finds));
            good(keeper.tend());
            if (batch % 10 == 9) {
                compare();
                std::vector<Find> gone;
                std::ranges::sample(all, std::back_inserter(gone), 40, random);
                for (const Find& find : gone) {
                    all.erase(find);
                    good(store->transact([&](storage::Transaction& transaction) {
                        return remove_finds(transaction, Bytes(find).subspan(10, 16),
                                            std::vector{find});
                    }));
                }
                compare();
            }
        }
        CHECK(runs_of_level(store, 1) == 2);
        CHECK(runs_of_level(store, 0) < 16);
        CHECK(count(store, "SELECT CAST(SUM(entries) AS BIGINT) FROM record_find_runs") ==
              static_cast<std::int64_t>(all.size()));
        CHECK(count(store, "SELECT CAST(SUM(LENGTH(finds)) AS BIGINT) FROM record_finds") ==
              static_cast<std::int64_t>(all.size() * kFindBytes));
        CHECK(count(store,
                    "SELECT COUNT(*) FROM record_finds WHERE run NOT IN "
                    "(SELECT run FROM record_find_runs)") == 0);
        // The log of conduct has runs of its own, and a question looks into both.
        RunKeeper other(*store, LogClass::kConduct, {});
        good(other.open());
        add(store, other, {find_of(kTextPrint, 3, 999'999)});
        all.insert(find_of(kTextPrint, 3, 999'999));
        compare();
        // Everything goes.
        for (const Find& find : std::set<Find>(all)) {
            good(store->transact([&](storage::Transaction& transaction) {
                return remove_finds(transaction, Bytes(find).subspan(10, 16), std::vector{find});
            }));
        }
        CHECK(count(store, "SELECT COUNT(*) FROM record_finds") == 0);
        CHECK(count(store, "SELECT COUNT(*) FROM record_find_runs") == 0);
        CHECK(newest(store, kTextPrint, 3, 10).empty());
        good(keeper.tend());
    });
}

TEST_CASE("what is taken out while runs are merged does not come back") {
    each_engine([](TestStore& store) {
        const LedgerStores stores(store);
        const std::vector<Find> gone{find_of(kTextPrint, 1, 3), find_of(kTextPrint, 2, 3)};
        int until = -1;  // operations of the keeper before somebody takes something out
        RunKeeper keeper(*store, LogClass::kService, [&]() -> storage::Operation {
            if (until-- == 0) {
                remove(store, 3, gone);
            }
            return {{"DELETE FROM record_find_runs WHERE log = -1"}, {}};
        });
        good(keeper.open());
        for (std::uint64_t record = 0; record < kRunsMerged; ++record) {
            add(store, keeper,
                {find_of(kTextPrint, 1, record), find_of(kTextPrint, 2, record),
                 find_of(kDigestFind, 1, record)});
        }
        SUBCASE("before the new run is written") {
            until = 0;
        }
        SUBCASE("before it is made visible") {
            until = 1;
        }
        good(keeper.tend());
        // Made in vain, and nothing of it is left.
        CHECK(until < 0);
        CHECK(runs_of_level(store, 0) == kRunsMerged);
        CHECK(count(store, "SELECT COUNT(DISTINCT run) FROM record_finds") == kRunsMerged);
        CHECK(newest(store, kTextPrint, 1, 100).size() == kRunsMerged - 1);
        until = -1;
        good(keeper.tend());
        CHECK(runs_of_level(store, 1) == 1);
        CHECK(count(store, "SELECT COUNT(DISTINCT run) FROM record_finds") == 1);
        for (const std::uint64_t key : {1U, 2U}) {
            const auto places = newest(store, kTextPrint, key, 100);
            CHECK(places.size() == kRunsMerged - 1);
            CHECK(std::ranges::find(places, FindPlace(record_id(3), 0)) == places.end());
        }
        CHECK(newest(store, kDigestFind, 1, 100).size() == kRunsMerged);
    });
}

TEST_CASE("a keeper whose lease is gone changes nothing") {
    each_engine([](TestStore& store) {
        const LedgerStores stores(store);
        RunKeeper first(*store, LogClass::kService, {});
        good(first.open());
        for (std::uint64_t record = 0; record < kRunsMerged; ++record) {
            add(store, first, {find_of(kTextPrint, 1, record)});
        }
        RunKeeper late(*store, LogClass::kService, []() -> storage::Operation {
            return {{"DELETE FROM record_find_runs WHERE log = -1"}, {}, storage::Affects::kOne};
        });
        good(late.open());
        CHECK(code_of(late.tend()) == ErrorCode::kConflict);
        CHECK(count(store, "SELECT COUNT(*) FROM record_finds") == kRunsMerged);
        good(first.tend());
        CHECK(newest(store, kTextPrint, 1, 100).size() == kRunsMerged);
    });
}

TEST_CASE("segments that a crash left are cleared away, and their number is not used again") {
    each_engine([](TestStore& store) {
        const LedgerStores stores(store);
        {
            RunKeeper keeper(*store, LogClass::kService, {});
            good(keeper.open());
            add(store, keeper, {find_of(kTextPrint, 1, 1)});
        }
        const Find left = find_of(kTextPrint, 1, 2);
        for (const std::int64_t log : {kLog, kLog + 1}) {
            good(store->apply(
                {.operations = {{.statement = {"INSERT INTO record_finds (log, run, first, finds) "
                                               "VALUES ($1, 40, $2, $2)"},
                                 .parameters = {storage::integer(log), storage::bytes(left)}}},
                 .inserts = {},
                 .notifications = {}}));
        }
        CHECK(newest(store, kTextPrint, 1, 10).size() == 1);
        RunKeeper keeper(*store, LogClass::kService, {});
        good(keeper.open());
        // What belongs to the other log is its keeper's.
        CHECK(count(store, "SELECT COUNT(*) FROM record_finds WHERE run = 40") == 1);
        add(store, keeper, {find_of(kTextPrint, 1, 3)});
        CHECK(count(store, "SELECT MAX(run) FROM record_find_runs") == 41);
        CHECK(newest(store, kTextPrint, 1, 10).size() == 2);
    });
}

TEST_CASE("finds are sorted by all that they are, in whatever order they come") {
    std::mt19937_64 random(9);
    for (const std::uint64_t keys : {1U, 3U, 1000U, 0U}) {
        for (const std::size_t records : {0U, 1U, 2U, 300U}) {
            std::vector<Find> finds;
            for (std::size_t record = 0; record < records; ++record) {
                const std::uint64_t number = random() % 500;  // some come again
                for (std::uint64_t i = random() % 5; i > 0; --i) {
                    // Keys that differ in their last bytes only, or in all.
                    const std::uint64_t key = keys == 0 ? random() : random() % keys;
                    finds.push_back(find_of(random() % 2 == 0 ? kDigestFind : kSubjectFind, key,
                                            number, static_cast<std::int64_t>(random() % 3)));
                }
            }
            std::vector<Find> expected = finds;
            std::ranges::sort(expected);
            sort_finds(finds);
            CHECK(finds == expected);
        }
    }
}

TEST_CASE("of a large run the segments are written first, and seen when its batch is") {
    each_engine([](TestStore& store) {
        const LedgerStores stores(store);
        constexpr std::uint64_t kRecords = 12'000;
        RunKeeper keeper(*store, LogClass::kService, {});
        good(keeper.open());
        std::vector<Find> finds;
        for (std::uint64_t record = 0; record < kRecords; ++record) {
            finds.push_back(find_of(kTextPrint, record % 7, record));
        }
        storage::Batch batch;
        good(keeper.add(batch, finds));
        CHECK(batch.inserts.empty());
        CHECK(count(store, "SELECT COUNT(*) FROM record_finds") > 100);
        CHECK(newest(store, kTextPrint, 3, 10).empty());
        SUBCASE("it is written") {
            good(store->apply(std::move(batch)));
            const std::set<Find> all(finds.begin(), finds.end());
            CHECK(newest(store, kTextPrint, 3, 5000) == newest_of(all, kTextPrint, 3, 5000));
        }
        SUBCASE("it is not: the next keeper clears the segments away") {
            RunKeeper next(*store, LogClass::kService, {});
            good(next.open());
            CHECK(count(store, "SELECT COUNT(*) FROM record_finds") == 0);
            add(store, next, {find_of(kTextPrint, 3, 1)});
            CHECK(newest(store, kTextPrint, 3, 10).size() == 1);
        }
    });
}

TEST_CASE("a run of full size is not merged any more") {
    storage::TestStore store(storage::Engine::kSqlite);
    const LedgerStores stores(store);
    RunKeeper keeper(*store, LogClass::kService, {});
    good(keeper.open());
    std::mt19937_64 random(6);
    for (std::uint64_t part = 0; part < 3; ++part) {
        std::vector<Find> finds;
        for (std::uint64_t i = 0; i < kFindsOfRun / 2; ++i) {
            finds.push_back(find_of(kTextPrint, random(), part * kFindsOfRun + i));
        }
        add(store, keeper, std::move(finds));
        good(keeper.tend());
    }
    CHECK(count(store, "SELECT COUNT(*) FROM record_find_runs") == 2);
    CHECK(count(store, "SELECT MAX(entries) FROM record_find_runs") == kFindsOfRun);
    for (int i = 0; i < 20; ++i) {
        add(store, keeper, {find_of(kTextPrint, random(), static_cast<std::uint64_t>(i))});
        good(keeper.tend());
    }
    CHECK(count(store, "SELECT COUNT(*) FROM record_find_runs WHERE level > 1") == 1);
    CHECK(count(store, "SELECT CAST(SUM(entries) AS BIGINT) FROM record_find_runs") ==
          static_cast<std::int64_t>(kFindsOfRun / 2 * 3 + 20));
}

TEST_CASE("a damaged segment is said to be damaged") {
    each_engine([](TestStore& store) {
        const LedgerStores stores(store);
        RunKeeper keeper(*store, LogClass::kService, {});
        good(keeper.open());
        add(store, keeper, {find_of(kTextPrint, 1, 1)});
        good(store->apply({.operations = {{.statement = {"UPDATE record_finds SET finds = $1"},
                                           .parameters = {storage::bytes(as_bytes("short"))}}},
                           .inserts = {},
                           .notifications = {}}));
        const auto body = [&](storage::Snapshot& snapshot) -> Result<void> {
            FindRuns runs = TRY(FindRuns::open(snapshot));
            TRY(runs.newest(kTextPrint, 1, 10));
            return {};
        };
        CHECK(code_of(store->snapshot(body)) == ErrorCode::kCorrupt);
        CHECK(code_of(store->transact([&](storage::Transaction& transaction) {
                  return remove_finds(transaction, record_id(1).bytes,
                                      std::vector{find_of(kTextPrint, 1, 1)});
              })) == ErrorCode::kCorrupt);
    });
}

}  // namespace colophon::ledger::internal
