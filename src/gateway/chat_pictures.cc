// SPDX-License-Identifier: Apache-2.0
#include "gateway/chat_pictures.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/fetch.h"
#include "gateway/file_prints.h"
#include "gateway/gateway.h"
#include "gateway/json_edit.h"
#include "gateway/picture_review.h"
#include "gateway/refusal.h"
#include "ledger/file_prints.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

// Where one stands in the body.
struct Place {
    // How it is written there: as an address (which may hold it: "data:..."), or as Anthropic's
    // source, an object that says which.
    enum class Form : std::uint8_t { kAddress, kSource, kFile };
    json::Value* value;
    Form form;
};

// The member that a place was found in, which may be replaced: nothing within it is a place too.
std::string_view find_in_part(json::Value& part, std::vector<Place>& places) {
    if (json::Value* image = member(part, "image_url")) {
        json::Value* url = image->if_object() == nullptr ? image : member(*image, "url");
        if (url != nullptr && url->if_string() != nullptr) {
            places.push_back({.value = url, .form = Place::Form::kAddress});
            return "image_url";
        }
    }
    const std::string_view type = text_member(part, "type");
    if (type == "image") {
        if (json::Value* source = member(part, "source")) {
            places.push_back({.value = source, .form = Place::Form::kSource});
            return "source";
        }
    }
    // A picture that lies at the upstream already.
    if (type == "input_image" && !text_member(part, "file_id").empty()) {
        places.push_back({.value = &part, .form = Place::Form::kFile});
    }
    return {};
}

// Every part of every message, those within results of tools too. The parser bounds the depth.
void find_places(json::Value& value, std::vector<Place>& places) {  // NOLINT(misc-no-recursion)
    if (json::Array* list = value.if_array()) {
        for (json::Value& each : *list) {
            find_places(each, places);
        }
    } else if (json::Object* members = value.if_object()) {
        const std::string_view taken = find_in_part(value, places);
        for (auto& [name, inner] : *members) {
            if (name != taken) {
                find_places(inner, places);
            }
        }
    }
}

Refusal unreadable(std::string_view what) {
    return invalid_request(fmt::format("a picture cannot be reviewed: {}", what), "messages");
}

struct Picture {
    std::string coded;    // base64, as it stands there
    std::string address;  // or where it lies
};

std::optional<Picture> picture_at(const Place& place) {
    if (place.form == Place::Form::kSource) {
        const json::Value& source = *place.value;
        Picture picture{.coded = std::string(text_member(source, "data")),
                        .address = std::string(text_member(source, "url"))};
        return picture.coded.empty() && picture.address.empty() ? std::nullopt
                                                                : std::optional(std::move(picture));
    }
    const std::string& address = *place.value->if_string();
    if (!address.starts_with("data:")) {
        return Picture{.coded = {}, .address = address};
    }
    constexpr std::string_view kCoded = ";base64,";
    const std::size_t comma = address.find(kCoded);
    if (comma == std::string::npos) {
        return std::nullopt;
    }
    return Picture{.coded = address.substr(comma + kCoded.size()), .address = {}};
}

// The picture itself, where only its address stood.
void put(const Place& place, Bytes picture) {
    const std::string type(media_type_of(picture));
    std::string coded = to_base64(picture);
    if (place.form == Place::Form::kSource) {
        *place.value =
            json::Object{{"type", "base64"}, {"media_type", type}, {"data", std::move(coded)}};
    } else {
        *place.value = fmt::format("data:{};base64,{}", type, coded);
    }
}

Task<std::optional<Refusal>> review_at(Gateway& gateway, Call& call, const Place& place) {
    if (place.form == Place::Form::kFile) {
        co_return unreadable("it lies at the upstream; send it in the request");
    }
    auto found = picture_at(place);
    if (!found) {
        co_return unreadable("it is neither base64 nor an address");
    }
    Buffer file;
    if (found->address.empty()) {
        auto decoded = from_base64(found->coded);
        if (!decoded.ok()) {
            co_return unreadable("it is no base64");
        }
        file = std::move(*decoded);
    } else {
        auto fetched = co_await fetch_file(gateway, call, std::move(found->address));
        if (!fetched.ok()) {
            keep_unprinted(call, review::Stage::kInput, ledger::kPictureFile, fetched.error().what);
            co_return unreadable(fetched.error().what);
        }
        file = std::move(*fetched);
        put(place, file);
    }
    co_return co_await review_picture(gateway, call, review::Stage::kInput, file);
}

// Nobody compares it: its print is kept, where that can be made without fetching it.
Task<void> print_at(Gateway& gateway, Call& call, const Place& place) {
    const char* why = nullptr;
    std::optional<Picture> found;
    if (place.form == Place::Form::kFile) {
        why = "it lies at the upstream";
    } else {
        found = picture_at(place);
        why = !found                 ? "it is neither base64 nor an address"
              : found->coded.empty() ? "it was not fetched: the library had no pictures"
                                     : nullptr;
    }
    Buffer file;
    if (why == nullptr) {
        auto decoded = from_base64(found->coded);
        why = decoded.ok() ? nullptr : "it is no base64";
        file = decoded.ok() ? std::move(*decoded) : Buffer();
    }
    if (why != nullptr) {
        keep_unprinted(call, review::Stage::kInput, ledger::kPictureFile, why);
        co_return;
    }
    co_await print_picture(gateway, call, review::Stage::kInput, file);
}

// What else may stand in a request, the shapes of tools above all, holds no pictures.
std::vector<Place> places_in(json::Value& body) {
    std::vector<Place> places;
    for (const std::string_view name : {"messages", "input", "system"}) {
        if (json::Value* part = member(body, name)) {
            find_places(*part, places);
        }
    }
    return places;
}

bool may_have_pictures(const Call& call, const json::Value& body) {
    const json::Value* system = body.find("system");
    return call.has_chat_pictures || (system != nullptr && system->if_array() != nullptr);
}

Task<void> print_chat_pictures(Gateway& gateway, Call& call, json::Value& body) {
    std::vector<Place> places = places_in(body);
    if (places.size() > kChatPicturesMax) {
        places.erase(places.begin() + kChatPicturesMax, places.end());
        keep_unprinted(call, review::Stage::kInput, ledger::kPictureFile,
                       "there are more of them than prints are made of");
    }
    for (const Place& place : places) {
        co_await print_at(gateway, call, place);
    }
}

}  // namespace

Task<std::optional<Refusal>> review_chat_pictures(Gateway& gateway, Call& call, json::Value& body) {
    if (!call.settings->reviewer->has_pictures()) {
        if (may_have_pictures(call, body)) {
            co_await print_chat_pictures(gateway, call, body);
        }
        co_return std::nullopt;
    }
    const std::vector<Place> places = places_in(body);
    if (places.size() > kChatPicturesMax) {
        co_return unreadable(fmt::format("there are more than {} of them", kChatPicturesMax));
    }
    std::size_t left = places.size();
    for (const Place& place : places) {
        const std::size_t known = call.record.personal.files.size();
        auto refusal = co_await review_at(gateway, call, place);
        left -= call.record.personal.files.size() == known ? 0U : 1U;
        if (refusal) {
            keep_unlooked(call, ledger::kPictureFile, left);
            co_return refusal;
        }
    }
    co_return std::nullopt;
}

void keep_unlooked_pictures(Call& call, json::Value& body) {
    keep_unlooked(call, ledger::kPictureFile, places_in(body).size());
}

}  // namespace colophon::gateway
