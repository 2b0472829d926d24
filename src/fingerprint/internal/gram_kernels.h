// SPDX-License-Identifier: Apache-2.0
#pragma once

// The keyed numbers of all grams of a text, several at once where the processor has vectors:
// SipHash-2-4 (Aumasson, Bernstein, 2012) of eight characters as 32 bits each, the lower byte
// first. The same numbers on every processor.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace colophon::fingerprint::internal {

// The key as the two words that SipHash takes.
struct SipKey {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
};

// Of one short message. SipHash for an even number of characters; for an odd one a padded word
// stands before the length.
inline std::uint64_t sip_hash(const SipKey& key, const char32_t* characters, std::size_t size) {
    std::array<std::uint64_t, 4> v{
        key.first ^ 0x736f6d6570736575U, key.second ^ 0x646f72616e646f6dU,
        key.first ^ 0x6c7967656e657261U, key.second ^ 0x7465646279746573U};
    const auto round = [&v] {
        v[0] += v[1];
        v[1] = std::rotl(v[1], 13) ^ v[0];
        v[0] = std::rotl(v[0], 32);
        v[2] += v[3];
        v[3] = std::rotl(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = std::rotl(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = std::rotl(v[1], 17) ^ v[2];
        v[2] = std::rotl(v[2], 32);
    };
    const auto absorb = [&](std::uint64_t word) {
        v[3] ^= word;
        round();
        round();
        v[0] ^= word;
    };
    for (std::size_t i = 0; i < size; i += 2) {
        const std::uint64_t high = i + 1 < size ? characters[i + 1] : 0U;
        absorb(std::uint64_t{characters[i]} | high << 32U);
    }
    absorb(std::uint64_t{size * sizeof(char32_t)} << 56U);
    v[2] ^= 0xffU;
    for (int i = 0; i < 4; ++i) {
        round();
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

// numbers[i] = sip_hash(key, characters + i, 8) for i below count; `characters` has count + 7.
void number_grams(const SipKey& key, const char32_t* characters, std::size_t count,
                  std::uint64_t* numbers);

}  // namespace colophon::fingerprint::internal
