// SPDX-License-Identifier: Apache-2.0
#include "storage/archive.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "core/utf8.h"
#include "storage/limits.h"
#include "storage/migration.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::storage {
namespace {

constexpr std::string_view kMagic = "colophon-backup\n";
constexpr std::int64_t kVersion = 1;
constexpr std::uint64_t kPieceBytes = 1U << 20U;

enum Kind : std::uint8_t {
    kHead = 1,
    kStep = 2,
    kTable = 3,
    kRows = 4,
    kTableEnd = 5,
    kEnd = 6,
};

enum Tag : std::uint8_t { kNull = 0, kInteger = 1, kText = 2, kBytes = 3 };

void append_name(Buffer& out, std::string_view name) {
    COLOPHON_ASSERT(name.size() <= kArchiveNameBytesMax);
    out.push_back(static_cast<std::uint8_t>(name.size()));
    append(out, name);
}

void append_value(Buffer& out, const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        out.push_back(kInteger);
        append_be64(out, std::bit_cast<std::uint64_t>(*number));
    } else if (const auto* text = std::get_if<std::string>(&value)) {
        out.push_back(kText);
        append_be32(out, static_cast<std::uint32_t>(text->size()));
        append(out, std::string_view(*text));
    } else if (const auto* bytes = std::get_if<Buffer>(&value)) {
        out.push_back(kBytes);
        append_be32(out, static_cast<std::uint32_t>(bytes->size()));
        append(out, Bytes(*bytes));
    } else {
        out.push_back(kNull);
    }
}

Result<std::string> read_name(ByteReader& reader) {
    const std::uint64_t at = reader.offset();
    const std::uint8_t size = TRY(reader.u8("size of a name"));
    const std::string_view name = as_text(TRY(reader.take(size, "name")));
    if (!is_archive_name(name)) {
        return corrupt_at("a name with other characters than a to z, 0 to 9 and _", at);
    }
    return std::string(name);
}

Result<Value> read_value(ByteReader& reader) {
    const std::uint64_t at = reader.offset();
    const std::uint8_t tag = TRY(reader.u8("kind of a value"));
    if (tag == kNull) {
        return Value();
    }
    if (tag == kInteger) {
        return Value(std::bit_cast<std::int64_t>(TRY(reader.be64("an integer"))));
    }
    if (tag != kText && tag != kBytes) {
        return corrupt_at("a value of an unknown kind", at);
    }
    const std::uint32_t size = TRY(reader.be32("size of a value"));
    if (size > kValueBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a value of {} bytes at byte {}: more than {}",
                                                    size, at, kValueBytesMax)};
    }
    const Bytes bytes = TRY(reader.take(size, "a value"));
    if (tag == kBytes) {
        return Value(to_buffer(bytes));
    }
    const std::string_view words = as_text(bytes);
    if (words.find('\0') != std::string_view::npos || find_invalid_utf8(words)) {
        return corrupt_at("a text that is not UTF-8 or has a NUL", at);
    }
    return Value(std::string(words));
}

Result<void> must_end(const ByteReader& reader) {
    return reader.done()
               ? Result<void>()
               : Result<void>(corrupt_at("more bytes than the record has fields", reader.offset()));
}

Result<ArchiveRecord> decode_head(Bytes body, std::uint64_t at) {
    const json::Value value = TRY(json::parse(as_text(body)));
    const json::Value* version = value.find("version");
    const auto number = version == nullptr ? Result<std::int64_t>(0) : version->as_int();
    if (!number.ok() || *number < 1) {
        return corrupt_at("a head without a version", at);
    }
    if (*number != kVersion) {
        return Error{
            ErrorCode::kUnsupported,
            fmt::format("version {} of the backup is not known to this Colophon", *number)};
    }
    return ArchiveRecord(ArchiveHead{.program = value.string_or("program", ""),
                                     .engine = value.string_or("engine", ""),
                                     .created = TRY(parse_time(value.string_or("created", "")))});
}

Result<ArchiveRecord> decode_step(Bytes body, std::uint64_t at) {
    ByteReader reader(body, at);
    AppliedMigration step;
    step.module = TRY(read_name(reader));
    step.step = TRY(reader.be32("number of a step"));
    const Bytes digest = TRY(reader.take(step.digest.size(), "digest of a step"));
    std::ranges::copy(digest, step.digest.begin());
    TRY(must_end(reader));
    return ArchiveRecord(std::move(step));
}

}  // namespace

bool is_archive_name(std::string_view name) {
    return !name.empty() && name.size() <= kArchiveNameBytesMax && name[0] >= 'a' &&
           name[0] <= 'z' && std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
}

Result<void> ArchiveWriter::write(Bytes bytes) {
    hasher_.update(bytes);
    return sink_(bytes);
}

Result<void> ArchiveWriter::record(std::uint8_t kind, Bytes body) {
    if (body.size() > kArchiveRecordBytesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a row of {} bytes is too large for a backup", body.size())};
    }
    Buffer head{kind};
    append_be32(head, static_cast<std::uint32_t>(body.size()));
    TRY(write(head));
    return write(body);
}

Result<void> ArchiveWriter::head(const ArchiveHead& head) {
    TRY(write(as_bytes(kMagic)));
    const std::string text = json::write(json::Object{{"version", kVersion},
                                                      {"created", format_time(head.created)},
                                                      {"program", head.program},
                                                      {"engine", head.engine}});
    return record(kHead, as_bytes(text));
}

Result<void> ArchiveWriter::step(const AppliedMigration& step) {
    Buffer body;
    append_name(body, step.module);
    append_be32(body, static_cast<std::uint32_t>(step.step));
    append(body, Bytes(step.digest));
    return record(kStep, body);
}

Result<void> ArchiveWriter::begin_table(const ArchiveTable& table) {
    Buffer body;
    append_name(body, table.name);
    append_be16(body, static_cast<std::uint16_t>(table.columns.size()));
    for (const std::string& column : table.columns) {
        append_name(body, column);
    }
    rows_in_table_ = 0;
    return record(kTable, body);
}

Result<void> ArchiveWriter::flush_rows() {
    if (rows_in_buffer_ == 0) {
        return {};
    }
    store_be32(rows_, 0, rows_in_buffer_);
    TRY(record(kRows, rows_));
    rows_.clear();
    rows_in_buffer_ = 0;
    return {};
}

Result<void> ArchiveWriter::row(const Values& values) {
    if (rows_.empty()) {
        append_be32(rows_, 0);  // their number, when it is known
    }
    for (const Value& value : values) {
        append_value(rows_, value);
    }
    ++rows_in_buffer_;
    ++rows_in_table_;
    return rows_.size() >= kArchiveRowsBytes ? flush_rows() : Result<void>();
}

Result<void> ArchiveWriter::end_table(std::optional<std::int64_t> serial,
                                      const std::string& column) {
    TRY(flush_rows());
    Buffer body;
    append_be64(body, rows_in_table_);
    if (serial) {
        append_name(body, column);
        append_be64(body, std::bit_cast<std::uint64_t>(*serial));
    }
    return record(kTableEnd, body);
}

Result<Digest256> ArchiveWriter::end() {
    const Digest256 digest = hasher_.finish();
    Buffer last{kEnd};
    append_be32(last, static_cast<std::uint32_t>(digest.size()));
    append(last, Bytes(digest));
    TRY(sink_(last));
    return digest;
}

// Memory grows with what is really there, not with what a length says.
Result<Buffer> ArchiveReader::take(std::uint64_t size, std::string_view what) {
    Buffer out;
    while (out.size() < size) {
        const std::size_t had = out.size();
        out.resize(had + static_cast<std::size_t>(std::min(size - had, kPieceBytes)));
        const std::span<std::uint8_t> piece = std::span(out).subspan(had);
        const std::size_t got = TRY(read_at_(offset_ + had, piece));
        if (got < piece.size()) {
            return corrupt_at(fmt::format("the backup ends in {}", what), offset_ + had + got);
        }
    }
    offset_ += size;
    return out;
}

Result<ArchiveRecord> ArchiveReader::start() {
    const Buffer magic = TRY(take(kMagic.size(), "its first bytes"));
    if (as_text(magic) != kMagic) {
        return Error{ErrorCode::kCorrupt, "this is no backup of Colophon"};
    }
    hasher_.update(magic);
    const std::uint64_t at = offset_;
    const Buffer head = TRY(take(5, "the head"));
    const std::uint32_t size = load_be32(Bytes(head).subspan(1));
    if (head[0] != kHead || size > kPieceBytes) {
        return corrupt_at("no head", at);
    }
    const Buffer body = TRY(take(size, "the head"));
    hasher_.update(head);
    hasher_.update(body);
    state_ = State::kSteps;
    return decode_head(body, at + 5);
}

Result<ArchiveRecord> ArchiveReader::next() {
    COLOPHON_ASSERT(state_ != State::kEnded);
    if (state_ == State::kStart) {
        return start();
    }
    const std::uint64_t at = offset_;
    const Buffer head = TRY(take(5, "a record"));
    const std::uint32_t size = load_be32(Bytes(head).subspan(1));
    if (size > kArchiveRecordBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a record of {} bytes at byte {}: more than {}",
                                                    size, at, kArchiveRecordBytesMax)};
    }
    const Buffer body = TRY(take(size, "a record"));
    if (head[0] == kEnd) {
        return decode_end(body, hasher_.finish(), at);
    }
    hasher_.update(head);
    hasher_.update(body);
    return decode(head[0], body, at);
}

Result<ArchiveRecord> ArchiveReader::decode(std::uint8_t kind, Bytes body, std::uint64_t at) {
    const std::uint64_t start = at + 5;
    if (kind == kStep && state_ == State::kSteps) {
        if (++steps_ > kArchiveStepsMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("more than {} steps in the backup", kArchiveStepsMax)};
        }
        return decode_step(body, start);
    }
    if (kind == kTable && state_ != State::kRows) {
        if (++tables_ > kArchiveTablesMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("more than {} tables in the backup", kArchiveTablesMax)};
        }
        state_ = State::kRows;
        return decode_table(body, start);
    }
    if (kind == kRows && state_ == State::kRows) {
        return decode_rows(body, start);
    }
    if (kind == kTableEnd && state_ == State::kRows) {
        state_ = State::kTables;
        return decode_table_end(body, start);
    }
    return corrupt_at("a record that has no place here", at);
}

Result<ArchiveRecord> ArchiveReader::decode_table(Bytes body, std::uint64_t at) {
    ByteReader reader(body, at);
    ArchiveTable table;
    table.name = TRY(read_name(reader));
    const std::uint16_t count = TRY(reader.be16("number of columns"));
    if (count == 0 || count > kArchiveColumnsMax) {
        return corrupt_at("a table without columns or with too many", at);
    }
    for (std::uint16_t i = 0; i < count; ++i) {
        table.columns.push_back(TRY(read_name(reader)));
    }
    TRY(must_end(reader));
    columns_ = count;
    rows_ = 0;
    return ArchiveRecord(std::move(table));
}

Result<ArchiveRecord> ArchiveReader::decode_rows(Bytes body, std::uint64_t at) {
    ByteReader reader(body, at);
    const std::uint32_t count = TRY(reader.be32("number of rows"));
    ArchiveRows rows;
    for (std::uint32_t i = 0; i < count; ++i) {
        Values row;
        row.reserve(columns_);
        for (std::size_t column = 0; column < columns_; ++column) {
            row.push_back(TRY(read_value(reader)));
        }
        rows.rows.push_back(std::move(row));
    }
    TRY(must_end(reader));
    rows_ += count;
    return ArchiveRecord(std::move(rows));
}

Result<ArchiveRecord> ArchiveReader::decode_table_end(Bytes body, std::uint64_t at) {
    ByteReader reader(body, at);
    ArchiveTableEnd end;
    end.rows = TRY(reader.be64("number of rows"));
    if (end.rows != rows_) {
        return corrupt_at(fmt::format("a table of {} rows that should have {}", rows_, end.rows),
                          at);
    }
    if (!reader.done()) {
        end.serial_column = TRY(read_name(reader));
        end.serial = std::bit_cast<std::int64_t>(TRY(reader.be64("largest number given")));
    }
    TRY(must_end(reader));
    return ArchiveRecord(std::move(end));
}

Result<ArchiveRecord> ArchiveReader::decode_end(Bytes body, const Digest256& digest,
                                                std::uint64_t at) {
    if (state_ == State::kRows) {
        return corrupt_at("the backup ends within a table", at);
    }
    if (!std::ranges::equal(body, digest)) {
        return corrupt_at("the digest of the backup is wrong: its bytes were changed", at);
    }
    std::uint8_t more = 0;
    if (TRY(read_at_(offset_, std::span(&more, 1))) != 0) {
        return corrupt_at("bytes after the end of the backup", offset_);
    }
    state_ = State::kEnded;
    return ArchiveRecord(ArchiveEnd{.digest = digest});
}

}  // namespace colophon::storage
