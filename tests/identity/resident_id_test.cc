// SPDX-License-Identifier: Apache-2.0
#include "identity/resident_id.h"

#include "core/clock.h"
#include "core/random.h"
#include "identity/calendar.h"
#include "identity/resident_id_rows.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::identity {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::year_month_day kToday = 2026y / 11 / 24;

// [DSP-9]
TEST_CASE("resident identity numbers get the verdict of the table") {
    static_assert(std::size(kResidentIdRows) > 300);
    for (const ResidentIdRow& row : kResidentIdRows) {
        CAPTURE(row.text);
        const auto reading = read_resident_id(row.text, kToday);
        CHECK(describe_english(reading.verdict) == describe_english(row.verdict));
        const auto parsed = parse_resident_id(row.text, kToday);
        CHECK(parsed.ok() == (row.verdict == ResidentIdVerdict::kValid));
        if (!parsed.ok()) {
            // Eight digits of it could be a day of birth.
            if (row.text.size() >= 8) {
                CHECK(parsed.error().what.find(row.text.substr(0, 8)) == std::string::npos);
            }
            CHECK_FALSE(describe_chinese(reading.verdict).empty());
        }
    }
}

std::vector<std::string> valid_numbers() {
    std::vector<std::string> numbers;
    for (const ResidentIdRow& row : kResidentIdRows) {
        if (row.verdict == ResidentIdVerdict::kValid) {
            numbers.push_back(read_resident_id(row.text, kToday).id.number);
        }
    }
    return numbers;
}

TEST_CASE("every single wrong character of a resident identity number is noticed") {
    std::size_t tried = 0;
    std::size_t missed = 0;
    for (const std::string& good : valid_numbers()) {
        for (std::size_t i = 0; i < good.size(); ++i) {
            for (const char c : std::string_view("0123456789X")) {
                std::string bad = good;
                bad[i] = c;
                if (bad != good) {
                    ++tried;
                    missed += parse_resident_id(bad, kToday).ok() ? 1U : 0U;
                }
            }
        }
    }
    CHECK(tried > 10'000);
    CHECK(missed == 0);
}

TEST_CASE("every exchange of two neighbours in a resident identity number is noticed") {
    std::size_t tried = 0;
    std::size_t missed = 0;
    for (const std::string& good : valid_numbers()) {
        for (std::size_t i = 0; i + 1 < good.size(); ++i) {
            std::string bad = good;
            std::swap(bad[i], bad[i + 1]);
            if (bad != good) {
                ++tried;
                missed += parse_resident_id(bad, kToday).ok() ? 1U : 0U;
            }
        }
    }
    CHECK(tried > 1'000);
    CHECK(missed == 0);
}

TEST_CASE("random edits of a number are always noticed") {
    constexpr std::uint64_t kSeed = 20261124;
    CAPTURE(kSeed);
    SeededRandom random(kSeed);
    const std::vector<std::string> numbers = valid_numbers();
    for (int i = 0; i < 100'000; ++i) {
        const std::uint64_t draw = random.next().value();
        std::string bad = numbers[draw % numbers.size()];
        const std::size_t at = (draw >> 20U) % 17;
        const char other = static_cast<char>('0' + (draw >> 32U) % 10);
        if (bad[at] == other) {
            continue;
        }
        bad[at] = other;
        REQUIRE_FALSE(parse_resident_id(bad, kToday).ok());
    }
}

TEST_CASE("a number says day of birth, sex and series") {
    const auto citizen = parse_resident_id("11010519491231002X", kToday).value();
    CHECK(citizen.number == "11010519491231002X");
    CHECK(citizen.birth == 1949y / 12 / 31);
    CHECK(citizen.sex == Sex::kFemale);
    CHECK(citizen.series == ResidentIdSeries::kCitizen);
    struct Row {
        std::string_view region;
        ResidentIdSeries series;
    };
    for (const Row& row : {Row{"810000", ResidentIdSeries::kHongKongPermit},
                           Row{"820000", ResidentIdSeries::kMacaoPermit},
                           Row{"830000", ResidentIdSeries::kTaiwanPermit},
                           Row{"911156", ResidentIdSeries::kForeignResident}}) {
        std::size_t found = 0;
        for (const ResidentIdRow& each : kResidentIdRows) {
            if (each.text.starts_with(row.region)) {
                ++found;
                const auto id = parse_resident_id(each.text, kToday).value();
                CHECK(id.series == row.series);
                CHECK(id.sex == Sex::kMale);
            }
        }
        CHECK(found == 1);
    }
}

TEST_CASE("a number of 15 digits can be carried over to 18") {
    CHECK(eighteen_from_fifteen("110105491231002").value() == "11010519491231002X");
    CHECK(eighteen_from_fifteen(" １１０１０５４９１２３１００２").value() == "11010519491231002X");
    CHECK_FALSE(eighteen_from_fifteen("110105491331002").ok());
    CHECK_FALSE(eighteen_from_fifteen("11010549123100").ok());
    CHECK_FALSE(eighteen_from_fifteen("11010549123100X").ok());
    CHECK_FALSE(eighteen_from_fifteen("11010519491231002X").ok());
    CHECK_FALSE(eighteen_from_fifteen("").ok());
}

TEST_CASE("a year of age is full on the day after the birthday") {
    const auto birth = 2012y / 11 / 24;
    CHECK(age_in_years(birth, 2026y / 11 / 23) == 13);
    CHECK(age_in_years(birth, 2026y / 11 / 24) == 13);
    CHECK(age_in_years(birth, 2026y / 11 / 25) == 14);
    CHECK(age_in_years(birth, 2012y / 11 / 24) == 0);
    CHECK(age_in_years(birth, 2010y / 1 / 1) == 0);
    CHECK(age_in_years(2008y / 2 / 29, 2026y / 2 / 28) == 17);
    CHECK(age_in_years(2008y / 2 / 29, 2026y / 3 / 1) == 18);
    CHECK(age_in_years(2008y / 2 / 29, 2028y / 2 / 29) == 19);
    CHECK(age_in_years(2008y / 12 / 31, 2027y / 1 / 1) == 18);
}

TEST_CASE("the day in China begins at 16:00 UTC") {
    CHECK(china_date(parse_time("2026-11-24T15:59:59Z").value()) == 2026y / 11 / 24);
    CHECK(china_date(parse_time("2026-11-24T16:00:00Z").value()) == 2026y / 11 / 25);
    CHECK(china_date(parse_time("2028-02-28T16:00:00Z").value()) == 2028y / 2 / 29);
}

TEST_CASE("a masked number shows six and four characters") {
    CHECK(masked_resident_id("11010519491231002X") == "110105********002X");
    CHECK(masked_resident_id("1101") == "****");
    CHECK(masked_resident_id(std::string(40, '7')) == std::string(18, '*'));
    CHECK(masked_resident_id("") == "");
}

}  // namespace
}  // namespace colophon::identity
