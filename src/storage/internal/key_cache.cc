// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/key_cache.h"

#include "storage/data_keys.h"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::storage {

std::optional<DataKey> KeyCache::find(std::string_view owner, std::uint32_t generation) {
    const std::lock_guard guard(mutex_);
    const auto place = places_.find(Name(std::string(owner), generation));
    if (place == places_.end()) {
        return std::nullopt;
    }
    const Entries::iterator entry = place->second;
    if (clock_.now() >= entry->until) {
        entries_.erase(entry);
        places_.erase(place);
        return std::nullopt;
    }
    entries_.splice(entries_.begin(), entries_, entry);
    return entry->key;
}

std::uint64_t KeyCache::epoch() {
    const std::lock_guard guard(mutex_);
    return epoch_;
}

void KeyCache::add(std::string_view owner, std::uint32_t generation, DataKey key,
                   std::uint64_t epoch) {
    const std::lock_guard guard(mutex_);
    Name name(std::string(owner), generation);
    if (epoch != epoch_ || bounds_.keys_max == 0 || places_.contains(name)) {
        return;
    }
    if (entries_.size() >= bounds_.keys_max) {
        places_.erase(entries_.back().name);
        entries_.pop_back();
    }
    entries_.push_front({name, std::move(key), clock_.now() + bounds_.used_for});
    places_.emplace(std::move(name), entries_.begin());
}

void KeyCache::drop(std::string_view owner) {
    const std::lock_guard guard(mutex_);
    ++epoch_;
    auto place = places_.lower_bound(Name(std::string(owner), 0));
    while (place != places_.end() && place->first.first == owner) {
        entries_.erase(place->second);
        place = places_.erase(place);
    }
}

void KeyCache::clear() {
    const std::lock_guard guard(mutex_);
    ++epoch_;
    places_.clear();
    entries_.clear();
}

std::size_t KeyCache::size() {
    const std::lock_guard guard(mutex_);
    return entries_.size();
}

}  // namespace colophon::storage
