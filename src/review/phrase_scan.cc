// SPDX-License-Identifier: Apache-2.0
#include "review/phrase_scan.h"

#include "review/automaton.h"
#include "review/fold.h"
#include "review/internal/characters.h"
#include "review/matcher.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>

namespace colophon::review {

using internal::kInvalid;
using internal::take_character;

PhraseScan::PhraseScan(const PhraseSet& set) : set_(&set) {
    // One more than is asked for: a repeat looks at the symbol before it.
    trail_.resize(std::bit_ceil(set.longest() + 2));
    mask_ = trail_.size() - 1;
}

void PhraseScan::push(std::string_view text, bool last) {
    if (set_->folding() >= Folding::kLoose) {
        walk<true>(text);
    } else {
        walk<false>(text);
    }
    if (last) {
        finished_ = true;
        settle_open(WordKind::kOther);
    }
}

template <bool kRepeats>
void PhraseScan::walk(std::string_view text) {
    const std::size_t end = offset_ + text.size();
    Block block;
    while (!text.empty()) {
        if (!has_open_) {
            read_block<kRepeats>(text, block);
            if (block.count != 0) {
                text.remove_prefix(walk_block(block));
                continue;
            }
        }
        std::size_t size = 0;
        const char32_t character = take_character(text, size);
        const std::size_t begin = end - text.size();
        ++characters_;
        take_rare(character == kInvalid ? Glyph() : set_->glyph(character), begin, begin + size);
        text.remove_prefix(size);
    }
    offset_ = end;
}

// Characters that are one symbol, which most are, and separators between them. None may be open.
template <bool kRepeats>
void PhraseScan::read_block(std::string_view text, Block& block) const {
    const PhraseSet& set = *set_;
    std::size_t at = 0;
    std::size_t count = 0;
    std::size_t passed = 0;
    std::uint32_t separators = separators_;
    Symbol single = single_;
    while (count < reach_ && at < text.size()) {
        const std::size_t begin = at;
        const char32_t character = take_character(text, at);
        const Symbol symbol =
            character < PhraseSet::kTable ? set.quick_symbol(character) : PhraseSet::kNoSymbol;
        if (symbol >= PhraseSet::kPassedOver) [[unlikely]] {
            if (symbol == PhraseSet::kNoSymbol || passed == Block::kMost ||
                ++separators > kSeparatorsMax) {
                break;
            }
            block.passed[passed++] = static_cast<std::uint16_t>(begin);
            continue;
        }
        if (kRepeats && symbol == single && symbol != 0) {
            break;
        }
        separators = 0;
        single = symbol;
        ++count;
        block.symbols.data()[count] = symbol;
        block.ends.data()[count] = static_cast<std::uint16_t>(at);
    }
    block.text = text;
    block.ends[0] = 0;
    block.count = count;
    block.accounted = 0;
    block.passed_count = passed;
    block.passed_accounted = 0;
    block.before = word_;
}

// Until something is open. Returns how many bytes of the text it took.
std::size_t PhraseScan::walk_block(Block& block) {
    const Automaton& automaton = set_->automaton();
    separators_ = 0;
    unseen_ = 0;
    const std::size_t depth = automaton.depth(state_);
    block.symbols[0] = depth == 0 ? Symbol{0} : automaton.symbol(state_);
    const std::size_t places =
        set_->filter().find(block.symbols.data(), block.count, block.places.data());
    std::size_t taken = depth > 1 ? walk_deep(block, 0) : 0;
    for (std::size_t i = 0; i < places && !has_open_; ++i) {
        const std::size_t at = block.places[i];
        if (at >= taken) {
            state_ = automaton.state_of(block.symbols[at]);
            taken = walk_deep(block, at);
        }
    }
    if (!has_open_) {
        if (taken < block.count) {
            taken = block.count;
            state_ = automaton.state_of(block.symbols[taken]);
        }
        account(block, taken);
    }
    reach_ = has_open_ ? Block::kLeast : std::min(reach_ * 2, Block::kMost);
    return block.ends[taken];
}

// From one place on, as long as the longest beginning has more than one symbol, and until something
// is open. Returns how many symbols of the block are behind it then.
std::size_t PhraseScan::walk_deep(Block& block, std::size_t at) {
    const Automaton& automaton = set_->automaton();
    do {
        // A symbol of no phrase is not asked about: no state has it.
        const Symbol symbol = block.symbols.data()[++at];
        state_ = symbol == 0 ? Automaton::kRoot : automaton.step(state_, symbol);
        if (automaton.ends(state_)) {
            account(block, at);
            note_ends();
        }
    } while (at < block.count && !has_open_ && automaton.depth(state_) > 1);
    return at;
}

// Brings everything but the state behind so many symbols of the block.
void PhraseScan::account(Block& block, std::size_t count) {
    const std::size_t base = offset_ - block.ends[block.accounted];
    const std::size_t more = count - block.accounted;
    symbols_ += more;
    characters_ += more;
    while (block.passed_accounted < block.passed_count &&
           block.passed[block.passed_accounted] < block.ends[count]) {
        ++block.passed_accounted;
        ++characters_;
    }
    for (std::size_t back = std::min(more, trail_.size()); back > 0; --back) {
        const Begin begin = begin_of(block, count - back);
        trail_[(symbols_ - back) & mask_] = Trail(base + begin.at, begin.before, true);
    }
    offset_ = base + block.ends[count];
    single_ = block.symbols[count];
    std::size_t last = begin_of(block, count - 1).at;
    word_ = word_at(block.text, last);
    block.accounted = count;
}

// Where the character of a symbol begins, and what the one before it is to words.
PhraseScan::Begin PhraseScan::begin_of(const Block& block, std::size_t at) const {
    // From the symbol before it: there may be others between them.
    Begin begin{.at = at > 0 ? block.ends[at - 1] : std::size_t{0}, .before = block.before};
    for (std::size_t next = begin.at; true; next = begin.at) {
        const WordKind word = word_at(block.text, next);
        if (next == block.ends[at + 1]) {
            return begin;
        }
        begin = {.at = next, .before = word};
    }
}

// Of the character there; `at` comes behind it.
WordKind PhraseScan::word_at(std::string_view text, std::size_t& at) const {
    const char32_t character = take_character(text, at);
    return character == kInvalid ? WordKind::kOther : set_->glyph(character).word();
}

// Any character: the others, repeats, and those after a match that is open.
void PhraseScan::take_rare(Glyph glyph, std::size_t begin, std::size_t end) {
    offset_ = end;
    if (glyph.kind() == Glyph::Kind::kUnseen) {
        if (++unseen_ > kUnseenMax) {
            break_off();
        }
        return;
    }
    if (set_->folding() >= Folding::kLoose && glyph.is_symbol() && glyph.symbol() != 0 &&
        glyph.symbol() == single_) {
        trail_[(symbols_ - 1) & mask_].repeat();
        separators_ = 0;
        word_ = glyph.word();
        if (set_->automaton().ends(state_)) {
            note_ends();
        }
        return;
    }
    if (has_open_) {
        settle_open(glyph.word());
    }
    if (glyph.kind() == Glyph::Kind::kSeparator) {
        if (++separators_ > kSeparatorsMax) {
            break_off();
        }
    } else if (glyph.is_symbol()) {
        const Symbol symbol = glyph.symbol();
        take_symbols({&symbol, 1}, begin);
        single_ = symbol;
    } else {
        take_symbols(set_->sequence(glyph), begin);
        single_ = 0;
    }
    word_ = glyph.word();
}

// What one character became.
void PhraseScan::take_symbols(std::span<const Symbol> symbols, std::size_t begin) {
    separators_ = 0;
    unseen_ = 0;
    bool first = true;
    for (const Symbol symbol : symbols) {
        trail_[symbols_ & mask_] = Trail(begin, word_, std::exchange(first, false));
        ++symbols_;
        state_ = symbol == 0 ? Automaton::kRoot : set_->automaton().step(state_, symbol);
    }
    if (set_->automaton().ends(state_)) {
        note_ends();
    }
}

void PhraseScan::break_off() {
    state_ = Automaton::kRoot;
    single_ = 0;
}

// The phrases that end with the last symbol.
void PhraseScan::note_ends() {
    set_->automaton().for_each_end(state_, [&](std::uint32_t index) {
        const Phrase& phrase = set_->phrase(index);
        const auto trail = [&](std::size_t back) -> const Trail& {
            return trail_[(symbols_ - back) & mask_];
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
        has_open_ = has_open_ || open;
        found_.push_back({.phrase = &phrase,
                          .begin = start.offset(),
                          .end = offset_,
                          .end_character = characters_,
                          .open = open});
    });
}

// What ended with a letter or digit and goes on with one was part of a longer word.
void PhraseScan::settle_open(WordKind next) {
    if (!std::exchange(has_open_, false)) {
        return;
    }
    // They end with the last symbol, and so stand behind all that ended before it.
    const std::size_t last = trail_[(symbols_ - 1) & mask_].offset();
    auto first = found_.end();
    while (first != found_.begin() && std::prev(first)->end > last) {
        --first;
    }
    const auto gone = std::remove_if(first, found_.end(), [&](Candidate& candidate) {
        return std::exchange(candidate.open, false) && candidate.phrase->last == next;
    });
    found_.erase(gone, found_.end());
}

std::size_t PhraseScan::earliest() const noexcept {
    const std::size_t depth = set_->automaton().depth(state_);
    return finished_ || depth == 0 ? offset_ : trail_[(symbols_ - depth) & mask_].offset();
}

}  // namespace colophon::review
