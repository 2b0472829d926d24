// SPDX-License-Identifier: Apache-2.0
#include "gateway/shared_quotas.h"

#include "core/executor.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/settings.h"
#include "identity/budgets.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::int64_t kBlocksAMinute = 400;
// How long the store's word that there is nothing holds at least: a flood of calls that are
// refused is no flood of questions.
constexpr milliseconds kNoneTime{100};

std::int64_t amount(std::size_t number) {
    return static_cast<std::int64_t>(number);
}

std::int64_t block_of(std::size_t quota) {
    return std::max<std::int64_t>(1, amount(quota) / kBlocksAMinute);
}

int seconds_until(steady_clock::time_point when, steady_clock::time_point now) {
    const double seconds = std::ceil(std::chrono::duration<double>(when - now).count());
    return static_cast<int>(std::clamp(seconds, 1.0, 60.0));
}

bool is_limited(const Quota& quota) {
    return quota.concurrency > 0 || quota.requests_a_minute > 0 || quota.tokens_a_minute > 0;
}

}  // namespace

SharedQuotas::SharedQuotas(identity::Budgets& budgets)
    : budgets_(budgets), thread_([this] { run(); }) {}

SharedQuotas::~SharedQuotas() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

std::uint64_t SharedQuotas::exchanges() const {
    const std::lock_guard lock(mutex_);
    return exchanges_;
}

// Takes one call and one place, where both and a token are there.
SharedQuotas::Entry SharedQuotas::try_enter(Bucket& bucket, Time now, Refused& refused) {
    struct Row {
        const Hand& hand;
        std::size_t quota;
        const char* what;
    };
    bool must_ask = false;
    for (const Row& row :
         {Row{bucket.places, bucket.quota.concurrency, "too many calls at once"},
          Row{bucket.calls, bucket.quota.requests_a_minute, "too many calls in this minute"},
          Row{bucket.tokens, bucket.quota.tokens_a_minute, "too many tokens in this minute"}}) {
        if (row.quota == 0 || row.hand.units > 0) {
            continue;
        }
        if (now < row.hand.none_until) {
            refused = {.what = row.what, .seconds = seconds_until(row.hand.none_until, now)};
            return Entry::kRefused;
        }
        must_ask = true;
    }
    if (must_ask) {
        return Entry::kMustAsk;
    }
    bucket.places.units -= bucket.quota.concurrency > 0 ? 1 : 0;
    bucket.calls.units -= bucket.quota.requests_a_minute > 0 ? 1 : 0;
    bucket.places_low = std::min(bucket.places_low, bucket.places.units);
    bucket.used = now;
    ++bucket.active;
    return Entry::kIn;
}

// Places are asked for when they are missing only: whoever holds more than he uses takes them away
// from the others.
bool SharedQuotas::runs_low(const Bucket& bucket, Time now) {
    const auto low = [now](const Hand& hand, std::size_t quota) {
        return quota > 0 && now >= hand.none_until && hand.units <= block_of(quota) / 2;
    };
    return low(bucket.calls, bucket.quota.requests_a_minute) ||
           low(bucket.tokens, bucket.quota.tokens_a_minute) ||
           (bucket.quota.tokens_a_minute > 0 && bucket.tokens.units < 0);
}

void SharedQuotas::ask_soon(const Key& key, Bucket& bucket) {
    if (!bucket.asking) {
        bucket.asking = true;
        asking_.push_back(key);
        changed_.notify_one();
    }
}

void SharedQuotas::wait_or_enter(const Key& key, const Quota& quota, const Waiter& waiter) {
    Refused refused;
    Entry entry = Entry::kIn;
    {
        const std::lock_guard lock(mutex_);
        Bucket& bucket = buckets_[key];
        bucket.quota = quota;
        const auto now = steady_clock::now();
        // Nobody overtakes who waits already.
        entry = bucket.waiters.empty() ? try_enter(bucket, now, refused) : Entry::kMustAsk;
        if (entry == Entry::kMustAsk) {
            bucket.waiters.push_back(waiter);
        }
        if (entry == Entry::kMustAsk || (entry == Entry::kIn && runs_low(bucket, now))) {
            ask_soon(key, bucket);
        }
    }
    if (entry == Entry::kIn) {
        waiter(std::optional<Refused>());
    } else if (entry == Entry::kRefused) {
        waiter(std::optional(std::move(refused)));
    }
}

Task<SharedQuotas::Answer> SharedQuotas::enter(Executor& executor, Key key, Quota quota) {
    if (!is_limited(quota)) {
        co_return std::optional<Refused>();
    }
    {
        // The usual way, without a change of threads.
        const std::lock_guard lock(mutex_);
        const auto found = buckets_.find(key);
        if (found != buckets_.end() && found->second.waiters.empty()) {
            Bucket& bucket = found->second;
            bucket.quota = quota;
            const auto now = steady_clock::now();
            Refused refused;
            const Entry entry = try_enter(bucket, now, refused);
            if (entry == Entry::kIn && runs_low(bucket, now)) {
                ask_soon(key, bucket);
            }
            if (entry == Entry::kIn) {
                co_return std::optional<Refused>();
            }
            if (entry == Entry::kRefused) {
                co_return std::optional(std::move(refused));
            }
        }
    }
    auto answer = co_await when_done<Answer>(
        executor, [&](const auto& done) { wait_or_enter(key, quota, done); });
    co_return answer;
}

void SharedQuotas::leave(const Key& key, const Quota& quota, std::int64_t tokens) {
    if (!is_limited(quota)) {
        return;
    }
    const std::lock_guard lock(mutex_);
    const auto found = buckets_.find(key);
    if (found == buckets_.end()) {
        return;
    }
    Bucket& bucket = found->second;
    if (bucket.active > 0) {
        --bucket.active;
        bucket.places.units += quota.concurrency > 0 ? 1 : 0;
    }
    if (quota.tokens_a_minute > 0) {
        bucket.tokens.units -= std::clamp<std::int64_t>(tokens, 0, identity::kBudgetMax / 2);
    }
    if (!bucket.waiters.empty() || runs_low(bucket, steady_clock::now())) {
        ask_soon(key, bucket);
    }
}

identity::BudgetAsk SharedQuotas::ask_of(const Key& key, Bucket& bucket, Time now) {
    const Quota& quota = bucket.quota;
    identity::BudgetAsk ask{.owner = key,
                            .calls_a_minute = amount(quota.requests_a_minute),
                            .tokens_a_minute = amount(quota.tokens_a_minute),
                            .calls_at_once = amount(quota.concurrency)};
    const auto waiting = amount(bucket.waiters.size());
    const bool idle = waiting == 0 && now - bucket.used >= kIdle;
    const auto want = [&](Hand& hand, std::size_t limit, std::int64_t at_once) -> std::int64_t {
        if (limit == 0) {
            return 0;
        }
        if (idle && hand.units >= 0) {
            return -std::exchange(hand.units, 0);
        }
        const std::int64_t aim = std::min(at_once + block_of(limit), amount(limit));
        return now < hand.none_until ? 0 : std::max<std::int64_t>(0, aim - hand.units);
    };
    if (bucket.tokens.units < 0) {
        ask.tokens_owed = std::min(-std::exchange(bucket.tokens.units, 0), identity::kBudgetMax);
    }
    ask.calls = want(bucket.calls, quota.requests_a_minute, waiting);
    ask.tokens = want(bucket.tokens, quota.tokens_a_minute, 0);
    if (waiting > bucket.places.units && now >= bucket.places.none_until) {
        ask.places = quota.concurrency == 0 ? 0 : waiting - bucket.places.units;
    } else if (waiting == 0 && bucket.places_low > 0) {
        ask.places = -std::min(bucket.places_low, bucket.places.units);
        bucket.places.units += ask.places;
    }
    bucket.places_low = bucket.places.units;
    return ask;
}

SharedQuotas::Exchange SharedQuotas::take_asks() {
    const std::size_t count = std::min(asking_.size(), identity::kBudgetAsksMax);
    Exchange exchange;
    const auto now = steady_clock::now();
    for (std::size_t i = 0; i < count; ++i) {
        exchange.keys.push_back(asking_[i]);
        exchange.asks.push_back(ask_of(asking_[i], buckets_[asking_[i]], now));
    }
    asking_.erase(asking_.begin(), asking_.begin() + static_cast<std::ptrdiff_t>(count));
    return exchange;
}

void SharedQuotas::settle(const Exchange& exchange,
                          const Result<std::vector<identity::BudgetGrant>>& grants,
                          std::vector<Told>& told) {
    const auto now = steady_clock::now();
    for (std::size_t i = 0; i < exchange.keys.size(); ++i) {
        Bucket& bucket = buckets_[exchange.keys[i]];
        const identity::BudgetAsk& ask = exchange.asks[i];
        bucket.asking = false;
        std::vector<Waiter> waiters = std::move(bucket.waiters);
        bucket.waiters.clear();
        if (!grants.ok()) {
            // Nothing was exchanged.
            bucket.calls.units -= std::min<std::int64_t>(ask.calls, 0);
            bucket.tokens.units -= std::min<std::int64_t>(ask.tokens, 0) + ask.tokens_owed;
            bucket.places.units -= std::min<std::int64_t>(ask.places, 0);
            for (Waiter& each : waiters) {
                told.push_back({.waiter = std::move(each), .answer = grants.error()});
            }
            continue;
        }
        const identity::BudgetGrant& grant = (*grants)[i];
        const auto add = [now](Hand& hand, std::int64_t given, std::int64_t wanted,
                               milliseconds wait) {
            hand.units += given;
            if (given < wanted) {
                hand.none_until = now + std::max(wait, kNoneTime);
            }
        };
        add(bucket.calls, grant.calls, ask.calls, grant.calls_wait);
        add(bucket.tokens, grant.tokens, ask.tokens, grant.tokens_wait);
        add(bucket.places, grant.places, ask.places, kNoneTime);
        for (Waiter& each : waiters) {
            Refused refused;
            const Entry entry = try_enter(bucket, now, refused);
            if (entry == Entry::kMustAsk) {
                bucket.waiters.push_back(std::move(each));
            } else if (entry == Entry::kIn) {
                told.push_back({.waiter = std::move(each), .answer = std::optional<Refused>()});
            } else {
                told.push_back({.waiter = std::move(each), .answer = std::optional(refused)});
            }
        }
        if (!bucket.waiters.empty()) {
            ask_soon(exchange.keys[i], bucket);
        }
    }
}

void SharedQuotas::exchange(std::unique_lock<std::mutex>& lock) {
    const Exchange exchange = take_asks();
    if (exchange.keys.empty()) {
        return;
    }
    ++exchanges_;
    lock.unlock();
    const auto grants = budgets_.exchange(exchange.asks);
    std::vector<Told> told;
    lock.lock();
    settle(exchange, grants, told);
    lock.unlock();
    for (const Told& each : told) {
        each.waiter(each.answer);
    }
    lock.lock();
}

// Buckets that nobody uses are given back and forgotten.
void SharedQuotas::give_back_idle(Time now) {
    for (auto each = buckets_.begin(); each != buckets_.end();) {
        Bucket& bucket = each->second;
        const bool idle = now - bucket.used >= kIdle;
        const bool in_hand = bucket.calls.units > 0 || bucket.tokens.units != 0;
        if (idle && !in_hand && bucket.active == 0 && bucket.places.units == 0 && !bucket.asking) {
            each = buckets_.erase(each);
            continue;
        }
        if ((idle && in_hand) || bucket.places_low > 0) {
            ask_soon(each->first, bucket);
        } else {
            bucket.places_low = bucket.places.units;
        }
        ++each;
    }
}

void SharedQuotas::give_all_back() {
    for (auto& [key, bucket] : buckets_) {
        bucket.used = Time{};
        bucket.places_low = bucket.places.units;
        ask_soon(key, bucket);
    }
}

void SharedQuotas::run() {
    std::unique_lock lock(mutex_);
    auto next_tick = steady_clock::now() + kTick;
    while (!ending_) {
        changed_.wait_until(lock, next_tick, [this] { return ending_ || !asking_.empty(); });
        const auto now = steady_clock::now();
        if (now >= next_tick) {
            next_tick = now + kTick;
            give_back_idle(now);
            if (!buckets_.empty()) {
                lock.unlock();
                (void)budgets_.live();  // the next tick tries again
                lock.lock();
            }
        }
        exchange(lock);
    }
    give_all_back();
    while (!asking_.empty()) {
        exchange(lock);
    }
    (void)budgets_.leave();
}

}  // namespace colophon::gateway
