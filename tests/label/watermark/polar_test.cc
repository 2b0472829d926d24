// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/polar.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace colophon::label::internal {
namespace {

std::vector<std::uint8_t> random_bits(std::size_t count, std::mt19937_64& random) {
    std::vector<std::uint8_t> bits(count);
    for (std::uint8_t& bit : bits) {
        bit = static_cast<std::uint8_t>(random() & 1U);
    }
    return bits;
}

// Whether the word is in the list after white noise: amplitude 1, deviation `sigma`.
bool survives(const PolarCode& code, double sigma, std::size_t list, std::mt19937_64& random) {
    const std::vector<std::uint8_t> sent = random_bits(code.information(), random);
    std::normal_distribution<double> noise(0, sigma);
    std::vector<float> likelihoods;
    for (const std::uint8_t bit : code.encode(sent)) {
        const double received = (bit != 0 ? -1.0 : 1.0) + noise(random);
        likelihoods.push_back(static_cast<float>(2 * received / (sigma * sigma)));
    }
    return code.decode(likelihoods, list, [&](std::span<const std::uint8_t> bits) {
        return std::equal(bits.begin(), bits.end(), sent.begin(), sent.end());
    });
}

int failures(const PolarCode& code, double sigma, std::size_t list, int words) {
    std::mt19937_64 random(7);
    int failed = 0;
    for (int i = 0; i < words; ++i) {
        failed += survives(code, sigma, list, random) ? 0 : 1;
    }
    return failed;
}

}  // namespace

TEST_CASE("the sum of two code words is a code word") {
    const PolarCode code(64, 20);
    std::mt19937_64 random(1);
    for (int i = 0; i < 50; ++i) {
        const std::vector<std::uint8_t> a = random_bits(20, random);
        const std::vector<std::uint8_t> b = random_bits(20, random);
        std::vector<std::uint8_t> sum(20);
        for (std::size_t k = 0; k < sum.size(); ++k) {
            sum[k] = static_cast<std::uint8_t>(a[k] ^ b[k]);
        }
        const std::vector<std::uint8_t> coded_a = code.encode(a);
        const std::vector<std::uint8_t> coded_b = code.encode(b);
        const std::vector<std::uint8_t> coded_sum = code.encode(sum);
        for (std::size_t k = 0; k < coded_sum.size(); ++k) {
            CHECK(coded_sum[k] == (coded_a[k] ^ coded_b[k]));
        }
    }
}

TEST_CASE("eight bits with four of information are the extended Hamming code: distance four") {
    const PolarCode code(8, 4);
    for (unsigned word = 1; word < 16; ++word) {
        std::vector<std::uint8_t> bits;
        for (unsigned k = 0; k < 4; ++k) {
            bits.push_back(static_cast<std::uint8_t>(word >> k & 1U));
        }
        const std::vector<std::uint8_t> coded = code.encode(bits);
        CHECK(std::count(coded.begin(), coded.end(), 1) >= 4);
    }
}

TEST_CASE("a list of one finds the word without noise, a list of 32 under a lot of it") {
    const PolarCode code(512, 96);
    CHECK(failures(code, 0.3, 1, 50) == 0);
    // Eb/N0 of 2 dB: sigma^2 = 512 / 96 / 2 / 10^0.2. Shannon's limit is at -1.6 dB.
    const double sigma = std::sqrt(512.0 / 96 / 2 / std::pow(10, 0.2));
    CHECK(failures(code, sigma, 32, 200) <= 4);
    const double worse = std::sqrt(512.0 / 96 / 2);
    CHECK(failures(code, worse, 1, 200) > 2 * failures(code, worse, 32, 200));
}

TEST_CASE("nothing is found where nobody accepts") {
    const PolarCode code(512, 64);
    const std::vector<float> likelihoods(512, 0.5F);
    std::size_t asked = 0;
    CHECK_FALSE(code.decode(likelihoods, 8, [&](std::span<const std::uint8_t> bits) {
        CHECK(bits.size() == 64);
        ++asked;
        return false;
    }));
    CHECK(asked == 8);
}

}  // namespace colophon::label::internal
