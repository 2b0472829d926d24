// SPDX-License-Identifier: Apache-2.0
#pragma once

// Many sequences of symbols found in one walk (Aho and Corasick, 1975), its tree in a double array
// (Aoe, 1989): a step reads twelve bytes, and the states near the root, where texts spend their
// time, lie together.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace colophon::review {

// 0 stands in no pattern.
using Symbol = std::uint16_t;
using Pattern = std::vector<Symbol>;

class Automaton {
public:
    using State = std::uint32_t;
    static constexpr State kRoot = 0;
    static constexpr std::uint32_t kNone = ~std::uint32_t{0};

    // No pattern is empty or has a symbol of 0 or above `symbols`.
    Automaton(std::span<const Pattern> patterns, Symbol symbols);

    // By pointer: the checks of operator[] would be half of the walk.
    State step(State state, Symbol symbol) const noexcept {
        const Slot* const slots = slots_.data();
        while (true) {
            const State to = (slots[state].base & kBase) + symbol;
            if (slots[to].parent == state) {
                return to;
            }
            if (state == kRoot) {
                return kRoot;
            }
            state = slots[state].fail;
        }
    }

    // The state of a text that ends in these and in no longer beginning of a pattern; 0 is a symbol
    // of no pattern.
    template <class... Symbols>
    State state_of(Symbols... last) const noexcept {
        State state = kRoot;
        ((state = last == 0 ? kRoot : step(state, last)), ...);
        return state;
    }
    // The symbol that led to a state, and the state that it led from; not of the root.
    State parent(State state) const noexcept { return slots_.data()[state].parent; }
    Symbol symbol(State state) const noexcept {
        return static_cast<Symbol>(state - (slots_.data()[parent(state)].base & kBase));
    }

    // Whether patterns end here.
    bool ends(State state) const noexcept { return (slots_.data()[state].base & kEnds) != 0; }
    // How many of the last symbols may be the beginning of a pattern.
    std::size_t depth(State state) const noexcept { return depth_.data()[state]; }

    // Calls visit(pattern) for each pattern that ends here, the longest first.
    template <typename Visit>
    void for_each_end(State state, Visit visit) const {
        while (state != kNone) {
            for (std::uint32_t at = first_end_[state]; at < first_end_[state] + ends_[state];
                 ++at) {
                visit(order_[at]);
            }
            state = shorter_[state];
        }
    }

    std::size_t bytes() const noexcept;

private:
    struct Slot {
        std::uint32_t base = 0;
        State parent = kNone;
        State fail = kRoot;
    };
    static constexpr std::uint32_t kEnds = 0x80000000;
    static constexpr std::uint32_t kBase = 0x7fffffff;
    struct Builder;
    void grow_to(std::size_t states);

    std::vector<Slot> slots_;
    std::vector<std::uint16_t> depth_;
    // Of the patterns by order_, those that end at a state as a whole.
    std::vector<std::uint32_t> first_end_;
    std::vector<std::uint32_t> ends_;
    std::vector<State> shorter_;  // the next state on the way of failures at which patterns end
    std::vector<std::uint32_t> order_;
};

}  // namespace colophon::review
