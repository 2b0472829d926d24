// SPDX-License-Identifier: Apache-2.0
#pragma once

// Mobile numbers of mainland China, kept in E.164: one of the means of [DSP-9]. Carriers' prefixes
// change and numbers move between carriers, so nothing is judged by them.

#include "core/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::identity {

enum class MobileVerdict : std::uint8_t {
    kValid,
    kEmpty,
    kCharacter,  // something else than digits, one leading +, blanks and hyphens between digits
    kForeign,    // another country than +86; no service here can verify it
    kThing,      // 13 digits: the number of a device, which is no person
    kLength,     // not 11 digits
    kPrefix,     // not 13 to 19
};

struct MobileReading {
    MobileVerdict verdict = MobileVerdict::kEmpty;
    std::string number;  // "+8613800001234" when valid
};

// Accepts +86, 0086 or 86 in front, full-width digits, single blanks or hyphens between digits.
MobileReading read_mobile_number(std::string_view text);

// The E.164 form; kInvalidArgument or, for other countries, kUnsupported. Never repeats the number.
Result<std::string> parse_mobile_number(std::string_view text);

std::string_view describe_english(MobileVerdict verdict) noexcept;
std::string_view describe_chinese(MobileVerdict verdict) noexcept;

// "138****1234" from "+8613800001234"; any other text becomes asterisks alone.
std::string masked_mobile_number(std::string_view e164);

}  // namespace colophon::identity
