// SPDX-License-Identifier: Apache-2.0
#include "review/list_formats.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "core/utf8.h"
#include "fingerprint/pdq.h"
#include "review/entry.h"
#include "review/entry_json.h"
#include "review/entry_list.h"
#include "review/internal/csv.h"
#include "review/library.h"
#include "review/matcher.h"
#include "review/picture_list.h"
#include "review/sound_list.h"
#include "review/video_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::review {
namespace {

constexpr std::array<std::string_view, 4> kFormats{"json", "csv", "signals", "updates"};
constexpr std::array<std::string_view, 5> kAboutNames{"reason", "evidence", "source", "owner",
                                                      "expires"};
constexpr std::array<std::string_view, 23> kEntryNames{
    "id",       "category",     "phrase",      "expression", "link",  "pattern",
    "pdq",      "distance",     "action",      "folding",    "with",  "without",
    "within",   "inside_words", "split",       "reply",      "stage", "tenants",
    "services", "languages",    "chromaprint", "video",      "near"};
constexpr std::array<std::string_view, 5> kListNames{"with", "without", "tenants", "services",
                                                     "languages"};

// What others call what we look for.
struct Foreign {
    std::string_view signal;     // in a file of signals; empty where there is none
    std::string_view indicator;  // in updates
    std::string_view member;     // of an entry
};
// The first of a member is what is written.
constexpr std::array<Foreign, 5> kForeign{{
    {"pdq", "HASH_PDQ", "pdq"},
    {"raw_text", "TEXT_STRING", "phrase"},
    {"url", "URI", "link"},
    {{}, "RAW_URI", "link"},
    {{}, "DOMAIN", "link"},
}};

// What is known elsewhere of what the entry looks for, if anything.
const Foreign* foreign_of(const AnyEntry& entry) noexcept {
    const auto* text = std::get_if<Entry>(&entry);
    const std::string_view member = text != nullptr ? kind_name(text->kind)
                                    : std::holds_alternative<PictureEntry>(entry)
                                        ? std::string_view("pdq")
                                        : std::string_view();  // sounds and videos have none
    const auto* found = std::ranges::find(kForeign, member, &Foreign::member);
    return found == kForeign.end() ? nullptr : found;
}

Error wrong(std::string what) {
    return {ErrorCode::kInvalidArgument, std::move(what)};
}

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

Result<About> read_about(const json::Value* value, const ListDefaults& defaults) {
    About about = defaults.about;
    if (value == nullptr) {
        return about;
    }
    const json::Object* object = value->if_object();
    if (object == nullptr) {
        return wrong("\"about\" is no object");
    }
    for (const auto& [name, content] : *object) {
        const std::string* text = content.if_string();
        if (text == nullptr || !is_one_of(kAboutNames, name)) {
            return wrong(fmt::format("\"{}\" is no member of \"about\", or no text", name));
        }
        if (name == "expires") {
            about.expires = TRY(parse_time(*text));
            continue;
        }
        (name == "reason"     ? about.reason
         : name == "evidence" ? about.evidence
         : name == "source"   ? about.source
                              : about.owner) = *text;
    }
    return about;
}

json::Object about_json(const About& about) {
    json::Object object;
    for (const auto& [name, text] :
         {std::pair(kAboutNames[0], &about.reason), std::pair(kAboutNames[1], &about.evidence),
          std::pair(kAboutNames[2], &about.source), std::pair(kAboutNames[3], &about.owner)}) {
        if (!text->empty()) {
            object.emplace_back(name, *text);
        }
    }
    if (about.expires) {
        object.emplace_back(kAboutNames[4], format_time(*about.expires));
    }
    return object;
}

std::string json_line(const Proposal& proposal) {
    json::Object object = write_entry(proposal.entry);
    json::Object about = about_json(proposal.about);
    if (!about.empty()) {
        object.emplace_back("about", std::move(about));
    }
    return json::write(object) + "\n";
}

// An object of the list, with an id when it has none.
Result<Proposal> read_proposal(json::Value value, std::size_t number,
                               const ListDefaults& defaults) {
    json::Object* object = value.if_object();
    if (object == nullptr) {
        return wrong("an entry is an object");
    }
    if (value.find("id") == nullptr) {
        object->emplace_back("id", fmt::format("{}{}", defaults.id_prefix, number));
    }
    if (value.find("category") == nullptr) {
        object->emplace_back("category", defaults.category);
    }
    Proposal proposal;
    proposal.entry = TRY(read_entry(value));
    const auto* text = std::get_if<Entry>(&proposal.entry);
    if (text != nullptr && text->kind != EntryKind::kPhrase) {
        TRY(Matcher::compile({*text}));  // so that its line is named, and not the whole list
    }
    if (const auto* sound = std::get_if<SoundEntry>(&proposal.entry)) {
        TRY(SoundList::create({*sound}));
    }
    if (const auto* video = std::get_if<VideoEntry>(&proposal.entry)) {
        TRY(VideoList::create({*video}));
    }
    proposal.about = TRY(read_about(value.find("about"), defaults));
    const std::size_t bytes_max =
        std::holds_alternative<VideoEntry>(proposal.entry) ? kLineBytesMax : kEntryBytesMax;
    if (json_line(proposal).size() > bytes_max) {
        return wrong(fmt::format("an entry has at most {} bytes", bytes_max));
    }
    return proposal;
}

Result<Proposal> read_json_line(std::string_view line, std::size_t number,
                                const ListDefaults& defaults) {
    json::Value value = TRY(json::parse(line, {.bytes_max = kLineBytesMax}));
    return read_proposal(std::move(value), number, defaults);
}

Result<Proposal> read_signal_line(std::string_view line, std::size_t number,
                                  const ListDefaults& defaults) {
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string_view kind = line.substr(0, space);
    const std::string_view signal = line.substr(std::min(space + 1, line.size()));
    const auto* known = std::ranges::find(kForeign, kind, &Foreign::signal);
    if (kind.empty() || known == kForeign.end()) {
        return wrong(fmt::format(
            "signals of the kind \"{}\" are not known; pdq, raw_text and url are", kind));
    }
    return read_proposal(json::Object{{std::string(known->member), signal}}, number, defaults);
}

template <class F>
std::vector<ListLine> read_lines(std::string_view text, F read) {
    std::vector<ListLine> lines;
    std::size_t number = 0;
    while (!text.empty()) {
        ++number;
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) {
            line.remove_suffix(1);
        }
        if (line.empty() || line.starts_with('#')) {
            continue;
        }
        if (line.size() > kLineBytesMax || find_invalid_utf8(line)) {
            lines.push_back(
                {number, wrong(fmt::format("no UTF-8 of at most {} bytes", kLineBytesMax))});
        } else {
            lines.push_back({number, read(line, number)});
        }
    }
    return lines;
}

json::Array split_list(std::string_view text) {
    json::Array all;
    while (true) {
        const std::size_t end = std::min(text.find('|'), text.size());
        all.emplace_back(text.substr(0, end));
        if (end == text.size()) {
            return all;
        }
        text.remove_prefix(end + 1);
    }
}

Result<json::Value> csv_value(std::string_view name, std::string_view text) {
    if (is_one_of(kListNames, name)) {
        return json::Value(split_list(text));
    }
    if (name == "inside_words" || name == "split") {
        if (text != "true" && text != "false") {
            return wrong(fmt::format("\"{}\" is neither true nor false", name));
        }
        return json::Value(text == "true");
    }
    if (name == "within" || name == "distance") {
        std::int64_t number = 0;
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (failed != std::errc{} || end != text.data() + text.size()) {
            return wrong(fmt::format("\"{}\" is no number that can be", name));
        }
        return json::Value(number);
    }
    return json::Value(text);
}

Result<Proposal> read_csv_row(const std::vector<std::string>& names,
                              const std::vector<std::string>& fields, std::size_t number,
                              const ListDefaults& defaults) {
    if (fields.size() != names.size()) {
        return wrong(
            fmt::format("it has {} fields, the first row {}", fields.size(), names.size()));
    }
    json::Object entry;
    json::Object about;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (fields[i].empty()) {
            continue;
        }
        if (is_one_of(kAboutNames, names[i])) {
            about.emplace_back(names[i], fields[i]);
        } else {
            entry.emplace_back(names[i], TRY(csv_value(names[i], fields[i])));
        }
    }
    if (!about.empty()) {
        entry.emplace_back("about", std::move(about));
    }
    return read_proposal(std::move(entry), number, defaults);
}

Result<std::vector<ListLine>> read_csv(std::string_view text, const ListDefaults& defaults) {
    internal::CsvReader reader(text,
                               {.columns_max = kCsvColumnsMax, .field_bytes_max = kLineBytesMax});
    const auto names = TRY(reader.next());
    if (!names) {
        return wrong("the list has no row of names");
    }
    for (const std::string& name : *names) {
        if (!is_one_of(kEntryNames, name) && !is_one_of(kAboutNames, name)) {
            return wrong(fmt::format("\"{}\" is no column of a list of entries", name));
        }
    }
    std::vector<ListLine> lines;
    while (true) {
        const auto row = TRY(reader.next());
        if (!row) {
            return lines;
        }
        lines.push_back({reader.line(), read_csv_row(*names, *row, reader.line(), defaults)});
    }
}

// The first tag that somebody gave; the list's usual category when nobody did.
std::string tag_of(const json::Value& update, const ListDefaults& defaults) {
    const json::Value* descriptors = update.find("descriptors");
    const json::Array* all = descriptors == nullptr ? nullptr : descriptors->if_array();
    for (const json::Value& each : all == nullptr ? json::Array() : *all) {
        const json::Value* tags = each.find("tags");
        const json::Array* names = tags == nullptr ? nullptr : tags->if_array();
        if (names != nullptr && !names->empty() && names->front().if_string() != nullptr) {
            return *names->front().if_string();
        }
    }
    return defaults.category;
}

bool is_deleted(const json::Value& update) {
    const json::Value* deleted = update.find("should_delete");
    return deleted != nullptr && deleted->if_bool() != nullptr && *deleted->if_bool();
}

Result<Proposal> read_update(const json::Value& update, std::size_t number,
                             const ListDefaults& defaults) {
    const std::string type = update.string_or("type", "");
    const auto* known = std::ranges::find(kForeign, type, &Foreign::indicator);
    if (known == kForeign.end()) {
        return wrong(
            fmt::format("indicators of the type \"{}\" are not known; HASH_PDQ, "
                        "TEXT_STRING, URI, RAW_URI and DOMAIN are",
                        type));
    }
    json::Object entry{{std::string(known->member), update.string_or("indicator", "")},
                       {"category", tag_of(update, defaults)}};
    const std::string id = update.string_or("id", "");
    if (!id.empty()) {
        entry.emplace_back("id", "te/" + id);
    }
    return read_proposal(std::move(entry), number, defaults);
}

Result<std::vector<ListLine>> read_updates(std::string_view text, const ListDefaults& defaults) {
    const json::Value value = TRY(json::parse(text, {.bytes_max = kListBytesMax}));
    const json::Value* data = value.find("data");
    const json::Array* all = data == nullptr ? value.if_array() : data->if_array();
    if (all == nullptr) {
        return wrong("the list has no array \"data\"");
    }
    std::vector<ListLine> lines;
    for (std::size_t i = 0; i < all->size(); ++i) {
        if (!is_deleted((*all)[i])) {
            lines.push_back({i + 1, read_update((*all)[i], i + 1, defaults)});
        }
    }
    return lines;
}

std::string csv_text(const json::Value* value) {
    if (value == nullptr) {
        return {};
    }
    if (const std::string* text = value->if_string()) {
        return *text;
    }
    const json::Array* list = value->if_array();
    if (list == nullptr) {
        return json::write(*value);
    }
    std::string text;
    for (const json::Value& each : *list) {
        text += (text.empty() ? "" : "|") + *each.if_string();
    }
    return text;
}

std::string write_csv(std::span<const Proposal> proposals) {
    std::string out =
        fmt::format("{},{}\r\n", fmt::join(kEntryNames, ","), fmt::join(kAboutNames, ","));
    for (const Proposal& proposal : proposals) {
        const json::Value entry(write_entry(proposal.entry));
        const json::Value about(about_json(proposal.about));
        std::vector<std::string> fields;
        fields.reserve(kEntryNames.size() + kAboutNames.size());
        for (const std::string_view name : kEntryNames) {
            fields.push_back(internal::csv_field(csv_text(entry.find(name))));
        }
        for (const std::string_view name : kAboutNames) {
            fields.push_back(internal::csv_field(csv_text(about.find(name))));
        }
        out += fmt::format("{}\r\n", fmt::join(fields, ","));
    }
    return out;
}

std::string write_updates(std::span<const Proposal> proposals) {
    json::Array data;
    for (const Proposal& proposal : proposals) {
        const Foreign* known = foreign_of(proposal.entry);
        if (known == nullptr) {
            continue;
        }
        const auto* text = std::get_if<Entry>(&proposal.entry);
        const auto* picture = std::get_if<PictureEntry>(&proposal.entry);
        json::Object update{
            {"id", entry_id(proposal.entry)},
            {"indicator", text != nullptr ? text->phrase : fingerprint::to_hex(picture->hash)},
            {"type", known->indicator},
            {"should_delete", false}};
        update.emplace_back(
            "descriptors",
            json::Array{
                json::Object{{"tags", json::Array{json::Value(entry_category(proposal.entry))}}}});
        data.emplace_back(std::move(update));
    }
    return json::write(json::Object{{"data", std::move(data)}}) + "\n";
}

std::string signal_line(const Proposal& proposal) {
    const Foreign* known = foreign_of(proposal.entry);
    if (known == nullptr) {
        return {};
    }
    if (const auto* text = std::get_if<Entry>(&proposal.entry)) {
        return text->phrase.find('\n') == std::string::npos
                   ? fmt::format("{} {}\n", known->signal, text->phrase)
                   : std::string();
    }
    return "pdq " + fingerprint::to_hex(std::get<PictureEntry>(proposal.entry).hash) + "\n";
}

}  // namespace

std::string_view list_format_name(ListFormat format) noexcept {
    return kFormats[static_cast<std::size_t>(format)];
}

std::optional<ListFormat> parse_list_format(std::string_view name) noexcept {
    const auto* found = std::ranges::find(kFormats, name);
    if (found == kFormats.end()) {
        return std::nullopt;
    }
    return static_cast<ListFormat>(found - kFormats.begin());
}

Result<std::vector<ListLine>> read_list(ListFormat format, std::string_view text,
                                        const ListDefaults& defaults) {
    if (text.size() > kListBytesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a list has at most {} MiB", kListBytesMax >> 20U)};
    }
    constexpr std::string_view kMark = "\xef\xbb\xbf";
    if (text.starts_with(kMark)) {
        text.remove_prefix(kMark.size());
    }
    switch (format) {
        case ListFormat::kJson:
            return read_lines(text, [&](std::string_view line, std::size_t number) {
                return read_json_line(line, number, defaults);
            });
        case ListFormat::kSignals:
            return read_lines(text, [&](std::string_view line, std::size_t number) {
                return read_signal_line(line, number, defaults);
            });
        case ListFormat::kCsv:
            return read_csv(text, defaults);
        case ListFormat::kUpdates:
            return read_updates(text, defaults);
    }
    return wrong("there is no such form of a list");
}

std::string write_list(ListFormat format, std::span<const Proposal> proposals) {
    if (format == ListFormat::kCsv) {
        return write_csv(proposals);
    }
    if (format == ListFormat::kUpdates) {
        return write_updates(proposals);
    }
    std::string out;
    for (const Proposal& proposal : proposals) {
        out += format == ListFormat::kJson ? json_line(proposal) : signal_line(proposal);
    }
    return out;
}

}  // namespace colophon::review
