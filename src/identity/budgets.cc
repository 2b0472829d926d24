// SPDX-License-Identifier: Apache-2.0
#include "identity/budgets.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/random.h"
#include "core/result.h"
#include "storage/migration.h"
#include "storage/store.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace colophon::identity {
namespace {

using std::chrono::steady_clock;

// A level is kept in 60,000ths of a call or token, because a budget of n a minute then grows by
// exactly n in each millisecond.
constexpr std::int64_t kMinuteMs = 60'000;
// Longer than any debt lasts that matters; keeps the arithmetic within 64 bits.
constexpr std::int64_t kDayMs = std::int64_t{24} * 60 * kMinuteMs;
constexpr std::chrono::minutes kTidyEvery{10};

constexpr std::array kMigrations{
    // calls, tokens: levels, see above. seen_at, filled_at: milliseconds of the store's clock.
    storage::Migration{"budgets", 1,
                       "CREATE TABLE budgets (\n"
                       "  owner BYTES PRIMARY KEY,\n"
                       "  calls INTEGER NOT NULL,\n"
                       "  tokens INTEGER NOT NULL,\n"
                       "  filled_at INTEGER NOT NULL);\n"
                       "CREATE TABLE budget_nodes (\n"
                       "  node BYTES PRIMARY KEY,\n"
                       "  seen_at INTEGER NOT NULL);\n"
                       "CREATE TABLE budget_places (\n"
                       "  owner BYTES NOT NULL,\n"
                       "  node BYTES NOT NULL,\n"
                       "  places INTEGER NOT NULL,\n"
                       "  PRIMARY KEY (owner, node));\n"
                       "CREATE INDEX budget_places_node ON budget_places (node);\n"},
};

#define COLOPHON_SQLITE_NOW "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
#define COLOPHON_POSTGRES_NOW "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"

constexpr storage::Statement kNow{"SELECT " COLOPHON_SQLITE_NOW, "SELECT " COLOPHON_POSTGRES_NOW};
constexpr storage::Statement kLevels{
    "SELECT calls, tokens, filled_at FROM budgets WHERE owner = $1",
    "SELECT calls, tokens, filled_at FROM budgets WHERE owner = $1 FOR UPDATE"};
constexpr storage::Statement kKeepLevels{
    "INSERT INTO budgets (owner, calls, tokens, filled_at) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (owner) DO UPDATE SET calls = excluded.calls, tokens = excluded.tokens,"
    " filled_at = excluded.filled_at"};
constexpr storage::Statement kPlaces{
    "SELECT p.node, p.places, n.seen_at FROM budget_places p"
    " LEFT JOIN budget_nodes n ON n.node = p.node WHERE p.owner = $1"};
constexpr storage::Statement kKeepPlaces{
    "INSERT INTO budget_places (owner, node, places) VALUES ($1, $2, $3)"
    " ON CONFLICT (owner, node) DO UPDATE SET places = excluded.places"};
constexpr storage::Statement kDropPlaces{
    "DELETE FROM budget_places WHERE owner = $1 AND node = $2"};
constexpr storage::Statement kLive{
    "INSERT INTO budget_nodes (node, seen_at) VALUES ($1, " COLOPHON_SQLITE_NOW
    ") ON CONFLICT (node) DO UPDATE SET seen_at = excluded.seen_at",
    "INSERT INTO budget_nodes (node, seen_at) VALUES ($1, " COLOPHON_POSTGRES_NOW
    ") ON CONFLICT (node) DO UPDATE SET seen_at = excluded.seen_at"};
constexpr storage::Statement kLeavePlaces{"DELETE FROM budget_places WHERE node = $1"};
constexpr storage::Statement kLeave{"DELETE FROM budget_nodes WHERE node = $1"};
// A budget that nobody touched for a day is full, which is what no row means.
constexpr storage::Statement kTidyBudgets{
    "DELETE FROM budgets WHERE filled_at < " COLOPHON_SQLITE_NOW " - 86400000",
    "DELETE FROM budgets WHERE filled_at < " COLOPHON_POSTGRES_NOW " - 86400000"};
constexpr storage::Statement kTidyPlaces{
    "DELETE FROM budget_places WHERE node IN (SELECT node FROM budget_nodes"
    " WHERE seen_at < " COLOPHON_SQLITE_NOW " - 600000)",
    "DELETE FROM budget_places WHERE node IN (SELECT node FROM budget_nodes"
    " WHERE seen_at < " COLOPHON_POSTGRES_NOW " - 600000)"};
constexpr storage::Statement kTidyNodes{
    "DELETE FROM budget_nodes WHERE seen_at < " COLOPHON_SQLITE_NOW " - 600000",
    "DELETE FROM budget_nodes WHERE seen_at < " COLOPHON_POSTGRES_NOW " - 600000"};

Result<std::int64_t> now_of(storage::Transaction& transaction) {
    const storage::Rows rows = TRY(transaction.query(kNow, {}));
    return rows.integer(0, 0);
}

// One budget on its way through an exchange.
struct Level {
    std::int64_t a_minute = 0;
    std::int64_t level = 0;

    void fill(std::int64_t elapsed_ms) {
        const std::int64_t full = a_minute * kMinuteMs;
        level = std::min(full, level + a_minute * std::clamp<std::int64_t>(elapsed_ms, 0, kDayMs));
    }
    // What of `wanted` is given; below 0 it is taken back, and what is above a full budget ends.
    std::int64_t take(std::int64_t wanted, std::int64_t owed) {
        if (a_minute == 0) {
            return 0;
        }
        const std::int64_t least = std::numeric_limits<std::int64_t>::min() / 4;
        level = std::max(least, level - owed * kMinuteMs);
        const std::int64_t given =
            wanted < 0 ? wanted : std::clamp<std::int64_t>(level / kMinuteMs, 0, wanted);
        level = std::min(a_minute * kMinuteMs, level - given * kMinuteMs);
        return std::max<std::int64_t>(given, 0);
    }
    std::chrono::milliseconds wait() const {
        if (a_minute == 0 || level >= kMinuteMs) {
            return std::chrono::milliseconds{0};
        }
        return std::chrono::milliseconds{(kMinuteMs - level + a_minute - 1) / a_minute};
    }
};

bool is_sound(const BudgetAsk& ask) {
    const auto within = [](std::int64_t value, std::int64_t least) {
        return value >= least && value <= kBudgetMax;
    };
    return within(ask.calls_a_minute, 0) && within(ask.tokens_a_minute, 0) &&
           within(ask.calls_at_once, 0) && within(ask.calls, -kBudgetMax) &&
           within(ask.tokens, -kBudgetMax) && within(ask.places, -kBudgetMax) &&
           within(ask.tokens_owed, 0);
}

}  // namespace

std::span<const storage::Migration> budget_migrations() {
    return kMigrations;
}

Result<std::unique_ptr<Budgets>> Budgets::open(storage::Store& store, Random& random) {
    Node node{};
    TRY(random.fill(node));
    auto budgets = std::make_unique<Budgets>(store, node);
    TRY(budgets->live());
    return budgets;
}

Result<std::int64_t> Budgets::exchange_places(storage::Transaction& transaction,
                                              const BudgetAsk& ask) const {
    if (ask.calls_at_once == 0 || ask.places == 0) {
        return std::int64_t{0};
    }
    const std::int64_t now = TRY(now_of(transaction));
    const storage::Rows rows = TRY(transaction.query(kPlaces, {storage::bytes(ask.owner)}));
    std::int64_t own = 0;
    std::int64_t others = 0;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const Bytes node = TRY(rows.bytes(row, 0));
        const std::int64_t held = TRY(rows.integer(row, 1));
        if (std::ranges::equal(node, node_)) {
            own = held;
        } else if (!rows.is_null(row, 2) && TRY(rows.integer(row, 2)) > now - kHolderTime.count()) {
            others += held;
        }
    }
    const std::int64_t room = std::max<std::int64_t>(0, ask.calls_at_once - own - others);
    const std::int64_t given = std::min(ask.places, room);
    const std::int64_t keep = std::max<std::int64_t>(0, own + given);
    if (keep == 0) {
        TRY(transaction.execute(kDropPlaces, {storage::bytes(ask.owner), storage::bytes(node_)}));
    } else if (keep != own) {
        TRY(transaction.execute(kKeepPlaces, {storage::bytes(ask.owner), storage::bytes(node_),
                                              storage::integer(keep)}));
    }
    return std::max<std::int64_t>(given, 0);
}

Result<BudgetGrant> Budgets::exchange_one(storage::Transaction& transaction,
                                          const BudgetAsk& ask) const {
    BudgetGrant grant;
    if (ask.calls_a_minute > 0 || ask.tokens_a_minute > 0) {
        const storage::Rows rows = TRY(transaction.query(kLevels, {storage::bytes(ask.owner)}));
        const std::int64_t now = TRY(now_of(transaction));
        Level calls{.a_minute = ask.calls_a_minute, .level = ask.calls_a_minute * kMinuteMs};
        Level tokens{.a_minute = ask.tokens_a_minute, .level = ask.tokens_a_minute * kMinuteMs};
        std::int64_t filled = now;
        if (!rows.empty()) {
            calls.level = TRY(rows.integer(0, 0));
            tokens.level = TRY(rows.integer(0, 1));
            filled = TRY(rows.integer(0, 2));
            calls.fill(now - filled);
            tokens.fill(now - filled);
        }
        grant.calls = calls.take(ask.calls, 0);
        grant.tokens = tokens.take(ask.tokens, ask.tokens_owed);
        grant.calls_wait = calls.wait();
        grant.tokens_wait = tokens.wait();
        TRY(transaction.execute(
            kKeepLevels,
            {storage::bytes(ask.owner), storage::integer(calls.level),
             storage::integer(tokens.level), storage::integer(std::max(now, filled))}));
    }
    grant.places = TRY(exchange_places(transaction, ask));
    return grant;
}

Result<std::vector<BudgetGrant>> Budgets::exchange(std::span<const BudgetAsk> asks) {
    COLOPHON_ASSERT(asks.size() <= kBudgetAsksMax && std::ranges::all_of(asks, is_sound));
    // Nodes that lock owners in one order do not wait for each other in a circle.
    std::vector<std::size_t> order(asks.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = i;
    }
    std::ranges::sort(order, {}, [&](std::size_t i) { return asks[i].owner; });
    TRY(live());
    std::vector<BudgetGrant> grants;
    const auto body = [&](storage::Transaction& transaction) -> Result<void> {
        grants.assign(asks.size(), {});
        for (const std::size_t i : order) {
            grants[i] = TRY(exchange_one(transaction, asks[i]));
        }
        return {};
    };
    TRY(store_.transact(body));
    return grants;
}

Result<void> Budgets::live() {
    const auto now = steady_clock::now();
    if (lived_ != steady_clock::time_point{} && now - lived_ < kHolderTime / 5) {
        return {};
    }
    storage::Batch batch;
    batch.operations.push_back({.statement = kLive, .parameters = {storage::bytes(node_)}});
    TRY(store_.apply(std::move(batch)));
    lived_ = now;
    if (now - tidied_ > kTidyEvery) {
        tidied_ = now;
        return tidy();
    }
    return {};
}

Result<void> Budgets::tidy() {
    storage::Batch batch;
    for (const storage::Statement& each : {kTidyBudgets, kTidyPlaces, kTidyNodes}) {
        batch.operations.push_back({.statement = each, .parameters = {}});
    }
    return store_.apply(std::move(batch));
}

Result<void> Budgets::leave() {
    storage::Batch batch;
    for (const storage::Statement& each : {kLeavePlaces, kLeave}) {
        batch.operations.push_back({.statement = each, .parameters = {storage::bytes(node_)}});
    }
    return store_.apply(std::move(batch));
}

}  // namespace colophon::identity
