// SPDX-License-Identifier: Apache-2.0
#include "review/phrase_scan.h"

#include "review/automaton.h"
#include "review/fold.h"
#include "review/internal/block_kernels.h"
#include "review/internal/characters.h"
#include "review/matcher.h"

#include <algorithm>
#include <array>
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

namespace {

constexpr auto kEach = [] {
    std::array<std::uint16_t, 1024> each{};
    for (std::size_t i = 0; i < each.size(); ++i) {
        each[i] = static_cast<std::uint16_t>(i);
    }
    return each;
}();

// Whether a symbol that came within a word comes again at the beginning of one.
bool begins_word(WordKind first_before, WordKind before, WordKind kind) noexcept {
    return kind != WordKind::kOther && first_before == kind && before != kind;
}

}  // namespace

PhraseScan::PhraseScan(const PhraseSet& set) : set_(&set) {
    // One more than is asked for: a repeat looks at the symbol before it.
    trail_.resize(std::bit_ceil(set.longest() + 2));
    mask_ = trail_.size() - 1;
}

void PhraseScan::push(std::string_view text, bool last) {
    const std::size_t end = offset_ + text.size();
    Block block;
    while (!text.empty()) {
        if (read_block(text, block)) {
            walk(block);
            text.remove_prefix(block.ends[block.size - 1]);
            continue;
        }
        std::size_t size = 0;
        const char32_t character = take_character(text, size);
        const std::size_t begin = end - text.size();
        ++characters_;
        take_rare(character == kInvalid ? Glyph() : set_->glyph(character), begin, begin + size);
        text.remove_prefix(size);
    }
    if (last) {
        finished_ = true;
        settle_open(WordKind::kOther);
    }
}

// Characters of the table, as many as there are; whether there is one.
bool PhraseScan::read_block(std::string_view text, Block& block) const {
    block.base = offset_;
    block.size =
        internal::read_characters(text, Block::kMost, block.characters.data(), block.ends.data());
    const Symbol* const table = set_->quick_symbols();
    for (std::size_t i = 0; i < block.size; ++i) {
        block.looked_up.data()[i + 1] = table[block.characters.data()[i]];
    }
    return block.size != 0;
}

void PhraseScan::walk(Block& block) {
    for (std::size_t at = 0; at < block.size;) {
        if (!has_open_) {
            block.first = at;
            take_segment(block);
            if (block.count != 0) {
                at += walk_segment(block);
                continue;
            }
        }
        ++characters_;
        take_rare(set_->glyph(block.characters[at]), block.begin_of(at), block.begin_of(at + 1));
        ++at;
    }
}

void PhraseScan::take_segment(Block& block) const {
    Symbol* const looked_up = block.looked_up.data() + 1 + block.first;
    const internal::Classified kinds =
        internal::classify(looked_up, std::min(reach_, block.size - block.first));
    block.before = word_;
    block.accounted = 0;
    block.count = kinds.count;
    if (kinds.has_passed_over) {
        block.symbols = block.left_symbols.data();
        block.which = block.left_which.data();
        block.count = internal::leave_out_passed_over(looked_up, kinds.count, block.symbols + 1,
                                                      block.left_which.data());
        end_before_break(block);
    } else {
        // What was before the segment is read no more.
        block.symbols = looked_up - 1;
        block.which = kEach.data();
    }
    block.symbols[0] = single_;
    if (set_->folding() >= Folding::kLoose) {
        leave_out_repeats(block);
    }
}

// So many separators in a row end a phrase.
void PhraseScan::end_before_break(Block& block) const {
    const std::uint16_t* const which = block.which;
    if (block.count > 0 && which[0] > 0 && separators_ + which[0] > kSeparatorsMax) {
        block.count = 0;
        return;
    }
    if (internal::widest_step(which, block.count) <= kSeparatorsMax + 1) [[likely]] {
        return;
    }
    std::size_t count = 1;
    while (which[count] - which[count - 1] <= static_cast<int>(kSeparatorsMax) + 1) {
        ++count;
    }
    block.count = count;
}

void PhraseScan::leave_out_repeats(Block& block) const {
    const std::size_t repeats =
        internal::find_repeats(block.symbols, block.count, block.places.data());
    if (repeats == 0) {
        return;
    }
    block.count = count_before_counted(block, repeats);
    if (block.which == kEach.data()) {
        // What stays of the segment may be looked at again.
        std::copy_n(block.symbols, block.count + 1, block.left_symbols.data());
        std::copy_n(block.which, block.count, block.left_which.data());
        block.symbols = block.left_symbols.data();
        block.which = block.left_which.data();
    }
    block.count = internal::leave_out_repeats(block.symbols, block.count, block.left_which.data());
}

// How often a symbol of a phrase like 哈哈 is repeated matters.
std::size_t PhraseScan::count_before_counted(const Block& block, std::size_t repeats) const {
    if (set_->counts_repeats()) {
        for (std::size_t i = 0; i < repeats; ++i) {
            if (set_->counts_repeats(block.symbols[block.places[i]])) {
                return block.places[i];
            }
        }
    }
    return block.count;
}

// Until something is open. Returns how many characters of the segment it took.
std::size_t PhraseScan::walk_segment(Block& block) {
    const Automaton& automaton = set_->automaton();
    separators_ = 0;
    unseen_ = 0;
    const std::size_t depth = automaton.depth(state_);
    block.symbols[0] = depth == 0 ? Symbol{0} : automaton.symbol(state_);
    const std::size_t places = set_->filter().find(block.symbols, block.count, block.places.data());
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
    const std::size_t used = block.characters_of(taken);
    reach_ = std::clamp(2 * used, Block::kLeast, Block::kMost);
    return used;
}

// From one place on, as long as the longest beginning has more than one symbol, and until something
// is open. Returns how many symbols of the block are behind it then.
std::size_t PhraseScan::walk_deep(Block& block, std::size_t at) {
    const Automaton& automaton = set_->automaton();
    do {
        // A symbol of no phrase is not asked about: no state has it.
        const Symbol symbol = block.symbols[++at];
        state_ = symbol == 0 ? Automaton::kRoot : automaton.step(state_, symbol);
        if (automaton.ends(state_)) {
            account(block, at);
            note_ends();
        }
    } while (at < block.count && !has_open_ && automaton.depth(state_) > 1);
    return at;
}

// Brings everything but the state behind so many symbols of the segment.
void PhraseScan::account(Block& block, std::size_t count) {
    const std::size_t more = count - block.accounted;
    symbols_ += more;
    characters_ += block.characters_of(count) - block.characters_of(block.accounted);
    // Nobody asks where the others came from.
    for (std::size_t back = std::min(more, set_->automaton().depth(state_)); back > 0; --back) {
        const std::size_t symbol = count - back;
        const std::size_t at = block.which[symbol];
        const std::size_t behind_last = block.characters_of(symbol);
        if (at > behind_last) {
            take_repeats(block, behind_last, at, trail_[(symbols_ - back - 1) & mask_]);
        }
        const std::size_t character = block.first + at;
        trail_[(symbols_ - back) & mask_] =
            Trail(block.begin_of(character), at == 0 ? block.before : word_of(block, character - 1),
                  true);
    }
    const std::size_t behind = block.first + block.characters_of(count);
    offset_ = block.begin_of(behind);
    single_ = block.symbols[count];
    word_ = word_of(block, behind - 1);
    block.accounted = count;
}

void PhraseScan::take_repeats(const Block& block, std::size_t from, std::size_t until,
                              Trail& trail) const {
    for (std::size_t at = from; at < until; ++at) {
        const std::size_t character = block.first + at;
        const Glyph glyph = set_->glyph(block.characters[character]);
        const WordKind before = at == 0 ? block.before : word_of(block, character - 1);
        if (glyph.is_symbol() && begins_word(trail.before(), before, glyph.word())) {
            // Whose repeats matter are not left out here.
            trail.begin_anew(block.begin_of(character), before, 0);
        }
    }
}

WordKind PhraseScan::word_of(const Block& block, std::size_t character) const noexcept {
    return set_->glyph(block.characters[character]).word();
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
        Trail& trail = trail_[(symbols_ - 1) & mask_];
        if (begins_word(trail.before(), word_, glyph.word()) &&
            trail.run() <= Trail::kLeftBehindMax) {
            trail.begin_anew(begin, word_, trail.run());
        }
        trail.repeat();
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
        if (start.left_behind() > 0 &&
            (phrase.symbols == 1 ||
             start.run() - start.left_behind() < (has_runs ? phrase.runs.front() : 1))) {
            return;
        }
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
