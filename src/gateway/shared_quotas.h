// SPDX-License-Identifier: Apache-2.0
#pragma once

// The quotas of gateway/quotas.h where several nodes share them (identity/budgets.h).
//
// A call is let in by what this node has in hand, in memory. Before that is used up a thread of its
// own asks the store for the next block, a 400th of a minute's quota; only a call that finds
// nothing in hand waits for it. What was not used for kIdle goes back, and so do places for calls
// at once that stayed free for kTick. So all nodes together let in what the quota allows: less by
// at most a 400th for each node that has something in hand which it does not use, and never more,
// but for tokens of calls that are going on, which are known at their end only.

#include "core/executor.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/quotas.h"
#include "gateway/settings.h"
#include "identity/budgets.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace colophon::gateway {

class SharedQuotas {
public:
    using Key = Quotas::Key;
    using Refused = Quotas::Refused;
    // Nothing: the call is in. An error: the budget could not be asked for.
    using Answer = Result<std::optional<Refused>>;

    static constexpr std::chrono::milliseconds kTick{250};
    static constexpr std::chrono::milliseconds kIdle{2'000};

    // `budgets` outlives this and is used by nobody else.
    explicit SharedQuotas(identity::Budgets& budgets);
    // Gives everything back.
    ~SharedQuotas();
    SharedQuotas(const SharedQuotas&) = delete;
    SharedQuotas& operator=(const SharedQuotas&) = delete;
    SharedQuotas(SharedQuotas&&) = delete;
    SharedQuotas& operator=(SharedQuotas&&) = delete;

    Task<Answer> enter(Executor& executor, Key key, Quota quota);
    // As Quotas::leave().
    void leave(const Key& key, const Quota& quota, std::int64_t tokens);
    // How often the store was asked.
    std::uint64_t exchanges() const;

private:
    using Time = std::chrono::steady_clock::time_point;
    using Waiter = std::function<void(Answer)>;
    struct Hand {
        std::int64_t units = 0;  // below 0: owed
        Time none_until;         // the store had none: do not ask before
    };
    struct Bucket {
        Quota quota;
        Hand calls;
        Hand tokens;
        Hand places;
        std::int64_t places_low = 0;  // fewest that were free since the last tick
        std::size_t active = 0;
        Time used;
        bool asking = false;
        std::vector<Waiter> waiters;
    };
    enum class Entry : std::uint8_t { kIn, kMustAsk, kRefused };
    struct Exchange {
        std::vector<Key> keys;
        std::vector<identity::BudgetAsk> asks;
    };
    struct Told {
        Waiter waiter;
        Answer answer;
    };

    Entry try_enter(Bucket& bucket, Time now, Refused& refused);
    void wait_or_enter(const Key& key, const Quota& quota, const Waiter& waiter);
    void ask_soon(const Key& key, Bucket& bucket);
    static bool runs_low(const Bucket& bucket, Time now);
    static identity::BudgetAsk ask_of(const Key& key, Bucket& bucket, Time now);
    void run();
    void give_back_idle(Time now);
    // Asks for all that wait to be asked for; the lock is let go meanwhile.
    void exchange(std::unique_lock<std::mutex>& lock);
    Exchange take_asks();
    void settle(const Exchange& exchange, const Result<std::vector<identity::BudgetGrant>>& grants,
                std::vector<Told>& told);
    void give_all_back();

    identity::Budgets& budgets_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<Key, Bucket> buckets_;  // guarded by mutex_, like what follows
    std::vector<Key> asking_;
    std::uint64_t exchanges_ = 0;
    bool ending_ = false;
    std::thread thread_;  // last: it uses all of the above
};

}  // namespace colophon::gateway
