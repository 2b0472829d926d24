// SPDX-License-Identifier: Apache-2.0
#include "gateway/chat_sounds.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/fetch.h"
#include "gateway/file_prints.h"
#include "gateway/gateway.h"
#include "gateway/json_edit.h"
#include "gateway/refusal.h"
#include "gateway/settings.h"
#include "gateway/sound_review.h"
#include "gateway/unseen_parts.h"
#include "gateway/webhooks.h"
#include "label/format.h"
#include "ledger/file_prints.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

// Where a sound stands: the text that is its base64, its data address or its address.
struct Place {
    json::Value* text;
    std::string format;  // as the part says; may be empty
};

struct Shape {
    std::string_view type;  // of the part
    std::string_view text;  // the member of the holder where the sound stands
};
constexpr std::array kShapes{Shape{"input_audio", "data"}, Shape{"audio_url", "url"}};

// Whether nothing else stands there that somebody else might take for what is meant.
bool has_only(const json::Value& value, std::initializer_list<std::string_view> names) {
    return std::ranges::all_of(*value.if_object(), [&](const json::Member& each) {
        return std::ranges::find(names, each.first) != names.end();
    });
}

// The value that holds the sound's text, and which member of it that is; nullptr for any other
// part.
const json::Value* holder_of(const json::Value& part, std::string_view& name) {
    for (const Shape& shape : kShapes) {
        const json::Value* holder = part.find(shape.type);
        const std::string_view type = text_member(part, "type");
        if (holder == nullptr || (!type.empty() && type != shape.type) ||
            !has_only(part, {"type", shape.type})) {
            continue;
        }
        if (holder->if_object() != nullptr && has_only(*holder, {shape.text, "format"}) &&
            !text_member(*holder, shape.text).empty()) {
            name = shape.text;
            return holder;
        }
        // vLLM takes the address itself, too.
        if (holder->if_string() != nullptr && !holder->if_string()->empty() &&
            shape.type == "audio_url") {
            name = shape.type;
            return &part;
        }
    }
    return nullptr;
}

// Every part of every message, those within results of tools too. The parser bounds the depth.
void find_places(json::Value& value, std::vector<Place>& places) {  // NOLINT(misc-no-recursion)
    if (json::Array* list = value.if_array()) {
        for (json::Value& each : *list) {
            find_places(each, places);
        }
        return;
    }
    json::Object* members = value.if_object();
    if (members == nullptr) {
        return;
    }
    if (is_chat_sound(value)) {
        std::string_view name;
        const json::Value* holder = holder_of(value, name);
        json::Value* inner = holder == &value ? &value : nullptr;
        if (inner == nullptr) {
            json::Value* audio = member(value, "input_audio");
            inner = audio == holder ? audio : member(value, "audio_url");
        }
        places.push_back(
            {.text = member(*inner, name), .format = std::string(text_member(*inner, "format"))});
        return;
    }
    for (auto& [name, inner] : *members) {
        find_places(inner, places);
    }
}

bool is_address(std::string_view text) {
    return text.starts_with("http://") || text.starts_with("https://");
}

std::string_view without_data(std::string_view text) {
    constexpr std::string_view kCoded = ";base64,";
    const std::size_t comma =
        text.starts_with("data:") ? text.find(kCoded) : std::string_view::npos;
    return comma == std::string_view::npos ? text : text.substr(comma + kCoded.size());
}

// The sound itself, where only its address stood.
void put(const Place& place, Bytes sound) {
    const auto format = label::detect_format(sound, "");
    const std::string_view type =
        format ? label::facts(*format).media_type : std::string_view("application/octet-stream");
    *place.text = fmt::format("data:{};base64,{}", type, to_base64(sound));
}

struct Had {
    Buffer sound;
    std::string why;  // it cannot be had; empty otherwise
};

Task<Had> have(Gateway& gateway, Call& call, const Place& place) {
    Had had;
    const std::string text = *place.text->if_string();
    if (is_address(text)) {
        auto fetched = co_await fetch_file(gateway, call, text);
        if (!fetched.ok()) {
            had.why = fetched.error().what;
            co_return had;
        }
        had.sound = std::move(*fetched);
        put(place, had.sound);
    } else {
        auto decoded = from_base64(without_data(text));
        if (!decoded.ok()) {
            had.why = "it is no base64";
            co_return had;
        }
        had.sound = std::move(*decoded);
    }
    // Whoever reads it as something else may hear something else.
    const auto format = label::detect_format(had.sound, "");
    if (!place.format.empty() && format && label::facts(*format).name != place.format) {
        had.why = fmt::format("it says that it is {}, and is {}", place.format,
                              label::facts(*format).name);
    }
    co_return had;
}

Task<std::optional<Refusal>> review_at(Gateway& gateway, Call& call, const Place& place) {
    Had had = co_await have(gateway, call, place);
    call.record.content_digests.push_back(sha256(had.sound));
    if (had.why.empty()) {
        auto reviewed = co_await review_input_sound(gateway, call, had.sound);
        if (reviewed.ok()) {
            co_return std::move(*reviewed);
        }
        if (reviewed.error().code == ErrorCode::kUnavailable) {
            co_return own_failure("review_failed", "a sound could not be reviewed now");
        }
        had.why = reviewed.error().what;
    } else {
        keep_unprinted(call, review::Stage::kInput, ledger::kSoundFile, had.why);
    }
    const std::string what = "a sound cannot be reviewed: " + had.why;
    co_return co_await unseen_part(gateway, call, {.what = what, .file = had.sound});
}

}  // namespace

bool is_chat_sound(const json::Value& part) {
    std::string_view name;
    return part.if_object() != nullptr && holder_of(part, name) != nullptr;
}

bool compares_chat_sounds(const Call& call) {
    return call.settings->reviewer->has_sounds() &&
           call.settings->chat_sounds != ChatSounds::kRefuse &&
           Webhooks::can_pass_unseen(call, review::Stage::kInput);
}

Task<std::optional<Refusal>> review_chat_sounds(Gateway& gateway, Call& call, json::Value& body) {
    if (!compares_chat_sounds(call)) {
        co_return std::nullopt;
    }
    std::vector<Place> places;
    for (const std::string_view name : {"messages", "input"}) {
        if (json::Value* part = member(body, name)) {
            find_places(*part, places);
        }
    }
    if (places.size() > kChatSoundsMax) {
        co_return invalid_request(
            fmt::format("there are more than {} sounds in this chat", kChatSoundsMax), "messages");
    }
    std::size_t left = places.size();
    for (const Place& place : places) {
        auto refusal = co_await review_at(gateway, call, place);
        --left;
        if (refusal) {
            keep_unlooked(call, ledger::kSoundFile, left);
            co_return refusal;
        }
    }
    if (!places.empty()) {
        call.detail.emplace_back("sounds", static_cast<std::int64_t>(places.size()));
    }
    co_return std::nullopt;
}

}  // namespace colophon::gateway
