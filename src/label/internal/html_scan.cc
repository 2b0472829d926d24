// SPDX-License-Identifier: Apache-2.0
#include "label/internal/html_scan.h"

#include "core/limits.h"
#include "core/utf8.h"
#include "label/internal/text_edit.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::label::internal {
namespace {

bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_letter_or_digit(char c) noexcept {
    return is_letter(c) || (c >= '0' && c <= '9');
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view text, std::string_view lower_name) noexcept {
    return std::ranges::equal(text, lower_name, {}, lower);
}

bool starts_with_name(std::string_view text, std::string_view lower_name) noexcept {
    return same_name(text.substr(0, lower_name.size()), lower_name);
}

// Elements whose content is no markup (plaintext even to the end of the file).
constexpr std::array<std::string_view, 9> kRawElements{
    "script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes", "plaintext"};

struct Name {
    std::string_view name;
    char32_t character;
    bool bare;  // also without a semicolon, as old pages have it
};
constexpr std::array kNames{
    Name{"quot", U'"', true},        Name{"amp", U'&', true},
    Name{"lt", U'<', true},          Name{"gt", U'>', true},
    Name{"apos", U'\'', false},      Name{"nbsp", U'\u00A0', true},
    Name{"copy", U'\u00A9', true},   Name{"middot", U'\u00B7', true},
    Name{"times", U'\u00D7', true},  Name{"ensp", U'\u2002', false},
    Name{"emsp", U'\u2003', false},  Name{"ndash", U'\u2013', false},
    Name{"mdash", U'\u2014', false}, Name{"lsquo", U'\u2018', false},
    Name{"rsquo", U'\u2019', false}, Name{"ldquo", U'\u201C', false},
    Name{"rdquo", U'\u201D', false}, Name{"hellip", U'\u2026', false},
};

// &#128; to &#159; mean Windows-1252 (WHATWG HTML, 13.2.5.80).
constexpr std::array<char32_t, 32> kWindows1252{
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

struct Reference {
    char32_t value;
    std::size_t size;  // with '&' and ';'
};

std::optional<unsigned> digit_of(char c, unsigned base) noexcept {
    const char small = lower(c);
    if (small >= '0' && small <= '9') {
        return static_cast<unsigned>(small - '0');
    }
    if (base == 16 && small >= 'a' && small <= 'f') {
        return static_cast<unsigned>(small - 'a') + 10;
    }
    return std::nullopt;
}

// `text` starts with "&#".
std::optional<Reference> numeric_reference(std::string_view text) noexcept {
    std::size_t at = 2;
    const unsigned base = at < text.size() && lower(text[at]) == 'x' ? 16 : 10;
    at += base == 16 ? 1U : 0U;
    const std::size_t first = at;
    std::uint64_t value = 0;
    for (; at < text.size(); ++at) {
        const auto digit = digit_of(text[at], base);
        if (!digit) {
            break;
        }
        value = std::min<std::uint64_t>(value * base + *digit, 0x110000);
    }
    if (at == first) {
        return std::nullopt;
    }
    at += at < text.size() && text[at] == ';' ? 1U : 0U;
    auto character = static_cast<char32_t>(value);
    if (value >= 0x80 && value < 0xA0) {
        character = kWindows1252[value - 0x80];
    } else if (value == 0) {
        character = U'\uFFFD';
    }
    return Reference{.value = character, .size = at};
}

// `text` starts with "&".
std::optional<Reference> named_reference(std::string_view text, HtmlContext context) noexcept {
    for (const Name& name : kNames) {
        if (!text.substr(1).starts_with(name.name)) {
            continue;
        }
        const std::size_t end = 1 + name.name.size();
        const char behind = end < text.size() ? text[end] : '\0';
        if (behind == ';') {
            return Reference{.value = name.character, .size = end + 1};
        }
        // href="?a=1&copy=2" must keep its "&copy" (WHATWG HTML, 13.2.5.73).
        const bool part_of_word = is_letter_or_digit(behind) || behind == '=';
        if (name.bare && !(context == HtmlContext::kAttribute && part_of_word)) {
            return Reference{.value = name.character, .size = end};
        }
    }
    return std::nullopt;
}

}  // namespace

HtmlScanner::HtmlScanner(std::string_view text) noexcept : text_(text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    at_ = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
}

bool HtmlScanner::next() {
    token_.attributes.clear();
    token_.name.clear();
    token_.self_closing = false;
    if (!raw_element_.empty()) {
        scan_raw_text();
        if (token_.range.size() != 0) {
            return true;
        }
        token_.name.clear();
    }
    if (at_ >= text_.size()) {
        return false;
    }
    if (!scan_markup()) {
        scan_text();
    }
    return true;
}

// False when the '<' here, if there is one, is just a character.
bool HtmlScanner::scan_markup() {
    if (peek(0) != '<') {
        return false;
    }
    const char second = peek(1);
    if (is_letter(second) || (second == '/' && is_letter(peek(2)))) {
        scan_tag();
        return true;
    }
    if (text_.substr(at_).starts_with("<!--")) {
        scan_comment();
        return true;
    }
    if (second == '!' || second == '?' || (second == '/' && at_ + 2 < text_.size())) {
        const bool doctype = starts_with_name(text_.substr(at_), "<!doctype");
        scan_bogus(doctype ? HtmlKind::kDoctype : HtmlKind::kComment);
        return true;
    }
    return false;
}

void HtmlScanner::finish(HtmlKind kind, std::size_t begin, std::size_t end) {
    token_.kind = kind;
    token_.range = {.begin = begin, .end = end};
    at_ = end;
}

// Up to the next '<' that starts markup; others belong to the text.
void HtmlScanner::scan_text() {
    const std::size_t begin = at_;
    std::size_t end = text_.find('<', begin + 1);
    while (end < text_.size()) {
        const char second = end + 1 < text_.size() ? text_[end + 1] : '\0';
        if (is_letter(second) || second == '/' || second == '!' || second == '?') {
            break;
        }
        end = text_.find('<', end + 1);
    }
    finish(HtmlKind::kText, begin, std::min(end, text_.size()));
}

// "-->" and "--!>" end a comment; "<!-->" and "<!--->" are whole ones.
void HtmlScanner::scan_comment() {
    const std::size_t begin = at_;
    const std::string_view rest = text_.substr(begin);
    if (rest.starts_with("<!-->") || rest.starts_with("<!--->")) {
        finish(HtmlKind::kComment, begin, text_.find('>', begin) + 1);
        return;
    }
    for (std::size_t at = text_.find("--", begin + 4); at != std::string_view::npos;
         at = text_.find("--", at + 1)) {
        const std::string_view behind = text_.substr(at + 2);
        if (behind.starts_with('>') || behind.starts_with("!>")) {
            finish(HtmlKind::kComment, begin, at + (behind.front() == '>' ? 3U : 4U));
            return;
        }
    }
    finish(HtmlKind::kComment, begin, text_.size());
}

void HtmlScanner::scan_bogus(HtmlKind kind) {
    const std::size_t close = text_.find('>', at_);
    finish(kind, at_, close == std::string_view::npos ? text_.size() : close + 1);
}

void HtmlScanner::scan_tag() {
    const std::size_t begin = at_;
    const bool end_tag = peek(1) == '/';
    at_ += end_tag ? 2U : 1U;
    while (at_ < text_.size() && !is_html_space(text_[at_]) && text_[at_] != '/' &&
           text_[at_] != '>') {
        token_.name += lower(text_[at_++]);
    }
    while (at_ < text_.size() && text_[at_] != '>') {
        const char c = text_[at_];
        if (is_html_space(c) || c == '/') {
            token_.self_closing = c == '/' && peek(1) == '>';
            ++at_;
            continue;
        }
        scan_attribute();
    }
    if (at_ >= text_.size()) {  // the end of the file inside a tag: browsers drop it
        token_.name.clear();
        token_.attributes.clear();
        finish(HtmlKind::kComment, begin, text_.size());
        return;
    }
    finish(end_tag ? HtmlKind::kEnd : HtmlKind::kStart, begin, at_ + 1);
    if (!end_tag && std::ranges::find(kRawElements, token_.name) != kRawElements.end()) {
        raw_element_ = token_.name;
    }
}

void HtmlScanner::scan_attribute() {
    HtmlAttribute attribute;
    attribute.name.begin = at_;
    ++at_;  // a '=' at the start belongs to the name
    while (at_ < text_.size() && !is_html_space(text_[at_]) && text_[at_] != '/' &&
           text_[at_] != '>' && text_[at_] != '=') {
        ++at_;
    }
    attribute.name.end = at_;
    attribute.range = attribute.name;
    attribute.value = {.begin = at_, .end = at_};
    std::size_t sign = at_;
    while (sign < text_.size() && is_html_space(text_[sign])) {
        ++sign;
    }
    if (sign < text_.size() && text_[sign] == '=') {
        ++sign;
        while (sign < text_.size() && is_html_space(text_[sign])) {
            ++sign;
        }
        at_ = sign;
        const char quote = peek(0);
        if (quote == '"' || quote == '\'') {
            const std::size_t close = std::min(text_.find(quote, at_ + 1), text_.size());
            attribute.value = {.begin = at_ + 1, .end = close};
            attribute.quote = quote;
            at_ = std::min(close + 1, text_.size());
        } else {
            while (at_ < text_.size() && !is_html_space(text_[at_]) && text_[at_] != '>') {
                ++at_;
            }
            attribute.value = {.begin = sign, .end = at_};
        }
        attribute.range.end = at_;
    }
    if (token_.attributes.size() < limits::kXmlAttributesMax) {
        token_.attributes.push_back(attribute);
    }
}

void HtmlScanner::scan_raw_text() {
    const std::size_t end = raw_text_end();
    token_.name = raw_element_;
    raw_element_.clear();
    finish(HtmlKind::kRawText, at_, end);
}

bool HtmlScanner::ends_raw_text(std::size_t at, std::string_view name) const {
    const std::string_view rest = text_.substr(at);
    if (!rest.starts_with("</") || !starts_with_name(rest.substr(2), name) ||
        rest.size() <= 2 + name.size()) {
        return false;
    }
    const char behind = rest[2 + name.size()];
    return is_html_space(behind) || behind == '/' || behind == '>';
}

// A script may hold <!-- <script> </script> -->, whose inner end tag does not end it
// (WHATWG HTML, 13.2.5.20, "script data double escaped").
std::size_t HtmlScanner::raw_text_end() const {
    if (raw_element_ == "plaintext") {
        return text_.size();
    }
    const bool script = raw_element_ == "script";
    bool escaped = false;
    bool doubly = false;
    for (std::size_t at = text_.find_first_of("<-", at_); at != std::string_view::npos;
         at = text_.find_first_of("<-", at + 1)) {
        const std::string_view rest = text_.substr(at);
        if (script && rest.starts_with("-->")) {
            escaped = doubly = false;
        } else if (script && rest.starts_with("<!--")) {
            escaped = true;
        } else if (ends_raw_text(at, raw_element_)) {
            if (!doubly) {
                return at;
            }
            doubly = false;
        } else if (escaped && starts_with_name(rest, "<script") && rest.size() > 7 &&
                   (is_html_space(rest[7]) || rest[7] == '/' || rest[7] == '>')) {
            doubly = true;
        }
    }
    return text_.size();
}

const HtmlAttribute* find_attribute(std::string_view text, const HtmlToken& token,
                                    std::string_view name) {
    const auto found = std::ranges::find_if(token.attributes, [&](const HtmlAttribute& attribute) {
        return same_name(cut(text, attribute.name), name);
    });
    return found == token.attributes.end() ? nullptr : &*found;
}

std::string decode_html(std::string_view raw, HtmlContext context) {
    std::string out;
    out.reserve(raw.size());
    for (std::size_t at = 0; at < raw.size();) {
        std::optional<Reference> reference;
        if (raw[at] == '&') {
            const std::string_view rest = raw.substr(at);
            reference =
                rest.starts_with("&#") ? numeric_reference(rest) : named_reference(rest, context);
        }
        if (reference) {
            append_utf8(out, reference->value);
            at += reference->size;
        } else {
            out += raw[at++];
        }
    }
    return out;
}

std::string encode_html(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 4);
    for (std::size_t at = 0; at < text.size();) {
        const auto character = next_code_point(text, at);
        if (!character) {
            out += "&#65533;";
            ++at;
        } else if (*character == U'&') {
            out += "&amp;";
        } else if (*character == U'<') {
            out += "&lt;";
        } else if (*character == U'>') {
            out += "&gt;";
        } else if (*character == U'"') {
            out += "&quot;";
        } else if (*character >= 0x80 || *character < 0x20 || *character == U'\'') {
            out += "&#" + std::to_string(static_cast<std::uint32_t>(*character)) + ";";
        } else {
            out += static_cast<char>(*character);
        }
    }
    return out;
}

}  // namespace colophon::label::internal
