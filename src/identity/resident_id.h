// SPDX-License-Identifier: Apache-2.0
#pragma once

// The citizen identification number (GB 11643-1999): [DSP-9] names it among the means by which
// users prove who they are. Whether a number is well formed is judged here; whether it belongs to
// the person is what a verification provider says (identity/provider.h).
//
//   110105 | 19491231 | 002 | X       region, day of birth, sequence (odd: male), check character
//
// Also 18 characters long, with the same check: residence permits for people from Hong Kong (region
// 810000), Macao (820000) and Taiwan (830000), and the identity card of permanently resident
// foreigners, which starts with 9. The form of 15 digits lost its validity in 2013; old records can
// be carried over with eighteen_from_fifteen().

#include "core/result.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::identity {

enum class ResidentIdVerdict : std::uint8_t {
    kValid,
    kEmpty,
    kLength,         // neither 18 nor 15 characters
    kCharacter,      // something else than 17 digits and a digit or X
    kFifteenDigits,  // the form of before 2000, no longer valid
    kRegion,         // no region of China begins so
    kBirthDate,      // no day of the calendar, or more than 130 years ago
    kFutureBirth,
    kCheckCharacter,  // one of the 18 is wrong
};

enum class ResidentIdSeries : std::uint8_t {
    kCitizen,
    kHongKongPermit,
    kMacaoPermit,
    kTaiwanPermit,
    kForeignResident,
};

enum class Sex : std::uint8_t { kMale, kFemale };

struct ResidentId {
    std::string number;  // 18 characters, X in upper case
    std::chrono::year_month_day birth;
    Sex sex = Sex::kMale;
    ResidentIdSeries series = ResidentIdSeries::kCitizen;
};

struct ResidentIdReading {
    ResidentIdVerdict verdict = ResidentIdVerdict::kEmpty;
    ResidentId id;  // meaningful when the verdict is kValid
};

// Full-width digits, a small or Roman x and blanks at the ends are folded first; blanks inside are
// not forgiven. The region is judged by its province alone: districts come and go, and a number
// keeps the one of its day. `today` bounds the day of birth.
ResidentIdReading read_resident_id(std::string_view text, std::chrono::year_month_day today);

// The same as a Result; kInvalidArgument says what is wrong and never repeats the number.
Result<ResidentId> parse_resident_id(std::string_view text, std::chrono::year_month_day today);

// "the check character is wrong ..." for people, in both languages.
std::string_view describe_english(ResidentIdVerdict verdict) noexcept;
std::string_view describe_chinese(ResidentIdVerdict verdict) noexcept;

// A number of 15 digits in the form of 18: the century is 19, the check character is computed.
// kInvalidArgument when it is no such number or its day of birth is none.
Result<std::string> eighteen_from_fifteen(std::string_view text);

// "110105********002X": the first six and the last four characters. A text of any other length than
// 18 comes out as asterisks alone.
std::string masked_resident_id(std::string_view number);

inline constexpr int kGuardianAgeMax = 13;  // under 14: a guardian consents (PIPL, article 31)
inline constexpr int kMinorAgeMax = 17;     // under 18: a minor (Civil Code, article 17)

}  // namespace colophon::identity
