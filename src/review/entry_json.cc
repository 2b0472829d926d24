// SPDX-License-Identifier: Apache-2.0
#include "review/entry_json.h"

#include "core/json.h"
#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "fingerprint/video.h"
#include "review/entry.h"
#include "review/fold.h"
#include "review/language.h"
#include "review/picture_list.h"
#include "review/scope.h"
#include "review/sound_list.h"
#include "review/video_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::review {
namespace {

constexpr std::size_t kTextBytesMax = 16'384;
constexpr std::size_t kVideoBytesMax = 240'000;

Error wrong(std::string_view what) {
    return {ErrorCode::kInvalidArgument, std::string(what)};
}

Result<std::string> string_of(const json::Value& value, std::string_view name) {
    const std::string* text = value.if_string();
    if (text == nullptr || text->size() > kTextBytesMax) {
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

Result<std::vector<std::string>> strings_of(const json::Value& value, std::string_view name,
                                            std::size_t most) {
    const json::Array* array = value.if_array();
    if (array == nullptr || array->size() > most) {
        return wrong(fmt::format("\"{}\" is no list of at most {} texts", name, most));
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

// What stands in an object, before it is known what it is.
struct Read {
    Entry text;
    PictureEntry picture;
    SoundEntry sound;
    VideoEntry video;
    bool has_text = false;
    bool has_wanted = false;
    bool has_folding = false;
    bool has_stage = false;
    bool has_hash = false;
    bool has_distance = false;
    bool has_sound = false;
    bool has_video = false;
};

constexpr std::array kKinds{EntryKind::kPhrase, EntryKind::kExpression, EntryKind::kLink,
                            EntryKind::kPattern, EntryKind::kNear};

// True when the member says what is looked for.
Result<bool> set_wanted_member(const json::Member& member, Read& read) {
    const auto& [name, value] = member;
    const auto* kind = std::ranges::find(kKinds, name, kind_name);
    if (kind == kKinds.end()) {
        return false;
    }
    if (std::exchange(read.has_wanted, true)) {
        return wrong(
            "an entry looks for one thing: a phrase, an expression, a link, a pattern or a near "
            "text");
    }
    read.text.kind = *kind;
    read.text.phrase = TRY(string_of(value, name));
    return true;
}

Result<Languages> languages_of(const json::Value& value) {
    Languages languages = 0;
    for (const std::string& name : TRY(strings_of(value, "languages", kScopeNamesMax))) {
        const auto language = parse_language(name);
        if (!language) {
            return wrong("\"languages\" holds others than zh, en, ja, ko, ru, ar, other");
        }
        languages |= *language;
    }
    return languages;
}

// True when the member was one of those that texts have.
Result<bool> set_text_member(const json::Member& member, Read& read) {
    const auto& [name, value] = member;
    Entry& entry = read.text;
    if (name == "folding") {
        entry.folding = TRY(folding_of(value));
        read.has_folding = true;
    } else if (name == "languages") {
        entry.languages = TRY(languages_of(value));
    } else if (name == "with") {
        entry.with = TRY(strings_of(value, name, kContextPhrasesMax));
    } else if (name == "without") {
        entry.without = TRY(strings_of(value, name, kContextPhrasesMax));
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

Result<Stage> stage_of(const json::Value& value) {
    const auto stage = parse_stage(TRY(string_of(value, "stage")));
    if (!stage) {
        return wrong("\"stage\" is none of input, output, both");
    }
    return *stage;
}

// True when the member was one of those that say which content an entry is for.
Result<bool> set_scope_member(const json::Member& member, Scope& scope) {
    const auto& [name, value] = member;
    if (name == "stage") {
        scope.stage = TRY(stage_of(value));
    } else if (name == "tenants") {
        scope.tenants = TRY(strings_of(value, name, kScopeNamesMax));
    } else if (name == "services") {
        scope.services = TRY(strings_of(value, name, kScopeNamesMax));
    } else {
        return false;
    }
    return true;
}

// True when the member was one of those that pictures, sounds and videos have.
Result<bool> set_print_member(const json::Member& member, Read& read) {
    const auto& [name, value] = member;
    if (name == "pdq") {
        read.has_hash = true;
        const std::string hex = TRY(string_of(value, name));
        read.picture.hash = TRY(fingerprint::parse_pdq_hex(hex));
    } else if (name == "distance") {
        read.has_distance = true;
        read.picture.distance = static_cast<int>(TRY(number_of(value, name)));
    } else if (name == "chromaprint") {
        read.has_sound = true;
        const std::string* written = value.if_string();
        if (written != nullptr && written->size() > kTextBytesMax) {
            return wrong(
                fmt::format("a print of a sound to look for has at most {} bytes, about "
                            "ten minutes; look for a part of it",
                            kTextBytesMax));
        }
        const std::string text = TRY(string_of(value, name));
        read.sound.print = TRY(fingerprint::parse_sound_print(text));
    } else if (name == "video") {
        read.has_video = true;
        const std::string* text = value.if_string();
        if (text == nullptr || text->size() > kVideoBytesMax) {
            return wrong(fmt::format("\"video\" is no text of at most {} bytes", kVideoBytesMax));
        }
        read.video.print = TRY(fingerprint::parse_video_print(*text));
    } else {
        return false;
    }
    return true;
}

Result<void> set_member(const json::Member& member, Read& read) {
    const auto& [name, value] = member;
    read.has_stage = read.has_stage || name == "stage";
    if (name == "id") {
        read.text.id = TRY(string_of(value, name));
    } else if (name == "category") {
        read.text.category = TRY(string_of(value, name));
    } else if (name == "action") {
        read.text.action = TRY(decision_of(value));
    } else if (TRY(set_wanted_member(member, read)) || TRY(set_text_member(member, read))) {
        read.has_text = true;
    } else if (name != "about" && !TRY(set_print_member(member, read)) &&
               !TRY(set_scope_member(member, read.text.scope))) {
        return wrong(fmt::format("\"{}\" is no member of an entry", name));
    }
    return {};
}

// What was read before it was known of which kind the entry is.
template <class To>
void take_common(Entry& from, To& to) {
    to.id = std::move(from.id);
    to.category = std::move(from.category);
    to.action = from.action;
    to.scope = std::move(from.scope);
}

// What is usual for its kind.
Folding usual_folding(EntryKind kind) noexcept {
    return kind == EntryKind::kExpression ? Folding::kExact : Entry().folding;
}

Stage usual_stage(EntryKind kind) noexcept {
    return kind == EntryKind::kPattern ? Stage::kInput : Stage::kBoth;
}

void write_scope(const Scope& scope, Stage usual, json::Object& object) {
    if (scope.stage != usual) {
        object.emplace_back("stage", stage_name(scope.stage));
    }
    const auto list = [&](std::string_view name, const std::vector<std::string>& names) {
        if (!names.empty()) {
            object.emplace_back(name, json::Array(names.begin(), names.end()));
        }
    };
    list("tenants", scope.tenants);
    list("services", scope.services);
}

void write_text(const Entry& entry, json::Object& object) {
    const Entry usual;
    object.emplace_back(kind_name(entry.kind), entry.phrase);
    if (entry.folding != usual_folding(entry.kind)) {
        object.emplace_back("folding", folding_name(entry.folding));
    }
    const auto list = [&](std::string_view name, const std::vector<std::string>& phrases) {
        if (!phrases.empty()) {
            object.emplace_back(name, json::Array(phrases.begin(), phrases.end()));
        }
    };
    list("with", entry.with);
    list("without", entry.without);
    if (entry.within != usual.within) {
        object.emplace_back("within", static_cast<std::uint64_t>(entry.within));
    }
    if (entry.inside_words) {
        object.emplace_back("inside_words", true);
    }
    if (entry.split) {
        object.emplace_back("split", true);
    }
    if (!entry.reply.empty()) {
        object.emplace_back("reply", entry.reply);
    }
    list("languages", language_names(entry.languages));
}

}  // namespace

const std::string& entry_id(const AnyEntry& entry) {
    return std::visit([](const auto& each) -> const std::string& { return each.id; }, entry);
}

const std::string& entry_category(const AnyEntry& entry) {
    return std::visit([](const auto& each) -> const std::string& { return each.category; }, entry);
}

Result<AnyEntry> read_entry(const json::Value& value) {
    const json::Object* object = value.if_object();
    if (object == nullptr) {
        return wrong("an entry is an object");
    }
    Read read;
    for (const json::Member& member : *object) {
        TRY(set_member(member, read));
    }
    if (read.text.id.empty() || read.text.category.empty()) {
        return wrong("an entry has an \"id\" and a \"category\"");
    }
    const int kinds = static_cast<int>(read.has_text) + static_cast<int>(read.has_hash) +
                      static_cast<int>(read.has_sound) + static_cast<int>(read.has_video);
    if (kinds > 1 || (read.has_distance && !read.has_hash)) {
        return wrong(
            "an entry is of a \"phrase\", a \"pdq\", a \"chromaprint\" or a \"video\", not of "
            "several");
    }
    if (read.has_sound) {
        take_common(read.text, read.sound);
        return AnyEntry(std::move(read.sound));
    }
    if (read.has_video) {
        take_common(read.text, read.video);
        return AnyEntry(std::move(read.video));
    }
    if (!read.has_hash) {
        Entry& entry = read.text;
        entry.folding = read.has_folding ? entry.folding : usual_folding(entry.kind);
        entry.scope.stage = read.has_stage ? entry.scope.stage : usual_stage(entry.kind);
        return AnyEntry(std::move(entry));
    }
    take_common(read.text, read.picture);
    return AnyEntry(std::move(read.picture));
}

json::Object write_entry(const AnyEntry& entry) {
    json::Object object{{"id", entry_id(entry)}, {"category", entry_category(entry)}};
    const auto* text = std::get_if<Entry>(&entry);
    const auto* picture = std::get_if<PictureEntry>(&entry);
    if (text != nullptr) {
        write_text(*text, object);
    } else if (picture != nullptr) {
        object.emplace_back("pdq", fingerprint::to_hex(picture->hash));
        if (picture->distance != fingerprint::kPdqDistanceMax) {
            object.emplace_back("distance", picture->distance);
        }
    } else if (const auto* sound = std::get_if<SoundEntry>(&entry)) {
        object.emplace_back("chromaprint", fingerprint::to_text(sound->print));
    } else {
        const auto& video = std::get<VideoEntry>(entry);
        object.emplace_back("video", fingerprint::to_text(video.print));
    }
    const Decision action = std::visit([](const auto& each) { return each.action; }, entry);
    if (action != Decision::kBlock) {
        object.emplace_back("action", decision_name(action));
    }
    write_scope(std::visit([](const auto& each) -> const Scope& { return each.scope; }, entry),
                text != nullptr ? usual_stage(text->kind) : Stage::kBoth, object);
    return object;
}

}  // namespace colophon::review
