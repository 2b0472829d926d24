// SPDX-License-Identifier: Apache-2.0
#include "review/automaton.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace colophon::review {
namespace {

// Which slots are free, and where the next one is (a forest of pointers forward, made shorter by
// each search).
class FreeSlots {
public:
    explicit FreeSlots(std::size_t symbols) : margin_(symbols + 1) {}

    std::uint32_t next(std::uint32_t from) {
        make_room(from);
        std::uint32_t end = from;
        while (next_[end] != end) {
            end = next_[end];
            make_room(end);
        }
        while (next_[from] != end) {
            const std::uint32_t step = next_[from];
            next_[from] = end;
            from = step;
        }
        return end;
    }

    bool is_free(std::uint32_t slot) {
        make_room(slot);
        return next_[slot] == slot;
    }

    void take(std::uint32_t slot) {
        make_room(slot);
        next_[slot] = slot + 1;
        last_ = std::max(last_, slot);
    }

    std::uint32_t last() const noexcept { return last_; }

private:
    void make_room(std::uint32_t slot) {
        if (slot + 1 >= next_.size()) {
            const std::size_t before = next_.size();
            next_.resize(std::max<std::size_t>(slot + margin_ + 1, before * 2));
            std::iota(next_.begin() + static_cast<std::ptrdiff_t>(before), next_.end(),
                      static_cast<std::uint32_t>(before));
        }
    }

    std::size_t margin_;
    std::vector<std::uint32_t> next_;
    std::uint32_t last_ = 0;
};

}  // namespace

// Breadth first, over ranges of the sorted patterns.
struct Automaton::Builder {
    struct Node {
        State state;
        std::uint32_t first;  // of order_
        std::uint32_t last;
        std::uint16_t depth;
    };
    struct Child {
        Symbol symbol;
        std::uint32_t first;
        std::uint32_t last;
    };

    Automaton& automaton;
    std::span<const Pattern> patterns;
    Symbol symbols;
    FreeSlots free{symbols};
    std::uint32_t roomy = 1;
    std::vector<Node> queue;
    std::vector<Child> children;

    static constexpr std::size_t kFew = 4;

    void build() {
        free.take(kRoot);
        grow(kRoot);
        queue.push_back({kRoot, 0, static_cast<std::uint32_t>(patterns.size()), 0});
        for (std::size_t at = 0; at < queue.size(); ++at) {
            place(queue[at]);
        }
        automaton.grow_to(free.last() + symbols + std::size_t{1});
        for (std::size_t at = 1; at < queue.size(); ++at) {
            link(queue[at]);
        }
    }

    void grow(State state) { automaton.grow_to(state + std::size_t{1}); }

    void place(Node node) {
        std::uint32_t at = node.first;
        while (at < node.last && patterns[automaton.order_[at]].size() == node.depth) {
            ++at;
        }
        automaton.first_end_[node.state] = node.first;
        automaton.ends_[node.state] = at - node.first;
        automaton.depth_[node.state] = node.depth;
        children.clear();
        while (at < node.last) {
            const Symbol symbol = patterns[automaton.order_[at]][node.depth];
            const std::uint32_t first = at;
            while (at < node.last && patterns[automaton.order_[at]][node.depth] == symbol) {
                ++at;
            }
            children.push_back({symbol, first, at});
        }
        const std::uint32_t base = children.empty() ? 0 : find_base();
        automaton.slots_[node.state].base = base | (automaton.ends_[node.state] != 0 ? kEnds : 0);
        for (const Child& child : children) {
            const State to = base + child.symbol;
            free.take(to);
            grow(to);
            automaton.slots_[to].parent = node.state;
            queue.push_back(
                {to, child.first, child.last, static_cast<std::uint16_t>(node.depth + 1)});
        }
    }

    // Where all children of a node find room. One child takes the first gap. Many go on from where
    // the last family of many found room, since before it all is crowded; what they leave is for
    // those to come with one.
    std::uint32_t find_base() {
        constexpr int kAttempts = 4096;
        const Symbol lowest = children.front().symbol;
        const bool many = children.size() > kFew;
        std::uint32_t slot = free.next(std::max<std::uint32_t>(lowest + 1U, many ? roomy : 1));
        for (int attempt = 0;; ++attempt) {
            const std::uint32_t base = slot - lowest;
            if (std::ranges::all_of(children, [&](const Child& child) {
                    return free.is_free(base + child.symbol);
                })) {
                return base;
            }
            slot = free.next(attempt < kAttempts ? slot + 1 : std::max(free.last(), slot) + 1);
            if (many && attempt % 64 == 63) {
                roomy += 8;
            }
        }
    }

    void link(const Node& node) {
        const State parent = automaton.slots_[node.state].parent;
        const auto symbol =
            static_cast<Symbol>(node.state - (automaton.slots_[parent].base & kBase));
        const State fail =
            parent == kRoot ? State{kRoot} : automaton.step(automaton.slots_[parent].fail, symbol);
        automaton.slots_[node.state].fail = fail;
        automaton.shorter_[node.state] =
            automaton.ends_[fail] != 0 ? fail : automaton.shorter_[fail];
        if (automaton.shorter_[node.state] != kNone) {
            automaton.slots_[node.state].base |= kEnds;
        }
    }
};

Automaton::Automaton(std::span<const Pattern> patterns, Symbol symbols) : order_(patterns.size()) {
    std::iota(order_.begin(), order_.end(), 0U);
    std::ranges::sort(order_, [&](std::uint32_t a, std::uint32_t b) {
        return patterns[a] != patterns[b] ? patterns[a] < patterns[b] : a < b;
    });
    Builder{
        .automaton = *this, .patterns = patterns, .symbols = symbols, .queue = {}, .children = {}}
        .build();
}

std::size_t Automaton::bytes() const noexcept {
    return slots_.size() * (sizeof(Slot) + 3 * sizeof(std::uint32_t) + sizeof(std::uint16_t)) +
           order_.size() * sizeof(std::uint32_t);
}

void Automaton::grow_to(std::size_t states) {
    if (states > slots_.size()) {
        const std::size_t room = std::max(states, slots_.size() + slots_.size() / 2);
        for (auto* column : {&first_end_, &ends_}) {
            column->resize(room);
        }
        slots_.resize(room);
        depth_.resize(room);
        shorter_.resize(room, State{kNone});
    }
}

}  // namespace colophon::review
