// SPDX-License-Identifier: Apache-2.0
#include "storage/lease.h"

#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "storage/engines.h"
#include "storage/migration.h"
#include "storage/store.h"
#include "storage/tables.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

using namespace std::chrono_literals;

constexpr auto kStart = Time(1'700'000'000'000ms);

void prepare(TestStore& store) {
    FixedClock clock(kStart);
    good(migrate(*store, storage_migrations(), clock));
}

}  // namespace

TEST_CASE("a lease is held by one, renewed, lost with time, and tokens grow") {
    each_engine([](TestStore& store) {
        prepare(store);
        SeededRandom random(1);
        const auto first = good(acquire_lease(*store, "sequencer", 10s, kStart, random));
        REQUIRE(first.has_value());
        CHECK_FALSE(good(acquire_lease(*store, "sequencer", 10s, kStart + 9s, random)).has_value());
        CHECK(good(acquire_lease(*store, "other", 10s, kStart, random)).has_value());
        const Lease renewed = good(renew_lease(*store, *first, 10s, kStart + 9s));
        CHECK(renewed.until == kStart + 19s);
        CHECK_FALSE(
            good(acquire_lease(*store, "sequencer", 10s, kStart + 18s, random)).has_value());
        const auto second = good(acquire_lease(*store, "sequencer", 10s, kStart + 19s, random));
        REQUIRE(second.has_value());
        CHECK(second->token > first->token);
        CHECK(code_of(renew_lease(*store, renewed, 10s, kStart + 18s)) == ErrorCode::kConflict);
        good(release_lease(*store, renewed));  // says nothing about somebody else's
        CHECK_FALSE(
            good(acquire_lease(*store, "sequencer", 10s, kStart + 20s, random)).has_value());
        good(release_lease(*store, *second));
        const auto third = good(acquire_lease(*store, "sequencer", 10s, kStart + 20s, random));
        REQUIRE(third.has_value());
        CHECK(third->token > second->token);
    });
}

TEST_CASE("a batch behind the fence of a lost lease changes nothing") {
    each_engine([](TestStore& store) {
        prepare(store);
        store.script("CREATE TABLE written (id BIGINT PRIMARY KEY)");
        SeededRandom random(1);
        const auto old = good(acquire_lease(*store, "sequencer", 10s, kStart, random));
        const auto write = [&](const Lease& lease, Time now, std::int64_t id) {
            Batch batch;
            batch.operations.push_back(fence(lease, now));
            batch.operations.push_back({.statement = {"INSERT INTO written (id) VALUES ($1)"},
                                        .parameters = {integer(id)}});
            return store->apply(std::move(batch));
        };
        good(write(*old, kStart + 1s, 1));
        CHECK(code_of(write(*old, kStart + 11s, 2)) == ErrorCode::kConflict);
        const auto next = good(acquire_lease(*store, "sequencer", 10s, kStart + 11s, random));
        // Its clock stood still, so it believes that the lease is good.
        CHECK(code_of(write(*old, kStart + 5s, 3)) == ErrorCode::kConflict);
        good(write(*next, kStart + 12s, 4));
        const Rows rows = good(store->query({"SELECT id FROM written ORDER BY id"}, {}));
        REQUIRE(rows.size() == 2);
        CHECK(good(rows.integer(1, 0)) == 4);
    });
}

TEST_CASE("of many that ask at once one gets the lease") {
    each_engine([](TestStore& store) {
        prepare(store);
        std::vector<std::future<Result<std::optional<Lease>>>> asked;
        for (std::uint64_t i = 0; i < 8; ++i) {
            asked.push_back(std::async(std::launch::async, [&store, i] {
                SeededRandom random(100 + i);
                return acquire_lease(*store, "sequencer", 10s, kStart, random);
            }));
        }
        int held = 0;
        for (auto& each : asked) {
            held += good(each.get()).has_value() ? 1 : 0;
        }
        CHECK(held == 1);
    });
}

}  // namespace colophon::storage
