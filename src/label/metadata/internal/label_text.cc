// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/internal/label_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {
namespace {

constexpr std::string_view kBlank{" \t\r\n\0", 5};

// How often a brace that nothing closes may send the search back: prose has few, and each costs
// one pass over the text.
constexpr int kOpenBracesMax = 8;

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool names(std::string_view text, std::string_view lower_case_word) noexcept {
    const auto hit = std::ranges::search(text, lower_case_word, {}, lower);
    return !hit.empty();
}

// Fields that no other schema has, or, for the two-field labels of careless writers, the key AIGC
// together with Label.
bool names_tc260(std::string_view text) noexcept {
    constexpr std::array<std::string_view, 6> kFields{"contentproducer",   "produceid",
                                                      "contentpropagator", "propagateid",
                                                      "reservedcode1",     "reservedcode2"};
    if (std::ranges::any_of(kFields, [&](std::string_view field) { return names(text, field); })) {
        return true;
    }
    return names(text, "\"label\"") && names(text, "aigc") && !names(text, "serviceprovider") &&
           !names(text, "aigc_label_type");
}

// The size of the object that opens at text[0], braces in strings not counted; 0 when it does not
// end.
std::size_t object_size(std::string_view text) noexcept {
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            i += c == '\\' ? 1 : 0;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{') {
            ++depth;
        } else if (c == '}' && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

// Widens a span to the left over a key AIGC, a colon and blanks, as in the blob AIGC{...}.
std::size_t blob_start(std::string_view text, std::size_t brace) noexcept {
    std::size_t at = brace;
    while (at > 0 && (text[at - 1] == ':' || text[at - 1] == '=' || text[at - 1] == ' ')) {
        --at;
    }
    return text.substr(0, at).ends_with("AIGC") ? at - 4 : brace;
}

}  // namespace

std::vector<LabelSpan> find_tc260_labels(std::string_view text) {
    std::vector<LabelSpan> spans;
    const std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) {
        return spans;
    }
    const std::size_t end = text.find_last_not_of(kBlank) + 1;
    int open_braces = 0;
    std::size_t free_from = first;
    std::size_t at = text.find('{', first);
    while (at < end && open_braces <= kOpenBracesMax) {
        const std::size_t size = object_size(text.substr(at, end - at));
        const std::size_t start = std::max(blob_start(text, at), free_from);
        // An object that does not end is a broken label when nothing stands before it.
        const std::size_t stop = size != 0 ? at + size : (start == first ? end : at + 1);
        if (names_tc260(text.substr(start, stop - start))) {
            spans.push_back({start, stop - start});
            free_from = stop;
        }
        open_braces += size == 0 ? 1 : 0;
        at = text.find('{', stop);
    }
    return spans;
}

std::string without_tc260_labels(std::string_view text) {
    std::string left;
    std::size_t at = 0;
    for (const LabelSpan& span : find_tc260_labels(text)) {
        left += text.substr(at, span.offset - at);
        at = span.offset + span.size;
    }
    left += text.substr(at);
    return left.find_first_not_of(kBlank) == std::string::npos ? std::string() : left;
}

}  // namespace colophon::label
