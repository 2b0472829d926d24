// SPDX-License-Identifier: Apache-2.0
#include "identity/circuit_breaker.h"

#include "core/clock.h"

#include <cstddef>
#include <mutex>

namespace colophon::identity {
namespace {

constexpr std::size_t kCallsKeptMax = 4'096;

}  // namespace

bool CircuitBreaker::may_call() {
    const std::scoped_lock lock(mutex_);
    if (!open_) {
        return true;
    }
    if (trying_ || clock_.now() < rests_until_) {
        return false;
    }
    trying_ = true;
    return true;
}

void CircuitBreaker::record(bool good) {
    const std::scoped_lock lock(mutex_);
    const Time now = clock_.now();
    if (open_) {
        // An answer to a call from before the breaker opened decides nothing.
        if (trying_) {
            trying_ = false;
            open_ = !good;
            rests_until_ = now + policy_.rest;
            calls_.clear();
            bad_ = 0;
        }
        return;
    }
    calls_.push_back({.time = now, .good = good});
    bad_ += good ? 0U : 1U;
    while (calls_.size() > kCallsKeptMax || calls_.front().time + policy_.window <= now) {
        bad_ -= calls_.front().good ? 0U : 1U;
        calls_.pop_front();
    }
    if (calls_.size() >= policy_.calls_min && bad_ * 2 >= calls_.size()) {
        open_ = true;
        rests_until_ = now + policy_.rest;
    }
}

bool CircuitBreaker::is_open() {
    const std::scoped_lock lock(mutex_);
    return open_;
}

}  // namespace colophon::identity
