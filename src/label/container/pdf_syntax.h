// SPDX-License-Identifier: Apache-2.0
#pragma once

// The syntax of PDF objects (ISO 32000-1, 7.2 and 7.3), as far as structure goes: values are found
// and copied as they stand, never made into something else.

#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::pdf {

enum class Kind : std::uint8_t {
    kNull,
    kBool,
    kNumber,
    kString,  // in parentheses or hexadecimal
    kName,
    kArray,
    kDictionary,
    kReference,
};

// One value: text[begin, end).
struct Token {
    Kind kind = Kind::kNull;
    std::size_t begin = 0;
    std::size_t end = 0;

    std::string_view of(std::string_view text) const noexcept {
        return text.substr(begin, end - begin);
    }
};

struct Reference {
    std::uint32_t number = 0;
    std::uint32_t generation = 0;
    bool operator==(const Reference&) const = default;
};

// White space and comments.
std::size_t skip_space(std::string_view text, std::size_t at) noexcept;

// The value that begins at `at` or behind the space there. Errors name the byte, `base` being that
// of text[0]: kCorrupt for what is no value; kLimit beyond limits::kPdfDepthMax.
Result<Token> parse_value(std::string_view text, std::size_t at, std::uint64_t base = 0);

// An unsigned number of digits alone, which moves `at` behind it; nothing otherwise.
std::optional<std::uint64_t> parse_digits(std::string_view text, std::size_t& at) noexcept;

struct Entry {
    std::string name;      // without the slash, #xx resolved
    std::string_view raw;  // the name as it stands, with its slash
    std::string_view value;
};

// A dictionary as it stands; views into the text that it was read from.
class Dictionary {
public:
    // `text` is one dictionary (the value of a token of that kind). kCorrupt when it is none.
    static Result<Dictionary> parse(std::string_view text, std::uint64_t base = 0);

    const std::vector<Entry>& entries() const noexcept { return entries_; }
    // The first of that name; empty when there is none, or null stands there.
    std::string_view find(std::string_view name) const noexcept;

private:
    std::vector<Entry> entries_;
};

// The values in an array, as they stand; at most limits::kPdfObjectsMax of them.
Result<std::vector<std::string_view>> parse_array(std::string_view text, std::uint64_t base = 0);

// What a value of that kind says; nothing for any other value.
std::optional<Reference> to_reference(std::string_view value) noexcept;
std::optional<std::uint64_t> to_number(std::string_view value) noexcept;
std::optional<std::string> to_name(std::string_view value);
std::optional<std::string> to_string(std::string_view value);  // the bytes

// A string in parentheses that says these bytes.
std::string write_string(std::string_view bytes);

}  // namespace colophon::label::pdf
