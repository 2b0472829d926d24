// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/postgres_value.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "storage/store.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <postgres_ext.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace colophon::storage {
namespace {

// Numbers of pg_catalog.pg_type, the same in every server.
constexpr Oid kBool = 16;
constexpr Oid kBytea = 17;
constexpr Oid kName = 19;
constexpr Oid kInt8 = 20;
constexpr Oid kInt2 = 21;
constexpr Oid kInt4 = 23;
constexpr Oid kText = 25;
constexpr Oid kUnknown = 705;
constexpr Oid kVarchar = 1043;
constexpr Oid kVoid = 2278;

std::array<std::uint8_t, 8> big_endian(std::int64_t number) {
    std::array<std::uint8_t, 8> bytes{};
    store_be64(bytes, 0, std::bit_cast<std::uint64_t>(number));
    return bytes;
}

Error strange(Oid type) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("the database answers with a type that is not kept (number {}): cast "
                             "it to BIGINT, TEXT or bytes",
                             type)};
}

Result<Value> decode(Oid type, Bytes bytes) {
    switch (type) {
        case kInt8:
            return bytes.size() == 8 ? Result<Value>(std::bit_cast<std::int64_t>(load_be64(bytes)))
                                     : strange(type);
        case kInt4:
            return bytes.size() == 4
                       ? Result<Value>(std::int64_t{std::bit_cast<std::int32_t>(load_be32(bytes))})
                       : strange(type);
        case kInt2:
            return bytes.size() == 2
                       ? Result<Value>(std::int64_t{std::bit_cast<std::int16_t>(load_be16(bytes))})
                       : strange(type);
        case kBool:
            return bytes.size() == 1 ? Result<Value>(std::int64_t{bytes[0]}) : strange(type);
        case kText:
        case kName:
        case kUnknown:
        case kVarchar:
            return Value(std::string(as_text(bytes)));
        case kBytea:
            return Value(to_buffer(bytes));
        case kVoid:
            return Value();
        default:
            return strange(type);
    }
}

}  // namespace

std::vector<unsigned> postgres_types(const Values& values) {
    std::vector<unsigned> types;
    types.reserve(values.size());
    for (const Value& value : values) {
        types.push_back(std::holds_alternative<std::int64_t>(value)  ? kInt8
                        : std::holds_alternative<std::string>(value) ? kText
                        : std::holds_alternative<Buffer>(value)      ? kBytea
                                                                     : 0U);
    }
    return types;
}

PostgresParameters::PostgresParameters(const Values& values)
    : integers_(values.size()),
      values_(values.size(), nullptr),
      lengths_(values.size(), 0),
      formats_(values.size(), 1) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (const auto* number = std::get_if<std::int64_t>(&values[i])) {
            integers_[i] = big_endian(*number);
            values_[i] = reinterpret_cast<const char*>(integers_[i].data());
            lengths_[i] = 8;
        } else if (const auto* text = std::get_if<std::string>(&values[i])) {
            values_[i] = text->data();
            lengths_[i] = static_cast<int>(text->size());
        } else if (const auto* bytes = std::get_if<Buffer>(&values[i])) {
            // A null pointer means NULL.
            values_[i] = bytes->empty() ? "" : reinterpret_cast<const char*>(bytes->data());
            lengths_[i] = static_cast<int>(bytes->size());
        }
    }
}

Result<Values> postgres_row(const pg_result& answer, int row) {
    const int columns = PQnfields(&answer);
    Values values;
    values.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) {
        if (PQgetisnull(&answer, row, column) == 1) {
            values.emplace_back();
            continue;
        }
        COLOPHON_ASSERT(PQfformat(&answer, column) == 1);
        const std::string_view raw(PQgetvalue(&answer, row, column),
                                   static_cast<std::size_t>(PQgetlength(&answer, row, column)));
        values.push_back(TRY(decode(PQftype(&answer, column), as_bytes(raw))));
    }
    return values;
}

std::string PostgresCopy::statement(const BulkInsert& rows) {
    std::string columns;
    for (const char* each : rows.columns) {
        columns += fmt::format("{}\"{}\"", columns.empty() ? "" : ", ", each);
    }
    return fmt::format("COPY \"{}\" ({}) FROM STDIN (FORMAT binary)", rows.table, columns);
}

PostgresCopy::PostgresCopy(std::size_t columns) : columns_(columns) {
    using namespace std::string_view_literals;
    append(bytes_, "PGCOPY\n\xFF\r\n\0"sv);
    append_be32(bytes_, 0);  // flags
    append_be32(bytes_, 0);  // length of what may be added to this head
}

void PostgresCopy::add(const Values& row) {
    append_be16(bytes_, static_cast<std::uint16_t>(columns_));
    for (const Value& value : row) {
        if (const auto* number = std::get_if<std::int64_t>(&value)) {
            append_be32(bytes_, 8);
            append_be64(bytes_, std::bit_cast<std::uint64_t>(*number));
        } else if (const auto* text = std::get_if<std::string>(&value)) {
            append_be32(bytes_, static_cast<std::uint32_t>(text->size()));
            append(bytes_, std::string_view(*text));
        } else if (const auto* bytes = std::get_if<Buffer>(&value)) {
            append_be32(bytes_, static_cast<std::uint32_t>(bytes->size()));
            append(bytes_, Bytes(*bytes));
        } else {
            append_be32(bytes_, 0xFFFFFFFF);
        }
    }
}

void PostgresCopy::finish() {
    append_be16(bytes_, 0xFFFF);
}

}  // namespace colophon::storage
