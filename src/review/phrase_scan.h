// SPDX-License-Identifier: Apache-2.0
#pragma once

// The search for the phrases of one level in one text that comes in pieces.

#include "review/automaton.h"
#include "review/fold.h"
#include "review/matcher.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

namespace colophon::review {

// So many separators in a row end a phrase, and so many characters that nobody sees.
inline constexpr std::uint32_t kSeparatorsMax = 16;
inline constexpr std::uint32_t kUnseenMax = 4096;

// A place of the text that a phrase, an expression or a link fits.
struct Candidate {
    const Phrase* phrase = nullptr;
    std::size_t begin = 0;  // bytes of the text
    std::size_t end = 0;
    std::uint64_t end_character = 0;
    bool open = false;  // the next character may make it part of a longer word
};

class PhraseScan {
public:
    // The set has to live as long.
    explicit PhraseScan(const PhraseSet& set);

    // Whole characters of UTF-8; an invalid byte is a character that is in no phrase.
    void push(std::string_view text, bool last);

    const PhraseSet& set() const noexcept { return *set_; }
    // By where they end; the caller takes them from the front.
    std::deque<Candidate>& found() noexcept { return found_; }
    const std::deque<Candidate>& found() const noexcept { return found_; }
    // What is still to come begins here or behind it.
    std::size_t earliest() const noexcept;
    // Of the text so far.
    std::uint64_t characters() const noexcept { return characters_; }

private:
    // Where one symbol came from, in 64 bits.
    class Trail {
    public:
        Trail() = default;
        // `before`: the character before it; `first` of those that one character became.
        Trail(std::size_t offset, WordKind before, bool first)
            : bits_(std::uint64_t{offset} << 16U | static_cast<std::uint64_t>(before) << 9U |
                    static_cast<std::uint64_t>(first) << 8U | 1U) {}
        std::size_t offset() const noexcept { return bits_ >> 16U; }
        WordKind before() const noexcept { return static_cast<WordKind>(bits_ >> 9U & 3U); }
        bool first() const noexcept { return (bits_ >> 8U & 1U) != 0; }
        // 255: or more
        unsigned run() const noexcept { return static_cast<unsigned>(bits_ & 0xffU); }
        void repeat() noexcept { bits_ += run() < 0xff ? 1U : 0U; }

    private:
        std::uint64_t bits_ = 0;
    };
    // A run of characters that are one symbol or passed over, as many as are looked at together:
    // first all are read, then all are asked about, and only where it matters the automaton walks.
    struct Block {
        static constexpr std::size_t kLeast = 8;
        static constexpr std::size_t kMost = 512;
        std::string_view text;                      // from the first one's begin
        std::array<Symbol, kMost + 1> symbols;      // one more in front: that before the first
        std::array<std::uint16_t, kMost + 1> ends;  // of the characters; in front 0
        std::array<std::uint16_t, kMost + 1> places;
        std::array<std::uint16_t, kMost> passed;  // where characters begin that are passed over
        std::size_t count = 0;
        std::size_t passed_count = 0;
        std::size_t passed_accounted = 0;
        std::size_t accounted = 0;  // of them, in what is known beside the state
        WordKind before = WordKind::kOther;
    };

    template <bool kRepeats>
    void walk(std::string_view text);
    template <bool kRepeats>
    void read_block(std::string_view text, Block& block) const;
    std::size_t walk_block(Block& block);
    std::size_t walk_deep(Block& block, std::size_t at);
    void account(Block& block, std::size_t count);
    struct Begin {
        std::size_t at = 0;  // in the text of the block
        WordKind before = WordKind::kOther;
    };
    Begin begin_of(const Block& block, std::size_t at) const;
    WordKind word_at(std::string_view text, std::size_t& at) const;
    void take_rare(Glyph glyph, std::size_t begin, std::size_t end);
    void take_symbols(std::span<const Symbol> symbols, std::size_t begin);
    void break_off();
    void note_ends();
    void settle_open(WordKind next);

    const PhraseSet* set_;
    Automaton::State state_ = Automaton::kRoot;
    std::uint64_t symbols_ = 0;
    std::uint64_t characters_ = 0;
    std::size_t offset_ = 0;
    std::uint32_t separators_ = 0;
    std::uint32_t unseen_ = 0;
    Symbol single_ = 0;  // the last symbol, when its character became no other
    WordKind word_ = WordKind::kOther;
    bool has_open_ = false;
    // So many symbols are read at once: few where matches are open often, because what was read
    // behind one that is open is read again.
    std::size_t reach_ = Block::kMost;
    bool finished_ = false;
    std::vector<Trail> trail_;  // a ring
    std::size_t mask_ = 0;
    std::deque<Candidate> found_;
};

}  // namespace colophon::review
