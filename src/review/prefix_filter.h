// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which places of a text need an automaton at all. Most texts hold few beginnings of the phrases of
// a list, and to see that there is none takes no walk from state to state, each of which waits for
// memory that the one before named: two and three neighbouring symbols say it, and the next ones
// are asked at the same time.

#include "review/automaton.h"

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
        : begun_(patterns.size()), longer_(patterns.size()), whole_(patterns.size()) {
        for (const Pattern& pattern : patterns) {
            if (pattern.size() == 1) {
                alone_.resize((std::size_t{1} << 16U) / 64);
                alone_[pattern[0] / 64] |= std::uint64_t{1} << pattern[0] % 64U;
                continue;
            }
            begun_.add(pair(pattern[0], pattern[1]));
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
    // no pattern are 0. Returns how many it wrote.
    std::size_t find(const Symbol* symbols, std::size_t count,
                     std::uint16_t* places) const noexcept {
        const std::size_t begun = alone_.empty() ? begun_places<false>(symbols, count, places)
                                                 : begun_places<true>(symbols, count, places);
        std::size_t found = 0;
        for (std::size_t i = 0; i < begun; ++i) {
            const std::size_t at = places[i];
            places[found] = static_cast<std::uint16_t>(at);
            found += at + 1 == count || is_alone(symbols[at + 1]) ||
                             whole_.has(pair(symbols[at], symbols[at + 1])) ||
                             longer_.has(triple(symbols[at], symbols[at + 1], symbols[at + 2]))
                         ? 1U
                         : 0U;
        }
        return found;
    }

    std::size_t bytes() const noexcept {
        return (alone_.size() + begun_.words.size() + whole_.words.size() + longer_.words.size()) *
               sizeof(std::uint64_t);
    }

private:
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
        bool has(std::uint64_t key) const noexcept {
            const std::uint64_t at = place(key);
            return (words.data()[at / 64] >> at % 64U & 1U) != 0;
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
    bool is_alone(Symbol symbol) const noexcept {
        return !alone_.empty() && (alone_.data()[symbol / 64] >> symbol % 64U & 1U) != 0;
    }
    // Without a branch that nobody can foresee.
    template <bool kAlone>
    std::size_t begun_places(const Symbol* symbols, std::size_t count,
                             std::uint16_t* places) const noexcept {
        std::size_t begun = 0;
        for (std::size_t at = 0; at < count; ++at) {
            places[begun] = static_cast<std::uint16_t>(at);
            const bool one = begun_.has(pair(symbols[at], symbols[at + 1]));
            begun += one || (kAlone && is_alone(symbols[at + 1])) ? 1U : 0U;
        }
        return begun;
    }

    std::vector<std::uint64_t> alone_;  // empty when there is no pattern of one symbol
    Bits begun_;
    Bits longer_;
    Bits whole_;
};

}  // namespace colophon::review
