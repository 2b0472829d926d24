// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/cbor.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::cbor {
namespace {

constexpr unsigned kUnsigned = 0;
constexpr unsigned kNegative = 1;
constexpr unsigned kBytes = 2;
constexpr unsigned kText = 3;
constexpr unsigned kArray = 4;
constexpr unsigned kMap = 5;
constexpr unsigned kTag = 6;
constexpr unsigned kSimple = 7;
constexpr unsigned kIndefinite = 31;
constexpr std::uint8_t kBreak = 0xFF;

// The 16-bit form of a number that fits into it exactly (IEEE 754 binary16).
std::optional<std::uint16_t> half_of(float number) {
    const auto bits = std::bit_cast<std::uint32_t>(number);
    const std::uint32_t sign = (bits >> 16U) & 0x8000U;
    const std::uint32_t exponent = (bits >> 23U) & 0xFFU;
    const std::uint32_t fraction = bits & 0x7FFFFFU;
    if (exponent == 0 && fraction == 0) {
        return static_cast<std::uint16_t>(sign);
    }
    // Normal numbers only: what a manifest holds is never so small that half of it is subnormal.
    if (exponent >= 113 && exponent <= 142 && (fraction & 0x1FFFU) == 0) {
        return static_cast<std::uint16_t>(sign | ((exponent - 112) << 10U) | (fraction >> 13U));
    }
    return std::nullopt;
}

double from_half(std::uint16_t bits) {
    const int exponent = (bits >> 10U) & 0x1F;
    const int fraction = bits & 0x3FF;
    double magnitude = 0;
    if (exponent == 0) {
        magnitude = std::ldexp(fraction, -24);
    } else if (exponent == 31) {
        magnitude = fraction == 0 ? std::numeric_limits<double>::infinity()
                                  : std::numeric_limits<double>::quiet_NaN();
    } else {
        magnitude = std::ldexp(fraction + 1024, exponent - 25);
    }
    return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

void append_double(Buffer& out, double number) {
    if (std::isnan(number)) {
        out.push_back(0xF9);
        append_be16(out, 0x7E00);
        return;
    }
    const auto narrow = static_cast<float>(number);
    if (static_cast<double>(narrow) != number) {
        out.push_back(0xFB);
        append_be64(out, std::bit_cast<std::uint64_t>(number));
        return;
    }
    if (const auto half = half_of(narrow)) {
        out.push_back(0xF9);
        append_be16(out, *half);
        return;
    }
    out.push_back(0xFA);
    append_be32(out, std::bit_cast<std::uint32_t>(narrow));
}

void append_map(Buffer& out, const Map& map) {
    std::vector<std::pair<Buffer, const Value*>> members;
    members.reserve(map.size());
    for (const auto& [key, value] : map) {
        members.emplace_back(encode(key), &value);
    }
    std::ranges::sort(members, {}, &std::pair<Buffer, const Value*>::first);
    append_head(out, kMap, members.size());
    const Buffer* before = nullptr;
    for (const auto& [key, value] : members) {
        COLOPHON_ASSERT(before == nullptr || *before != key);
        before = &key;
        append(out, key);
        encode(out, *value);
    }
}

struct Head {
    unsigned major = 0;
    unsigned info = 0;
    std::uint64_t argument = 0;
    std::uint64_t offset = 0;
};

class Decoder {
public:
    explicit Decoder(Bytes bytes) : bytes_(bytes), reader_(bytes) {}

    Result<Value> item(std::size_t depth) {
        const Head head = TRY(read_head());
        return value_of(head, depth);
    }
    bool done() const noexcept { return reader_.done(); }
    std::uint64_t offset() const noexcept { return reader_.offset(); }

private:
    Result<Head> read_head() {
        if (++items_ > limits::kCborItemsMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("CBOR of more than {} items", limits::kCborItemsMax)};
        }
        Head head;
        head.offset = reader_.offset();
        const std::uint8_t first = TRY(reader_.u8("a CBOR item"));
        head.major = first >> 5U;
        head.info = first & 0x1FU;
        switch (head.info) {
            case 24:
                head.argument = TRY(reader_.u8("a CBOR argument"));
                break;
            case 25:
                head.argument = TRY(reader_.be16("a CBOR argument"));
                break;
            case 26:
                head.argument = TRY(reader_.be32("a CBOR argument"));
                break;
            case 27:
                head.argument = TRY(reader_.be64("a CBOR argument"));
                break;
            case 28:
            case 29:
            case 30:
                return corrupt_at("a reserved CBOR head", head.offset);
            default:
                head.argument = head.info;
        }
        const bool may_be_open = head.major >= kBytes && head.major <= kMap;
        if (head.info == kIndefinite && !may_be_open) {
            return corrupt_at("a CBOR break or open length out of place", head.offset);
        }
        return head;
    }

    Result<Value> value_of(const Head& head, std::size_t depth) {
        if (depth > limits::kCborDepthMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("CBOR of more than {} levels", limits::kCborDepthMax)};
        }
        switch (head.major) {
            case kUnsigned:
                return Value(head.argument);
            case kNegative:
                return Value(Negative{head.argument});
            case kBytes:
                return Value(to_buffer(as_bytes(TRY(string_of(head)))));
            case kText: {
                std::string text = TRY(string_of(head));
                if (find_invalid_utf8(text)) {
                    return corrupt_at("a CBOR text that is not UTF-8", head.offset);
                }
                return Value(std::move(text));
            }
            case kArray:
                return array_of(head, depth);
            case kMap:
                return map_of(head, depth);
            case kTag:
                return tagged(head.argument, TRY(item(depth + 1)));
            default:
                return simple_of(head);
        }
    }

    // Definite, or chunks of the same type up to a break.
    Result<std::string> string_of(const Head& head) {
        if (head.info != kIndefinite) {
            return std::string(as_text(TRY(reader_.take(head.argument, "a CBOR string"))));
        }
        std::string text;
        while (!at_break()) {
            const Head chunk = TRY(read_head());
            if (chunk.major != head.major || chunk.info == kIndefinite) {
                return corrupt_at("a wrong chunk of a CBOR string", chunk.offset);
            }
            const std::string_view part =
                as_text(TRY(reader_.take(chunk.argument, "a CBOR string")));
            if (head.major == kText && find_invalid_utf8(part)) {
                return corrupt_at("a CBOR text that is not UTF-8", chunk.offset);
            }
            text += part;
        }
        TRY(reader_.skip(1, "a CBOR break"));
        return text;
    }

    Result<Value> array_of(const Head& head, std::size_t depth) {
        Array items;
        // An item has at least one byte, so a count beyond the rest is refused before anything is
        // taken for it.
        TRY(check_count(head, 1));
        while (!ended(head, items.size())) {
            items.push_back(TRY(item(depth + 1)));
        }
        TRY(close(head));
        return Value(std::move(items));
    }

    Result<Value> map_of(const Head& head, std::size_t depth) {
        Map map;
        TRY(check_count(head, 2));
        std::set<Buffer> keys;
        while (!ended(head, map.size())) {
            const std::uint64_t at = reader_.offset();
            Value key = TRY(item(depth + 1));
            if (!keys.insert(encode(key)).second) {
                return corrupt_at("a CBOR key that stands twice", at);
            }
            Value value = TRY(item(depth + 1));
            map.emplace_back(std::move(key), std::move(value));
        }
        TRY(close(head));
        return Value(std::move(map));
    }

    Result<void> check_count(const Head& head, std::uint64_t bytes_each) const {
        if (head.info != kIndefinite && head.argument > reader_.left() / bytes_each) {
            return corrupt_at("a CBOR list longer than its bytes", head.offset);
        }
        return {};
    }
    bool at_break() const { return !reader_.done() && bytes_[reader_.position()] == kBreak; }
    bool ended(const Head& head, std::size_t count) const {
        return head.info == kIndefinite ? at_break() : count == head.argument;
    }
    Result<void> close(const Head& head) {
        if (head.info == kIndefinite) {
            TRY(reader_.skip(1, "a CBOR break"));
        }
        return {};
    }

    static Result<Value> simple_of(const Head& head) {
        switch (head.info) {
            case 20:
            case 21:
            case 22:
            case 23:
                return Value(static_cast<Simple>(head.info));
            case 24:
                if (head.argument < 32) {
                    return corrupt_at("a CBOR simple value in a form that it must not have",
                                      head.offset);
                }
                return Value(OtherSimple{static_cast<std::uint8_t>(head.argument)});
            case 25:
                return Value(from_half(static_cast<std::uint16_t>(head.argument)));
            case 26:
                return Value(static_cast<double>(
                    std::bit_cast<float>(static_cast<std::uint32_t>(head.argument))));
            case 27:
                return Value(std::bit_cast<double>(head.argument));
            default:
                return Value(OtherSimple{static_cast<std::uint8_t>(head.info)});
        }
    }

    Bytes bytes_;
    ByteReader reader_;
    std::size_t items_ = 0;
};

}  // namespace

Value::Value(std::int64_t number) {
    if (number >= 0) {
        state_ = static_cast<std::uint64_t>(number);
    } else {
        state_ = Negative{static_cast<std::uint64_t>(-1 - number)};
    }
}

bool Value::is_null() const noexcept {
    const Simple* simple = if_simple();
    return simple != nullptr && *simple == Simple::kNull;
}

const Value* Value::find(std::string_view key) const noexcept {
    if (const Map* map = if_map()) {
        for (const auto& [name, value] : *map) {
            const std::string* text = name.if_text();
            if (text != nullptr && *text == key) {
                return &value;
            }
        }
    }
    return nullptr;
}

const Value* Value::find(std::int64_t key) const noexcept {
    const Map* map = if_map();
    if (map == nullptr) {
        return nullptr;
    }
    const Value wanted(key);
    for (const auto& [name, value] : *map) {
        const std::uint64_t* number = name.if_unsigned();
        const Negative* negative = name.if_negative();
        const bool same = (number != nullptr && wanted.if_unsigned() != nullptr &&
                           *number == *wanted.if_unsigned()) ||
                          (negative != nullptr && wanted.if_negative() != nullptr &&
                           *negative == *wanted.if_negative());
        if (same) {
            return &value;
        }
    }
    return nullptr;
}

const std::string* Value::text(std::string_view key) const noexcept {
    const Value* member = find(key);
    return member == nullptr ? nullptr : member->if_text();
}

const Buffer* Value::bytes(std::string_view key) const noexcept {
    const Value* member = find(key);
    return member == nullptr ? nullptr : member->if_bytes();
}

const Array* Value::array(std::string_view key) const noexcept {
    const Value* member = find(key);
    return member == nullptr ? nullptr : member->if_array();
}

const std::uint64_t* Value::number(std::string_view key) const noexcept {
    const Value* member = find(key);
    return member == nullptr ? nullptr : member->if_unsigned();
}

Value tagged(std::uint64_t tag, Value value) {
    return Tagged{.tag = tag, .value = std::make_shared<const Value>(std::move(value))};
}

void append_head(Buffer& out, unsigned major, std::uint64_t argument) {
    const auto top = static_cast<std::uint8_t>(major << 5U);
    if (argument < 24) {
        out.push_back(static_cast<std::uint8_t>(top | argument));
    } else if (argument <= 0xFF) {
        out.push_back(static_cast<std::uint8_t>(top | 24U));
        out.push_back(static_cast<std::uint8_t>(argument));
    } else if (argument <= 0xFFFF) {
        out.push_back(static_cast<std::uint8_t>(top | 25U));
        append_be16(out, static_cast<std::uint16_t>(argument));
    } else if (argument <= 0xFFFFFFFF) {
        out.push_back(static_cast<std::uint8_t>(top | 26U));
        append_be32(out, static_cast<std::uint32_t>(argument));
    } else {
        out.push_back(static_cast<std::uint8_t>(top | 27U));
        append_be64(out, argument);
    }
}

void encode(Buffer& out, const Value& value) {
    if (const auto* number = value.if_unsigned()) {
        append_head(out, kUnsigned, *number);
    } else if (const auto* negative = value.if_negative()) {
        append_head(out, kNegative, negative->magnitude);
    } else if (const auto* bytes = value.if_bytes()) {
        append_head(out, kBytes, bytes->size());
        append(out, *bytes);
    } else if (const auto* text = value.if_text()) {
        append_head(out, kText, text->size());
        append(out, *text);
    } else if (const auto* array = value.if_array()) {
        append_head(out, kArray, array->size());
        for (const Value& each : *array) {
            encode(out, each);
        }
    } else if (const auto* map = value.if_map()) {
        append_map(out, *map);
    } else if (const auto* tag = value.if_tagged()) {
        append_head(out, kTag, tag->tag);
        encode(out, *tag->value);
    } else if (const auto* real = value.if_double()) {
        append_double(out, *real);
    } else if (const auto* simple = value.if_simple()) {
        append_head(out, kSimple, static_cast<std::uint64_t>(*simple));
    } else {
        append_head(out, kSimple, value.if_other_simple()->value);
    }
}

Buffer encode(const Value& value) {
    Buffer out;
    encode(out, value);
    return out;
}

Result<Value> decode(Bytes bytes) {
    Decoder decoder(bytes);
    Value value = TRY(decoder.item(1));
    if (!decoder.done()) {
        return corrupt_at("bytes behind the CBOR item", decoder.offset());
    }
    return value;
}

}  // namespace colophon::label::cbor
