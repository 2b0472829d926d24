// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/internal/gram_kernels.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace colophon::fingerprint::internal {

TEST_CASE("SipHash-2-4 gives the numbers that OpenSSL gives") {
    // openssl mac -macopt hexkey:000102030405060708090a0b0c0d0e0f -macopt size:8 SIPHASH, of the
    // bytes 0, 1, 2, ...
    const SipKey key{.first = 0x0706050403020100, .second = 0x0f0e0d0c0b0a0908};
    const std::vector<std::pair<std::size_t, std::uint64_t>> vectors{
        {8, 0x93f5f5799a932462},
        {16, 0x3f2acc7f57c29bdb},
        {32, 0x7127512f72f27cce},
    };
    for (const auto& [size, number] : vectors) {
        std::vector<char32_t> characters;
        for (std::uint32_t at = 0; at < size; at += 4) {
            characters.push_back(at | (at + 1) << 8U | (at + 2) << 16U | (at + 3) << 24U);
        }
        CHECK(sip_hash(key, characters.data(), characters.size()) == number);
    }
}

TEST_CASE("grams have the same numbers one by one and several at once") {
    std::mt19937_64 random(3);
    for (std::size_t count = 0; count < 70; ++count) {
        const SipKey key{.first = random(), .second = random()};
        std::vector<char32_t> characters(count + 7);
        for (char32_t& each : characters) {
            each = static_cast<char32_t>(random() % 0x110000);
        }
        std::vector<std::uint64_t> numbers(count + 1, 7);
        number_grams(key, characters.data(), count, numbers.data());
        for (std::size_t i = 0; i < count; ++i) {
            CHECK(numbers[i] == sip_hash(key, characters.data() + i, 8));
        }
        CHECK(numbers[count] == 7);  // and nothing beyond
    }
}

}  // namespace colophon::fingerprint::internal
