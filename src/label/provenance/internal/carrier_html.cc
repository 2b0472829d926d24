// SPDX-License-Identifier: Apache-2.0
// HTML (C2PA 2.4, A.7): the store in base64 is the text of <script type="application/c2pa"> in the
// head. The whole element is left out of the hash. Works on bytes, like browsers: any encoding that
// keeps ASCII will do.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/internal/html_scan.h"
#include "label/internal/text_edit.h"
#include "label/provenance/carrier.h"
#include "label/provenance/internal/carriers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

using label::internal::HtmlKind;
using label::internal::HtmlScanner;
using label::internal::HtmlToken;
using label::internal::TextEdit;
using label::internal::TextRange;

constexpr std::string_view kType = "application/c2pa";
constexpr std::string_view kRelation = "c2pa-manifest";
constexpr std::string_view kOpen = "<script type=\"application/c2pa\">";
constexpr std::string_view kClose = "</script>";

// Elements that leave the parser in the head (WHATWG HTML, 13.2.6.4.4).
constexpr std::array<std::string_view, 13> kHeadElements{
    "html", "head",     "meta",     "title",    "link",    "script",  "style",
    "base", "noscript", "template", "noframes", "bgsound", "basefont"};

struct Element {
    TextRange range;  // from <script to the end of </script>
    TextRange text;
    bool closed = false;
};

struct Page {
    std::vector<Element> manifests;
    std::size_t head_end = 0;  // where the head ends: a new element goes before it
    std::string link;          // the first <link rel="c2pa-manifest">
};

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && label::internal::is_html_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && label::internal::is_html_space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

bool same_letters(std::string_view a, std::string_view lower) noexcept {
    return std::ranges::equal(a, lower, {}, [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
}

class HeadReader {
public:
    explicit HeadReader(std::string_view text)
        : text_(text), start_(text.starts_with("\xEF\xBB\xBF") ? 3 : 0) {}

    Page read() {
        HtmlScanner scanner(text_);
        page_.head_end = text_.size();
        while (scanner.next()) {
            const HtmlToken& token = scanner.token();
            if (!open_ && ends_head(token)) {
                page_.head_end = std::max(token.range.begin, start_);
                break;
            }
            take(token);
        }
        return std::move(page_);
    }

private:
    bool ends_head(const HtmlToken& token) {
        switch (token.kind) {
            case HtmlKind::kText:
                return templates_ == 0 &&
                       !trim(text_.substr(std::max(token.range.begin, start_),
                                          token.range.end - std::max(token.range.begin, start_)))
                            .empty();
            case HtmlKind::kEnd:
                templates_ -= token.name == "template" && templates_ > 0 ? 1U : 0U;
                return token.name == "head" && templates_ == 0;
            case HtmlKind::kStart:
                templates_ += token.name == "template" ? 1U : 0U;
                return templates_ == 0 &&
                       std::ranges::find(kHeadElements, token.name) == kHeadElements.end();
            case HtmlKind::kRawText:
            case HtmlKind::kComment:
            case HtmlKind::kDoctype:
                break;
        }
        return false;
    }

    void take(const HtmlToken& token) {
        if (open_) {
            Element& element = page_.manifests.back();
            element.range.end = token.range.end;
            if (token.kind == HtmlKind::kRawText) {
                element.text = token.range;
                return;
            }
            element.closed = token.kind == HtmlKind::kEnd;
            open_ = false;
            return;
        }
        if (token.kind != HtmlKind::kStart || templates_ > 0) {
            return;
        }
        if (token.name == "link" && page_.link.empty()) {
            take_link(token);
        }
        if (token.name != "script") {
            return;
        }
        const auto* type = label::internal::find_attribute(text_, token, "type");
        if (type != nullptr && same_letters(trim(cut(text_, type->value)), kType)) {
            page_.manifests.push_back(
                {.range = token.range, .text = {.begin = token.range.end, .end = token.range.end}});
            open_ = true;
        }
    }

    void take_link(const HtmlToken& token) {
        const auto* relation = label::internal::find_attribute(text_, token, "rel");
        const auto* address = label::internal::find_attribute(text_, token, "href");
        if (relation != nullptr && address != nullptr &&
            same_letters(trim(cut(text_, relation->value)), kRelation)) {
            page_.link = label::internal::decode_html(trim(cut(text_, address->value)),
                                                      label::internal::HtmlContext::kAttribute);
        }
    }

    std::string_view text_;
    std::size_t start_;
    Page page_;
    std::size_t templates_ = 0;
    bool open_ = false;  // inside a manifest's element
};

Result<Page> read_page(Bytes file) {
    const std::string_view text = as_text(file);
    if (text.size() > limits::kTextFileBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("HTML: a file of {} bytes; at most {} are read",
                                                    text.size(), limits::kTextFileBytesMax)};
    }
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
        return Error{ErrorCode::kUnsupported,
                     "HTML: the page is written in UTF-16; convert it to UTF-8 first"};
    }
    return HeadReader(text).read();
}

// Nobody signs the element, so there must be nothing to choose in it.
bool is_plain(std::string_view text, const Element& element) {
    const std::string_view open =
        cut(text, TextRange{.begin = element.range.begin, .end = element.text.begin});
    return (open == kOpen || open == "<script type='application/c2pa'>") &&
           cut(text, TextRange{.begin = element.text.end, .end = element.range.end}) == kClose;
}

}  // namespace

Result<std::optional<FoundStore>> find_in_html(Bytes file) {
    const std::string_view text = as_text(file);
    const Page page = TRY(read_page(file));
    if (page.manifests.empty()) {
        return std::optional<FoundStore>();
    }
    const Element& element = page.manifests.front();
    FoundStore found{.store = {},
                     .ranges = {{.offset = element.range.begin, .size = element.range.size()}},
                     .where = "html head script",
                     .problem = {},
                     .code = {}};
    auto store = from_base64(trim(cut(text, element.text)));
    if (page.manifests.size() > 1) {
        found.problem = "the page holds more than one manifest store";
        found.code = "manifest.html.multipleManifests";
    } else if (!element.closed || !store.ok()) {
        found.problem = "the manifest store of the page is no base64";
    } else if (!is_plain(text, element)) {
        found.problem = "there is more in the element of the manifest than the manifest";
    }
    if (store.ok()) {
        found.store = std::move(store).value();
    }
    return std::optional(std::move(found));
}

std::string link_in_html(Bytes file) {
    const auto page = read_page(file);
    return page.ok() ? page->link : std::string();
}

Result<Placement> place_in_html(Bytes file, Bytes store) {
    const Page page = TRY(read_page(file));
    const std::string element = fmt::format("{}{}{}", kOpen, to_base64(store), kClose);
    std::vector<TextEdit> edits;
    Placement placement;
    if (page.manifests.empty()) {
        edits.push_back(
            {.where = {.begin = page.head_end, .end = page.head_end}, .text = element + "\n"});
        placement.ranges = {{.offset = page.head_end, .size = element.size()}};
    } else {
        const Element& first = page.manifests.front();
        if (!first.closed) {
            return Error{ErrorCode::kCorrupt, "the script element of the manifest does not end"};
        }
        edits.push_back({.where = first.range, .text = element});
        placement.ranges = {{.offset = first.range.begin, .size = element.size()}};
        for (std::size_t i = 1; i < page.manifests.size(); ++i) {
            edits.push_back({.where = page.manifests[i].range, .text = {}});
        }
    }
    placement.splice = label::internal::splice_edits(file.size(), std::move(edits));
    if (page.manifests.empty() && page.head_end == file.size()) {
        // Behind a comment or an element that nobody closed it would be part of that.
        const auto found = TRY(find_in_html(apply_splice(file, placement.splice)));
        if (!found || found->ranges != placement.ranges) {
            return Error{ErrorCode::kUnsupported,
                         "the page ends inside of a comment or of its head"};
        }
    }
    return placement;
}

}  // namespace colophon::label::provenance::internal
