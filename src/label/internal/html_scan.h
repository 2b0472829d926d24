// SPDX-License-Identifier: Apache-2.0
#pragma once

// A pull scanner for HTML as browsers read it (WHATWG HTML, 13.2.5, the parts that decide where a
// tag is one): any input has a reading, nothing is an error. It knows comments, document types, raw
// text elements (script, style, title, textarea, ...) and attributes with their places; it builds
// no tree. Works on bytes, so any encoding that keeps ASCII (UTF-8, GB 18030, ISO-8859) will do.
//
// Left out on purpose: foreign content (inside <svg> the names title and style also start raw text
// here) and most named character references (decode_html knows the common ones).

#include "label/internal/text_edit.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::internal {

enum class HtmlKind : std::uint8_t {
    kText,     // character data; references are not yet resolved
    kRawText,  // what stands inside script, style, title, textarea, ...; `name` says which
    kStart,
    kEnd,
    kComment,  // also <! and <? up to >, and a tag that the end of the file cuts off
    kDoctype,
};

struct HtmlAttribute {
    TextRange name;
    TextRange value;  // without quotes; empty when there is none
    TextRange range;  // from the name to the closing quote
    char quote = 0;   // 0: unquoted, or no value
};

struct HtmlToken {
    HtmlKind kind = HtmlKind::kText;
    TextRange range;
    std::string name;  // of an element, in lower case
    std::vector<HtmlAttribute> attributes;
    bool self_closing = false;  // written with "/>"
};

class HtmlScanner {
public:
    // `text` must outlive the scanner. Linear in its size.
    explicit HtmlScanner(std::string_view text) noexcept;

    bool next();  // false at the end
    const HtmlToken& token() const noexcept { return token_; }

private:
    bool scan_markup();
    void scan_text();
    void scan_comment();
    void scan_bogus(HtmlKind kind);
    void scan_tag();
    void scan_attribute();
    void scan_raw_text();
    std::size_t raw_text_end() const;
    bool ends_raw_text(std::size_t at, std::string_view name) const;
    void finish(HtmlKind kind, std::size_t begin, std::size_t end);
    char peek(std::size_t ahead) const noexcept {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string raw_element_;  // not empty: what follows is its raw text
    HtmlToken token_;
};

// The first attribute of that name (lower case); nullptr when there is none.
const HtmlAttribute* find_attribute(std::string_view text, const HtmlToken& token,
                                    std::string_view name);

enum class HtmlContext : std::uint8_t { kText, kAttribute };

// Character references resolved: numeric ones and the common names. Others stay as written.
std::string decode_html(std::string_view raw, HtmlContext context);

// For an attribute value in double or single quotes. Pure ASCII, so that it means the same in every
// encoding of the page: other characters become numeric references.
std::string encode_html(std::string_view text);

inline bool is_html_space(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

}  // namespace colophon::label::internal
