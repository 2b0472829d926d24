// SPDX-License-Identifier: Apache-2.0
#include "label/container/pdf_syntax.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace colophon::label::pdf {
namespace {

bool is_space(char c) noexcept {
    return c == '\0' || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' ';
}

bool is_delimiter(char c) noexcept {
    return std::string_view("()<>[]{}/%").find(c) != std::string_view::npos;
}

bool is_regular(char c) noexcept {
    return !is_space(c) && !is_delimiter(c);
}

std::size_t skip_regular(std::string_view text, std::size_t at) noexcept {
    while (at < text.size() && is_regular(text[at])) {
        ++at;
    }
    return at;
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// 7.3.4.2: parentheses nest, a backslash takes the next character out of the count.
std::optional<std::size_t> literal_end(std::string_view text, std::size_t at) noexcept {
    std::size_t open = 0;
    for (; at < text.size(); ++at) {
        if (text[at] == '\\') {
            ++at;
        } else if (text[at] == '(') {
            ++open;
        } else if (text[at] == ')' && --open == 0) {
            return at + 1;
        }
    }
    return std::nullopt;
}

// "12 0 R": the end of it, when that is what begins here.
std::optional<std::size_t> reference_end(std::string_view text, std::size_t at) noexcept {
    if (!parse_digits(text, at)) {
        return std::nullopt;
    }
    std::size_t second = skip_space(text, at);
    if (second == at || !parse_digits(text, second)) {
        return std::nullopt;
    }
    const std::size_t letter = skip_space(text, second);
    if (letter == second || letter >= text.size() || text[letter] != 'R' ||
        (letter + 1 < text.size() && is_regular(text[letter + 1]))) {
        return std::nullopt;
    }
    return letter + 1;
}

// Walks values without recursion: a stack of what is open.
class Walker {
public:
    Walker(std::string_view text, std::uint64_t base) : text_(text), base_(base) {}

    Result<Token> value(std::size_t at) {
        Token outer;
        std::vector<char> open;
        at = skip_space(text_, at);
        outer.begin = at;
        bool first = true;
        do {
            at = skip_space(text_, at);
            if (at >= text_.size()) {
                return corrupt("a PDF value that does not end", at);
            }
            if (!open.empty() && closes(at, open.back())) {
                at += open.back() == '>' ? 2U : 1U;
                open.pop_back();
                continue;
            }
            const Token part = TRY(one(at));
            if (first) {
                outer.kind = part.kind;
                first = false;
            }
            at = part.end;
            if (part.kind == Kind::kArray || part.kind == Kind::kDictionary) {
                if (open.size() >= limits::kPdfDepthMax) {
                    return Error{ErrorCode::kLimit,
                                 fmt::format("PDF values nested deeper than {} at byte {}",
                                             limits::kPdfDepthMax, base_ + at)};
                }
                open.push_back(part.kind == Kind::kArray ? ']' : '>');
            }
        } while (!open.empty());
        outer.end = at;
        return outer;
    }

private:
    Error corrupt(std::string_view what, std::size_t at) const {
        return corrupt_at(what, base_ + at);
    }

    bool closes(std::size_t at, char by) const noexcept {
        return by == '>' ? text_.substr(at, 2) == ">>" : text_[at] == by;
    }

    // A value without what is in it: of arrays and dictionaries the opening alone.
    Result<Token> one(std::size_t at) const {
        const char c = text_[at];
        if (c == '[') {
            return Token{.kind = Kind::kArray, .begin = at, .end = at + 1};
        }
        if (c == '<') {
            return angle(at);
        }
        if (c == '(') {
            const auto end = literal_end(text_, at);
            if (!end) {
                return corrupt("a PDF string that does not end", at);
            }
            return Token{.kind = Kind::kString, .begin = at, .end = *end};
        }
        if (c == '/') {
            return Token{.kind = Kind::kName, .begin = at, .end = skip_regular(text_, at + 1)};
        }
        if (const auto end = reference_end(text_, at)) {
            return Token{.kind = Kind::kReference, .begin = at, .end = *end};
        }
        return word(at);
    }

    Result<Token> angle(std::size_t at) const {
        if (text_.substr(at, 2) == "<<") {
            return Token{.kind = Kind::kDictionary, .begin = at, .end = at + 2};
        }
        const std::size_t end = text_.find('>', at);
        if (end == std::string_view::npos) {
            return corrupt("a PDF string that does not end", at);
        }
        return Token{.kind = Kind::kString, .begin = at, .end = end + 1};
    }

    Result<Token> word(std::size_t at) const {
        const std::size_t end = skip_regular(text_, at);
        const std::string_view text = text_.substr(at, end - at);
        Token token{.kind = Kind::kNumber, .begin = at, .end = end};
        if (text == "null") {
            token.kind = Kind::kNull;
        } else if (text == "true" || text == "false") {
            token.kind = Kind::kBool;
        } else if (text.empty() || std::ranges::any_of(text, [](char c) {
                       return std::string_view("+-.0123456789").find(c) == std::string_view::npos;
                   })) {
            return corrupt("no PDF value", at);
        }
        return token;
    }

    std::string_view text_;
    std::uint64_t base_;
};

std::string resolve_name(std::string_view raw) {
    std::string name;
    for (std::size_t at = 1; at < raw.size(); ++at) {
        const int high = raw[at] == '#' && at + 2 < raw.size() ? hex_digit(raw[at + 1]) : -1;
        const int low = high >= 0 ? hex_digit(raw[at + 2]) : -1;
        if (low >= 0) {
            name += static_cast<char>(high * 16 + low);
            at += 2;
        } else {
            name += raw[at];
        }
    }
    return name;
}

std::string hex_bytes(std::string_view digits) {
    std::string bytes;
    int high = -1;
    for (const char c : digits) {
        const int digit = hex_digit(c);
        if (digit < 0) {
            continue;
        }
        if (high < 0) {
            high = digit;
        } else {
            bytes += static_cast<char>(high * 16 + digit);
            high = -1;
        }
    }
    if (high >= 0) {
        bytes += static_cast<char>(high * 16);
    }
    return bytes;
}

// 7.3.4.2: what a backslash means; `at` stands on the character behind it and moves to its last.
void append_escape(std::string_view text, std::size_t& at, std::string& bytes) {
    constexpr std::string_view kLetters = "nrtbf";
    constexpr std::string_view kMeanings = "\n\r\t\b\f";
    const char c = text[at];
    const std::size_t letter = kLetters.find(c);
    if (letter != std::string_view::npos) {
        bytes += kMeanings[letter];
    } else if (c == '\r' || c == '\n') {
        at += c == '\r' && at + 1 < text.size() && text[at + 1] == '\n' ? 1U : 0U;
    } else if (c >= '0' && c <= '7') {
        unsigned value = 0;
        std::size_t digits = 0;
        while (digits < 3 && at < text.size() && text[at] >= '0' && text[at] <= '7') {
            value = value * 8 + static_cast<unsigned>(text[at] - '0');
            ++at;
            ++digits;
        }
        --at;
        bytes += static_cast<char>(value & 0xFFU);
    } else {
        bytes += c;
    }
}

std::string literal_bytes(std::string_view text) {
    std::string bytes;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\\' && at + 1 < text.size()) {
            ++at;
            append_escape(text, at, bytes);
        } else if (text[at] == '\r') {
            at += at + 1 < text.size() && text[at + 1] == '\n' ? 1U : 0U;
            bytes += '\n';
        } else {
            bytes += text[at];
        }
    }
    return bytes;
}

}  // namespace

std::size_t skip_space(std::string_view text, std::size_t at) noexcept {
    while (at < text.size()) {
        if (text[at] == '%') {
            at = std::min(text.find_first_of("\r\n", at), text.size());
        } else if (is_space(text[at])) {
            ++at;
        } else {
            break;
        }
    }
    return at;
}

std::optional<std::uint64_t> parse_digits(std::string_view text, std::size_t& at) noexcept {
    std::uint64_t value = 0;
    const char* const begin = text.data() + std::min(at, text.size());
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(begin, end, value);
    if (error != std::errc() || (stop != end && is_regular(*stop))) {
        return std::nullopt;
    }
    at += static_cast<std::size_t>(stop - begin);
    return value;
}

Result<Token> parse_value(std::string_view text, std::size_t at, std::uint64_t base) {
    return Walker(text, base).value(at);
}

Result<Dictionary> Dictionary::parse(std::string_view text, std::uint64_t base) {
    Dictionary dictionary;
    std::size_t at = skip_space(text, 0);
    if (text.substr(at, 2) != "<<") {
        return corrupt_at("no PDF dictionary", base + at);
    }
    at = skip_space(text, at + 2);
    while (text.substr(at, 2) != ">>") {
        const Token name = TRY(parse_value(text, at, base));
        if (name.kind != Kind::kName) {
            return corrupt_at("a PDF dictionary with a key that is no name", base + at);
        }
        const Token value = TRY(parse_value(text, name.end, base));
        dictionary.entries_.push_back(
            {.name = resolve_name(name.of(text)), .raw = name.of(text), .value = value.of(text)});
        at = skip_space(text, value.end);
    }
    return dictionary;
}

std::string_view Dictionary::find(std::string_view name) const noexcept {
    const auto row = std::ranges::find(entries_, name, &Entry::name);
    return row == entries_.end() || row->value == "null" ? std::string_view() : row->value;
}

Result<std::vector<std::string_view>> parse_array(std::string_view text, std::uint64_t base) {
    std::vector<std::string_view> values;
    if (!text.starts_with('[')) {
        return corrupt_at("no PDF array", base);
    }
    std::size_t at = skip_space(text, 1);
    while (at < text.size() && text[at] != ']') {
        if (values.size() >= limits::kPdfObjectsMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("a PDF array of more than {} values", limits::kPdfObjectsMax)};
        }
        const Token value = TRY(parse_value(text, at, base));
        values.push_back(value.of(text));
        at = skip_space(text, value.end);
    }
    return values;
}

std::optional<Reference> to_reference(std::string_view value) noexcept {
    std::size_t at = 0;
    if (reference_end(value, 0) != value.size()) {
        return std::nullopt;
    }
    const auto number = parse_digits(value, at);
    at = skip_space(value, at);
    const auto generation = parse_digits(value, at);
    if (!number || !generation || *number > UINT32_MAX || *generation > UINT16_MAX) {
        return std::nullopt;
    }
    return Reference{.number = static_cast<std::uint32_t>(*number),
                     .generation = static_cast<std::uint32_t>(*generation)};
}

std::optional<std::uint64_t> to_number(std::string_view value) noexcept {
    std::size_t at = 0;
    const auto number = parse_digits(value, at);
    return at == value.size() ? number : std::nullopt;
}

std::optional<std::string> to_name(std::string_view value) {
    return value.starts_with('/') ? std::optional(resolve_name(value)) : std::nullopt;
}

std::optional<std::string> to_string(std::string_view value) {
    if (value.size() >= 2 && value.front() == '(') {
        return literal_bytes(value.substr(1, value.size() - 2));
    }
    if (value.size() >= 2 && value.front() == '<' && value[1] != '<') {
        return hex_bytes(value.substr(1, value.size() - 2));
    }
    return std::nullopt;
}

std::string write_string(std::string_view bytes) {
    std::string out = "(";
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '(' || c == ')' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte >= 0x7F) {
            out += fmt::format("\\{:03o}", static_cast<unsigned>(byte));
        } else {
            out += c;
        }
    }
    return out + ")";
}

}  // namespace colophon::label::pdf
