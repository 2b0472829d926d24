// SPDX-License-Identifier: Apache-2.0
#include "review/text_scan.h"

#include "review/automaton.h"
#include "review/entry.h"
#include "review/expression.h"
#include "review/fold.h"
#include "review/internal/characters.h"
#include "review/language.h"
#include "review/link.h"
#include "review/matcher.h"
#include "review/scope.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

using internal::byte_at;
using internal::kInvalid;
using internal::take_character;

// So many beginnings of one pattern are looked through for those that are over. More than lie
// within the widest reach, so that each look throws most of them away.
constexpr std::size_t kChainsMany = 4 * std::size_t{kWithinMax};

// How many bytes at the end are the beginning of a character.
std::size_t cut_at_end(std::string_view text) noexcept {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
        const unsigned byte = byte_at(text, text.size() - back);
        if ((byte & 0xc0U) == 0x80U) {
            continue;
        }
        const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
        return length > back ? back : 0;
    }
    return 0;
}

}  // namespace

TextScan::TextScan(std::shared_ptr<const Matcher> matcher, Occasion occasion)
    : matcher_(std::move(matcher)), occasion_(std::move(occasion)) {
    start_walks();
}

void TextScan::start_walks() {
    for (const PhraseSet& set : matcher_->sets()) {
        Walk walk{.set = &set, .trail = {}, .found = {}};
        // One more than is asked for: a repeat looks at the symbol before it.
        walk.trail.resize(std::bit_ceil(set.longest() + 2));
        walk.mask = walk.trail.size() - 1;
        walks_.push_back(std::move(walk));
    }
    for (const Expressions& each : matcher_->expressions()) {
        // Only what is for this text holds it back.
        std::size_t width = 0;
        for (std::size_t i = 0; i < each.phrases.size(); ++i) {
            if (is_for_us(each.phrases[i].entry)) {
                width = std::max(width, each.set->width(i));
            }
        }
        if (width != 0) {
            expressions_.push_back(
                {.expressions = &each, .scan = ExpressionScan(each.set, width), .found = {}});
        }
    }
    const Links& links = matcher_->links();
    if (std::ranges::any_of(links.phrases,
                            [&](const Phrase& phrase) { return is_for_us(phrase.entry); })) {
        links_.push_back({.links = &links, .scan = LinkScan(links.set), .found = {}});
    }
}

// By where they end, as the others.
template <class HitType>
void TextScan::note_hits(std::span<const HitType> hits, std::span<const Phrase> phrases,
                         std::uint32_t HitType::* number, std::deque<Candidate>& found) {
    if (hits.empty()) {
        return;
    }
    for (const HitType& hit : hits) {
        found.push_back({.phrase = &phrases[hit.*number],
                         .begin = hit.begin,
                         .end = hit.end,
                         .end_character = hit.end_character,
                         .open = false});
    }
    std::ranges::sort(found, {}, [](const Candidate& each) {
        return std::tuple(each.end, each.begin, each.phrase->entry);
    });
}

void TextScan::walk(std::string_view piece, bool last) {
    std::string joined;
    if (!cut_.empty()) {
        joined = std::exchange(cut_, {});
        joined += piece;
        piece = joined;
    }
    if (!last) {
        cut_ = piece.substr(piece.size() - cut_at_end(piece));
        piece.remove_suffix(cut_.size());
    }
    finished_ = last;
    offset_ += piece.size();
    if (matcher_->has_languages()) {
        recent_ += piece;
    }
    for (ExpressionWalk& walk : expressions_) {
        std::vector<ExpressionScan::Hit> hits;
        walk.scan.push(piece, last, hits);
        note_hits<ExpressionScan::Hit>(hits, walk.expressions->phrases,
                                       &ExpressionScan::Hit::expression, walk.found);
    }
    for (LinkWalk& walk : links_) {
        std::vector<LinkScan::Hit> hits;
        walk.scan.push(piece, last, hits);
        note_hits<LinkScan::Hit>(hits, walk.links->phrases, &LinkScan::Hit::link, walk.found);
    }
    for (Walk& walk : walks_) {
        if (walk.set->folding() >= Folding::kLoose) {
            walk_set<true>(walk, piece);
        } else {
            walk_set<false>(walk, piece);
        }
        if (last) {
            settle_open(walk, WordKind::kOther);
        }
    }
}

template <bool kRepeats>
void TextScan::walk_set(Walk& walk, std::string_view text) {
    const std::size_t end = walk.offset + text.size();
    while (!text.empty()) {
        text.remove_prefix(walk_symbols<kRepeats>(walk, text));
        if (!text.empty()) {
            std::size_t size = 0;
            const char32_t character = take_character(text, size);
            const std::size_t begin = end - text.size();
            ++walk.characters;
            take_rare(walk, character == kInvalid ? Glyph() : walk.set->glyph(character), begin,
                      begin + size);
            text.remove_prefix(size);
        }
    }
    walk.offset = end;
}

// Characters that are one symbol, which most are, as long as nothing is open: everything in
// registers. Returns how many bytes it took.
template <bool kRepeats>
std::size_t TextScan::walk_symbols(Walk& walk, std::string_view text) {
    const PhraseSet& set = *walk.set;
    const Automaton& automaton = set.automaton();
    const std::size_t base = walk.offset;
    Automaton::State state = walk.state;
    Trail* const trail = walk.trail.data();
    const std::size_t mask = walk.mask;
    std::uint64_t symbols = walk.symbols;
    std::uint64_t characters = walk.characters;
    Symbol single = walk.single;
    WordKind word = walk.word;
    std::size_t at = 0;
    const auto save = [&] {
        walk.state = state;
        walk.symbols = symbols;
        walk.characters = characters;
        walk.single = single;
        walk.word = word;
        walk.offset = base + at;
    };
    while (at < text.size() && !walk.has_open) {
        std::size_t next = at;
        const char32_t character = take_character(text, next);
        const Glyph glyph = character == kInvalid ? Glyph() : set.glyph(character);
        if (!glyph.is_symbol()) {
            break;
        }
        const Symbol symbol = glyph.symbol();
        if (kRepeats && symbol == single && symbol != 0) {
            break;
        }
        trail[symbols & mask] = Trail(base + at, word, true);
        ++symbols;
        ++characters;
        at = next;
        single = symbol;
        word = glyph.word();
        // A symbol of no phrase is not asked about: no state has it.
        state = symbol == 0 ? Automaton::kRoot : automaton.step(state, symbol);
        if (automaton.ends(state)) {
            save();
            note_ends(walk);
        }
    }
    save();
    if (at != 0) {
        walk.separators = 0;
        walk.unseen = 0;
    }
    return at;
}

// Any character: the others, repeats, and those after a match that is open.
void TextScan::take_rare(Walk& walk, Glyph glyph, std::size_t begin, std::size_t end) {
    walk.offset = end;
    if (glyph.kind() == Glyph::Kind::kUnseen) {
        if (++walk.unseen > kUnseenMax) {
            break_off(walk);
        }
        return;
    }
    if (walk.set->folding() >= Folding::kLoose && glyph.is_symbol() && glyph.symbol() != 0 &&
        glyph.symbol() == walk.single) {
        walk.trail[(walk.symbols - 1) & walk.mask].repeat();
        walk.separators = 0;
        walk.word = glyph.word();
        if (walk.set->automaton().ends(walk.state)) {
            note_ends(walk);
        }
        return;
    }
    if (walk.has_open) {
        settle_open(walk, glyph.word());
    }
    if (glyph.kind() == Glyph::Kind::kSeparator) {
        if (++walk.separators > kSeparatorsMax) {
            break_off(walk);
        }
    } else if (glyph.is_symbol()) {
        const Symbol symbol = glyph.symbol();
        take_symbols(walk, {&symbol, 1}, begin);
        walk.single = symbol;
    } else {
        take_symbols(walk, walk.set->sequence(glyph), begin);
        walk.single = 0;
    }
    walk.word = glyph.word();
}

// What one character became.
void TextScan::take_symbols(Walk& walk, std::span<const Symbol> symbols, std::size_t begin) {
    walk.separators = 0;
    walk.unseen = 0;
    bool first = true;
    for (const Symbol symbol : symbols) {
        walk.trail[walk.symbols & walk.mask] = Trail(begin, walk.word, std::exchange(first, false));
        ++walk.symbols;
        walk.state =
            symbol == 0 ? Automaton::kRoot : walk.set->automaton().step(walk.state, symbol);
    }
    if (walk.set->automaton().ends(walk.state)) {
        note_ends(walk);
    }
}

void TextScan::break_off(Walk& walk) {
    walk.state = Automaton::kRoot;
    walk.single = 0;
}

// The phrases that end with the last symbol.
void TextScan::note_ends(Walk& walk) {
    walk.set->automaton().for_each_end(walk.state, [&](std::uint32_t index) {
        const Phrase& phrase = walk.set->phrase(index);
        const auto trail = [&](std::size_t back) -> const Trail& {
            return walk.trail[(walk.symbols - back) & walk.mask];
        };
        // Once for each place: when the last symbol has come as often as it has to.
        const bool has_runs = !phrase.runs.empty();
        if (trail(1).run() != (has_runs ? phrase.runs.back() : 1)) {
            return;
        }
        for (std::size_t back = 2; has_runs && back <= phrase.symbols; ++back) {
            if (trail(back).run() < phrase.runs[phrase.symbols - back]) {
                return;
            }
        }
        const Trail& start = trail(phrase.symbols);
        if (!start.first() ||
            (phrase.first != WordKind::kOther && phrase.first == start.before())) {
            return;
        }
        const bool open = phrase.last != WordKind::kOther;
        walk.has_open = walk.has_open || open;
        walk.found.push_back({.phrase = &phrase,
                              .begin = start.offset(),
                              .end = walk.offset,
                              .end_character = walk.characters,
                              .open = open});
    });
}

// What ended with a letter or digit and goes on with one was part of a longer word.
void TextScan::settle_open(Walk& walk, WordKind next) {
    if (!std::exchange(walk.has_open, false)) {
        return;
    }
    // They end with the last symbol, and so stand behind all that ended before it.
    const std::size_t last = walk.trail[(walk.symbols - 1) & walk.mask].offset();
    auto first = walk.found.end();
    while (first != walk.found.begin() && std::prev(first)->end > last) {
        --first;
    }
    const auto gone = std::remove_if(first, walk.found.end(), [&](Candidate& candidate) {
        return std::exchange(candidate.open, false) && candidate.phrase->last == next;
    });
    walk.found.erase(gone, walk.found.end());
}

std::size_t TextScan::start_of_state(const Walk& walk) noexcept {
    const std::size_t depth = walk.set->automaton().depth(walk.state);
    return depth == 0 ? walk.offset : walk.trail[(walk.symbols - depth) & walk.mask].offset();
}

std::size_t TextScan::settled() const noexcept {
    std::size_t settled = offset_;
    const auto hold = [&](const std::deque<Candidate>& found, std::size_t earliest) {
        settled = std::min(settled, earliest);
        for (const Candidate& candidate : found) {
            settled = std::min(settled, candidate.begin);
        }
    };
    for (const Walk& walk : walks_) {
        hold(walk.found, finished_ ? walk.offset : start_of_state(walk));
    }
    for (const ExpressionWalk& walk : expressions_) {
        hold(walk.found, walk.scan.earliest());
    }
    for (const LinkWalk& walk : links_) {
        hold(walk.found, walk.scan.earliest());
    }
    for (const Chains& chains : chains_) {
        for (const auto& part : chains.parts) {
            for (const Chain& chain : part) {
                settled = std::min(settled, chain.begin);
            }
        }
    }
    return settled;
}

// Everything that ends here or before has been found.
std::size_t TextScan::known() const noexcept {
    std::size_t known = offset_;
    for (const ExpressionWalk& walk : expressions_) {
        known = std::min(known, walk.scan.known());
    }
    for (const LinkWalk& walk : links_) {
        known = std::min(known, walk.scan.known());
    }
    return known;
}

std::deque<TextScan::Candidate>* TextScan::first_found() {
    std::deque<Candidate>* first = nullptr;
    const auto place = [](const std::deque<Candidate>& found) {
        const Candidate& candidate = found.front();
        const Phrase& phrase = *candidate.phrase;
        return std::tuple(candidate.end, candidate.begin, phrase.entry, phrase.role, phrase.place);
    };
    const auto compare = [&](std::deque<Candidate>& found) {
        if (!found.empty() && (first == nullptr || place(found) < place(*first))) {
            first = &found;
        }
    };
    std::ranges::for_each(walks_, compare, &Walk::found);
    std::ranges::for_each(expressions_, compare, &ExpressionWalk::found);
    std::ranges::for_each(links_, compare, &LinkWalk::found);
    return first;
}

std::optional<Match> TextScan::next() {
    std::optional<Match> match;
    while (std::deque<Candidate>* found = first_found()) {
        Candidate candidate = found->front();
        const Fate fate = candidate.end > known() ? Fate::kOpen : fate_of(candidate);
        if (fate == Fate::kOpen) {
            break;
        }
        found->pop_front();
        if (fate == Fate::kMatch && is_in_language(candidate)) {
            match = Match{
                .entry = candidate.phrase->entry, .begin = candidate.begin, .end = candidate.end};
            break;
        }
    }
    if (!chains_.empty()) {
        forget_chains();
    }
    if (match) {
        return match;
    }
    if (!allowances_.empty()) {
        forget_allowances();
    }
    if (!recent_.empty()) {
        forget_text();
    }
    return std::nullopt;
}

// The language is that of the text before the match, and of the match: what comes after it may not
// have come yet.
bool TextScan::is_in_language(const Candidate& candidate) const {
    const Languages wanted = matcher_->entries()[candidate.phrase->entry].languages;
    if (wanted == 0) {
        return true;
    }
    const std::size_t base = offset_ - recent_.size();
    std::size_t begin = candidate.end - base;
    for (std::size_t characters = 0; begin > 0 && characters < kLanguageWindow; ++characters) {
        --begin;
        while (begin > 0 && (byte_at(recent_, begin) & 0xc0U) == 0x80U) {
            --begin;
        }
    }
    const std::string_view text =
        std::string_view(recent_).substr(begin, candidate.end - base - begin);
    const std::size_t at = candidate.begin - base;
    return (possible_languages(text, at > begin ? at - begin : 0) & wanted) != 0;
}

void TextScan::forget_text() {
    constexpr std::size_t kCharacterBytesMax = 4;
    const std::size_t base = offset_ - recent_.size();
    const std::size_t needed = settled();
    const std::size_t before = kLanguageWindow * kCharacterBytesMax;
    if (needed > base + 4 * before) {
        recent_.erase(0, needed - base - before);
    }
}

bool TextScan::is_for_us(std::uint32_t entry) const noexcept {
    const Scope& scope = matcher_->entries()[entry].scope;
    return scope.is_all() || covers(scope, occasion_);
}

// Of a pattern that is complete, the candidate becomes all of it.
TextScan::Fate TextScan::fate_of(Candidate& candidate) {
    const Phrase& phrase = *candidate.phrase;
    if (!is_for_us(phrase.entry)) {
        return Fate::kGone;
    }
    if (candidate.open) {
        return Fate::kOpen;
    }
    if (phrase.role == Phrase::Role::kAllow) {
        if (is_in_language(candidate)) {
            allowances_.push_back(candidate);
        }
        return Fate::kGone;
    }
    if (phrase.role == Phrase::Role::kWithout) {
        context_of(phrase.entry).without[phrase.place] = candidate.end_character;
        return Fate::kGone;
    }
    return phrase.role == Phrase::Role::kPart ? fate_of_part(candidate) : fate_of_whole(candidate);
}

TextScan::Fate TextScan::fate_of_whole(const Candidate& candidate) {
    const Fate allowed = allowance_of(candidate);
    if (allowed != Fate::kMatch) {
        return allowed;
    }
    const Entry& entry = matcher_->entries()[candidate.phrase->entry];
    return entry.with.empty() && entry.without.empty()
               ? Fate::kMatch
               : fate_in_context(*candidate.phrase, candidate);
}

const TextScan::Walk* TextScan::walk_of(Folding folding) const noexcept {
    const auto found =
        std::ranges::find(walks_, folding, [](const Walk& walk) { return walk.set->folding(); });
    return &*found;
}

TextScan::Chains& TextScan::chains_of(std::uint32_t entry) {
    const auto found = std::ranges::find(chains_, entry, &Chains::entry);
    if (found != chains_.end()) {
        return *found;
    }
    Chains chains{.entry = entry, .walk = walk_of(matcher_->entries()[entry].folding), .parts = {}};
    chains.parts.resize(matcher_->parts(entry) - 1);
    chains_.push_back(std::move(chains));
    return chains_.back();
}

// Of all chains that this part may go on, the one that began last: the shortest text.
TextScan::Fate TextScan::fate_of_part(Candidate& candidate) {
    const Phrase& phrase = *candidate.phrase;
    const Entry& entry = matcher_->entries()[phrase.entry];
    Chains& chains = chains_of(phrase.entry);
    const Chain* latest = nullptr;
    if (phrase.place > 0) {
        // By where they end: the last are the near ones.
        for (const Chain& chain : std::views::reverse(chains.parts[phrase.place - 1U])) {
            if (candidate.end_character - chain.end_character > entry.within) {
                break;
            }
            if (chain.end <= candidate.begin &&
                (latest == nullptr || latest->begin < chain.begin)) {
                latest = &chain;
            }
        }
        if (latest == nullptr) {
            return Fate::kGone;
        }
    }
    const std::size_t begin = latest == nullptr ? candidate.begin : latest->begin;
    if (phrase.place == chains.parts.size()) {
        candidate.begin = begin;
        return fate_of_whole(candidate);
    }
    auto& part = chains.parts[phrase.place];
    if (part.size() >= kChainsMany) {
        std::erase_if(part, [&](const Chain& chain) {
            return chain.end_character + entry.within < candidate.end_character;
        });
    }
    part.push_back(
        {.begin = begin, .end = candidate.end, .end_character = candidate.end_character});
    return Fate::kGone;
}

// Those that no part can go on any more.
void TextScan::forget_chains() {
    for (Chains& chains : chains_) {
        const std::uint32_t within = matcher_->entries()[chains.entry].within;
        const bool all_seen = chains.walk->found.empty();
        const std::uint64_t next =
            all_seen ? chains.walk->characters + 1 : chains.walk->found.front().end_character;
        const auto is_over = [&](const Chain& chain) {
            return (finished_ && all_seen) || chain.end_character + within < next;
        };
        for (auto& part : chains.parts) {
            std::erase_if(part, is_over);
        }
    }
    std::erase_if(chains_, [](const Chains& chains) {
        return std::ranges::all_of(chains.parts, [](const auto& part) { return part.empty(); });
    });
}

// Gone when a phrase that may pass lies around it, open while one may still come to.
TextScan::Fate TextScan::allowance_of(const Candidate& candidate) const {
    const auto is_around = [&](const Candidate& other) {
        return other.begin <= candidate.begin && other.end >= candidate.end;
    };
    if (std::ranges::any_of(allowances_, is_around)) {
        return Fate::kGone;
    }
    bool open = false;
    bool gone = false;
    const auto look_at = [&](const std::deque<Candidate>& found) {
        for (const Candidate& other : found) {
            const Phrase& phrase = *other.phrase;
            if (phrase.role == Phrase::Role::kAllow && !gone && is_around(other) &&
                is_for_us(phrase.entry)) {
                open = open || other.open;
                gone = gone || (!other.open && is_in_language(other));
            }
        }
    };
    for (const Walk& walk : walks_) {
        if (walk.set->has_allowances()) {
            look_at(walk.found);
            open = open || (!finished_ && start_of_state(walk) <= candidate.begin);
        }
    }
    for (const LinkWalk& walk : links_) {
        if (walk.links->has_allowances) {
            look_at(walk.found);
            open = open || (!finished_ && walk.scan.earliest() <= candidate.begin);
        }
    }
    return gone ? Fate::kGone : open ? Fate::kOpen : Fate::kMatch;
}

TextScan::Context& TextScan::context_of(std::uint32_t entry) {
    const auto found = std::ranges::find(contexts_, entry, &Context::entry);
    if (found != contexts_.end()) {
        return *found;
    }
    Context context{.entry = entry, .main = {}, .with = {}, .without = {}};
    context.with.resize(matcher_->entries()[entry].with.size());
    context.without.resize(matcher_->entries()[entry].without.size());
    contexts_.push_back(std::move(context));
    return contexts_.back();
}

TextScan::Fate TextScan::fate_in_context(const Phrase& phrase, const Candidate& candidate) {
    const Entry& entry = matcher_->entries()[phrase.entry];
    Context& context = context_of(phrase.entry);
    auto& latest = phrase.role == Phrase::Role::kMain ? context.main : context.with[phrase.place];
    latest = candidate.end_character;
    if (!complete(context, entry, candidate.end_character)) {
        return Fate::kGone;
    }
    return entry.without.empty() ? Fate::kMatch : excluded(candidate, context, entry.within);
}

bool TextScan::complete(const Context& context, const Entry& entry, std::uint64_t now) const {
    const auto near = [&](const std::optional<std::uint64_t>& end) {
        return end && now - *end <= entry.within;
    };
    return near(context.main) && std::ranges::all_of(context.with, near);
}

TextScan::Fate TextScan::excluded(const Candidate& candidate, const Context& context,
                                  std::uint32_t within) {
    const std::uint64_t end = candidate.end_character;
    if (std::ranges::any_of(context.without,
                            [&](const auto& other) { return other && end - *other <= within; })) {
        return Fate::kGone;
    }
    bool open = !finished_ && walks_.front().characters < end + within;
    for (const Walk& walk : walks_) {
        for (const Candidate& other : walk.found) {
            const Phrase& phrase = *other.phrase;
            if (phrase.entry == context.entry && phrase.role == Phrase::Role::kWithout &&
                other.end_character <= end + within) {
                if (!other.open) {
                    return Fate::kGone;
                }
                open = true;
            }
        }
    }
    return open ? Fate::kOpen : Fate::kMatch;
}

// Those that lie before all that is still to be decided.
void TextScan::forget_allowances() {
    const std::size_t decided = settled();
    std::erase_if(allowances_,
                  [&](const Candidate& allowance) { return allowance.end <= decided; });
}

}  // namespace colophon::review
