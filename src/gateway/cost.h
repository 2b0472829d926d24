// SPDX-License-Identifier: Apache-2.0
#pragma once

// What calls cost the operator: what they used times the prices of the upstream that answered.
// Whole millionths of the currency, so that a sum over millions of records is exact.

#include "core/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::gateway {

// In millionths of the currency; 0 is free.
struct Price {
    std::int64_t input = 0;       // of a million tokens
    std::int64_t output = 0;      // of a million tokens
    std::int64_t characters = 0;  // of a million characters that are spoken
    std::int64_t picture = 0;     // of one picture
    std::int64_t video = 0;       // of one video
    std::int64_t second = 0;      // of a second of video

    bool is_set() const noexcept {
        return input > 0 || output > 0 || characters > 0 || picture > 0 || video > 0 || second > 0;
    }
};

// What a call used; each 0 to 10^12.
struct Consumption {
    std::int64_t input_tokens = 0;
    std::int64_t output_tokens = 0;
    std::int64_t characters = 0;
    std::int64_t pictures = 0;
    std::int64_t videos = 0;
    std::int64_t video_seconds = 0;
};

// "2.50": at most 100,000 and six digits behind the point. kInvalidArgument for anything else.
Result<std::int64_t> parse_price(std::string_view text);

// In millionths of the currency, each part rounded to the nearest.
std::int64_t cost_of(const Price& price, const Consumption& used) noexcept;

// 1234567 is "1.234567".
std::string format_cost(std::int64_t millionths);

}  // namespace colophon::gateway
