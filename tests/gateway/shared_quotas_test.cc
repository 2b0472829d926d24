// SPDX-License-Identifier: Apache-2.0
#include "gateway/shared_quotas.h"

#include "core/clock.h"
#include "core/executor.h"
#include "core/random.h"
#include "core/task.h"
#include "gateway/quotas.h"
#include "gateway/settings.h"
#include "identity/budgets.h"
#include "storage/migration.h"
#include "storage/postgres_store.h"
#include "storage/store.h"
#include "support/postgres_server.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace colophon::gateway {
namespace {

using std::chrono::steady_clock;

// Goes on in whatever thread says that it can.
class Anywhere final : public Executor {
public:
    void resume(std::coroutine_handle<> coroutine) override { coroutine.resume(); }
};

// One process before the store.
struct Node {
    explicit Node(const std::string& address)
        : store(storage::open_postgres(address).value()),
          budgets(identity::Budgets::open(*store, random).value()),
          quotas(std::make_unique<SharedQuotas>(*budgets)) {}

    Task<void> enter(Quotas::Key key, Quota quota, std::promise<SharedQuotas::Answer>& told) {
        auto answer = co_await quotas->enter(anywhere, key, quota);
        told.set_value(std::move(answer));
    }
    // Whether the call is in.
    bool enter(const Quotas::Key& key, const Quota& quota) {
        std::promise<SharedQuotas::Answer> told;
        start(enter(key, quota, told));
        const auto answer = told.get_future().get();
        REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? "" : answer.error().what));
        return !answer->has_value();
    }

    SystemRandom random;
    Anywhere anywhere;
    std::unique_ptr<storage::Store> store;
    std::unique_ptr<identity::Budgets> budgets;
    std::unique_ptr<SharedQuotas> quotas;
};

std::string new_store() {
    std::string address = test::PostgresServer::shared().new_address();
    const auto store = storage::open_postgres(address);
    SystemClock clock;
    REQUIRE(storage::migrate(**store, identity::budget_migrations(), clock).ok());
    return address;
}

}  // namespace

TEST_CASE("two nodes together let in what a minute's quota allows, within one percent") {
    const std::string address = new_store();
    Node one(address);
    Node two(address);
    const Quota quota{.requests_a_minute = 60'000};
    const Quotas::Key key{1};
    std::atomic<std::int64_t> in{0};
    std::atomic<std::int64_t> out{0};
    const auto begun = steady_clock::now();
    const auto until = begun + std::chrono::seconds(4);
    const auto call = [&](Node& node) {
        while (steady_clock::now() < until) {
            if (node.enter(key, quota)) {
                ++in;
                node.quotas->leave(key, quota, 0);
            } else {
                ++out;
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
        }
    };
    std::vector<std::thread> threads;
    for (Node* node : {&one, &two}) {
        for (int i = 0; i < 3; ++i) {
            threads.emplace_back([&call, node] { call(*node); });
        }
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const double seconds = std::chrono::duration<double>(steady_clock::now() - begun).count();
    const double allowed = 60'000 + 1'000 * seconds;
    const auto asked = one.quotas->exchanges() + two.quotas->exchanges();
    MESSAGE("let in ", in.load(), " of ", allowed, ", refused ", out.load(), ", asked the store ",
            asked, " times");
    CHECK(out > 0);
    CHECK(static_cast<double>(in) <= allowed * 1.01);
    CHECK(static_cast<double>(in) >= allowed * 0.99);
    // Calls are let in from memory: more than fifty for each question to the store.
    CHECK(static_cast<double>(asked) < static_cast<double>(in) / 50);
}

TEST_CASE("tokens are counted together, and what is overdrawn is owed by all nodes") {
    const std::string address = new_store();
    Node one(address);
    Node two(address);
    const Quota quota{.tokens_a_minute = 10'000};
    const Quotas::Key key{2};
    std::int64_t used = 0;
    const auto begun = steady_clock::now();
    // In turn on both nodes, until both refuse.
    for (int refused = 0; refused < 20;) {
        Node& node = used % 200 == 0 ? one : two;
        if (node.enter(key, quota)) {
            node.quotas->leave(key, quota, 100);
            used += 100;
            refused = 0;
        } else {
            ++refused;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        REQUIRE(steady_clock::now() - begun < std::chrono::seconds(30));
    }
    const double seconds = std::chrono::duration<double>(steady_clock::now() - begun).count();
    const double allowed = 10'000 + 10'000 * seconds / 60;
    MESSAGE("used ", used, " tokens of ", allowed);
    CHECK(static_cast<double>(used) <= allowed + 2 * 100);
    CHECK(static_cast<double>(used) >= 10'000);
}

TEST_CASE("calls at once are limited over all nodes, and places move to who needs them") {
    const std::string address = new_store();
    Node one(address);
    auto two = std::make_unique<Node>(address);
    const Quota quota{.concurrency = 100};
    const Quotas::Key key{3};
    int in_one = 0;
    int in_two = 0;
    for (int i = 0; i < 60; ++i) {
        in_one += one.enter(key, quota) ? 1 : 0;
        in_two += two->enter(key, quota) ? 1 : 0;
    }
    CHECK(in_one + in_two == 100);
    const auto takes_within = [&](Node& node, std::chrono::seconds time) {
        const auto until = steady_clock::now() + time;
        while (steady_clock::now() < until) {
            if (node.enter(key, quota)) {
                return true;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        return false;
    };
    // What ends on the second node is free for the first one.
    for (int i = 0; i < 10; ++i) {
        two->quotas->leave(key, quota, 0);
        CHECK(takes_within(one, std::chrono::seconds(5)));
    }
    CHECK_FALSE(one.enter(key, quota));
    // A node that ends in order leaves its places at once.
    two.reset();
    CHECK(takes_within(one, std::chrono::seconds(5)));
}

TEST_CASE("a node that cannot reach the store refuses what it has nothing in hand for") {
    const std::string address = new_store();
    Node one(address);
    const Quota quota{.requests_a_minute = 4'000};
    const Quotas::Key key{4};
    CHECK(one.enter(key, quota));
    test::PostgresServer::shared().psql("DROP TABLE " + address.substr(address.rfind("%3D") + 3) +
                                        ".budgets");
    bool failed = false;
    for (int i = 0; i < 100 && !failed; ++i) {
        std::promise<SharedQuotas::Answer> told;
        start(one.enter(key, quota, told));
        failed = !told.get_future().get().ok();
    }
    CHECK(failed);
}

}  // namespace colophon::gateway
