// SPDX-License-Identifier: Apache-2.0
#include "core/credit_code.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace colophon {
namespace {

constexpr std::string_view kCreditCodes[] = {
    "91440101MA9Y9T4H7A", "91110108335469089C", "91110000802100433B", "91340100MAEB4N8H76",
    "91110105MACJ6K1C8A", "91110108MACC4D63XF", "91110102MACQD9K640", "9144030008867405X2",
};
constexpr std::string_view kAlphabet = kCreditCodeAlphabet;

TEST_CASE("credit codes of companies check") {
    for (const std::string_view code : kCreditCodes) {
        CAPTURE(code);
        CHECK(check_credit_code(code).ok());
    }
}

TEST_CASE("every single wrong character of a credit code is noticed") {
    std::size_t tried = 0;
    for (const std::string_view good : kCreditCodes) {
        for (std::size_t i = 0; i < good.size(); ++i) {
            for (const char c : kAlphabet) {
                std::string bad(good);
                bad[i] = c;
                if (bad != good) {
                    ++tried;
                    CAPTURE(bad);
                    CHECK_FALSE(check_credit_code(bad).ok());
                }
            }
        }
    }
    CHECK(tried == std::size(kCreditCodes) * 18 * 30);
}

TEST_CASE("every exchange of two different neighbours in a credit code is noticed") {
    std::size_t noticed = 0;
    std::size_t tried = 0;
    for (const std::string_view good : kCreditCodes) {
        for (std::size_t i = 0; i + 1 < good.size(); ++i) {
            std::string bad(good);
            std::swap(bad[i], bad[i + 1]);
            if (bad != good) {
                ++tried;
                noticed += check_credit_code(bad).ok() ? 0U : 1U;
            }
        }
    }
    CHECK(tried > 100);
    CHECK(noticed == tried);
}

}  // namespace
}  // namespace colophon
