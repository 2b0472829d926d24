// SPDX-License-Identifier: Apache-2.0
#pragma once

// Leaves a provider alone that fails: when half of the calls of the last thirty seconds failed, and
// there were at least ten, nobody asks for thirty seconds; then one call tries.

#include "core/clock.h"

#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>

namespace colophon::identity {

struct BreakerPolicy {
    std::size_t calls_min = 10;
    std::chrono::seconds window{30};
    std::chrono::seconds rest{30};
};

// Threads: all methods may be called at once.
class CircuitBreaker {
public:
    explicit CircuitBreaker(Clock& clock, const BreakerPolicy& policy = {})
        : clock_(clock), policy_(policy) {}

    // Whether a call may be made now. After `true` exactly one record() follows.
    bool may_call();
    void record(bool good);
    bool is_open();

private:
    struct Call {
        Time time;
        bool good = false;
    };

    Clock& clock_;
    const BreakerPolicy policy_;
    std::mutex mutex_;
    std::deque<Call> calls_;  // of the window, oldest first
    std::size_t bad_ = 0;     // of them
    bool open_ = false;
    bool trying_ = false;  // one call is out while the breaker is open
    Time rests_until_;
};

}  // namespace colophon::identity
