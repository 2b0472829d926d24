// SPDX-License-Identifier: Apache-2.0
#pragma once

// The entries of a library made ready for searching: an automaton for each folding that is used,
// the expressions, and the links. Does not change; a new state of the library is a new matcher.

#include "core/result.h"
#include "review/automaton.h"
#include "review/entry.h"
#include "review/expression.h"
#include "review/fold.h"
#include "review/internal/block_kernels.h"
#include "review/link.h"
#include "review/near_texts.h"
#include "review/prefix_filter.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace colophon::review {

// What a character is to words around it.
enum class WordKind : std::uint8_t { kOther, kLetter, kDigit };

// What a character is to one automaton, in 32 bits.
class Glyph {
public:
    enum class Kind : std::uint8_t { kSymbol, kUnseen, kSeparator, kSequence };

    Glyph() = default;
    Glyph(Kind kind, std::uint32_t value, WordKind word)
        : bits_(value | static_cast<std::uint32_t>(word) << 28U |
                static_cast<std::uint32_t>(kind) << 30U) {}

    Kind kind() const noexcept { return static_cast<Kind>(bits_ >> 30U); }
    WordKind word() const noexcept { return static_cast<WordKind>(bits_ >> 28U & 3U); }
    bool is_symbol() const noexcept { return bits_ < 1U << 30U; }
    Symbol symbol() const noexcept { return static_cast<Symbol>(bits_ & 0xffffU); }
    std::uint32_t sequence() const noexcept { return bits_ & 0x0fffffffU; }

private:
    std::uint32_t bits_ = 0;
};

// One phrase of one entry.
struct Phrase {
    enum class Role : std::uint8_t { kMain, kWith, kWithout, kAllow, kPart };

    std::uint32_t entry = 0;
    Role role = Role::kMain;
    std::uint8_t place = 0;  // among the phrases of its role in the entry
    WordKind first = WordKind::kOther;
    WordKind last = WordKind::kOther;
    std::uint16_t symbols = 0;
    // How often each symbol is repeated, where repeats count once; empty when no symbol is.
    std::vector<std::uint8_t> runs;
};

// All phrases that are compared at one level.
class PhraseSet {
public:
    struct Source {
        std::u32string text;
        Phrase phrase;
    };
    PhraseSet(Folding folding, std::span<const Source> sources);

    Folding folding() const noexcept { return folding_; }
    const Automaton& automaton() const noexcept { return *automaton_; }
    const PrefixFilter& filter() const noexcept { return *filter_; }
    const Phrase& phrase(std::size_t index) const noexcept { return phrases_[index]; }
    bool has_allowances() const noexcept { return has_allowances_; }
    std::size_t longest() const noexcept { return longest_; }

    Glyph glyph(char32_t character) const noexcept {
        return character < kTable ? table_.data()[character] : rare_glyph(character);
    }
    // Of characters below kTable: the symbol of one that is one, kPassedOver for a separator,
    // kNoSymbol for all others. Half of the memory that the glyphs take, and of what has to come
    // from it.
    static constexpr char32_t kTable = 0x10000;
    static constexpr Symbol kPassedOver = internal::kSymbolPassedOver;
    static constexpr Symbol kNoSymbol = internal::kSymbolNone;
    const Symbol* quick_symbols() const noexcept { return quick_.data(); }
    // Whether a phrase says how often a symbol is repeated, where repeats count once.
    bool counts_repeats() const noexcept { return !counted_.empty(); }
    bool counts_repeats(Symbol symbol) const noexcept {
        return (counted_[symbol / 64] >> symbol % 64U & 1U) != 0;
    }
    // Of a glyph that is several.
    std::span<const Symbol> sequence(Glyph glyph) const noexcept;

    std::size_t bytes() const noexcept;
    // Then it finds nothing and is not to be used.
    bool too_many_symbols() const noexcept { return too_many_symbols_; }

private:
    Glyph rare_glyph(char32_t character) const noexcept;
    Glyph make_glyph(char32_t character);
    void number_symbols(std::span<const std::u32string> texts);
    void fill_table();
    void note_counted(std::span<const Pattern> patterns);
    Symbol symbol_of(char32_t character) const noexcept;

    Folding folding_;
    bool has_allowances_ = false;
    bool too_many_symbols_ = false;
    std::size_t longest_ = 0;
    std::vector<Phrase> phrases_;
    std::unordered_map<char32_t, Symbol> symbols_;
    std::vector<Glyph> table_;
    std::vector<Symbol> quick_;
    std::vector<std::uint64_t> counted_;  // bits by symbol; empty when there is none
    std::unordered_map<char32_t, Glyph> rare_;
    std::vector<Symbol> sequences_;  // a length, then so many symbols
    std::unique_ptr<const Automaton> automaton_;
    std::unique_ptr<const PrefixFilter> filter_;
};

// The expressions of one level. What they are of is as with phrases.
struct Expressions {
    std::shared_ptr<const ExpressionSet> set;
    std::vector<Phrase> phrases;  // by the number of the expression
};

struct Links {
    std::shared_ptr<const LinkSet> set;  // none without links
    std::vector<Phrase> phrases;
    bool has_allowances = false;
};

class Matcher {
public:
    Matcher() = default;
    // kInvalidArgument names the entry: no phrase, too long, not UTF-8, nothing left of it after
    // folding, an expression that cannot be searched for. kLimit: too many entries.
    static Result<Matcher> compile(std::vector<Entry> entries);

    std::span<const Entry> entries() const noexcept { return entries_; }
    std::span<const PhraseSet> sets() const noexcept { return sets_; }
    std::span<const Expressions> expressions() const noexcept { return expressions_; }
    const Links& links() const noexcept { return links_; }
    const NearTexts& near_texts() const noexcept { return near_texts_; }  // numbers of entries
    // How many parts a pattern has.
    std::size_t parts(std::uint32_t entry) const noexcept { return parts_.at(entry); }
    // Whether the language of texts matters.
    bool has_languages() const noexcept { return has_languages_; }
    // Of what the entries say: the same entries, the same version.
    const std::string& version() const noexcept { return version_; }

private:
    std::vector<Entry> entries_;
    std::vector<PhraseSet> sets_;  // at most one for each folding
    std::vector<Expressions> expressions_;
    Links links_;
    NearTexts near_texts_;
    std::unordered_map<std::uint32_t, std::size_t> parts_;
    bool has_languages_ = false;
    std::string version_ = "none";
};

}  // namespace colophon::review
