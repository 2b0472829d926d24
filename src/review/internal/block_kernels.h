// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inner loops of the search for phrases, over a block of characters at a time, with the
// instructions that the processor has. What they give does not depend on it: all are equal to the
// plain loops of block_kernels_scalar.h.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace colophon::review::internal {

// Room behind the end of every array that a kernel fills: it writes whole vectors.
inline constexpr std::size_t kBlockSlack = 64;

// Reads at most `most` characters of one to three bytes of UTF-8, and stops before anything else:
// a character of four bytes, one that is cut, an invalid byte. Each comes with where it ends in the
// text, which is below 65,536. Returns how many there are. Both arrays have kBlockSlack more.
std::size_t read_characters(std::string_view text, std::size_t most, std::uint16_t* characters,
                            std::uint16_t* ends);

// Symbols that are no symbols: as in PhraseSet.
inline constexpr std::uint16_t kSymbolPassedOver = 0xfffe;
inline constexpr std::uint16_t kSymbolNone = 0xffff;

struct Classified {
    std::size_t count = 0;  // before the first kSymbolNone
    bool has_passed_over = false;
};
Classified classify(const std::uint16_t* symbols, std::size_t count);

// Writes down those of `count` symbols that are not passed over, and of each which one it was.
// Returns how many. Both arrays have kBlockSlack more.
std::size_t leave_out_passed_over(const std::uint16_t* symbols, std::size_t count,
                                  std::uint16_t* left, std::uint16_t* which);

// The most that one of the numbers, which ascend, is above the one before it; 0 when there are not
// two.
std::size_t widest_step(const std::uint16_t* numbers, std::size_t count);

// Of `count` symbols behind symbols[0], counted from 0, those that are the same as the one before
// them, and not 0. Returns how many it wrote. Both arrays have kBlockSlack more.
std::size_t find_repeats(const std::uint16_t* symbols, std::size_t count, std::uint16_t* places);
// Leaves those out in place, and what belongs to them out of `which`, whose first belongs to
// symbols[1]. Returns how many stay. Both arrays have kBlockSlack more.
std::size_t leave_out_repeats(std::uint16_t* symbols, std::size_t count, std::uint16_t* which);

// A hash table of bits for pairs of symbols, in words of 32 bits, the lowest first.
struct PairBits {
    static constexpr std::uint32_t kMultiplier = 0x9e3779b1;
    std::span<const std::uint32_t> words;
    unsigned shift = 0;
    std::uint32_t multiplier = kMultiplier;  // odd
    std::uint32_t place(std::uint16_t first, std::uint16_t second) const noexcept {
        return (std::uint32_t{first} << 16U | second) * multiplier >> shift;
    }
};
// Each `at` below `count` for which the pair of symbols[at] and symbols[at + 1] has its bit, in
// order. Returns how many. `symbols` has kBlockSlack more, `places` too.
std::size_t find_pairs(const PairBits& bits, const std::uint16_t* symbols, std::size_t count,
                       std::uint16_t* places);

}  // namespace colophon::review::internal
