// SPDX-License-Identifier: Apache-2.0
#include "core/credit_code.h"

#include "core/result.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace colophon {
namespace {

static_assert(kCreditCodeAlphabet.size() == 31);

// 3^(i-1) mod 31 for the 17 characters before the check character. All are units modulo the prime
// 31 and neighbours differ by a factor of 3, so one wrong character and one exchange of neighbours
// always change the sum.
constexpr std::array<unsigned, kCreditCodeChars - 1> kWeights{1,  3,  9,  27, 19, 26, 16, 17, 20,
                                                              29, 25, 13, 8,  24, 10, 30, 28};

// How a character that does not belong is shown in a message; it may be any byte.
std::string shown(char c) {
    return c > 0x20 && c < 0x7F ? fmt::format("'{}'", c)
                                : fmt::format("byte 0x{:02X}", static_cast<unsigned char>(c));
}

}  // namespace

Result<void> check_credit_code(std::string_view code) {
    if (code.size() != kCreditCodeChars) {
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("a unified social credit code has 18 characters, this has {}; copy it from "
                        "the business licence",
                        code.size())};
    }
    unsigned sum = 0;
    for (std::size_t i = 0; i < code.size(); ++i) {
        const std::size_t value = kCreditCodeAlphabet.find(code[i]);
        if (value == std::string_view::npos) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("{} at position {} cannot stand in a unified social credit "
                                     "code (digits and upper-case letters without I, O, S, V, Z)",
                                     shown(code[i]), i + 1)};
        }
        sum += static_cast<unsigned>(value) * (i < kWeights.size() ? kWeights[i] : 1U);
    }
    if (sum % 31 != 0) {
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("the check character '{}' of the unified social credit code is wrong, so "
                        "one of its 18 characters is; compare it with the business licence",
                        code.back())};
    }
    return {};
}

}  // namespace colophon
