// SPDX-License-Identifier: Apache-2.0
#pragma once

// JSON (RFC 8259) as plain values. Objects keep the order of their members and keep duplicates,
// because a label reader must be able to say "this key stands here twice".

#include "core/limits.h"
#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::json {

class Value;
using Array = std::vector<Value>;
using Member = std::pair<std::string, Value>;
using Object = std::vector<Member>;

class Value {
public:
    Value() = default;
    // Implicit on purpose: an Object is written down as {{"name", "x"}, {"count", 3}}.
    // NOLINTBEGIN(google-explicit-constructor)
    Value(std::nullptr_t) {}
    Value(bool value) : state_(value) {}
    Value(int value) : state_(std::int64_t{value}) {}
    Value(std::int64_t value) : state_(value) {}
    Value(std::uint64_t value) : state_(value) {}
    Value(double value) : state_(value) {}
    Value(std::string value) : state_(std::move(value)) {}
    Value(std::string_view value) : state_(std::string(value)) {}
    Value(const char* value) : state_(std::string(value)) {}
    Value(Array value) : state_(std::move(value)) {}
    Value(Object value) : state_(std::move(value)) {}
    // NOLINTEND(google-explicit-constructor)

    bool is_null() const noexcept { return std::holds_alternative<std::monostate>(state_); }
    const bool* if_bool() const noexcept { return std::get_if<bool>(&state_); }
    const std::string* if_string() const noexcept { return std::get_if<std::string>(&state_); }
    const Array* if_array() const noexcept { return std::get_if<Array>(&state_); }
    const Object* if_object() const noexcept { return std::get_if<Object>(&state_); }
    Array* if_array() noexcept { return std::get_if<Array>(&state_); }
    Object* if_object() noexcept { return std::get_if<Object>(&state_); }
    bool is_number() const noexcept;
    // The number as an integer when it is one and fits; nothing otherwise.
    Result<std::int64_t> as_int() const;
    Result<std::uint64_t> as_uint() const;
    Result<double> as_double() const;

    // First member of that name of an object; nullptr when there is none or this is no object.
    const Value* find(std::string_view name) const noexcept;
    // The string member of that name, or `otherwise`.
    std::string string_or(std::string_view name, std::string_view otherwise) const;

private:
    friend std::string write(const Value& value);
    std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array,
                 Object>
        state_;
};

struct ParseLimits {
    std::size_t depth_max = limits::kJsonDepthMax;
    std::size_t bytes_max = limits::kLabelBytesMax;
    // What others will read again, and perhaps otherwise, may have each name once: of two, one
    // would be reviewed and the other obeyed.
    bool unique_names = false;
};

// One value and nothing behind it but white space. kCorrupt names the byte, kLimit the limit.
Result<Value> parse(std::string_view text, const ParseLimits& parse_limits = {});

// Compact; members in their order. Characters outside ASCII are written as they are; a byte that is
// not UTF-8 becomes U+FFFD, so that the output is always valid.
std::string write(const Value& value);

// The text as a JSON string, with its quotes.
std::string quote(std::string_view text);

}  // namespace colophon::json
