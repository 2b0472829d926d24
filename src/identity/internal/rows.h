// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ids and times in rows.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "storage/store.h"
#include "storage/value.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace colophon::identity::internal {

template <class Tag>
storage::Value id_value(const RandomId<Tag>& id) {
    return storage::bytes(id.bytes);
}

inline storage::Value time_value(Time time) {
    return storage::integer(time.time_since_epoch().count());
}

inline storage::Value time_value(const std::optional<Time>& time) {
    return time ? time_value(*time) : storage::null();
}

template <class Id>
Result<Id> id_at(const storage::Rows& rows, std::size_t row, std::size_t column) {
    const Bytes bytes = TRY(rows.bytes(row, column));
    Id id;
    if (bytes.size() != id.bytes.size()) {
        return Error{ErrorCode::kCorrupt, "an id in the database has another size"};
    }
    std::ranges::copy(bytes, id.bytes.begin());
    return id;
}

inline Result<Time> time_at(const storage::Rows& rows, std::size_t row, std::size_t column) {
    return Time(std::chrono::milliseconds(TRY(rows.integer(row, column))));
}

inline Result<std::optional<Time>> optional_time_at(const storage::Rows& rows, std::size_t row,
                                                    std::size_t column) {
    if (rows.is_null(row, column)) {
        return std::optional<Time>();
    }
    return std::optional(TRY(time_at(rows, row, column)));
}

inline Result<Digest256> digest_at(const storage::Rows& rows, std::size_t row, std::size_t column) {
    const Bytes bytes = TRY(rows.bytes(row, column));
    Digest256 digest{};
    if (bytes.size() != digest.size()) {
        return Error{ErrorCode::kCorrupt, "a digest in the database has another size"};
    }
    std::ranges::copy(bytes, digest.begin());
    return digest;
}

}  // namespace colophon::identity::internal
