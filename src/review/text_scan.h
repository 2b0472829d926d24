// SPDX-License-Identifier: Apache-2.0
#pragma once

// The search for the entries of a library in one text that comes in pieces. However it is cut, the
// same matches come in the same order, and what may go out is known to the character.

#include "review/entry.h"
#include "review/expression.h"
#include "review/link.h"
#include "review/matcher.h"
#include "review/phrase_scan.h"
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
        return walks_.empty() && expressions_.empty() && links_.empty() && !looks_at_whole_
                   ? all
                   : settled();
    }
    // Whether something that may not pass is known at the end of the text only. Then nothing is
    // settled before.
    bool looks_at_whole() const noexcept { return looks_at_whole_; }

private:
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
        const PhraseScan* walk = nullptr;
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

    void start_walks();
    void find_near();
    template <class HitType>
    static void note_hits(std::span<const HitType> hits, std::span<const Phrase> phrases,
                          std::uint32_t HitType::* number, std::deque<Candidate>& found);
    std::deque<Candidate>* first_found();
    std::size_t known() const noexcept;
    Fate fate_of(Candidate& candidate);
    Fate fate_of_whole(const Candidate& candidate);
    Fate fate_of_part(Candidate& candidate);
    const PhraseScan* walk_of(Folding folding) const noexcept;
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
    std::vector<PhraseScan> walks_;
    std::vector<ExpressionWalk> expressions_;
    std::vector<LinkWalk> links_;  // at most one
    std::vector<Chains> chains_;
    std::vector<Context> contexts_;
    std::vector<Candidate> allowances_;
    std::string cut_;     // the beginning of a character
    std::string recent_;  // the end of the text, where languages matter
    std::string whole_;   // all of it, where that is looked at
    std::deque<Match> near_;
    std::size_t offset_ = 0;
    bool finished_ = false;
    bool keeps_whole_ = false;
    bool looks_at_whole_ = false;
};

}  // namespace colophon::review
