// SPDX-License-Identifier: Apache-2.0
#include "review/word_list.h"

#include "core/result.h"
#include "core/utf8.h"
#include "review/entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == '\r' || text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    return text;
}

}  // namespace

Result<std::vector<Entry>> parse_word_list(std::string_view text) {
    std::vector<Entry> entries;
    std::size_t number = 0;
    while (!text.empty()) {
        ++number;
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.starts_with('#')) {
            continue;
        }
        const std::size_t tab = line.find('\t');
        const std::string_view category =
            tab == std::string_view::npos ? "word" : trimmed(line.substr(0, tab));
        const std::string_view word =
            tab == std::string_view::npos ? line : trimmed(line.substr(tab + 1));
        if (word.empty() || word.size() > kPhraseBytesMax || category.empty() ||
            category.size() > kPhraseBytesMax || find_invalid_utf8(line)) {
            return Error{
                ErrorCode::kInvalidArgument,
                fmt::format("line {} of the word list is no word of 1 to {} bytes of UTF-8", number,
                            kPhraseBytesMax)};
        }
        if (entries.size() == kEntriesMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("a word list has at most {} words", kEntriesMax)};
        }
        Entry entry;
        entry.id = fmt::format("words/{}", number);
        entry.category = category;
        entry.phrase = word;
        entries.push_back(std::move(entry));
    }
    return entries;
}

}  // namespace colophon::review
