// SPDX-License-Identifier: Apache-2.0
#pragma once

// The search for the phrases of one level in one text that comes in pieces.

#include "review/automaton.h"
#include "review/fold.h"
#include "review/internal/block_kernels.h"
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
        // Of the run, those before the one with which a phrase begins (begin_anew).
        unsigned left_behind() const noexcept {
            return static_cast<unsigned>(bits_ >> 11U & kLeftBehindMax);
        }
        // A symbol that ended a word and comes again where one begins ("bob bomb") begins there,
        // with so many of its run left behind.
        void begin_anew(std::size_t offset, WordKind before, unsigned left_behind) noexcept {
            const std::uint64_t kept = bits_ & 0x1ffU;
            bits_ = std::uint64_t{offset} << 16U | std::uint64_t{left_behind} << 11U |
                    static_cast<std::uint64_t>(before) << 9U | kept;
        }
        static constexpr unsigned kLeftBehindMax = 31;

    private:
        std::uint64_t bits_ = 0;
    };
    // Characters that are read together, and of them a segment that is looked at together: those
    // that are one symbol each, with separators and repeats between them. First all are read, then
    // all are asked about, and only where it matters the automaton walks.
    struct Block {
        static constexpr std::size_t kLeast = 8;
        static constexpr std::size_t kMost = 512;
        static constexpr std::size_t kRoom = kMost + internal::kBlockSlack;
        std::array<std::uint16_t, kRoom> characters;
        std::array<std::uint16_t, kRoom> ends;    // of the characters, in bytes from `base`
        std::array<Symbol, kRoom + 1> looked_up;  // one more in front
        std::size_t size = 0;
        std::size_t base = 0;  // where the first begins in the text

        std::size_t first = 0;                 // of the segment, a character
        Symbol* symbols = nullptr;             // the first is that before those of the segment
        const std::uint16_t* which = nullptr;  // of the segment's characters each symbol is
        // Where the two lie when characters were left out, else in looked_up and kEach.
        std::array<Symbol, kRoom + 1> left_symbols;
        std::array<std::uint16_t, kRoom> left_which;
        std::array<std::uint16_t, kRoom> places;
        std::size_t count = 0;      // of symbols
        std::size_t accounted = 0;  // of them, in what is known beside the state
        WordKind before = WordKind::kOther;

        std::size_t begin_of(std::size_t character) const noexcept {
            return base + (character == 0 ? 0 : ends[character - 1]);
        }
        // Behind so many symbols of the segment.
        std::size_t characters_of(std::size_t symbols_taken) const noexcept {
            return symbols_taken == 0 ? 0 : which[symbols_taken - 1] + std::size_t{1};
        }
    };

    bool read_block(std::string_view text, Block& block) const;
    void walk(Block& block);
    void take_segment(Block& block) const;
    void end_before_break(Block& block) const;
    void leave_out_repeats(Block& block) const;
    std::size_t count_before_counted(const Block& block, std::size_t repeats) const;
    std::size_t walk_segment(Block& block);
    std::size_t walk_deep(Block& block, std::size_t at);
    void account(Block& block, std::size_t count);
    // Repeats among the segment's characters that stand for no symbol of their own.
    void take_repeats(const Block& block, std::size_t from, std::size_t until, Trail& trail) const;
    WordKind word_of(const Block& block, std::size_t character) const noexcept;
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
    // So many characters are a segment at most: few where segments end early, because what is left
    // of one is looked at again.
    std::size_t reach_ = Block::kMost;
    bool finished_ = false;
    std::vector<Trail> trail_;  // a ring
    std::size_t mask_ = 0;
    std::deque<Candidate> found_;
};

}  // namespace colophon::review
