// SPDX-License-Identifier: Apache-2.0
// The label of a page: <meta name="AIGC" content="..."> in its head. The guide for texts names no
// place for HTML; this is the one that is in use [GB45438-6.1].
//
// Works on bytes, in any encoding that keeps ASCII: what is written is ASCII only, with numeric
// references for the rest.

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/finding.h"
#include "label/internal/html_scan.h"
#include "label/internal/text_edit.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/containers.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

// Elements that leave the parser in the head; any other start tag opens the body (WHATWG HTML,
// 13.2.6.4.4).
constexpr std::array<std::string_view, 13> kHeadElements{
    "html", "head",     "meta",     "title",    "link",    "script",  "style",
    "base", "noscript", "template", "noframes", "bgsound", "basefont"};

struct MetaSite {
    TextRange range;                  // the whole tag
    std::optional<TextRange> quoted;  // the place of its value, when that is in quotes
    std::string value;
    bool in_head = false;
};

// Where a new tag may go, the best one last.
enum class Anchor : std::uint8_t { kStart, kDoctype, kHtml, kHead, kCharset };

struct Page {
    std::vector<MetaSite> sites;
    Anchor anchor = Anchor::kStart;
    TextRange anchor_range;   // the tag behind which a new one goes
    bool xml_syntax = false;  // void elements are written with "/>"
};

// Reads the tokens of one page and remembers what matters.
class PageReader {
public:
    explicit PageReader(std::string_view text) : text_(text) {
        const std::size_t begin = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
        page_.anchor_range = {.begin = begin, .end = begin};
        page_.xml_syntax = text.substr(begin).starts_with("<?xml");
    }

    Result<Page> read();

private:
    Result<void> take(const HtmlToken& token);
    Result<void> start_tag(const HtmlToken& token);
    Result<void> meta_tag(const HtmlToken& token);
    void offer(Anchor anchor, const HtmlToken& token);
    std::string attribute(const HtmlToken& token, std::string_view name) const;

    std::string_view text_;
    Page page_;
    bool in_head_ = true;
    std::size_t templates_ = 0;  // what stands in a template is not part of the page
};

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && is_html_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_html_space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

Result<Page> PageReader::read() {
    HtmlScanner scanner(text_);
    while (scanner.next()) {
        TRY(take(scanner.token()));
    }
    return std::move(page_);
}

Result<void> PageReader::take(const HtmlToken& token) {
    switch (token.kind) {
        case HtmlKind::kDoctype:
            offer(Anchor::kDoctype, token);
            page_.xml_syntax =
                page_.xml_syntax ||
                lower(std::string(cut(text_, token.range).substr(0, 256))).find("xhtml") !=
                    std::string::npos;
            break;
        case HtmlKind::kText:
            in_head_ = in_head_ && trim(cut(text_, token.range)).empty();
            break;
        case HtmlKind::kEnd:
            in_head_ = in_head_ && token.name != "head";
            templates_ -= token.name == "template" && templates_ > 0 ? 1U : 0U;
            break;
        case HtmlKind::kStart:
            return start_tag(token);
        case HtmlKind::kRawText:
        case HtmlKind::kComment:
            break;
    }
    return {};
}

Result<void> PageReader::start_tag(const HtmlToken& token) {
    const bool belongs_to_head =
        std::ranges::find(kHeadElements, token.name) != kHeadElements.end();
    in_head_ = in_head_ && (belongs_to_head || templates_ > 0);
    if (token.name == "html") {
        offer(Anchor::kHtml, token);
    } else if (token.name == "head") {
        offer(Anchor::kHead, token);
    } else if (token.name == "template") {
        ++templates_;
    }
    if (token.name == "meta" && templates_ == 0) {
        return meta_tag(token);
    }
    return {};
}

Result<void> PageReader::meta_tag(const HtmlToken& token) {
    const bool names_charset = find_attribute(text_, token, "charset") != nullptr ||
                               lower(attribute(token, "http-equiv")) == "content-type";
    if (names_charset) {
        offer(Anchor::kCharset, token);
    }
    page_.xml_syntax = page_.xml_syntax || token.self_closing;
    const std::string name = lower(attribute(token, "name"));
    const std::string property = lower(attribute(token, "property"));
    if (trim(name) != "aigc" && trim(property) != "aigc" && trim(name) != "tc260:aigc") {
        return {};
    }
    const HtmlAttribute* content = find_attribute(text_, token, "content");
    if (content != nullptr && content->value.size() > limits::kLabelBytesMax) {
        return Error{ErrorCode::kLimit, "HTML: a label of more than " +
                                            std::to_string(limits::kLabelBytesMax) +
                                            " bytes at byte " + std::to_string(token.range.begin)};
    }
    MetaSite site{.range = token.range, .quoted = {}, .value = {}, .in_head = in_head_};
    if (content != nullptr) {
        const std::string value = decode_html(cut(text_, content->value), HtmlContext::kAttribute);
        site.value = std::string(trim(value));
        site.quoted = content->quote != 0 ? std::optional(content->value) : std::nullopt;
    }
    page_.sites.push_back(std::move(site));
    if (page_.sites.size() > limits::kXmpPropertiesMax) {
        return Error{
            ErrorCode::kLimit,
            "HTML: more than " + std::to_string(limits::kXmpPropertiesMax) + " labels in one page"};
    }
    return {};
}

void PageReader::offer(Anchor anchor, const HtmlToken& token) {
    const bool whole = text_[token.range.end - 1] == '>';  // a last tag may be cut off
    if (in_head_ && templates_ == 0 && whole && anchor > page_.anchor) {
        page_.anchor = anchor;
        page_.anchor_range = token.range;
    }
}

std::string PageReader::attribute(const HtmlToken& token, std::string_view name) const {
    const HtmlAttribute* found = find_attribute(text_, token, name);
    constexpr std::size_t kNameBytesMax = 256;
    return found == nullptr ? std::string{}
                            : decode_html(cut(text_, found->value).substr(0, kNameBytesMax),
                                          HtmlContext::kAttribute);
}

Result<Page> read_page(Bytes file) {
    const std::string_view text = as_text(file);
    if (text.size() > limits::kTextFileBytesMax) {
        return Error{ErrorCode::kLimit,
                     "HTML: a file of " + std::to_string(text.size()) + " bytes; at most " +
                         std::to_string(limits::kTextFileBytesMax) + " are read"};
    }
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
        return Error{ErrorCode::kUnsupported,
                     "HTML: the page is written in UTF-16; convert it to UTF-8 first"};
    }
    return PageReader(text).read();
}

std::string meta_tag_text(std::string_view value, bool xml_syntax) {
    return "<meta name=\"AIGC\" content=\"" + encode_html(value) + (xml_syntax ? "\" />" : "\">");
}

// Takes a tag away with the white space before it. Where that would join two texts, which might
// become a word, a reference or even a tag ("<" and "b>"), an empty comment stays between them.
// `removed_to`: the end of the tag that was taken away before this one.
TextEdit removal(std::string_view text, TextRange range, std::size_t removed_to) {
    if (range.end == text.size() || is_html_space(text[range.end])) {
        while (range.begin > removed_to && is_html_space(text[range.begin - 1])) {
            --range.begin;
        }
        return {.where = range, .text = {}};
    }
    const char before = range.begin == 0 ? ' ' : text[range.begin - 1];
    const bool apart = is_html_space(before) || (before == '>' && range.begin != removed_to);
    return {.where = range, .text = apart ? "" : "<!---->"};
}

// What stands between the anchor and a tag of ours: behind <head> the white space that follows it,
// behind <meta charset> that which leads it. A one-line page stays on one line.
std::string_view indentation(std::string_view text, const Page& page) {
    std::size_t begin = page.anchor_range.end;
    std::size_t end = begin;
    if (page.anchor == Anchor::kCharset) {
        begin = end = page.anchor_range.begin;
        while (begin > 0 && is_html_space(text[begin - 1])) {
            --begin;
        }
    } else {
        while (end < text.size() && is_html_space(text[end])) {
            ++end;
        }
    }
    std::string_view space = text.substr(begin, end - begin);
    // Of several empty lines, the last line break and what follows it.
    const std::size_t line = space.rfind('\n');
    if (line == std::string_view::npos || space.size() - line > 128) {
        return {};
    }
    const bool two = line > 0 && space[line - 1] == '\r';
    return space.substr(line - (two ? 1U : 0U));
}

TextEdit new_tag(std::string_view text, const Page& page, std::string_view value) {
    const std::string tag = meta_tag_text(value, page.xml_syntax);
    const std::size_t at = page.anchor_range.end;
    if (page.anchor == Anchor::kStart) {
        return {.where = {.begin = at, .end = at}, .text = tag + "\n"};
    }
    return {.where = {.begin = at, .end = at}, .text = std::string(indentation(text, page)) + tag};
}

}  // namespace

// [GB45438-6.1]
Result<MetadataReading> read_html(Bytes file) {
    Page page = TRY(read_page(file));
    MetadataReading reading;
    for (MetaSite& site : page.sites) {
        if (reading.sites.size() == limits::kLabelSitesMax) {
            warn(reading.findings, "metadata.too_many",
                 "more than " + std::to_string(limits::kLabelSitesMax) + " labels in one file");
            break;
        }
        reading.sites.push_back({.where = site.in_head ? "html head meta" : "html body meta",
                                 .value = std::move(site.value),
                                 .offset = site.range.begin,
                                 .standard_place = site.in_head});
    }
    return reading;
}

Result<Splice> write_html(Bytes file, const MetadataFields& fields) {
    if (fields.aigc.empty()) {
        return Error{ErrorCode::kInvalidArgument, "there is no label to write"};
    }
    const std::string_view text = as_text(file);
    const Page page = TRY(read_page(file));
    const auto kept = std::ranges::find(page.sites, true, &MetaSite::in_head);
    std::vector<TextEdit> edits;
    std::size_t removed_to = 0;
    for (auto site = page.sites.begin(); site != page.sites.end(); ++site) {
        if (site != kept) {
            edits.push_back(removal(text, site->range, removed_to));
            removed_to = site->range.end;
        } else if (site->value != fields.aigc && site->quoted) {
            edits.push_back({.where = *site->quoted, .text = encode_html(fields.aigc)});
        } else if (site->value != fields.aigc) {
            edits.push_back(
                {.where = site->range, .text = meta_tag_text(fields.aigc, page.xml_syntax)});
        }
    }
    if (kept == page.sites.end()) {
        edits.push_back(new_tag(text, page, fields.aigc));
    }
    return splice_edits(text.size(), std::move(edits));
}

}  // namespace colophon::label::internal
