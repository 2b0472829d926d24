// SPDX-License-Identifier: Apache-2.0
// The outbox of a log: rows that go from the front, each once, and never with bands that were
// forgotten after they were read.

#include "ledger/internal/outbox.h"

#include "core/bytes.h"
#include "ledger/ledger_stores.h"
#include "ledger/records.h"
#include "storage/engines.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

namespace colophon::ledger {
namespace {

using internal::WaitingLeaf;

Buffer id_of(std::uint8_t number) {
    Buffer id(16);
    id.back() = number;
    return id;
}

void put(TestStore& store, LogClass log, std::uint8_t number) {
    storage::Batch batch;
    batch.operations.push_back(
        internal::put_into_outbox(log, {.record = id_of(number),
                                        .leaf = Buffer(300, number),
                                        .digests = {},
                                        .bands = number % 2 == 0 ? Buffer() : Buffer(20, number),
                                        .owners = Buffer(10, number)}));
    good(store->apply(std::move(batch)));
}

std::vector<WaitingLeaf> next(TestStore& store, std::size_t most = 100) {
    return good(internal::next_of_outbox(*store, LogClass::kService, most));
}

Result<void> take(TestStore& store, std::span<const WaitingLeaf> leaves) {
    storage::Batch batch;
    internal::take_from_outbox(batch, store->engine(), LogClass::kService, leaves);
    return store->apply(std::move(batch));
}

void forget(TestStore& store, const std::set<Buffer>& records) {
    good(store->transact([&](storage::Transaction& transaction) {
        return internal::forget_waiting_bands(transaction, records);
    }));
}

std::vector<std::uint8_t> numbers(const std::vector<WaitingLeaf>& leaves) {
    std::vector<std::uint8_t> all;
    for (const WaitingLeaf& leaf : leaves) {
        all.push_back(leaf.record.back());
    }
    return all;
}

}  // namespace

TEST_CASE("what waits goes from the front, and exactly what was read") {
    each_engine([](TestStore& store) {
        const LedgerStores stores(store);
        for (std::uint8_t i = 1; i <= 9; ++i) {
            put(store, LogClass::kService, i);
        }
        put(store, LogClass::kConduct, 77);
        CHECK(good(internal::count_outbox(*store, LogClass::kService, 100)) == 9);
        CHECK(good(internal::count_outbox(*store, LogClass::kService, 4)) == 4);
        CHECK(good(internal::oldest_of_outbox(*store, LogClass::kService))->bytes.back() == 1);
        const auto first = next(store, 4);
        CHECK(numbers(first) == std::vector<std::uint8_t>{1, 2, 3, 4});
        CHECK(first[2].leaf == Buffer(300, 3));
        CHECK(first[2].bands == Buffer(20, 3));
        CHECK(first[2].owners == Buffer(10, 3));
        CHECK(first[1].bands.empty());
        good(take(store, first));
        CHECK(numbers(next(store)) == std::vector<std::uint8_t>{5, 6, 7, 8, 9});
        // Twice is once too often, and then nothing of the batch is taken.
        CHECK(code_of(take(store, first)) == ErrorCode::kConflict);
        auto some = next(store);
        some.erase(some.begin() + 1);  // leaves a gap
        good(take(store, some));
        CHECK(numbers(next(store)) == std::vector<std::uint8_t>{6});
        const auto waits = [&](std::uint8_t number) {
            bool found = false;
            good(store->snapshot([&](storage::Snapshot& snapshot) -> Result<void> {
                found = TRY(internal::waiting_leaf(snapshot, id_of(number))).has_value();
                return {};
            }));
            return found;
        };
        CHECK(waits(6));
        CHECK(waits(77));
        CHECK_FALSE(waits(5));
        good(take(store, next(store)));
        CHECK_FALSE(good(internal::oldest_of_outbox(*store, LogClass::kService)).has_value());
        put(store, LogClass::kService, 10);
        CHECK(numbers(next(store)) == std::vector<std::uint8_t>{10});
    });
}

TEST_CASE("bands that were forgotten are not written down by whoever read them before") {
    each_engine([](TestStore& store) {
        const LedgerStores stores(store);
        for (std::uint8_t i = 1; i <= 5; ++i) {
            put(store, LogClass::kService, i);
        }
        const auto before = next(store);
        SUBCASE("in the middle") {
            forget(store, {id_of(3)});
        }
        SUBCASE("the last") {
            forget(store, {id_of(5)});
        }
        SUBCASE("all") {
            forget(store, {id_of(1), id_of(2), id_of(3), id_of(4), id_of(5), id_of(6)});
        }
        CHECK(code_of(take(store, before)) == ErrorCode::kConflict);
        const auto after = next(store);
        REQUIRE(after.size() == before.size());
        std::size_t without = 0;
        for (const WaitingLeaf& leaf : after) {
            CHECK(leaf.leaf == Buffer(300, leaf.record.back()));
            CHECK(leaf.owners == Buffer(10, leaf.record.back()));
            without += leaf.bands.empty() ? 1U : 0U;
        }
        CHECK(without >= 3);
        good(take(store, after));
        CHECK(next(store).empty());
    });
}

}  // namespace colophon::ledger
