// SPDX-License-Identifier: Apache-2.0
#pragma once

// How fast somebody may guess. Each failure doubles the wait of the pair (account, address) that
// failed, and of the address alone, more slowly. Nothing is ever locked for an account as a whole:
// whoever guesses at somebody else's password delays himself, and the owner signs in from where he
// is. What is left of guessing, from many addresses at one account, is what the second factor is
// for.

#include "core/clock.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::identity {

struct ThrottlePolicy {
    std::int64_t free_failures = 0;         // before any wait
    std::chrono::milliseconds first{};      // the wait after the next one
    std::chrono::milliseconds longest{};    // doubling ends here
    std::chrono::milliseconds forgotten{};  // so long without failure, and all begins anew
};

inline constexpr ThrottlePolicy kPairThrottle{.free_failures = 3,
                                              .first = std::chrono::seconds{1},
                                              .longest = std::chrono::minutes{15},
                                              .forgotten = std::chrono::hours{24}};
// Many people may share an address.
inline constexpr ThrottlePolicy kAddressThrottle{.free_failures = 30,
                                                 .first = std::chrono::seconds{1},
                                                 .longest = std::chrono::minutes{5},
                                                 .forgotten = std::chrono::hours{1}};

struct Throttle {
    std::int64_t failures = 0;
    Time last_failure;
};

// When the next attempt may be made; a time that has passed when it may be made now.
Time next_attempt(const Throttle& throttle, const ThrottlePolicy& policy, Time now) noexcept;
// After a failure at `now`.
Throttle after_failure(const Throttle& throttle, const ThrottlePolicy& policy, Time now) noexcept;

// An IPv6 address counts by its /64, because one customer has all of that; IPv4 as it is. A text
// that is no address is taken as it is, cut at 64 bytes.
std::string throttled_address(std::string_view address);

}  // namespace colophon::identity
