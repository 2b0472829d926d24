// SPDX-License-Identifier: Apache-2.0
#include "ledger/content_ids.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <set>

namespace colophon::ledger {
namespace {

ContentIdKey key_of(std::uint8_t seed) {
    ContentIdKey key{};
    key.fill(seed);
    return key;
}

TEST_CASE("every number gives another id, and the id gives the number back") {
    const ContentIdCipher cipher(key_of(7));
    std::set<std::uint64_t> seen;
    for (std::uint64_t number = 0; number < 20'000; ++number) {
        const ContentId id = cipher.encipher(number);
        CHECK(id.value <= ContentId::kMax);
        CHECK(cipher.decipher(id) == number);
        seen.insert(id.value);
    }
    CHECK(seen.size() == 20'000);
    for (const std::uint64_t number : {ContentId::kMax, ContentId::kMax - 1, ContentId::kMax / 2}) {
        CHECK(cipher.decipher(cipher.encipher(number)) == number);
    }
}

TEST_CASE("ids of neighbouring numbers differ in about half of their bits") {
    const ContentIdCipher cipher(key_of(1));
    std::uint64_t flipped = 0;
    constexpr std::uint64_t kPairs = 4096;
    for (std::uint64_t number = 0; number < kPairs; ++number) {
        const std::uint64_t difference =
            cipher.encipher(2 * number).value ^ cipher.encipher(2 * number + 1).value;
        flipped += static_cast<std::uint64_t>(__builtin_popcountll(difference));
    }
    // 24 bits on average, with a standard deviation of sqrt(12 / 4096) = 0.054: within six of them.
    CHECK(static_cast<double>(flipped) / kPairs == doctest::Approx(24.0).epsilon(0.0136));
}

TEST_CASE("another key gives other ids") {
    const ContentIdCipher one(key_of(1));
    const ContentIdCipher two(key_of(2));
    int same = 0;
    for (std::uint64_t number = 0; number < 1000; ++number) {
        same += one.encipher(number) == two.encipher(number) ? 1 : 0;
    }
    CHECK(same == 0);
}

}  // namespace
}  // namespace colophon::ledger
