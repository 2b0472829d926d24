// SPDX-License-Identifier: Apache-2.0
#pragma once

// The search for the entries of a library in one text that comes in pieces. However it is cut, the
// same matches come in the same order, and what may go out is known to the character.

#include "review/entry.h"
#include "review/expression.h"
#include "review/link.h"
#include "review/matcher.h"
#include "review/scope.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {

// So many separators in a row end a phrase, and so many characters that nobody sees.
inline constexpr std::uint32_t kSeparatorsMax = 16;
inline constexpr std::uint32_t kUnseenMax = 4096;

struct Match {
    std::uint32_t entry = 0;  // of the matcher
    // Bytes of the text. Of an entry with context: of the phrase that made it complete; of a
    // pattern: of all its parts.
    std::size_t begin = 0;
    std::size_t end = 0;
    friend bool operator==(const Match&, const Match&) = default;
};

class TextScan {
public:
    explicit TextScan(std::shared_ptr<const Matcher> matcher, Occasion occasion = {});

    // UTF-8; a character may be cut at the end. An invalid byte is a character that is in no
    // phrase.
    void push(std::string_view piece) { walk(piece, false); }
    void finish() { walk({}, true); }

    // The next match whose fate is known, by where it ends.
    std::optional<Match> next();
    // So many bytes of the text belong to no match that is still to come; `all`, the length of the
    // text so far, when there is nothing to look for.
    std::size_t settled(std::size_t all) const noexcept {
        return walks_.empty() && expressions_.empty() && links_.empty() ? all : settled();
    }

private:
    struct Candidate {
        const Phrase* phrase = nullptr;
        std::size_t begin = 0;
        std::size_t end = 0;
        std::uint64_t end_character = 0;
        bool open = false;  // the next character may make it part of a longer word
    };
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
    struct Walk {
        const PhraseSet* set;
        Automaton::State state = Automaton::kRoot;
        std::uint64_t symbols = 0;
        std::uint64_t characters = 0;
        std::size_t offset = 0;
        std::uint32_t separators = 0;
        std::uint32_t unseen = 0;
        Symbol single = 0;  // the last symbol, when its character became no other
        WordKind word = WordKind::kOther;
        bool has_open = false;
        std::vector<Trail> trail;  // a ring
        std::size_t mask = 0;
        std::deque<Candidate> found;
    };
    struct ExpressionWalk {
        const Expressions* expressions;
        ExpressionScan scan;
        std::deque<Candidate> found;
    };
    struct LinkWalk {
        const Links* links;
        LinkScan scan;
        std::deque<Candidate> found;
    };
    // The beginning of a pattern: where the last of its parts so far ended.
    struct Chain {
        std::size_t begin = 0;
        std::size_t end = 0;
        std::uint64_t end_character = 0;
    };
    struct Chains {
        std::uint32_t entry = 0;
        const Walk* walk = nullptr;
        std::vector<std::vector<Chain>> parts;  // all but the last
    };
    // What is known of the phrases of an entry with context.
    struct Context {
        std::uint32_t entry = 0;
        std::optional<std::uint64_t> main;
        std::vector<std::optional<std::uint64_t>> with;
        std::vector<std::optional<std::uint64_t>> without;
    };
    enum class Fate : std::uint8_t { kOpen, kGone, kMatch };

    std::size_t settled() const noexcept;
    void walk(std::string_view piece, bool last);
    template <bool kRepeats>
    static void walk_set(Walk& walk, std::string_view text);
    template <bool kRepeats>
    static std::size_t walk_symbols(Walk& walk, std::string_view text);
    static void take_rare(Walk& walk, Glyph glyph, std::size_t begin, std::size_t end);
    static void take_symbols(Walk& walk, std::span<const Symbol> symbols, std::size_t begin);
    static void break_off(Walk& walk);
    static void note_ends(Walk& walk);
    static void settle_open(Walk& walk, WordKind next);
    static std::size_t start_of_state(const Walk& walk) noexcept;

    void start_walks();
    template <class HitType>
    static void note_hits(std::span<const HitType> hits, std::span<const Phrase> phrases,
                          std::uint32_t HitType::* number, std::deque<Candidate>& found);
    std::deque<Candidate>* first_found();
    std::size_t known() const noexcept;
    Fate fate_of(Candidate& candidate);
    Fate fate_of_whole(const Candidate& candidate);
    Fate fate_of_part(Candidate& candidate);
    const Walk* walk_of(Folding folding) const noexcept;
    Chains& chains_of(std::uint32_t entry);
    void forget_chains();
    bool is_in_language(const Candidate& candidate) const;
    void forget_text();
    Fate allowance_of(const Candidate& candidate) const;
    Fate fate_in_context(const Phrase& phrase, const Candidate& candidate);
    bool complete(const Context& context, const Entry& entry, std::uint64_t now) const;
    Fate excluded(const Candidate& candidate, const Context& context, std::uint32_t within);
    Context& context_of(std::uint32_t entry);
    void forget_allowances();

    bool is_for_us(std::uint32_t entry) const noexcept;

    std::shared_ptr<const Matcher> matcher_;
    Occasion occasion_;
    std::vector<Walk> walks_;
    std::vector<ExpressionWalk> expressions_;
    std::vector<LinkWalk> links_;  // at most one
    std::vector<Chains> chains_;
    std::vector<Context> contexts_;
    std::vector<Candidate> allowances_;
    std::string cut_;     // the beginning of a character
    std::string recent_;  // the end of the text, where languages matter
    std::size_t offset_ = 0;
    bool finished_ = false;
};

}  // namespace colophon::review
