// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sorting that keeps the order of equals. std::stable_sort of libstdc++ 12 calls the deprecated
// std::get_temporary_buffer, which Clang reports from inside the standard header.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

namespace colophon {

// `key` is anything std::invoke takes: a member (&LabelSite::offset) or a function of one item; its
// values must be comparable with <. O(n log n) comparisons, n keys of memory besides.
template <class T, class Key>
void sort_stably(std::vector<T>& items, const Key& key) {
    using Value = std::decay_t<std::invoke_result_t<const Key&, const T&>>;
    std::vector<std::pair<Value, std::size_t>> order;
    order.reserve(items.size());
    for (const T& item : items) {
        order.emplace_back(std::invoke(key, item), order.size());
    }
    std::ranges::sort(order);
    std::vector<T> sorted;
    sorted.reserve(items.size());
    for (const auto& [value, index] : order) {
        sorted.push_back(std::move(items[index]));
    }
    items = std::move(sorted);
}

}  // namespace colophon
