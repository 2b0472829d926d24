// SPDX-License-Identifier: Apache-2.0
#pragma once

// The bytes of a backup: the same from either engine, and for either engine. docs/formats/backup.md
// has the grammar. A reader believes nothing: sizes meet limits before memory is taken, the order
// of records is checked, and the digest at the end covers everything.

#include "core/clock.h"
#include "core/digest.h"
#include "storage/migration.h"
#include "storage/value.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace colophon::storage {

inline constexpr std::uint64_t kArchiveRecordBytesMax = 128ULL << 20U;
inline constexpr std::size_t kArchiveStepsMax = 10'000;
inline constexpr std::size_t kArchiveTablesMax = 1'000;
inline constexpr std::size_t kArchiveColumnsMax = 200;
inline constexpr std::size_t kArchiveNameBytesMax = 63;  // PostgreSQL cuts longer ones
// Rows are collected up to this size; one row alone may be larger.
inline constexpr std::size_t kArchiveRowsBytes = 1U << 20U;

struct ArchiveHead {
    std::string program;  // version that wrote it
    std::string engine;   // "sqlite" or "postgres"
    Time created;
};
struct ArchiveTable {
    std::string name;
    std::vector<std::string> columns;
};
struct ArchiveRows {
    std::vector<Values> rows;  // of the table that was begun last
};
struct ArchiveTableEnd {
    std::uint64_t rows = 0;
    // The largest number that a SERIAL_KEY has given, and its column; none in other tables.
    std::optional<std::int64_t> serial;
    std::string serial_column;
};
struct ArchiveEnd {
    Digest256 digest{};  // of all bytes before this record
};
using ArchiveRecord = std::variant<ArchiveHead, AppliedMigration, ArchiveTable, ArchiveRows,
                                   ArchiveTableEnd, ArchiveEnd>;

class ArchiveWriter {
public:
    using Sink = std::function<Result<void>(Bytes)>;

    explicit ArchiveWriter(Sink sink) : sink_(std::move(sink)) {}

    Result<void> head(const ArchiveHead& head);
    Result<void> step(const AppliedMigration& step);
    Result<void> begin_table(const ArchiveTable& table);
    Result<void> row(const Values& values);
    // `serial` as in ArchiveTableEnd; counts the rows itself.
    Result<void> end_table(std::optional<std::int64_t> serial, const std::string& column);
    // Returns the digest. Nothing may follow.
    Result<Digest256> end();

private:
    Result<void> write(Bytes bytes);
    Result<void> record(std::uint8_t kind, Bytes body);
    Result<void> flush_rows();

    Sink sink_;
    Hasher hasher_{DigestAlgorithm::kSha256};
    Buffer rows_;
    std::uint32_t rows_in_buffer_ = 0;
    std::uint64_t rows_in_table_ = 0;
};

class ArchiveReader {
public:
    // Reads up to out.size() bytes at `offset`; fewer only at the end of the file.
    using ReadAt =
        std::function<Result<std::size_t>(std::uint64_t offset, std::span<std::uint8_t> out)>;

    explicit ArchiveReader(ReadAt read_at) : read_at_(std::move(read_at)) {}

    // One record after the other, ArchiveHead first, ArchiveEnd last and only when the digest is
    // right and the file ends there. Error{kCorrupt} names the byte; kLimit the limit; kUnsupported
    // for a version that is not known.
    Result<ArchiveRecord> next();
    std::uint64_t offset() const { return offset_; }

private:
    enum class State { kStart, kSteps, kTables, kRows, kEnded };

    Result<Buffer> take(std::uint64_t size, std::string_view what);
    Result<ArchiveRecord> start();
    Result<ArchiveRecord> decode(std::uint8_t kind, Bytes body, std::uint64_t at);
    Result<ArchiveRecord> decode_end(Bytes body, const Digest256& digest, std::uint64_t at);
    Result<ArchiveRecord> decode_table(Bytes body, std::uint64_t at);
    Result<ArchiveRecord> decode_rows(Bytes body, std::uint64_t at);
    Result<ArchiveRecord> decode_table_end(Bytes body, std::uint64_t at);

    ReadAt read_at_;
    Hasher hasher_{DigestAlgorithm::kSha256};
    std::uint64_t offset_ = 0;
    State state_ = State::kStart;
    std::size_t steps_ = 0;
    std::size_t tables_ = 0;
    std::size_t columns_ = 0;
    std::uint64_t rows_ = 0;
};

// [a-z][a-z0-9_]*, at most kArchiveNameBytesMax: what tables and columns of ours are called.
bool is_archive_name(std::string_view name);

}  // namespace colophon::storage
