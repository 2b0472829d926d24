// SPDX-License-Identifier: Apache-2.0
#pragma once

// CBOR (RFC 8949) as Content Credentials use it. The writer knows one encoding of a value, the
// deterministic one (section 4.2.1: shortest heads, definite lengths, keys sorted by their bytes).
// The reader takes every well-formed item, because signed bytes of others are never encoded again,
// but no item with two meanings: a key that stands twice and a text that is not UTF-8 are errors.

#include "core/bytes.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::label::cbor {

class Value;
using Array = std::vector<Value>;
using Map = std::vector<std::pair<Value, Value>>;  // in file order; sorted when it is written

struct Tagged {
    std::uint64_t tag = 0;
    std::shared_ptr<const Value> value;  // shared: values are copied, tags are rare
};

// A negative number, -1 - magnitude.
struct Negative {
    std::uint64_t magnitude = 0;
    bool operator==(const Negative&) const = default;
};

enum class Simple : std::uint8_t { kFalse = 20, kTrue = 21, kNull = 22, kUndefined = 23 };

// A simple value that is none of the four.
struct OtherSimple {
    std::uint8_t value = 0;
};

class Value {
public:
    Value() : state_(Simple::kNull) {}
    // Implicit on purpose: a structure is written down as nested braces.
    // NOLINTBEGIN(google-explicit-constructor)
    Value(std::uint64_t number) : state_(number) {}
    Value(std::int64_t number);
    Value(int number) : Value(std::int64_t{number}) {}
    Value(bool truth) : state_(truth ? Simple::kTrue : Simple::kFalse) {}
    Value(Simple simple) : state_(simple) {}
    Value(OtherSimple simple) : state_(simple) {}
    Value(Negative number) : state_(number) {}
    Value(double number) : state_(number) {}
    Value(std::string text) : state_(std::move(text)) {}
    Value(std::string_view text) : state_(std::string(text)) {}
    Value(const char* text) : state_(std::string(text)) {}
    Value(Buffer bytes) : state_(std::move(bytes)) {}
    Value(Array items) : state_(std::move(items)) {}
    Value(Map members) : state_(std::move(members)) {}
    Value(Tagged tagged) : state_(std::move(tagged)) {}
    // NOLINTEND(google-explicit-constructor)

    const std::string* if_text() const noexcept { return std::get_if<std::string>(&state_); }
    const Buffer* if_bytes() const noexcept { return std::get_if<Buffer>(&state_); }
    const Array* if_array() const noexcept { return std::get_if<Array>(&state_); }
    const Map* if_map() const noexcept { return std::get_if<Map>(&state_); }
    const Tagged* if_tagged() const noexcept { return std::get_if<Tagged>(&state_); }
    const std::uint64_t* if_unsigned() const noexcept {
        return std::get_if<std::uint64_t>(&state_);
    }
    const Negative* if_negative() const noexcept { return std::get_if<Negative>(&state_); }
    const double* if_double() const noexcept { return std::get_if<double>(&state_); }
    const Simple* if_simple() const noexcept { return std::get_if<Simple>(&state_); }
    const OtherSimple* if_other_simple() const noexcept {
        return std::get_if<OtherSimple>(&state_);
    }
    bool is_null() const noexcept;

    // The member of that text key (or number) of a map; nullptr when absent or this is no map.
    const Value* find(std::string_view key) const noexcept;
    const Value* find(std::int64_t key) const noexcept;
    // The text member of that name, or nullptr.
    const std::string* text(std::string_view key) const noexcept;
    const Buffer* bytes(std::string_view key) const noexcept;
    const Array* array(std::string_view key) const noexcept;
    const std::uint64_t* number(std::string_view key) const noexcept;

private:
    std::variant<Simple, OtherSimple, std::uint64_t, Negative, double, std::string, Buffer, Array,
                 Map, Tagged>
        state_;
};

// A tagged item.
Value tagged(std::uint64_t tag, Value value);

// Appends the deterministic encoding. Numbers of floating point keep 64 bits unless 32 or 16 hold
// them exactly. Two equal keys in one map are a bug of the caller (asserted).
void encode(Buffer& out, const Value& value);
Buffer encode(const Value& value);
// The head alone: major type 0 to 7 and its argument in the shortest form.
void append_head(Buffer& out, unsigned major, std::uint64_t argument);

// One item and nothing behind it. kCorrupt names the byte; kLimit above limits::kCborDepthMax
// levels or limits::kCborItemsMax items.
Result<Value> decode(Bytes bytes);

}  // namespace colophon::label::cbor
