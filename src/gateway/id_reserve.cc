// SPDX-License-Identifier: Apache-2.0
#include "gateway/id_reserve.h"

#include "core/executor.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/task.h"

#include <mutex>
#include <vector>

namespace colophon::gateway {

Task<Result<ContentId>> IdReserve::take(Executor& executor) {
    bool refill_now = false;
    {
        const std::lock_guard lock(mutex_);
        refill_now = ready_.size() < kLow && !refilling_;
        refilling_ = refilling_ || refill_now;
    }
    if (refill_now && !blocking_.submit([this] { refill(); })) {
        const std::lock_guard lock(mutex_);
        refilling_ = false;
    }
    {
        const std::lock_guard lock(mutex_);
        if (!ready_.empty()) {
            const ContentId id = ready_.back();
            ready_.pop_back();
            co_return id;
        }
    }
    auto asked = co_await blocking_.run(executor, [this] { return ids_.next(); });
    co_return asked;
}

void IdReserve::refill() {
    std::vector<ContentId> fresh;
    while (fresh.size() < kFull) {
        const auto next = ids_.next();
        if (!next.ok()) {
            break;
        }
        fresh.push_back(*next);
    }
    const std::lock_guard lock(mutex_);
    ready_.insert(ready_.end(), fresh.begin(), fresh.end());
    refilling_ = false;
}

}  // namespace colophon::gateway
