// SPDX-License-Identifier: Apache-2.0
#include "identity/budgets.h"

#include "core/clock.h"
#include "core/random.h"
#include "storage/engines.h"
#include "storage/migration.h"
#include "storage/store.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace colophon::identity {
namespace {

using storage::each_engine;
using storage::good;
using storage::TestStore;

constexpr BudgetOwner kOwner{1, 2, 3};

// Two nodes on one store.
struct Nodes {
    explicit Nodes(TestStore& store) : other_store(store.open()) {
        SystemClock clock;
        good(storage::migrate(*store, budget_migrations(), clock));
        one = good(Budgets::open(*store, random));
        two = good(Budgets::open(*other_store, random));
    }
    SystemRandom random;
    std::unique_ptr<storage::Store> other_store;
    std::unique_ptr<Budgets> one;
    std::unique_ptr<Budgets> two;
};

BudgetGrant ask(Budgets& node, const BudgetAsk& wanted) {
    const auto grants = good(node.exchange({&wanted, 1}));
    REQUIRE(grants.size() == 1);
    return grants.front();
}

}  // namespace

TEST_CASE(
    "what one node takes of a budget the other does not get, and what it gives back it does") {
    each_engine([](TestStore& store) {
        Nodes nodes(store);
        const BudgetAsk sixty{.owner = kOwner, .calls_a_minute = 100, .calls = 60};
        CHECK(ask(*nodes.one, sixty).calls == 60);
        const BudgetGrant rest = ask(*nodes.two, sixty);
        CHECK(rest.calls >= 40);
        CHECK(rest.calls <= 45);  // 100 a minute are one in 600 ms
        CHECK(rest.calls_wait > std::chrono::milliseconds(0));
        CHECK(rest.calls_wait <= std::chrono::milliseconds(600));
        CHECK(ask(*nodes.one, {.owner = kOwner, .calls_a_minute = 100, .calls = -10}).calls == 0);
        CHECK(ask(*nodes.two, sixty).calls >= 10);
        // Others have their own.
        CHECK(ask(*nodes.two, {.owner = {9}, .calls_a_minute = 100, .calls = 60}).calls == 60);
    });
}

TEST_CASE("tokens that were used without being given are owed") {
    each_engine([](TestStore& store) {
        Nodes nodes(store);
        const BudgetAsk overdrawn{
            .owner = kOwner, .tokens_a_minute = 1000, .tokens = 10, .tokens_owed = 3000};
        const BudgetGrant none = ask(*nodes.one, overdrawn);
        CHECK(none.tokens == 0);
        // 2,000 below nothing at 1,000 a minute.
        CHECK(none.tokens_wait > std::chrono::seconds(110));
        CHECK(none.tokens_wait < std::chrono::seconds(121));
        CHECK(ask(*nodes.two, {.owner = kOwner, .tokens_a_minute = 1000, .tokens = 1}).tokens == 0);
    });
}

TEST_CASE("places belong to a node that lives, and are free when it is not heard of any more") {
    each_engine([](TestStore& store) {
        Nodes nodes(store);
        const auto want = [](std::int64_t places) {
            return BudgetAsk{.owner = kOwner, .calls_at_once = 10, .places = places};
        };
        CHECK(ask(*nodes.one, want(7)).places == 7);
        CHECK(ask(*nodes.two, want(7)).places == 3);
        CHECK(ask(*nodes.two, want(1)).places == 0);
        ask(*nodes.one, want(-2));
        CHECK(ask(*nodes.two, want(7)).places == 2);
        // The first node dies: its last sign of life is too old.
        store.script("UPDATE budget_nodes SET seen_at = seen_at - 6000");
        CHECK(ask(*nodes.two, want(10)).places == 5);
        good(nodes.two->leave());
        Nodes later(store);
        CHECK(ask(*later.one, want(20)).places == 10);
    });
}

TEST_CASE("nodes that ask at the same time never get more than there is") {
    each_engine([](TestStore& store) {
        const Nodes nodes(store);
        std::atomic<std::int64_t> given{0};
        std::atomic<std::int64_t> held{0};
        std::atomic<int> failures{0};
        const auto begun = std::chrono::steady_clock::now();
        const auto work = [&](Budgets& node, std::uint8_t first) {
            for (int i = 0; i < 40; ++i) {
                // The owners in another order on each node.
                std::vector<BudgetAsk> asks;
                for (std::uint8_t j = 0; j < 3; ++j) {
                    const auto owner = static_cast<std::uint8_t>(first == 0 ? j : 2 - j);
                    asks.push_back({.owner = {owner},
                                    .calls_a_minute = 600,
                                    .calls_at_once = 50,
                                    .calls = 20,
                                    .places = 2});
                }
                const auto grants = node.exchange(asks);
                if (!grants.ok()) {
                    ++failures;
                    continue;
                }
                for (const BudgetGrant& each : *grants) {
                    given += each.calls;
                    held += each.places;
                }
            }
        };
        std::thread other([&] { work(*nodes.two, 1); });
        work(*nodes.one, 0);
        other.join();
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
        CHECK(failures == 0);
        CHECK(held == 3 * 50);
        CHECK(given >= 3 * 600);
        CHECK(static_cast<double>(given) <= 3 * (600 + 10 * seconds + 1));
    });
}

}  // namespace colophon::identity
