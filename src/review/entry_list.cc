// SPDX-License-Identifier: Apache-2.0
#include "review/entry_list.h"

#include "core/json.h"
#include "core/result.h"
#include "core/utf8.h"
#include "fingerprint/pdq.h"
#include "review/entry.h"
#include "review/fold.h"
#include "review/picture_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

Result<std::string> string_of(const json::Value& value, std::string_view name) {
    const std::string* text = value.if_string();
    if (text == nullptr || text->size() > kEntryBytesMax) {
        return wrong(fmt::format("\"{}\" is no text", name));
    }
    return *text;
}

Result<bool> bool_of(const json::Value& value, std::string_view name) {
    const bool* flag = value.if_bool();
    if (flag == nullptr) {
        return wrong(fmt::format("\"{}\" is neither true nor false", name));
    }
    return *flag;
}

Result<std::vector<std::string>> strings_of(const json::Value& value, std::string_view name) {
    const json::Array* array = value.if_array();
    if (array == nullptr || array->size() > kContextPhrasesMax) {
        return wrong(
            fmt::format("\"{}\" is no list of at most {} phrases", name, kContextPhrasesMax));
    }
    std::vector<std::string> strings;
    for (const json::Value& each : *array) {
        strings.push_back(TRY(string_of(each, name)));
    }
    return strings;
}

Result<Decision> decision_of(const json::Value& value) {
    constexpr std::array kAll{Decision::kAllow, Decision::kFlag, Decision::kHold, Decision::kBlock};
    const std::string name = TRY(string_of(value, "action"));
    const auto* found = std::ranges::find(kAll, name, decision_name);
    if (found == kAll.end()) {
        return wrong("\"action\" is none of allow, flag, hold, block");
    }
    return *found;
}

Result<Folding> folding_of(const json::Value& value) {
    const auto folding = parse_folding(TRY(string_of(value, "folding")));
    if (!folding) {
        return wrong("\"folding\" is none of exact, plain, loose, sound");
    }
    return *folding;
}

Result<std::uint32_t> number_of(const json::Value& value, std::string_view name) {
    const auto number = value.as_uint();
    if (!number.ok() || *number > std::numeric_limits<std::uint16_t>::max()) {
        return wrong(fmt::format("\"{}\" is no number that can be", name));
    }
    return static_cast<std::uint32_t>(*number);
}

// True when the member was one of those that texts have.
Result<bool> set_text_member(const json::Member& member, Entry& entry) {
    const auto& [name, value] = member;
    if (name == "phrase") {
        entry.phrase = TRY(string_of(value, name));
    } else if (name == "folding") {
        entry.folding = TRY(folding_of(value));
    } else if (name == "with") {
        entry.with = TRY(strings_of(value, name));
    } else if (name == "without") {
        entry.without = TRY(strings_of(value, name));
    } else if (name == "within") {
        entry.within = TRY(number_of(value, name));
    } else if (name == "inside_words") {
        entry.inside_words = TRY(bool_of(value, name));
    } else if (name == "split") {
        entry.split = TRY(bool_of(value, name));
    } else if (name == "reply") {
        entry.reply = TRY(string_of(value, name));
    } else {
        return false;
    }
    return true;
}

Result<void> add_json_entry(std::string_view line, EntryList& list) {
    const json::Value value = TRY(json::parse(line, {.bytes_max = kEntryBytesMax}));
    const json::Object* object = value.if_object();
    if (object == nullptr) {
        return wrong("an entry is an object");
    }
    Entry text;
    PictureEntry picture;
    bool has_text = false;
    bool has_hash = false;
    bool has_distance = false;
    for (const json::Member& member : *object) {
        const auto& [name, content] = member;
        if (name == "id") {
            text.id = TRY(string_of(content, name));
        } else if (name == "category") {
            text.category = TRY(string_of(content, name));
        } else if (name == "action") {
            text.action = TRY(decision_of(content));
        } else if (name == "pdq") {
            has_hash = true;
            const std::string hex = TRY(string_of(content, name));
            picture.hash = TRY(fingerprint::parse_pdq_hex(hex));
        } else if (name == "distance") {
            has_distance = true;
            picture.distance = static_cast<int>(TRY(number_of(content, name)));
        } else if (TRY(set_text_member(member, text))) {
            has_text = true;
        } else {
            return wrong(fmt::format("\"{}\" is no member of an entry", name));
        }
    }
    if (text.id.empty() || text.category.empty()) {
        return wrong("an entry has an \"id\" and a \"category\"");
    }
    if (has_hash ? has_text : has_distance) {
        return wrong("an entry is of a \"phrase\" or of a \"pdq\", not of both");
    }
    if (has_hash) {
        picture.id = text.id;
        picture.category = text.category;
        picture.action = text.action;
        list.pictures.push_back(std::move(picture));
    } else {
        list.texts.push_back(std::move(text));
    }
    return {};
}

Result<void> add_line(std::string_view line, std::size_t number, EntryList& list) {
    if (line.size() > kEntryBytesMax || find_invalid_utf8(line)) {
        return wrong(fmt::format("no UTF-8 of at most {} bytes", kEntryBytesMax));
    }
    if (list.texts.size() + list.pictures.size() == kEntriesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a list has at most {} entries", kEntriesMax)};
    }
    if (line.starts_with('{')) {
        return add_json_entry(line, list);
    }
    list.texts.push_back(TRY(word_entry(line, number)));
    return {};
}

}  // namespace

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
