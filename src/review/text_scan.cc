// SPDX-License-Identifier: Apache-2.0
#include "review/text_scan.h"

#include "core/utf8.h"
#include "review/automaton.h"
#include "review/entry.h"
#include "review/fold.h"
#include "review/matcher.h"
#include "review/scope.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

constexpr char32_t kInvalid = 0xffffffff;

unsigned byte_at(std::string_view text, std::size_t at) noexcept {
    return static_cast<unsigned char>(text.data()[at]);
}

// As next_code_point, with the way that Chinese takes first. Moves on by one at an invalid byte.
inline char32_t take_character(std::string_view text, std::size_t& at) noexcept {
    const unsigned first = byte_at(text, at);
    if (first < 0x80) {
        ++at;
        return first;
    }
    if ((first & 0xf0U) == 0xe0U && at + 3 <= text.size()) {
        const unsigned second = byte_at(text, at + 1);
        const unsigned third = byte_at(text, at + 2);
        const char32_t character =
            (first & 0x0fU) << 12U | (second & 0x3fU) << 6U | (third & 0x3fU);
        if ((second & 0xc0U) == 0x80U && (third & 0xc0U) == 0x80U && character >= 0x800 &&
            (character < 0xd800 || character > 0xdfff)) {
            at += 3;
            return character;
        }
    }
    if (const auto other = next_code_point(text, at)) {
        return *other;
    }
    ++at;
    return kInvalid;
}

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
    for (const PhraseSet& set : matcher_->sets()) {
        Walk walk{.set = &set, .trail = {}, .found = {}};
        // One more than is asked for: a repeat looks at the symbol before it.
        walk.trail.resize(std::bit_ceil(set.longest() + 2));
        walk.mask = walk.trail.size() - 1;
        walks_.push_back(std::move(walk));
    }
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
        walk.found.push_back({.phrase = index,
                              .begin = start.offset(),
                              .end = walk.offset,
                              .end_character = walk.characters,
                              .open = open});
    });
}

// What ended with a letter or digit and goes on with one was part of a longer word.
void TextScan::settle_open(Walk& walk, WordKind next) {
    walk.has_open = false;
    std::erase_if(walk.found, [&](Candidate& candidate) {
        return std::exchange(candidate.open, false) &&
               walk.set->phrase(candidate.phrase).last == next;
    });
}

std::size_t TextScan::start_of_state(const Walk& walk) noexcept {
    const std::size_t depth = walk.set->automaton().depth(walk.state);
    return depth == 0 ? walk.offset : walk.trail[(walk.symbols - depth) & walk.mask].offset();
}

std::size_t TextScan::settled() const noexcept {
    std::size_t settled = walks_.front().offset;
    for (const Walk& walk : walks_) {
        settled = std::min(settled, finished_ ? walk.offset : start_of_state(walk));
        for (const Candidate& candidate : walk.found) {
            settled = std::min(settled, candidate.begin);
        }
    }
    return settled;
}

TextScan::Walk* TextScan::first_found() {
    Walk* first = nullptr;
    const auto place = [&](const Walk& walk) {
        const Candidate& candidate = walk.found.front();
        const Phrase& phrase = walk.set->phrase(candidate.phrase);
        return std::tuple(candidate.end, candidate.begin, phrase.entry, phrase.role, phrase.place);
    };
    for (Walk& walk : walks_) {
        if (!walk.found.empty() && (first == nullptr || place(walk) < place(*first))) {
            first = &walk;
        }
    }
    return first;
}

std::optional<Match> TextScan::next() {
    while (Walk* walk = first_found()) {
        const Candidate candidate = walk->found.front();
        const Fate fate = fate_of(*walk, candidate);
        if (fate == Fate::kOpen) {
            break;
        }
        walk->found.pop_front();
        if (fate == Fate::kMatch) {
            return Match{.entry = walk->set->phrase(candidate.phrase).entry,
                         .begin = candidate.begin,
                         .end = candidate.end};
        }
    }
    if (!allowances_.empty()) {
        forget_allowances();
    }
    return std::nullopt;
}

bool TextScan::is_for_us(std::uint32_t entry) const noexcept {
    const Scope& scope = matcher_->entries()[entry].scope;
    return scope.is_all() || covers(scope, occasion_);
}

TextScan::Fate TextScan::fate_of(const Walk& walk, const Candidate& candidate) {
    const Phrase& phrase = walk.set->phrase(candidate.phrase);
    if (!is_for_us(phrase.entry)) {
        return Fate::kGone;
    }
    if (candidate.open) {
        return Fate::kOpen;
    }
    if (phrase.role == Phrase::Role::kAllow) {
        allowances_.push_back(candidate);
        return Fate::kGone;
    }
    if (phrase.role == Phrase::Role::kWithout) {
        context_of(phrase.entry).without[phrase.place] = candidate.end_character;
        return Fate::kGone;
    }
    const Fate allowed = allowance_of(candidate);
    if (allowed != Fate::kMatch) {
        return allowed;
    }
    const Entry& entry = matcher_->entries()[phrase.entry];
    return entry.with.empty() && entry.without.empty() ? Fate::kMatch
                                                       : fate_in_context(phrase, candidate);
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
    for (const Walk& walk : walks_) {
        if (!walk.set->has_allowances()) {
            continue;
        }
        for (const Candidate& other : walk.found) {
            const Phrase& phrase = walk.set->phrase(other.phrase);
            if (phrase.role == Phrase::Role::kAllow && is_around(other) &&
                is_for_us(phrase.entry)) {
                if (!other.open) {
                    return Fate::kGone;
                }
                open = true;
            }
        }
        open = open || (!finished_ && start_of_state(walk) <= candidate.begin);
    }
    return open ? Fate::kOpen : Fate::kMatch;
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
            const Phrase& phrase = walk.set->phrase(other.phrase);
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
