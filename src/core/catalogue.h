// SPDX-License-Identifier: Apache-2.0
#pragma once

// A catalogue of sentences: what a program says in one language, and how that is said in another.
//
// Sentences are found again by their text, so whoever makes one needs no catalogue and no language.
// A row is a pattern with places, and the same in the other language:
//
//     truncated: {} needs {} bytes, {} are left <TAB> 数据不完整：{1:m}需要 {2} 字节，仅剩 {3} 字节
//
// In the pattern {} is any text; {{ and }} are braces. In the translation each place stands once:
// {2} copies what stood in the second place, {2:m} translates it too if it is a sentence or a part
// of one that the catalogue knows, {2:n} is a number and lets the row fit only if a number is
// there.
//
// Of several rows that fit, and several ways in which one row fits, the one counts that leaves the
// fewest letters as they are. What a place holds may come from a hostile file: it is copied whole
// whatever it looks like, it cannot add or hide words, and the time is bounded. At worst it makes
// another row fit, or none.

#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon {

class Catalogue {
public:
    // Texts of more bytes, and places nested deeper than that, stay as they are.
    static constexpr std::size_t kTextBytesMax = 16U << 10U;
    static constexpr std::size_t kDepthMax = 8;

    // Rows: "PATTERN<TAB>TRANSLATION", what stands behind a second tab is ignored. A translation
    // that is "=" says that the text is the same in both languages: the row is left out.
    // kInvalidArgument names the row: no tab, an empty side, places that do not agree, two places
    // without text between them, a pattern that stands there twice.
    static Result<Catalogue> create(std::span<const std::string_view> rows);

    // The text in the other language; parts that no row fits stay as they are.
    std::string translate(std::string_view text) const;

    std::size_t size() const noexcept { return size_; }

private:
    enum class PlaceKind : std::uint8_t { kCopied, kSentence, kNumber };
    struct Part {
        std::string text;  // what stands before the place
        std::size_t place = 0;
    };
    struct Row {
        std::vector<std::string> pieces;  // of the pattern, one more than there are places
        std::vector<PlaceKind> kinds;     // one for each place
        std::vector<Part> parts;          // of the translation
        std::string tail;                 // of the translation, behind its last place
        std::size_t letters = 0;          // in all pieces
    };
    class Translation;

    Catalogue() = default;
    static Result<Row> read_row(std::string_view pattern, std::string_view translation);
    static Result<void> read_pattern(std::string_view pattern, Row& row);
    static Result<void> read_translation(std::string_view translation, Row& row);

    // By the text before the first place; start_sizes_ are the lengths of those texts.
    std::map<std::string, std::vector<Row>, std::less<>> rows_;
    std::vector<std::size_t> start_sizes_;
    std::size_t size_ = 0;
};

}  // namespace colophon
