// SPDX-License-Identifier: Apache-2.0
#pragma once

// The arithmetic of the unified social credit code (GB 32100-2015, MOD 31-3), which stands inside
// provider codes and names organisations. What its parts mean is identity/social_credit_code.h.

#include "core/result.h"

#include <cstddef>
#include <string_view>

namespace colophon {

inline constexpr std::size_t kCreditCodeChars = 18;

// Digits and letters without I, O, S, V, Z; the place in it is the value of a character.
inline constexpr std::string_view kCreditCodeAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";

// Verifies length, alphabet and the 18th character; lower case is refused. kInvalidArgument says
// which, without repeating the code.
Result<void> check_credit_code(std::string_view code);

}  // namespace colophon
