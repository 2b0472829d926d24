// SPDX-License-Identifier: Apache-2.0
#include "review/fold.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>

namespace colophon::review {
namespace {

enum Level : std::uint8_t { kPlainLevel, kLooseLevel, kSoundLevel };

// With constructors, because tables of tens of thousands of rows do not name each member.
struct Row {
    constexpr Row(std::uint32_t of_level, std::uint32_t of, std::uint32_t at, std::uint32_t size)
        : level(of_level), from(of), first(at), count(size) {}
    std::uint32_t level;
    std::uint32_t from;
    std::uint32_t first;
    std::uint32_t count;
};

struct Range {
    constexpr Range(std::uint32_t from, std::uint32_t to, std::uint32_t number)
        : first(from), last(to), kind(number) {}
    std::uint32_t first;
    std::uint32_t last;
    std::uint32_t kind;
};

constexpr std::uint32_t kPool[] = {
#include "review/fold_pool.inc"
};

constexpr Row kRows[] = {
#include "review/fold_rows.inc"
};

constexpr ClassRange range_of(Range range) {
    return {.first = range.first,
            .last = range.last,
            .kind = range.kind == 1 ? CharacterClass::kUnseen : CharacterClass::kSeparator};
}

constexpr Range kRawRanges[] = {
#include "review/fold_classes.inc"
};

constexpr auto kRanges = [] {
    std::array<ClassRange, std::size(kRawRanges)> ranges{};
    std::ranges::transform(kRawRanges, ranges.begin(), range_of);
    return ranges;
}();

constexpr std::array<std::string_view, kFoldings> kNames{"exact", "plain", "loose", "sound"};

// What one level makes of a character: itself when it has no row.
std::span<const std::uint32_t> replaced(char32_t character, Level level) noexcept {
    const auto before = [](const Row& row, std::uint64_t key) {
        return (std::uint64_t{row.level} << 32U | row.from) < key;
    };
    const std::uint64_t key = std::uint64_t{level} << 32U | character;
    const Row* row = std::lower_bound(std::begin(kRows), std::end(kRows), key, before);
    if (row == std::end(kRows) || row->level != level || row->from != character) {
        return {};
    }
    return std::span(kPool).subspan(row->first, row->count);
}

// Adds what `character` becomes by the first of the levels, and the result by the others.
void take(char32_t character, std::span<const Level> levels, Folded& out) noexcept {
    if (levels.empty()) {
        if (out.count < out.characters.size()) {
            out.characters[out.count++] = character;
        }
        return;
    }
    const auto to = replaced(character, levels.front());
    if (to.empty()) {
        take(character, levels.subspan(1), out);
    }
    for (const std::uint32_t each : to) {
        take(each, levels.subspan(1), out);
    }
}

std::span<const Level> levels_of(Folding folding) noexcept {
    static constexpr std::array kPlain{kPlainLevel};
    static constexpr std::array kLoose{kPlainLevel, kLooseLevel};
    // Letters of readings too are compared by their looks.
    static constexpr std::array kSound{kPlainLevel, kSoundLevel, kLooseLevel};
    switch (folding) {
        case Folding::kExact:
            return {};
        case Folding::kPlain:
            return kPlain;
        case Folding::kLoose:
            return kLoose;
        case Folding::kSound:
            return kSound;
    }
    return {};
}

}  // namespace

std::string_view folding_name(Folding folding) noexcept {
    return kNames[static_cast<std::size_t>(folding)];
}

std::optional<Folding> parse_folding(std::string_view name) noexcept {
    const auto* found = std::ranges::find(kNames, name);
    return found == kNames.end() ? std::nullopt
                                 : std::optional(static_cast<Folding>(found - kNames.begin()));
}

CharacterClass class_of(char32_t character) noexcept {
    const auto* range = std::ranges::lower_bound(kRanges, character, {}, &ClassRange::last);
    return range != kRanges.end() && range->first <= character ? range->kind
                                                               : CharacterClass::kText;
}

Folded fold(char32_t character, Folding folding) noexcept {
    Folded out;
    take(character, levels_of(folding), out);
    if (folding == Folding::kExact) {
        return out;
    }
    // "|" and "$" are separators that stand for letters when looks count.
    const CharacterClass kind = class_of(character);
    const bool stands_for_text = std::ranges::any_of(
        out.all(), [](char32_t each) { return class_of(each) == CharacterClass::kText; });
    if (kind == CharacterClass::kUnseen ||
        (folding >= Folding::kLoose && kind == CharacterClass::kSeparator && !stands_for_text)) {
        out.count = 0;
    }
    return out;
}

std::size_t changed_characters() noexcept {
    return std::size(kRows);
}

char32_t changed_character(std::size_t index) noexcept {
    return kRows[index].from;
}

std::span<const ClassRange> class_ranges() noexcept {
    return kRanges;
}

}  // namespace colophon::review
