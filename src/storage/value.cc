// SPDX-License-Identifier: Apache-2.0
#include "storage/value.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace colophon::storage {

namespace {

Error wrong_kind(const char* wanted, std::size_t row, std::size_t column) {
    return Error{ErrorCode::kCorrupt, std::string("the database holds something else than ") +
                                          wanted + " in row " + std::to_string(row) + ", column " +
                                          std::to_string(column)};
}

}  // namespace

const Value& Rows::at(std::size_t row, std::size_t column) const {
    COLOPHON_ASSERT(column < columns_ && row < size());
    return values_[row * columns_ + column];
}

bool Rows::is_null(std::size_t row, std::size_t column) const {
    return std::holds_alternative<std::monostate>(at(row, column));
}

Result<std::int64_t> Rows::integer(std::size_t row, std::size_t column) const {
    if (const auto* value = std::get_if<std::int64_t>(&at(row, column))) {
        return *value;
    }
    return wrong_kind("an integer", row, column);
}

Result<std::string_view> Rows::text(std::size_t row, std::size_t column) const {
    if (const auto* value = std::get_if<std::string>(&at(row, column))) {
        return std::string_view(*value);
    }
    return wrong_kind("text", row, column);
}

Result<Bytes> Rows::bytes(std::size_t row, std::size_t column) const {
    if (const auto* value = std::get_if<Buffer>(&at(row, column))) {
        return Bytes(*value);
    }
    return wrong_kind("bytes", row, column);
}

}  // namespace colophon::storage
