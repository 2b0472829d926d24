// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a character of a text is compared as when the text is searched for what may not pass
// [DSP-10]. The tables are made from the Unicode Character Database (cmake/fold_tables.awk).

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace colophon::review {

// Each level finds what the one before finds, and more.
enum class Folding : std::uint8_t {
    kExact,  // character by character
    kPlain,  // width, case, compatible forms, accents, traditional and simplified; what nobody
             // sees (zero width, variation selectors, controls) is passed over
    kLoose,  // besides: numerals and digits, letters by what looks like them; spaces, punctuation
             // and symbols are passed over, repeated characters count once
    kSound,  // as kLoose, Chinese characters by their reading without tone: 赌博, 杜波, dubo
};
inline constexpr std::size_t kFoldings = 4;
std::string_view folding_name(Folding folding) noexcept;  // "exact", "plain", "loose", "sound"
std::optional<Folding> parse_folding(std::string_view name) noexcept;

enum class CharacterClass : std::uint8_t { kText, kUnseen, kSeparator };
CharacterClass class_of(char32_t character) noexcept;

struct Folded {
    // A compatible character is at most eight, each at most six letters.
    std::array<char32_t, 48> characters{};
    std::size_t count = 0;
    std::span<const char32_t> all() const noexcept { return std::span(characters).first(count); }
};

// Empty for what the level passes over.
Folded fold(char32_t character, Folding folding) noexcept;

// Each that some level compares as something other than itself; some stand here more than once.
std::size_t changed_characters() noexcept;
char32_t changed_character(std::size_t index) noexcept;

// The characters that are not text, in order.
struct ClassRange {
    char32_t first;
    char32_t last;
    CharacterClass kind;
};
std::span<const ClassRange> class_ranges() noexcept;

}  // namespace colophon::review
