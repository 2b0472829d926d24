// SPDX-License-Identifier: Apache-2.0
#pragma once

// Ids, times and digests in rows: 16 bytes, milliseconds since 1970, 32 bytes. What is there in
// another form is Error{kCorrupt}: a damaged or foreign database.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "storage/value.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace colophon::storage {

template <class Tag>
Value id_value(const RandomId<Tag>& id) {
    return bytes(id.bytes);
}

inline Value time_value(Time time) {
    return integer(time.time_since_epoch().count());
}

inline Value time_value(const std::optional<Time>& time) {
    return time ? time_value(*time) : null();
}

template <class Id>
Result<Id> id_at(const Rows& rows, std::size_t row, std::size_t column) {
    const Bytes stored = TRY(rows.bytes(row, column));
    Id id;
    if (stored.size() != id.bytes.size()) {
        return Error{ErrorCode::kCorrupt, "an id in the database has another size"};
    }
    std::ranges::copy(stored, id.bytes.begin());
    return id;
}

inline Result<Time> time_at(const Rows& rows, std::size_t row, std::size_t column) {
    return Time(std::chrono::milliseconds(TRY(rows.integer(row, column))));
}

inline Result<std::optional<Time>> optional_time_at(const Rows& rows, std::size_t row,
                                                    std::size_t column) {
    if (rows.is_null(row, column)) {
        return std::optional<Time>();
    }
    return std::optional(TRY(time_at(rows, row, column)));
}

inline Result<Digest256> digest_at(const Rows& rows, std::size_t row, std::size_t column) {
    const Bytes stored = TRY(rows.bytes(row, column));
    Digest256 digest{};
    if (stored.size() != digest.size()) {
        return Error{ErrorCode::kCorrupt, "a digest in the database has another size"};
    }
    std::ranges::copy(stored, digest.begin());
    return digest;
}

}  // namespace colophon::storage
