// SPDX-License-Identifier: Apache-2.0
#pragma once

// The unified social credit code of an organisation (GB 32100-2015), the means of [DSP-9] for
// organisations.
//
//   9 | 1 | 350100 | M000100Y4 | 3    registering department, category, region, subject, check
//
// The subject part is an organisation code (GB 11714-1997) with a check of its own. Some codes that
// were handed out break that inner check, and the tables of departments grow, so both are warnings.

#include "core/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::identity {

enum class CreditCodeWarning : std::uint8_t {
    kInnerCheck,  // the organisation code inside does not check (GB 11714)
    kDepartment,  // no department of the standard's table
    kCategory,    // no category that the table has for that department
    kRegion,      // no province begins so; 10 stands for the national level
};

struct SocialCreditCode {
    std::string code;               // 18 characters, upper case
    std::string organisation_code;  // characters 9 to 17
    std::vector<CreditCodeWarning> warnings;
};

// Full-width and small letters and blanks at the ends are folded first. kInvalidArgument says what
// is wrong: length, a character that cannot stand there, the check character, letters in the
// region.
Result<SocialCreditCode> parse_social_credit_code(std::string_view text);

// Whether nine characters satisfy GB 11714 (weights 3 7 9 10 5 8 4 2).
bool organisation_code_checks(std::string_view code) noexcept;

std::string_view describe_english(CreditCodeWarning warning) noexcept;
std::string_view describe_chinese(CreditCodeWarning warning) noexcept;

}  // namespace colophon::identity
