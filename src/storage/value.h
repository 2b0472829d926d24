// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a column holds and what a query answers. Four kinds only, the ones that SQLite and
// PostgreSQL keep in the same way: nothing, a 64-bit integer, UTF-8 text without NUL, bytes. Times
// are integers (milliseconds since 1970, UTC), money and ratios are integers of a named unit: a
// value that was written is read back as the same bits on either engine.

#include "core/bytes.h"  // IWYU pragma: export

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::storage {

using Value = std::variant<std::monostate, std::int64_t, std::string, Buffer>;
using Values = std::vector<Value>;

// Shorthands for parameter lists: Values{integer(3), text("a"), bytes(digest), null()}.
inline Value null() {
    return {};
}
inline Value integer(std::int64_t value) {
    return value;
}
inline Value text(std::string_view value) {
    return std::string(value);
}
inline Value bytes(Bytes value) {
    return to_buffer(value);
}
template <class T>
Value optional_value(const std::optional<T>& value) {
    return value ? Value(*value) : Value();
}

// The same without a copy of what is moved in, which Values{...} would make.
template <class... Each>
Values moved_values(Each&&... each) {
    Values values;
    values.reserve(sizeof...(each));
    (values.emplace_back(std::forward<Each>(each)), ...);
    return values;
}

// The rows of an answer, row-major. Getters assert that the column exists (our bug) and answer
// Error{kCorrupt} when it holds another kind than asked for (a damaged or foreign database).
class Rows {
public:
    Rows() = default;
    explicit Rows(std::size_t columns) : columns_(columns) {}

    std::size_t size() const noexcept { return columns_ == 0 ? 0 : values_.size() / columns_; }
    bool empty() const noexcept { return values_.empty(); }
    std::size_t columns() const noexcept { return columns_; }

    const Value& at(std::size_t row, std::size_t column) const;
    bool is_null(std::size_t row, std::size_t column) const;
    Result<std::int64_t> integer(std::size_t row, std::size_t column) const;
    // Views into these Rows; they end with them.
    Result<std::string_view> text(std::size_t row, std::size_t column) const;
    Result<Bytes> bytes(std::size_t row, std::size_t column) const;

    // For the engines: values arrive in row-major order.
    void add(Value value) { values_.push_back(std::move(value)); }

private:
    std::size_t columns_ = 0;
    Values values_;
};

}  // namespace colophon::storage
