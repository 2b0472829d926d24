// SPDX-License-Identifier: Apache-2.0
#pragma once

// What tenants and subjects may still use of calls, tokens and calls at once, kept in the store so
// that all nodes draw from one budget. A node takes a block of it and spends that from memory; what
// it does not need it gives back.
//
//     store:  budget of a minute ──block──> node A ──one by one──> calls
//                                └─block──> node B ──one by one──> calls
//
// Calls and tokens refill evenly, a full budget being what a minute allows; a node that dies takes
// what it held with it. Places of calls at once belong to a node as long as it lives: those of a
// node that has not been heard of for kHolderTime are free again. Time is the store's.

#include "core/random.h"
#include "storage/store.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace colophon::storage {
struct Migration;
}  // namespace colophon::storage

namespace colophon::identity {

std::span<const storage::Migration> budget_migrations();

// The bytes of the id of a tenant or a subject.
using BudgetOwner = std::array<std::uint8_t, 16>;

inline constexpr std::chrono::milliseconds kHolderTime{5'000};
inline constexpr std::int64_t kBudgetMax = std::int64_t{1} << 31U;
inline constexpr std::size_t kBudgetAsksMax = 256;  // of one exchange

struct BudgetAsk {
    BudgetOwner owner{};
    // What a full budget is, 0..kBudgetMax; 0: no such budget, nothing of it is given or taken.
    std::int64_t calls_a_minute = 0;
    std::int64_t tokens_a_minute = 0;
    std::int64_t calls_at_once = 0;
    // What is wanted; below 0: what is given back. -kBudgetMax..kBudgetMax.
    std::int64_t calls = 0;
    std::int64_t tokens = 0;
    std::int64_t places = 0;
    // Used already without having been given: the budget may fall below nothing by it.
    std::int64_t tokens_owed = 0;
};

// What was given: 0 up to what was wanted.
struct BudgetGrant {
    std::int64_t calls = 0;
    std::int64_t tokens = 0;
    std::int64_t places = 0;
    // How long until the budget has one to give again; 0 when it has one now.
    std::chrono::milliseconds calls_wait{0};
    std::chrono::milliseconds tokens_wait{0};
};

// Threads: one caller at a time.
class Budgets {
public:
    // Errors: those of the store, and kUnavailable without randomness. `store` outlives this.
    static Result<std::unique_ptr<Budgets>> open(storage::Store& store, Random& random);

    // One transaction: all of it or nothing. At most kBudgetAsksMax, each owner once. Says that
    // this node lives, as live() does.
    Result<std::vector<BudgetGrant>> exchange(std::span<const BudgetAsk> asks);
    // To be called at least every kHolderTime / 3 while the node holds places.
    Result<void> live();
    // Lets go of all places.
    Result<void> leave();

    using Node = std::array<std::uint8_t, 16>;
    Budgets(storage::Store& store, const Node& node) : store_(store), node_(node) {}

private:
    Result<BudgetGrant> exchange_one(storage::Transaction& transaction, const BudgetAsk& ask) const;
    Result<std::int64_t> exchange_places(storage::Transaction& transaction,
                                         const BudgetAsk& ask) const;
    Result<void> tidy();

    storage::Store& store_;
    Node node_;
    std::chrono::steady_clock::time_point lived_;
    std::chrono::steady_clock::time_point tidied_;
};

}  // namespace colophon::identity
