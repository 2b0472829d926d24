// SPDX-License-Identifier: Apache-2.0
#pragma once

// Time as a parameter, so that every module is tested without waiting for it.

#include "core/result.h"

#include <chrono>
#include <string>
#include <string_view>

namespace colophon {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;

class Clock {
public:
    virtual ~Clock() = default;
    virtual Time now() = 0;
};

class SystemClock final : public Clock {
public:
    Time now() override;
};

// Stands still until it is moved.
class FixedClock final : public Clock {
public:
    explicit FixedClock(Time time) : time_(time) {}
    Time now() override { return time_; }
    void advance(std::chrono::milliseconds by) { time_ += by; }

private:
    Time time_;
};

// "2026-11-23T08:15:30Z", always UTC, milliseconds only when they are not zero.
std::string format_time(Time time);
// The same form back; anything else is Error{kInvalidArgument}.
Result<Time> parse_time(std::string_view text);

}  // namespace colophon
