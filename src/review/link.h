// SPDX-License-Identifier: Apache-2.0
#pragma once

// Domains and links found in running text [DSP-10]: "example.com" is itself and all names below it,
// "example.com/path" the names with paths that begin so. However they are written: full width,
// letter case, "hxxp://", "[.]", "(dot)", "%65", punycode, with a port, between Chinese characters.
//
// Not an answer is given to what a public suffix is: whoever lists "co.uk" blocks all below it, as
// the entry's trial will show. A single label ("com") is refused.

#include "core/result.h"
#include "review/automaton.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace colophon::review {

inline constexpr std::size_t kLinkBytesMax = 512;
inline constexpr std::size_t kLinksMax = 100'000;  // in force at once
// So many characters in a row that nobody sees end a link.
inline constexpr std::uint32_t kLinkUnseenMax = 64;

// What a character is to the edges of a name.
enum class LinkCharacter : std::uint8_t { kOther, kDot, kWord, kIdeograph };

// One way to write a listed link, as text is read.
struct LinkForm {
    std::u32string text;  // "example.com" or "example.com/path"
    bool is_address = false;
};

// All ways to write it: each label beyond ASCII as itself and as punycode. kInvalidArgument.
Result<std::vector<LinkForm>> parse_link(std::string_view link);

// Does not change.
class LinkSet {
public:
    // `numbers`: which link each form is of.
    LinkSet(std::vector<LinkForm> forms, std::vector<std::uint32_t> numbers);

    // Then it finds nothing and is not to be used.
    bool too_many_symbols() const noexcept { return automaton_ == nullptr; }

private:
    friend class LinkScan;
    struct Form {
        std::uint32_t number = 0;
        std::uint16_t length = 0;
        LinkCharacter first = LinkCharacter::kWord;
        LinkCharacter last = LinkCharacter::kWord;
        bool is_address = false;
    };
    Symbol symbol_of(char32_t character) const noexcept;

    std::vector<Form> forms_;
    std::unordered_map<char32_t, Symbol> symbols_;
    std::unique_ptr<const Automaton> automaton_;
    std::size_t longest_ = 0;
};

// A character of a link, and where it stands in the text. Several where it is written as several:
// "[.]" is a dot.
struct LinkSymbol {
    char32_t character = 0;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::uint64_t number = 0;  // of its last character in the text
};

// The text as links are compared.
class LinkReader {
public:
    // Whole characters and invalid bytes.
    void push(std::string_view piece, bool last, std::vector<LinkSymbol>& symbols);
    // Where what is not decided yet begins: the end when nothing is open.
    std::size_t decided() const noexcept {
        return pending_.empty() ? offset_ : pending_.front().begin;
    }

private:
    void settle(bool last, std::vector<LinkSymbol>& symbols);

    std::deque<LinkSymbol> pending_;
    std::size_t offset_ = 0;
    std::uint64_t characters_ = 0;
    std::uint32_t unseen_ = 0;
    unsigned spaces_ = 0;  // that may still be passed over after a bracketed dot
};

// One text.
class LinkScan {
public:
    explicit LinkScan(std::shared_ptr<const LinkSet> set);

    struct Hit {
        std::uint32_t link = 0;
        std::size_t begin = 0;  // bytes of the text: of the listed part
        std::size_t end = 0;
        std::uint64_t end_character = 0;
    };
    // What is known to have ended, by where it ends.
    void push(std::string_view piece, bool last, std::vector<Hit>& hits);

    // All that ends here or before has been told.
    std::size_t known() const noexcept;
    // What is still to be told begins here or later.
    std::size_t earliest() const noexcept;

private:
    struct Trail {
        std::size_t begin = 0;
        LinkCharacter before = LinkCharacter::kOther;
    };
    // What may follow decides.
    struct Open {
        Hit hit;
        LinkCharacter last;
        enum class After : std::uint8_t { kName, kDot, kDash } after = After::kName;
    };
    void take(const LinkSymbol& symbol, std::vector<Hit>& hits);
    void settle_open(char32_t next, LinkCharacter kind, std::vector<Hit>& hits);
    void note_ends(const LinkSymbol& symbol);

    std::shared_ptr<const LinkSet> set_;
    LinkReader reader_;
    Automaton::State state_ = Automaton::kRoot;
    std::vector<Trail> trail_;  // a ring
    std::uint64_t symbols_ = 0;
    LinkCharacter before_ = LinkCharacter::kOther;
    bool after_slash_ = false;
    std::vector<Open> open_;
};

}  // namespace colophon::review
