// SPDX-License-Identifier: Apache-2.0
#include "gateway/unseen_parts.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/chat_sounds.h"
#include "gateway/gateway.h"
#include "gateway/held.h"
#include "gateway/json_edit.h"
#include "gateway/picture_review.h"
#include "gateway/refusal.h"
#include "gateway/settings.h"
#include "gateway/webhooks.h"
#include "review/entry.h"
#include "review/review.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

// As OpenAI's API and servers beside it (vLLM, DashScope) call such parts, by their type or by the
// member that holds them.
constexpr std::array<std::string_view, 8> kTypes{
    "input_audio", "audio", "audio_url", "video", "input_video", "video_url", "file", "input_file"};
constexpr std::array<std::string_view, 5> kMembers{"input_audio", "audio", "audio_url", "video_url",
                                                   "file"};
constexpr std::string_view kToolUse = "tool_use";  // whose input is the application's own

bool is_unseen(const json::Value& part) {
    const std::string_view type = text_member(part, "type");
    return std::ranges::find(kTypes, type) != kTypes.end() ||
           std::ranges::any_of(kMembers, [&](std::string_view name) {
               const json::Value* member = part.find(name);
               return member != nullptr && member->if_object() != nullptr;
           });
}

bool is_like_picture(const json::Value& part) {
    const std::string_view type = text_member(part, "type");
    return type == "image_url" || type == "image" || type == "input_image" ||
           part.find("image_url") != nullptr;
}

struct Found {
    std::vector<const json::Value*> unseen;
    bool pictures = false;
};

// A part counts once, whatever stands in it. The parser bounds the depth.
void find_in(const json::Value& value, Sounds sounds,  // NOLINT(misc-no-recursion)
             Found& found) {
    if (const json::Array* list = value.if_array()) {
        for (const json::Value& each : *list) {
            find_in(each, sounds, found);
        }
        return;
    }
    const json::Object* members = value.if_object();
    if (members == nullptr || text_member(value, "type") == kToolUse) {
        return;
    }
    if (sounds == Sounds::kCompared && is_chat_sound(value)) {
        return;
    }
    if (is_unseen(value)) {
        found.unseen.push_back(&value);
        return;
    }
    found.pictures = found.pictures || is_like_picture(value);
    for (const auto& [name, inner] : *members) {
        find_in(inner, sounds, found);
    }
}

bool library_is_empty(const Call& call) {
    const review::Reviewer& reviewer = *call.settings->reviewer;
    return reviewer.matcher()->entries().empty() && !reviewer.has_videos() &&
           reviewer.classifier().classifier == nullptr;
}

}  // namespace

std::vector<const json::Value*> unseen_parts(const json::Value& body, Sounds sounds,
                                             bool* pictures) {
    Found found;
    for (const std::string_view name : {"messages", "input"}) {
        if (const json::Value* all = body.find(name)) {
            find_in(*all, sounds, found);
        }
    }
    if (pictures != nullptr) {
        *pictures = found.pictures;
    }
    return std::move(found.unseen);
}

namespace {

// Nobody judged it: a person has to.
Task<std::optional<Refusal>> hold_part(Gateway& gateway, Call& call, std::string text, Bytes file) {
    review::Verdict verdict;
    verdict.decision = review::Decision::kHold;
    verdict.category = "unreviewed";
    verdict.rule = "unseen_parts";
    verdict.entries = {verdict.rule};
    const std::string_view type = file.empty() ? std::string_view() : media_type_of(file);
    const HeldInput input{.text = text, .file = file, .media_type = type, .verdict = verdict};
    co_return co_await held_input(gateway.stages(), call, input);
}

}  // namespace

Task<std::optional<Refusal>> unseen_part(Gateway& gateway, Call& call, UnseenPart part) {
    switch (call.settings->unseen_parts) {
        case UnseenParts::kPass:
            call.detail.emplace_back("unseen_part", part.what);
            co_return std::nullopt;
        case UnseenParts::kHold: {
            std::string text = call.record.personal.input + "\n" + part.what +
                               "\nsha256:" + to_hex(sha256(part.file));
            co_return co_await hold_part(gateway, call, std::move(text), part.file);
        }
        case UnseenParts::kRefuse:
            break;
    }
    co_return invalid_request(part.what, "messages");
}

Task<std::optional<Refusal>> review_unseen_parts(Gateway& gateway, Call& call,
                                                 const json::Value& body) {
    const auto parts =
        unseen_parts(body, compares_chat_sounds(call) ? Sounds::kCompared : Sounds::kUnseen,
                     &call.has_chat_pictures);
    if (parts.empty()) {
        co_return std::nullopt;
    }
    const bool missed = Webhooks::can_pass_unseen(call, review::Stage::kInput);
    const bool owed = !library_is_empty(call);
    const UnseenParts wanted = call.settings->unseen_parts;
    if (!missed || (owed && wanted == UnseenParts::kRefuse)) {
        co_return invalid_request(
            "sounds, videos and files within a chat cannot be reviewed, so they are not passed on",
            "messages");
    }
    call.detail.emplace_back("unseen_parts", static_cast<std::int64_t>(parts.size()));
    if (!owed || wanted == UnseenParts::kPass) {
        co_return std::nullopt;
    }
    // What a person releases is exactly these parts.
    std::string text = call.record.personal.input;
    for (const json::Value* each : parts) {
        const std::string_view type = text_member(*each, "type");
        text += fmt::format("\n{} sha256:{}", type.empty() ? "part" : type,
                            to_hex(sha256(as_bytes(json::write(*each)))));
    }
    co_return co_await hold_part(gateway, call, std::move(text), {});
}

}  // namespace colophon::gateway
