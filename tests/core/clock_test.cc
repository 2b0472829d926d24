// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"

#include "core/result.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace colophon {
namespace {

TEST_CASE("a time that is not written in the one form is refused") {
    for (const char* text :
         {"", "2026-11-23T08:15:30", "2026-11-23t08:15:30Z", "2026-11-23 08:15:30Z",
          "2026-11-23T08:15:30+00:00", "2026-11-23T08:15:30.1Z", "2026-11-23T08:15:30.0071Z",
          "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z",
          "2025-02-29T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T08:60:30Z",
          "2026-11-23T08:15:60Z", "-026-11-23T08:15:30Z", "2026-1 -23T08:15:30Z",
          "2026-11-23T-8:15:30Z", "2026-11-23T+8:15:30Z", "2026-11-23T08:15:3\xC3\xA9"}) {
        CAPTURE(text);
        const auto time = parse_time(text);
        REQUIRE_FALSE(time.ok());
        CHECK(time.error().code == ErrorCode::kInvalidArgument);
    }
}

TEST_CASE("every day of the calendar round trips, leap days and the first years too") {
    using std::chrono::days;
    const Time first = parse_time("0001-01-01T00:00:00Z").value();
    for (int day = 0; day < 3652058; day += 97) {
        const Time time = first + days(day) + std::chrono::milliseconds(86399999);
        REQUIRE(parse_time(format_time(time)).value() == time);
    }
    CHECK(format_time(parse_time("2024-02-29T23:59:59.999Z").value()) ==
          "2024-02-29T23:59:59.999Z");
    CHECK(format_time(Time{}) == "1970-01-01T00:00:00Z");
    CHECK(format_time(Time{} - std::chrono::milliseconds(1)) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("the fixed clock moves when it is moved, the system's clock by itself") {
    FixedClock fixed(Time{});
    CHECK(fixed.now() == Time{});
    fixed.advance(std::chrono::milliseconds(1500));
    CHECK(format_time(fixed.now()) == "1970-01-01T00:00:01.500Z");
    SystemClock system;
    CHECK(system.now() > parse_time("2024-01-01T00:00:00Z").value());
}

}  // namespace
}  // namespace colophon
