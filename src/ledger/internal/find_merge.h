// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sorted runs (ledger/internal/find_runs.h) read as one, with a few segments of each in memory.

#include "core/bytes.h"
#include "core/result.h"
#include "ledger/internal/find_runs.h"
#include "storage/store.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace colophon::ledger::internal {

// The finds of several runs of one log, ascending. What is taken out of them meanwhile may be among
// them or not; the number of changes of a run tells whether something was.
class FindMerge {
public:
    FindMerge(storage::Store& store, std::int64_t log) : store_(store), log_(log) {}

    Result<void> add(std::int64_t run);
    // Nothing at the end.
    Result<std::optional<Find>> next();

private:
    struct Reader {
        std::int64_t run = 0;
        std::vector<Find> finds;
        std::size_t at = 0;
        Buffer last;  // what the last segment that was read is known by; empty before the first
    };
    struct Head {
        std::uint64_t head;  // kind and most of the key, which decide nearly always
        std::size_t reader;
    };
    Result<void> read_on(Reader& reader) const;
    auto later() const {
        return [this](const Head& a, const Head& b) {
            return a.head != b.head ? a.head > b.head : of(a) > of(b);
        };
    }
    const Find& of(const Head& head) const {
        const Reader& reader = readers_[head.reader];
        return reader.finds[reader.at];
    }

    storage::Store& store_;
    std::int64_t log_;
    std::vector<Reader> readers_;
    std::vector<Head> heads_;  // a heap: the least find first
};

}  // namespace colophon::ledger::internal
