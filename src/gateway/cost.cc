// SPDX-License-Identifier: Apache-2.0
#include "gateway/cost.h"

#include "core/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::gateway {
namespace {

constexpr std::int64_t kMillion = 1'000'000;
constexpr std::int64_t kPriceMax = 100'000;  // whole units for a million tokens
constexpr std::int64_t kTokensMax = 1'000'000'000'000;
constexpr std::int64_t kPiecesMax = 1'000'000;  // pictures, videos, seconds

bool all_digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// tokens * price / 10^6 without leaving 64 bits: the whole millions apart from the rest.
std::int64_t part(std::int64_t price, std::int64_t tokens) noexcept {
    const std::int64_t counted = std::clamp<std::int64_t>(tokens, 0, kTokensMax);
    return counted / kMillion * price + ((counted % kMillion) * price + kMillion / 2) / kMillion;
}

}  // namespace

Result<std::int64_t> parse_price(std::string_view text) {
    constexpr std::size_t kDigitsMax = 6;
    const std::size_t point = std::min(text.find('.'), text.size());
    const std::string_view whole = text.substr(0, point);
    std::string fraction(point == text.size() ? "0" : text.substr(point + 1));
    if (!all_digits(whole) || whole.size() > kDigitsMax || !all_digits(fraction) ||
        fraction.size() > kDigitsMax) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("\"{}\" is no price; write \"2.50\"", text.substr(0, 40))};
    }
    fraction.resize(kDigitsMax, '0');
    std::int64_t units = 0;
    std::int64_t millionths = 0;
    std::from_chars(whole.data(), whole.data() + whole.size(), units);
    std::from_chars(fraction.data(), fraction.data() + fraction.size(), millionths);
    const std::int64_t price = units * kMillion + millionths;
    if (price > kPriceMax * kMillion) {
        return Error{ErrorCode::kInvalidArgument, fmt::format("a price is at most {}", kPriceMax)};
    }
    return price;
}

std::int64_t cost_of(const Price& price, const Consumption& used) noexcept {
    const auto pieces = [](std::int64_t count) {
        return std::clamp<std::int64_t>(count, 0, kPiecesMax);
    };
    return part(price.input, used.input_tokens) + part(price.output, used.output_tokens) +
           part(price.characters, used.characters) + price.picture * pieces(used.pictures) +
           price.video * pieces(used.videos) + price.second * pieces(used.video_seconds);
}

std::string format_cost(std::int64_t millionths) {
    return fmt::format("{}.{:06}", millionths / kMillion, millionths % kMillion);
}

}  // namespace colophon::gateway
