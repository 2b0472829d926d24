// SPDX-License-Identifier: Apache-2.0
#pragma once

// Unwrapped data keys in memory: a bounded number, for a bounded time, the least used go first.

#include "core/clock.h"
#include "storage/data_keys.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::storage {

// Generation 0 stands for the newest one.
class KeyCache {
public:
    KeyCache(DataKeys::Cache bounds, Clock& clock) : bounds_(bounds), clock_(clock) {}

    std::optional<DataKey> find(std::string_view owner, std::uint32_t generation);
    // To be taken before the table is read and given to add(): a key that was dropped meanwhile
    // must not come in through a reader that saw it before.
    std::uint64_t epoch();
    void add(std::string_view owner, std::uint32_t generation, DataKey key, std::uint64_t epoch);
    void drop(std::string_view owner);
    void clear();
    std::size_t size();

private:
    using Name = std::pair<std::string, std::uint32_t>;
    struct Entry {
        Name name;
        DataKey key;
        Time until;
    };
    using Entries = std::list<Entry>;

    const DataKeys::Cache bounds_;
    Clock& clock_;
    std::mutex mutex_;
    // Guarded by mutex_.
    Entries entries_;  // the one used last comes first
    std::map<Name, Entries::iterator> places_;
    std::uint64_t epoch_ = 0;
};

}  // namespace colophon::storage
