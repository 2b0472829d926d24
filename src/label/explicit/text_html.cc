// SPDX-License-Identifier: Apache-2.0
// The visible label of a page. It is one paragraph with its whole look in its style attribute, so
// that it survives copying, needs no style sheet, and takes nothing from the page around it: its
// own colours (contrast 15:1), size, direction and writing mode, so that pages that run from right
// to left or in vertical lines keep both their own flow and a legible label.

#include "core/bytes.h"
#include "core/result.h"
#include "label/explicit/internal/text_place.h"
#include "label/internal/html_scan.h"
#include "label/internal/text_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::label::internal {
namespace {

constexpr std::string_view kCommonStyle =
    "all:initial;display:block;writing-mode:inherit;text-orientation:upright;unicode-bidi:isolate;"
    "box-sizing:border-box;"
    "color:#1b1f24;background:#eef1f5;font:600 15px/1.5 system-ui,sans-serif;"
    "border:1px solid #57606a;border-radius:4px;";
constexpr std::string_view kBlockStyle =
    "inline-size:fit-content;max-inline-size:100%;block-size:fit-content;margin-block:8px;"
    "padding-inline:10px;padding-block:4px;text-align:start;overflow-wrap:anywhere;"
    "align-self:start;grid-column:1/-1";
constexpr std::string_view kCornerStyle =
    "position:absolute;inset-block-start:0;inset-inline-end:0;z-index:2147483647;"
    "padding-inline:8px;padding-block:2px";

std::string escape(std::string_view words) {
    std::string out;
    for (const char c : words) {
        if (c == '&') {
            out += "&amp;";
        } else if (c == '<') {
            out += "&lt;";
        } else if (c == '>') {
            out += "&gt;";
        } else {
            out += c;
        }
    }
    return out;
}

std::string lower_start(std::string_view text) {
    constexpr std::size_t kCharsetBytes = 1024;  // where browsers look for a declaration
    std::string out(text.substr(0, kCharsetBytes));
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// A page of ASCII that does not say it is UTF-8 may be shown in any encoding; there other
// characters are written as numeric references.
std::string page_text(std::string_view text, std::string_view words) {
    const bool utf8 = !is_ascii(text) || lower_start(text).find("utf-8") != std::string::npos;
    return utf8 ? escape(words) : encode_html(words);
}

std::string element(std::string_view text, std::string_view words, TextSpot spot) {
    const std::string_view language = is_ascii(words) ? "en" : "zh-Hans";
    // The corner is that of the page, so there the direction of the page decides.
    const bool corner = spot == TextSpot::kCorner;
    return fmt::format("<p class=\"aigc-label\" role=\"note\" lang=\"{}\"{} style=\"{}{}\">{}</p>",
                       language, corner ? "" : " dir=\"auto\"", kCommonStyle,
                       corner ? kCornerStyle : kBlockStyle, page_text(text, words));
}

constexpr std::array<std::string_view, 12> kHeadElements{"html", "head",     "title",    "meta",
                                                         "link", "style",    "script",   "base",
                                                         "body", "noscript", "template", "object"};

struct Page {
    std::optional<std::size_t> body_start;  // behind <body ...>
    std::optional<std::size_t> head_end;    // before the first token that is content
    std::optional<std::size_t> body_end;    // before the last </body>, else </html>
    bool frames = false;
    bool swallows_end = false;
};

bool is_blank(std::string_view text) {
    return std::ranges::all_of(text, is_html_space);
}

bool belongs_to_head(std::string_view text, const HtmlToken& token) {
    switch (token.kind) {
        case HtmlKind::kText:
            return is_blank(cut(text, token.range));
        case HtmlKind::kStart:
        case HtmlKind::kEnd:
            return std::ranges::find(kHeadElements, token.name) != kHeadElements.end();
        case HtmlKind::kRawText:
        case HtmlKind::kComment:
        case HtmlKind::kDoctype:
            return true;
    }
    return false;
}

bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// What the end of the file cuts off would swallow a label behind it.
bool is_unfinished(std::string_view text, const HtmlToken& token) {
    if (token.range.end != text.size()) {
        return false;
    }
    constexpr std::array<std::string_view, 9> kRawElements{"script",   "style",    "title",
                                                           "textarea", "xmp",      "iframe",
                                                           "noembed",  "noframes", "plaintext"};
    if (token.kind == HtmlKind::kStart) {
        return std::ranges::find(kRawElements, token.name) != kRawElements.end();
    }
    const bool markup = token.kind == HtmlKind::kComment || token.kind == HtmlKind::kDoctype;
    // A tag stands for a comment only where the file ends inside it; it may end with a '>' in
    // quotes.
    const std::string_view whole = cut(text, token.range);
    const std::size_t name = whole.starts_with("</") ? 2 : 1;
    if (token.kind == HtmlKind::kComment && name < whole.size() && is_letter(whole[name])) {
        return true;
    }
    if (markup && whole.starts_with("<!--")) {
        return !text.ends_with("-->") && !text.ends_with("--!>");
    }
    return token.kind == HtmlKind::kRawText || (markup && !text.ends_with('>'));
}

Page read_page(std::string_view text) {
    Page page;
    std::optional<std::size_t> html_end;
    bool in_body_end = false;
    HtmlScanner scanner(text);
    while (scanner.next()) {
        const HtmlToken& token = scanner.token();
        if (!page.head_end && !belongs_to_head(text, token)) {
            page.head_end = token.range.begin;
            page.frames = token.kind == HtmlKind::kStart && token.name == "frameset";
        }
        if (token.kind == HtmlKind::kStart && token.name == "body" && !page.body_start) {
            page.body_start = token.range.end;
        }
        if (token.kind == HtmlKind::kEnd && token.name == "body") {
            page.body_end = token.range.begin;
            in_body_end = true;
        }
        if (token.kind == HtmlKind::kEnd && token.name == "html") {
            html_end = token.range.begin;
        }
        page.swallows_end = is_unfinished(text, token);
    }
    if (!in_body_end) {
        page.body_end = html_end;
    }
    return page;
}

}  // namespace

Result<TextInsert> html_insert(std::string_view text, std::string_view words, TextSpot spot) {
    const Page page = read_page(text);
    if (page.frames) {
        return Error{ErrorCode::kUnsupported,
                     "a page of frames has no text of its own; label the pages in its frames"};
    }
    const bool at_end = spot == TextSpot::kEnd;
    const std::size_t at = at_end ? page.body_end.value_or(text.size())
                                  : page.body_start.value_or(page.head_end.value_or(text.size()));
    if (at == text.size() && page.swallows_end) {
        return corrupt_at("the page ends inside a tag, a script, a style or a comment", at);
    }
    const std::string core = element(text, words, spot);
    return TextInsert{.at = at, .text = core + "\n", .core = at_end ? core + "\n" : core};
}

}  // namespace colophon::label::internal
