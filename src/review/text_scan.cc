// SPDX-License-Identifier: Apache-2.0
#include "review/text_scan.h"

#include "review/entry.h"
#include "review/expression.h"
#include "review/fold.h"
#include "review/internal/characters.h"
#include "review/language.h"
#include "review/link.h"
#include "review/matcher.h"
#include "review/phrase_scan.h"
#include "review/scope.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
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
        walks_.emplace_back(set);
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
    for (const auto& [entry, marks] : matcher_->near_texts().sizes()) {
        if (is_for_us(entry)) {
            keeps_whole_ = true;
            looks_at_whole_ =
                looks_at_whole_ || matcher_->entries()[entry].action >= Decision::kHold;
        }
    }
}

void TextScan::find_near() {
    for (const std::uint32_t entry : matcher_->near_texts().find(whole_)) {
        if (is_for_us(entry)) {
            near_.push_back({.entry = entry, .begin = 0, .end = offset_});
        }
    }
    whole_.clear();
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
    for (PhraseScan& walk : walks_) {
        walk.push(piece, last);
    }
    if (keeps_whole_) {
        whole_ += piece;
        if (last) {
            find_near();
        }
    }
}

std::size_t TextScan::settled() const noexcept {
    if (looks_at_whole_ && (!finished_ || !near_.empty())) {
        return 0;
    }
    std::size_t settled = offset_;
    const auto hold = [&](const std::deque<Candidate>& found, std::size_t earliest) {
        settled = std::min(settled, earliest);
        for (const Candidate& candidate : found) {
            settled = std::min(settled, candidate.begin);
        }
    };
    for (const PhraseScan& walk : walks_) {
        hold(walk.found(), walk.earliest());
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

std::deque<Candidate>* TextScan::first_found() {
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
    std::ranges::for_each(walks_, [&](PhraseScan& walk) { compare(walk.found()); });
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
    if (!match && !near_.empty()) {
        match = near_.front();
        near_.pop_front();
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

const PhraseScan* TextScan::walk_of(Folding folding) const noexcept {
    const auto found = std::ranges::find(
        walks_, folding, [](const PhraseScan& walk) { return walk.set().folding(); });
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
        const bool all_seen = chains.walk->found().empty();
        const std::uint64_t next =
            all_seen ? chains.walk->characters() + 1 : chains.walk->found().front().end_character;
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
    for (const PhraseScan& walk : walks_) {
        if (walk.set().has_allowances()) {
            look_at(walk.found());
            open = open || (!finished_ && walk.earliest() <= candidate.begin);
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
    bool open = !finished_ && walks_.front().characters() < end + within;
    for (const PhraseScan& walk : walks_) {
        for (const Candidate& other : walk.found()) {
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
