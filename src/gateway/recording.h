// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether this node could keep records lately. While it cannot, its calls are refused, so whoever
// shares them out had better ask another node.

#include <atomic>
#include <chrono>

namespace colophon::gateway {

class Recording {
public:
    // So long after a failure calls are kept away; then it is tried again.
    static constexpr std::chrono::seconds kPause{5};

    // From any thread, after each attempt.
    void note(bool kept) noexcept {
        failed_.store(kept ? kNever : std::chrono::steady_clock::now().time_since_epoch(),
                      std::memory_order_relaxed);
    }
    bool works() const noexcept {
        const auto failed = failed_.load(std::memory_order_relaxed);
        return failed == kNever ||
               std::chrono::steady_clock::now().time_since_epoch() - failed > kPause;
    }

private:
    using Time = std::chrono::steady_clock::duration;
    static constexpr Time kNever{0};
    std::atomic<Time> failed_{kNever};
};

}  // namespace colophon::gateway
