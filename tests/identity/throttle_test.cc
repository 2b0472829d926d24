// SPDX-License-Identifier: Apache-2.0
#include "identity/throttle.h"

#include "core/clock.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace colophon::identity {
namespace {

using namespace std::chrono_literals;

constexpr Time kNow{std::chrono::seconds(1'790'000'000)};

TEST_CASE("three failures are free, then each doubles the wait up to its longest") {
    Throttle throttle;
    for (int i = 0; i < 3; ++i) {
        CHECK(next_attempt(throttle, kPairThrottle, kNow) <= kNow);
        throttle = after_failure(throttle, kPairThrottle, kNow);
    }
    CHECK(next_attempt(throttle, kPairThrottle, kNow) <= kNow);
    constexpr std::chrono::milliseconds kWaits[] = {1s,  2s,   4s,   8s,   16s,  32s,
                                                    64s, 128s, 256s, 512s, 900s, 900s};
    for (const auto wait : kWaits) {
        throttle = after_failure(throttle, kPairThrottle, kNow);
        CHECK(next_attempt(throttle, kPairThrottle, kNow) == kNow + wait);
        CHECK(next_attempt(throttle, kPairThrottle, kNow + wait) <= kNow + wait);
    }
    for (int i = 0; i < 10'000; ++i) {
        throttle = after_failure(throttle, kPairThrottle, kNow);
    }
    CHECK(next_attempt(throttle, kPairThrottle, kNow) == kNow + 900s);
}

TEST_CASE("failures are forgotten after a day") {
    Throttle throttle{.failures = 50, .last_failure = kNow};
    CHECK(next_attempt(throttle, kPairThrottle, kNow + 24h) <= kNow + 24h);
    throttle = after_failure(throttle, kPairThrottle, kNow + 24h);
    CHECK(throttle.failures == 1);
}

TEST_CASE("ten thousand guesses from one address take weeks") {
    FixedClock clock(kNow);
    Throttle throttle;
    for (int i = 0; i < 10'000; ++i) {
        const Time next = next_attempt(throttle, kPairThrottle, clock.now());
        if (next > clock.now()) {
            clock.advance(next - clock.now());
        }
        throttle = after_failure(throttle, kPairThrottle, clock.now());
    }
    CHECK(clock.now() - kNow > 24h * 7 * 14);
}

TEST_CASE("addresses of one customer count as one") {
    CHECK(throttled_address("192.0.2.7") == "192.0.2.7");
    CHECK(throttled_address("2001:db8:1:2::7") == throttled_address("2001:db8:1:2:ffff::1"));
    CHECK(throttled_address("2001:db8:1:2::7") != throttled_address("2001:db8:1:3::7"));
    CHECK(throttled_address("::ffff:192.0.2.7") == "192.0.2.7");
    CHECK(throttled_address("") == "");
    CHECK(throttled_address(std::string(1000, 'x')).size() == 64);
}

}  // namespace
}  // namespace colophon::identity
