// SPDX-License-Identifier: Apache-2.0
#pragma once

// What calls cost the operator: tokens times the price of their model. Whole millionths of the
// currency, so that a sum over millions of records is exact.

#include "core/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::gateway {

// Of a million tokens, in millionths of the currency; 0 is free.
struct Price {
    std::int64_t input = 0;
    std::int64_t output = 0;

    bool is_set() const noexcept { return input > 0 || output > 0; }
};

// "2.50": at most 100,000 and six digits behind the point. kInvalidArgument for anything else.
Result<std::int64_t> parse_price(std::string_view text);

// In millionths of the currency, rounded to the nearest. Tokens: 0 to 10^12.
std::int64_t cost_of(const Price& price, std::int64_t input_tokens,
                     std::int64_t output_tokens) noexcept;

// 1234567 is "1.234567".
std::string format_cost(std::int64_t millionths);

}  // namespace colophon::gateway
