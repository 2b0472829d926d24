// SPDX-License-Identifier: Apache-2.0
#include "review/entry_list.h"

#include "core/json.h"
#include "core/result.h"
#include "core/utf8.h"
#include "review/entry.h"
#include "review/entry_json.h"
#include "review/picture_list.h"
#include "review/sound_list.h"
#include "review/video_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace colophon::review {
namespace {

Error wrong(std::string_view what) {
    return {ErrorCode::kInvalidArgument, std::string(what)};
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == '\r' || text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    return text;
}

Result<Entry> word_entry(std::string_view line, std::size_t number) {
    const std::size_t tab = line.find('\t');
    const bool bare = tab == std::string_view::npos;
    Entry entry;
    entry.id = fmt::format("words/{}", number);
    entry.category = bare ? "word" : trimmed(line.substr(0, tab));
    entry.phrase = bare ? line : trimmed(line.substr(tab + 1));
    if (entry.phrase.empty() || entry.phrase.size() > kPhraseBytesMax || entry.category.empty() ||
        entry.category.size() > kPhraseBytesMax) {
        return wrong(fmt::format("no word of 1 to {} bytes of UTF-8", kPhraseBytesMax));
    }
    return entry;
}

Result<void> add_line(std::string_view line, std::size_t number, EntryList& list) {
    if (line.size() > kLineBytesMax || find_invalid_utf8(line)) {
        return wrong(fmt::format("no UTF-8 of at most {} bytes", kLineBytesMax));
    }
    if (list.size() == kEntriesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a list has at most {} entries", kEntriesMax)};
    }
    if (line.starts_with('{')) {
        const json::Value value = TRY(json::parse(line, {.bytes_max = kLineBytesMax}));
        add_entry(TRY(read_entry(value)), list);
        return {};
    }
    list.texts.push_back(TRY(word_entry(line, number)));
    return {};
}

}  // namespace

void add_entry(AnyEntry entry, EntryList& list) {
    if (auto* text = std::get_if<Entry>(&entry)) {
        list.texts.push_back(std::move(*text));
    } else if (auto* picture = std::get_if<PictureEntry>(&entry)) {
        list.pictures.push_back(std::move(*picture));
    } else if (auto* sound = std::get_if<SoundEntry>(&entry)) {
        list.sounds.push_back(std::move(*sound));
    } else {
        list.videos.push_back(std::move(std::get<VideoEntry>(entry)));
    }
}

Result<EntryList> parse_entry_list(std::string_view text) {
    EntryList list;
    std::size_t number = 0;
    while (!text.empty()) {
        ++number;
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.starts_with('#')) {
            continue;
        }
        const auto added = add_line(line, number, list);
        if (!added.ok()) {
            return Error{added.error().code,
                         fmt::format("line {}: {}", number, added.error().what)};
        }
    }
    return list;
}

}  // namespace colophon::review
