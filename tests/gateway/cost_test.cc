// SPDX-License-Identifier: Apache-2.0
#include "gateway/cost.h"

#include "core/result.h"

#include <doctest/doctest.h>

#include <cstdint>

namespace colophon::gateway {

TEST_CASE("a price is a decimal number, and nothing else is") {
    CHECK(*parse_price("2.50") == 2'500'000);
    CHECK(*parse_price("0") == 0);
    CHECK(*parse_price("0.000001") == 1);
    CHECK(*parse_price("100000") == 100'000'000'000);
    for (const char* wrong :
         {"", ".", "1.", ".5", "-1", "1e3", "1,5", "0.0000001", "100000.000001", "9999999", " 1"}) {
        CAPTURE(wrong);
        CHECK(parse_price(wrong).error().code == ErrorCode::kInvalidArgument);
    }
}

TEST_CASE("costs are exact to the millionth, rounded to the nearest") {
    const Price price{.input = 2'500'000, .output = 10'000'000};
    CHECK(cost_of(price, {.input_tokens = 1'000'000, .output_tokens = 0}) == 2'500'000);
    CHECK(cost_of(price, {.input_tokens = 5, .output_tokens = 5}) ==
          63);  // 12.5 rounded up, and 50
    CHECK(cost_of(price, {.input_tokens = 0, .output_tokens = 0}) == 0);
    CHECK(cost_of(price, {.input_tokens = -5, .output_tokens = 0}) == 0);
    const Price media{.characters = 10'000'000, .picture = 200'000};
    CHECK(cost_of(media, {.characters = 13, .pictures = 2}) == 400'130);
    CHECK(cost_of(media, {.input_tokens = 1'000'000}) == 0);
    CHECK(format_cost(63) == "0.000063");
    CHECK(format_cost(1'234'567) == "1.234567");
    // The largest price and the largest number stay within 64 bits.
    const Price dear{.input = 100'000'000'000, .output = 0};
    CHECK(cost_of(dear, {.input_tokens = 1'000'000'000, .output_tokens = 0}) ==
          100'000'000'000'000);
    CHECK(cost_of(dear, {.input_tokens = 999'999, .output_tokens = 0}) == 99'999'900'000);
    // Splitting a number of tokens changes the sum by half a millionth a call at most.
    for (std::int64_t tokens = 0; tokens < 3'000'000; tokens += 7919) {
        const std::int64_t whole =
            cost_of(price, {.input_tokens = tokens, .output_tokens = tokens});
        const std::int64_t exact = (tokens * 12'500'000 + 500'000) / 1'000'000;
        CHECK(whole - exact <= 1);
        CHECK(exact - whole <= 1);
    }
}

}  // namespace colophon::gateway
