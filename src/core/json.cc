// SPDX-License-Identifier: Apache-2.0
#include "core/json.h"

#include "core/bytes.h"
#include "core/json_writer.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/utf8.h"

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::json {
namespace {

// Boost.JSON's parser calls these for each token; the values are built on an explicit stack.
// The interface (names, types, constants) is Boost's.
class Builder {
public:
    using error_code = boost::json::error_code;
    // NOLINTBEGIN(readability-identifier-naming): Boost names them
    static constexpr std::size_t max_object_size = limits::kContainerItemsMax;
    static constexpr std::size_t max_array_size = limits::kContainerItemsMax;
    static constexpr std::size_t max_key_size = limits::kLabelBytesMax;
    static constexpr std::size_t max_string_size = std::size_t{1} << 30U;
    // NOLINTEND(readability-identifier-naming)

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) {
        open_.push_back({Value(Object{}), std::exchange(key_, {})});
        return true;
    }
    bool on_array_begin(error_code&) {
        open_.push_back({Value(Array{}), std::exchange(key_, {})});
        return true;
    }
    bool on_object_end(std::size_t, error_code&) { return close(); }
    bool on_array_end(std::size_t, error_code&) { return close(); }
    bool on_key_part(std::string_view part, std::size_t, error_code&) {
        key_ += part;
        return true;
    }
    bool on_key(std::string_view part, std::size_t, error_code&) {
        key_ += part;
        return true;
    }
    bool on_string_part(std::string_view part, std::size_t, error_code&) {
        text_ += part;
        return true;
    }
    bool on_string(std::string_view part, std::size_t, error_code&) {
        text_ += part;
        return add(Value(std::exchange(text_, {})));
    }
    bool on_number_part(std::string_view part, error_code&) {
        number_ += part;
        return true;
    }
    bool on_int64(std::int64_t value, std::string_view, error_code&) {
        number_.clear();
        return add(Value(value));
    }
    bool on_uint64(std::uint64_t value, std::string_view, error_code&) {
        number_.clear();
        return add(Value(value));
    }
    bool on_double(double value, std::string_view part, error_code& failure) {
        // Boost's conversion may miss the nearest double by a few units; the standard's does not.
        // It leaves the value alone where it is out of range, towards zero or towards infinity.
        number_ += part;
        (void)std::from_chars(number_.data(), number_.data() + number_.size(), value);
        number_.clear();
        if (!std::isfinite(value)) {  // 1e999: written again it would silently become null
            failure = boost::json::error::exponent_overflow;
            return false;
        }
        return add(Value(value));
    }
    bool on_bool(bool value, error_code&) { return add(Value(value)); }
    bool on_null(error_code&) { return add(Value()); }
    bool on_comment_part(std::string_view, error_code&) { return true; }
    bool on_comment(std::string_view, error_code&) { return true; }

    Value take() { return std::move(root_); }

private:
    // Of the outermost object: enough for a call and its answer.
    static constexpr std::size_t kUsualMembers = 8;

    struct Open {
        Value value;
        std::string key;  // under which it goes into its parent
    };

    bool add(Value value) {
        if (open_.empty()) {
            root_ = std::move(value);
        } else if (Object* object = open_.back().value.if_object()) {
            if (open_.size() == 1 && object->empty()) {
                object->reserve(kUsualMembers);
            }
            object->emplace_back(std::exchange(key_, {}), std::move(value));
        } else {
            open_.back().value.if_array()->push_back(std::move(value));
        }
        return true;
    }

    bool close() {
        Open closed = std::move(open_.back());
        open_.pop_back();
        key_ = std::move(closed.key);
        return add(std::move(closed.value));
    }

    std::vector<Open> open_;
    std::string key_;
    std::string text_;
    std::string number_;  // its text so far, when it comes in parts
    Value root_;
};

// A character that JSON writes as it is, whatever stands around it.
constexpr bool is_plain(char c) noexcept {
    const auto byte = static_cast<std::uint8_t>(c);
    return byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\';
}

// Where the plain characters that begin at `at` end: eight at once, as a number, while all of them
// are plain.
std::size_t plain_end(std::string_view text, std::size_t at) noexcept {
    constexpr std::uint64_t kOnes = 0x0101010101010101U;
    constexpr std::uint64_t kHighBits = 0x80U * kOnes;
    // The high bit of the lowest byte that is zero is set, and none where there is none.
    const auto zeros = [](std::uint64_t bytes) { return (bytes - kOnes) & ~bytes & kHighBits; };
    while (at + sizeof(std::uint64_t) <= text.size()) {
        std::uint64_t bytes = 0;
        std::memcpy(&bytes, text.data() + at, sizeof(bytes));
        const std::uint64_t below_space = (bytes - 0x20U * kOnes) & ~bytes & kHighBits;
        const std::uint64_t others =
            (bytes & kHighBits) | below_space | zeros(bytes ^ 0x7FU * kOnes) |
            zeros(bytes ^ std::uint64_t{'"'} * kOnes) | zeros(bytes ^ std::uint64_t{'\\'} * kOnes);
        if (others != 0) {
            // A borrow reaches only the bytes above: the lowest of these bits is right.
            if constexpr (std::endian::native == std::endian::little) {
                return at + static_cast<std::size_t>(std::countr_zero(others)) / 8;
            }
            break;
        }
        at += sizeof(bytes);
    }
    while (at < text.size() && is_plain(text[at])) {
        ++at;
    }
    return at;
}

void write_double(std::string& out, double number) {
    // JSON has no infinity and no NaN; null is what every reader takes for "no number".
    if (!std::isfinite(number)) {
        out += "null";
    } else if (number == 0 && std::signbit(number)) {
        out += "-0.0";  // "-0" would be read back as the integer 0
    } else {
        out += fmt::format("{}", number);
    }
}

template <class... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
    const std::size_t plain = plain_end(text, 0);
    if (plain == text.size()) {  // nearly all names and most values
        const std::size_t start = out.size();
        out.resize(start + text.size() + 2, '"');
        text.copy(out.data() + start + 1, text.size());
        return;
    }
    out += '"';
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t start = at;
        at = plain_end(text, at);
        out += text.substr(start, at - start);
        if (at == text.size()) {
            break;
        }
        const char c = text[at];
        const auto byte = static_cast<std::uint8_t>(c);
        if (byte >= 0x80) {
            const std::size_t first = at;
            if (next_code_point(text, at)) {
                out += text.substr(first, at - first);
            } else {
                append_utf8(out, 0xFFFD);
                ++at;
            }
            continue;
        }
        ++at;
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                out += fmt::format("\\u{:04x}", byte);
        }
    }
    out += '"';
}

void Writer::number(std::int64_t number) {
    separate();
    const fmt::format_int text(number);
    out_.append(text.data(), text.size());
}

bool Value::is_number() const noexcept {
    return std::holds_alternative<std::int64_t>(state_) ||
           std::holds_alternative<std::uint64_t>(state_) || std::holds_alternative<double>(state_);
}

Result<std::int64_t> Value::as_int() const {
    if (const auto* number = std::get_if<std::int64_t>(&state_)) {
        return *number;
    }
    return Error{ErrorCode::kInvalidArgument, "not an integer"};
}

Result<std::uint64_t> Value::as_uint() const {
    if (const auto* number = std::get_if<std::uint64_t>(&state_)) {
        return *number;
    }
    const auto* number = std::get_if<std::int64_t>(&state_);
    if (number != nullptr && *number >= 0) {
        return static_cast<std::uint64_t>(*number);
    }
    return Error{ErrorCode::kInvalidArgument, "not an integer of zero or more"};
}

Result<double> Value::as_double() const {
    if (const auto* number = std::get_if<double>(&state_)) {
        return *number;
    }
    if (const auto* number = std::get_if<std::int64_t>(&state_)) {
        return static_cast<double>(*number);
    }
    if (const auto* number = std::get_if<std::uint64_t>(&state_)) {
        return static_cast<double>(*number);
    }
    return Error{ErrorCode::kInvalidArgument, "not a number"};
}

const Value* Value::find(std::string_view name) const noexcept {
    if (const Object* object = if_object()) {
        for (const Member& member : *object) {
            if (member.first == name) {
                return &member.second;
            }
        }
    }
    return nullptr;
}

std::string Value::string_or(std::string_view name, std::string_view otherwise) const {
    const Value* member = find(name);
    const std::string* text = member == nullptr ? nullptr : member->if_string();
    return text == nullptr ? std::string(otherwise) : *text;
}

namespace {

// The first name that stands twice in one object; the parser has bounded the depth.
const std::string* find_twice(const Value& value) {  // NOLINT(misc-no-recursion)
    if (const Array* list = value.if_array()) {
        for (const Value& each : *list) {
            if (const std::string* twice = find_twice(each)) {
                return twice;
            }
        }
    }
    const Object* object = value.if_object();
    if (object == nullptr) {
        return nullptr;
    }
    std::vector<const std::string*> names;
    names.reserve(object->size());
    for (const Member& member : *object) {
        names.push_back(&member.first);
        if (const std::string* twice = find_twice(member.second)) {
            return twice;
        }
    }
    std::ranges::sort(names, {}, [](const std::string* name) { return std::string_view(*name); });
    const auto same = std::ranges::adjacent_find(
        names, [](const std::string* a, const std::string* b) { return *a == *b; });
    return same == names.end() ? nullptr : *same;
}

}  // namespace

Result<Value> parse(std::string_view text, const ParseLimits& parse_limits) {
    if (text.size() > parse_limits.bytes_max) {
        return Error{ErrorCode::kLimit, fmt::format("JSON of {} bytes; at most {} are read",
                                                    text.size(), parse_limits.bytes_max)};
    }
    boost::json::parse_options options;
    options.max_depth = parse_limits.depth_max;
    boost::json::basic_parser<Builder> parser(options);
    boost::json::error_code failure;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), failure);
    if (failure == boost::json::error::too_deep) {
        return Error{ErrorCode::kLimit, fmt::format("JSON nested deeper than {} at byte {}",
                                                    parse_limits.depth_max, used)};
    }
    if (failure) {
        return corrupt_at(fmt::format("not JSON ({})", failure.message()), used);
    }
    if (used != text.size()) {
        return corrupt_at("something stands behind the JSON value", used);
    }
    Value value = parser.handler().take();
    if (parse_limits.unique_names) {
        if (const std::string* twice = find_twice(value)) {
            constexpr std::size_t kShownMax = 100;
            return Error{ErrorCode::kCorrupt,
                         fmt::format("the name \"{}\" stands twice in one object",
                                     utf8_prefix(*twice, kShownMax))};
        }
    }
    return value;
}

std::string write(const Value& value) {
    constexpr std::size_t kUsualBytes = 256;
    std::string out;
    out.reserve(kUsualBytes);
    // Recursion is bounded: values come from parse(), which limits depth, or from our own code.
    const auto write_one = [&out](const Value& one, const auto& again) -> void {
        const auto write_array = [&](const Array& array) {
            out += '[';
            for (std::size_t i = 0; i < array.size(); ++i) {
                out += i == 0 ? "" : ",";
                again(array[i], again);
            }
            out += ']';
        };
        const auto write_object = [&](const Object& object) {
            out += '{';
            for (std::size_t i = 0; i < object.size(); ++i) {
                out += i == 0 ? "" : ",";
                append_quoted(out, object[i].first);
                out += ':';
                again(object[i].second, again);
            }
            out += '}';
        };
        std::visit(Overloaded{
                       [&](std::monostate) { out += "null"; },
                       [&](bool flag) { out += flag ? "true" : "false"; },
                       [&](std::int64_t number) { out += fmt::format_int(number).c_str(); },
                       [&](std::uint64_t number) { out += fmt::format_int(number).c_str(); },
                       [&](double number) { write_double(out, number); },
                       [&](const std::string& text) { append_quoted(out, text); },
                       write_array,
                       write_object,
                   },
                   one.state_);
    };
    write_one(value, write_one);
    return out;
}

std::string quote(std::string_view text) {
    std::string out;
    append_quoted(out, text);
    return out;
}

}  // namespace colophon::json
