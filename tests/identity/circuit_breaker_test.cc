// SPDX-License-Identifier: Apache-2.0
#include "identity/circuit_breaker.h"

#include "core/clock.h"

#include <doctest/doctest.h>

#include <chrono>

namespace colophon::identity {
namespace {

using namespace std::chrono_literals;

constexpr Time kNow{std::chrono::seconds(1'790'000'000)};

TEST_CASE("half of ten calls failing opens the breaker, four of nine do not") {
    FixedClock clock(kNow);
    CircuitBreaker breaker(clock);
    for (int i = 0; i < 9; ++i) {
        REQUIRE(breaker.may_call());
        breaker.record(i % 2 == 0);
    }
    CHECK_FALSE(breaker.is_open());
    REQUIRE(breaker.may_call());
    breaker.record(false);
    CHECK(breaker.is_open());
    CHECK_FALSE(breaker.may_call());
}

TEST_CASE("failures that are long ago do not count") {
    FixedClock clock(kNow);
    CircuitBreaker breaker(clock);
    for (int i = 0; i < 9; ++i) {
        breaker.record(false);
    }
    clock.advance(30s);
    breaker.record(false);
    CHECK_FALSE(breaker.is_open());
}

TEST_CASE("after its rest one call tries, and its outcome decides") {
    FixedClock clock(kNow);
    CircuitBreaker breaker(clock);
    for (int i = 0; i < 10; ++i) {
        breaker.record(false);
    }
    clock.advance(30s - 1ms);
    CHECK_FALSE(breaker.may_call());
    clock.advance(1ms);
    CHECK(breaker.may_call());
    CHECK_FALSE(breaker.may_call());
    breaker.record(false);
    CHECK_FALSE(breaker.may_call());
    clock.advance(30s);
    CHECK(breaker.may_call());
    breaker.record(true);
    CHECK_FALSE(breaker.is_open());
    CHECK(breaker.may_call());
    breaker.record(false);
    CHECK_FALSE(breaker.is_open());  // the count began anew
}

TEST_CASE("an answer that comes after the breaker opened decides nothing") {
    FixedClock clock(kNow);
    CircuitBreaker breaker(clock);
    for (int i = 0; i < 10; ++i) {
        breaker.record(false);
    }
    breaker.record(true);
    CHECK(breaker.is_open());
}

}  // namespace
}  // namespace colophon::identity
