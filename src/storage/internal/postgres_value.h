// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values in PostgreSQL's binary form, on the way there (parameters, COPY) and back.

#include "storage/store.h"  // IWYU pragma: export

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// NOLINTBEGIN(readability-identifier-naming): the library names its types so.
struct pg_result;
// NOLINTEND(readability-identifier-naming)

namespace colophon::storage {

// The types to say when a statement is prepared: bigint, text, bytea; 0, to be found out by the
// server, for a NULL.
std::vector<unsigned> postgres_types(const Values& values);

// The arrays that libpq takes, pointing into `values`, which must outlive them.
class PostgresParameters {
public:
    explicit PostgresParameters(const Values& values);
    PostgresParameters(const PostgresParameters&) = delete;
    PostgresParameters& operator=(const PostgresParameters&) = delete;
    ~PostgresParameters() = default;

    const char* const* values() const { return values_.data(); }
    const int* lengths() const { return lengths_.data(); }
    const int* formats() const { return formats_.data(); }

private:
    std::vector<std::array<std::uint8_t, 8>> integers_;
    std::vector<const char*> values_;
    std::vector<int> lengths_;
    std::vector<int> formats_;
};

// One row of an answer in binary. Error{kUnsupported} for a type that is none of ours (NUMERIC,
// ...).
Result<Values> postgres_row(const pg_result& answer, int row);

// The stream of COPY ... (FORMAT binary): a head, rows, an end.
class PostgresCopy {
public:
    static constexpr std::size_t kPieceBytes = 64U << 10U;

    static std::string statement(const BulkInsert& rows);

    explicit PostgresCopy(std::size_t columns);
    void add(const Values& row);
    void finish();
    Bytes bytes() const { return bytes_; }
    void clear() { bytes_.clear(); }  // what was sent

private:
    std::size_t columns_;
    Buffer bytes_;
};

}  // namespace colophon::storage
