// SPDX-License-Identifier: Apache-2.0
#pragma once

// Days and ages as Chinese law counts them.

#include "core/clock.h"

#include <chrono>

namespace colophon::identity {

// The day that it is in China (UTC+8 all year) at this time.
std::chrono::year_month_day china_date(Time time) noexcept;

// Full years of age (周岁). A year is full on the day after the birthday, which is how courts count
// 周岁; whoever is protected by an age limit stays so for that one day. Someone born on 29 February
// completes a year on 1 March. 0 for days before the birth. Both dates must be real ones.
int age_in_years(std::chrono::year_month_day birth, std::chrono::year_month_day day) noexcept;

}  // namespace colophon::identity
