// SPDX-License-Identifier: Apache-2.0
#pragma once

// Prints of texts, to find every text like a given one: winnowing (Schleimer, Wilkerson, Aiken,
// "Winnowing: local algorithms for document fingerprinting", 2003).
//
//   fold      case, full width, spaces and punctuation left out
//   grams     each run of 8 characters becomes a keyed number of 64 bits
//   winnow    in every window of 8 grams the least number is kept
//
// Whatever two texts share of 15 folded characters or more, they share a number of. Which grams are
// kept depends on the neighbourhood only, so a passage gives the same numbers wherever it stands.
// The numbers are keyed: without the key nobody can try from them whether a text has a phrase.
// Prints under two keys have nothing in common. Words that were exchanged one by one for others are
// not found; this compares letters, not meaning.

#include "core/bytes.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace colophon::fingerprint {

inline constexpr std::size_t kTextGramChars = 8;
inline constexpr std::size_t kTextWindowGrams = 8;
// A shared passage of so many folded characters is always noticed.
inline constexpr std::size_t kTextSharedCharsMin = kTextGramChars + kTextWindowGrams - 1;
inline constexpr std::size_t kTextPrintBytesMax = std::size_t{64} << 20U;  // of one text

struct TextPrintKey {
    std::array<std::uint8_t, 32> bytes{};
};

struct TextPrint {
    std::vector<std::uint64_t> marks;  // ascending, each once

    bool operator==(const TextPrint&) const = default;
};

// Prints many texts under one key.
class TextPrinter {
public:
    explicit TextPrinter(const TextPrintKey& key);

    // Texts of fewer than 8 folded characters have one mark for all of them, empty ones none.
    // kInvalidArgument names the byte that is no UTF-8, kLimit above kTextPrintBytesMax.
    Result<TextPrint> print(std::string_view text) const;

private:
    std::uint64_t first_ = 0;
    std::uint64_t second_ = 0;
};

// Of one text.
Result<TextPrint> print_text(std::string_view text, const TextPrintKey& key);

// How much of `part` is in `whole`, 0 .. 1: marks of both by marks of the part; 0 for an empty
// part.
double containment(const TextPrint& part, const TextPrint& whole);
// How alike two are, 0 .. 1: marks of both by marks of either.
double likeness(const TextPrint& a, const TextPrint& b);
// The same, told from sketches: the least marks of each, as many of both or all that there are. Of
// the least marks of both together, the part that is in both.
double sketch_likeness(const TextPrint& a, const TextPrint& b);

// 8 bytes a mark, the higher byte first, ascending. Read strictly: kCorrupt for lengths that are no
// multiple of 8 and for marks that do not ascend, with their place.
Buffer to_bytes(const TextPrint& print);
Result<TextPrint> parse_text_print(Bytes bytes);

}  // namespace colophon::fingerprint
