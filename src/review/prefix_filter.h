// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which places of a text need an automaton at all. Most texts hold few beginnings of the phrases of
// a list, and to see that there is none takes no walk from state to state, each of which waits for
// memory that the one before named: two and three neighbouring symbols say it, and the next ones
// are asked at the same time.

#include "review/automaton.h"
#include "review/internal/block_kernels.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace colophon::review {

class PrefixFilter {
public:
    // As the automaton of the same patterns: none is empty or has a symbol of 0.
    explicit PrefixFilter(std::span<const Pattern> patterns)
        : begun_(std::bit_ceil(patterns.size() * kPairBits + 32) / 32),
          multiplier_(multiplier_for(patterns)),
          longer_(patterns.size()),
          whole_(patterns.size()) {
        for (const Pattern& pattern : patterns) {
            if (pattern.size() == 1) {
                alone_.resize((std::size_t{1} << 16U) / 64);
                alone_[pattern[0] / 64] |= std::uint64_t{1} << pattern[0] % 64U;
                continue;
            }
            const std::uint32_t place = pairs().place(pattern[0], pattern[1]);
            begun_[place / 32] |= std::uint32_t{1} << place % 32U;
            if (pattern.size() == 2) {
                whole_.add(pair(pattern[0], pattern[1]));
            } else {
                longer_.add(triple(pattern[0], pattern[1], pattern[2]));
            }
        }
    }

    // Of `count` symbols, the first of which stands at symbols[1] behind the one before it, writes
    // down in order the places, counted from 0, at which an automaton has to walk on from the root
    // over the symbol before and that one. At all others no pattern ends, and none that ends later
    // begins with the symbol before; but the last place is never left out when one may. Symbols of
    // no pattern are 0; what stands behind the last may be anything. Returns how many it wrote;
    // both arrays have internal::kBlockSlack more.
    std::size_t find(const Symbol* symbols, std::size_t count,
                     std::uint16_t* places) const noexcept {
        const std::size_t begun = alone_.empty()
                                      ? internal::find_pairs(pairs(), symbols, count, places)
                                      : find_pairs_and_singles(symbols, count, places);
        std::size_t found = 0;
        for (std::size_t i = 0; i < begun; ++i) {
            const std::size_t at = places[i];
            places[found] = static_cast<std::uint16_t>(at);
            found += is_alone(symbols[at + 1]) | whole_.has(pair(symbols[at], symbols[at + 1])) |
                     longer_.has(triple(symbols[at], symbols[at + 1], symbols[at + 2])) |
                     std::size_t{at + 1 == count};
        }
        return found;
    }

    std::size_t bytes() const noexcept {
        return begun_.size() * sizeof(std::uint32_t) +
               (alone_.size() + whole_.words.size() + longer_.words.size()) * sizeof(std::uint64_t);
    }

private:
    static constexpr std::size_t kPairBits = 16;  // for each pair
    internal::PairBits pairs() const noexcept {
        return {.words = begun_, .shift = shift(), .multiplier = multiplier_};
    }
    unsigned shift() const noexcept {
        return static_cast<unsigned>(32 - std::countr_zero(begun_.size() * 32));
    }
    // Two characters that stand in no pattern, the commonest pair of many texts, have the first bit
    // with each multiplier: one with which no pair of a pattern has it.
    std::uint32_t multiplier_for(std::span<const Pattern> patterns) const {
        constexpr std::uint32_t kTries = 32;
        std::uint32_t multiplier = internal::PairBits::kMultiplier;
        for (std::uint32_t tries = 0; tries < kTries; ++tries, multiplier += 0x2545f492) {
            const internal::PairBits bits{
                .words = begun_, .shift = shift(), .multiplier = multiplier};
            if (std::ranges::none_of(patterns, [&](const Pattern& pattern) {
                    return pattern.size() > 1 && bits.place(pattern[0], pattern[1]) == 0;
                })) {
                break;
            }
        }
        return multiplier;
    }
    // A hash function and a bit: one of eight to sixteen is wrongly there.
    struct Bits {
        explicit Bits(std::size_t keys)
            : words(std::bit_ceil(keys * 8 + 64) / 64),
              shift(static_cast<unsigned>(64 - std::countr_zero(words.size() * 64))) {}

        std::uint64_t place(std::uint64_t key) const noexcept {
            return key * 0x9e3779b97f4a7c15ULL >> shift;
        }
        void add(std::uint64_t key) {
            const std::uint64_t at = place(key);
            words[at / 64] |= std::uint64_t{1} << at % 64U;
        }
        // By pointer: the check of operator[] would be a third of it.
        // 1 or 0, to be counted with.
        std::size_t has(std::uint64_t key) const noexcept {
            const std::uint64_t at = place(key);
            return words.data()[at / 64] >> at % 64U & 1U;
        }

        std::vector<std::uint64_t> words;
        unsigned shift;
    };

    static std::uint64_t pair(Symbol first, Symbol second) noexcept {
        return std::uint64_t{first} << 16U | second;
    }
    static std::uint64_t triple(Symbol first, Symbol second, Symbol third) noexcept {
        return std::uint64_t{first} << 32U | pair(second, third);
    }
    std::size_t is_alone(Symbol symbol) const noexcept {
        return alone_.empty() ? 0 : alone_.data()[symbol / 64] >> symbol % 64U & 1U;
    }
    std::size_t find_pairs_and_singles(const Symbol* symbols, std::size_t count,
                                       std::uint16_t* places) const noexcept {
        const internal::PairBits bits = pairs();
        std::size_t found = 0;
        for (std::size_t at = 0; at < count; ++at) {
            // Without a branch that nobody can foresee.
            const std::uint32_t place = bits.place(symbols[at], symbols[at + 1]);
            places[found] = static_cast<std::uint16_t>(at);
            found += (begun_.data()[place / 32] >> place % 32U & 1U) | is_alone(symbols[at + 1]);
        }
        return found;
    }

    std::vector<std::uint64_t> alone_;  // empty when there is no pattern of one symbol
    std::vector<std::uint32_t> begun_;
    std::uint32_t multiplier_;
    Bits longer_;
    Bits whole_;
};

}  // namespace colophon::review
