// SPDX-License-Identifier: Apache-2.0
#include "ledger/internal/find_merge.h"

#include "core/bytes.h"
#include "core/result.h"
#include "ledger/internal/find_runs.h"
#include "storage/store.h"
#include "storage/value.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace colophon::ledger::internal {

Result<void> FindMerge::add(std::int64_t run) {
    Reader reader;
    reader.run = run;
    TRY(read_on(reader));
    if (!reader.finds.empty()) {
        heads_.push_back({.head = load_be64(reader.finds.front()), .reader = readers_.size()});
        readers_.push_back(std::move(reader));
        std::ranges::push_heap(heads_, later());
    }
    return {};
}

Result<std::optional<Find>> FindMerge::next() {
    if (heads_.empty()) {
        return std::optional<Find>();
    }
    std::ranges::pop_heap(heads_, later());
    Head& head = heads_.back();
    Reader& reader = readers_[head.reader];
    const Find least = reader.finds[reader.at++];
    if (reader.at == reader.finds.size()) {
        TRY(read_on(reader));
    }
    if (reader.finds.empty()) {
        heads_.pop_back();
    } else {
        head.head = load_be64(of(head));
        std::ranges::push_heap(heads_, later());
    }
    return std::optional(least);
}

Result<void> FindMerge::read_on(Reader& reader) const {
    static constexpr storage::Statement kNext{
        "SELECT first, finds FROM record_finds WHERE log = $1 AND run = $2 AND first > $3 "
        "ORDER BY first LIMIT 32"};
    const storage::Rows rows =
        TRY(store_.query(kNext, {storage::integer(log_), storage::integer(reader.run),
                                 storage::bytes(reader.last)}));
    reader.finds.clear();
    reader.at = 0;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const Bytes first = TRY(rows.bytes(row, 0));
        reader.last = to_buffer(first);
        const Bytes segment = TRY(rows.bytes(row, 1));
        TRY(append_finds(segment, reader.finds));
    }
    return {};
}

}  // namespace colophon::ledger::internal
