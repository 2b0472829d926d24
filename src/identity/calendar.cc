// SPDX-License-Identifier: Apache-2.0
#include "identity/calendar.h"

#include "core/clock.h"

#include <algorithm>
#include <chrono>

namespace colophon::identity {

std::chrono::year_month_day china_date(Time time) noexcept {
    return std::chrono::floor<std::chrono::days>(time + std::chrono::hours{8});
}

int age_in_years(std::chrono::year_month_day birth, std::chrono::year_month_day day) noexcept {
    const int years = static_cast<int>(day.year()) - static_cast<int>(birth.year());
    const bool after_birthday = std::chrono::month_day(day.month(), day.day()) >
                                std::chrono::month_day(birth.month(), birth.day());
    return std::max(after_birthday ? years : years - 1, 0);
}

}  // namespace colophon::identity
