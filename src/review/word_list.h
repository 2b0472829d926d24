// SPDX-License-Identifier: Apache-2.0
#pragma once

// A list of words that may not pass, found in one walk over the text however many they are (Aho and
// Corasick, 1975). Letters of ASCII are compared without regard to case; everything else byte by
// byte.

#include "core/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {

inline constexpr std::size_t kWordsMax = 200'000;
inline constexpr std::size_t kWordBytesMax = 256;

struct Word {
    std::string text;
    std::string category;
};

class WordList {
public:
    // One word a line, or CATEGORY, a tabulator and a word; empty lines and those that begin with
    // "#" are left out. kInvalidArgument and kLimit name the line.
    static Result<WordList> parse(std::string_view text);
    WordList() : WordList(std::vector<Word>()) {}

    std::size_t size() const noexcept { return words_.size(); }
    const Word& word(std::size_t index) const { return words_[index]; }
    // Of what the list says: the same words, the same version.
    const std::string& version() const noexcept { return version_; }

    // Where a walk over a text stands; begins at 0.
    using State = std::uint32_t;
    State step(State state, char byte) const noexcept;
    // The longest word that ends here, if any.
    std::optional<std::size_t> found(State state) const noexcept;
    // So many of the last bytes may be the beginning of a word.
    std::size_t held(State state) const noexcept { return nodes_[state].depth; }

private:
    explicit WordList(std::vector<Word> words);
    static constexpr std::int32_t kNone = -1;
    struct Node {
        std::uint32_t first_edge = 0;
        std::uint32_t edges = 0;
        State fail = 0;
        std::uint32_t depth = 0;
        std::int32_t word = kNone;  // the longest that ends here, itself or a shorter one
    };
    struct Edge {
        char byte = 0;
        State to = 0;
    };
    std::optional<State> edge(State state, char byte) const noexcept;

    std::vector<Word> words_;
    std::string version_;
    std::vector<Node> nodes_;
    std::vector<Edge> edges_;  // of each node together, by byte
    std::array<State, 256> root_{};
};

}  // namespace colophon::review
