// SPDX-License-Identifier: Apache-2.0
#include "gateway/unseen_parts.h"

#include "core/json.h"
#include "gateway/call.h"
#include "gateway/json_edit.h"
#include "gateway/refusal.h"
#include "gateway/settings.h"
#include "gateway/webhooks.h"
#include "review/review.h"
#include "review/scope.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

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

// A part counts once, whatever stands in it. The parser bounds the depth.
std::size_t count_in(const json::Value& value) {  // NOLINT(misc-no-recursion)
    std::size_t count = 0;
    if (const json::Array* list = value.if_array()) {
        for (const json::Value& each : *list) {
            count += count_in(each);
        }
        return count;
    }
    const json::Object* members = value.if_object();
    if (members == nullptr || text_member(value, "type") == kToolUse) {
        return 0;
    }
    if (is_unseen(value)) {
        return 1;
    }
    for (const auto& [name, inner] : *members) {
        count += count_in(inner);
    }
    return count;
}

bool library_is_empty(const Call& call) {
    const review::Reviewer& reviewer = *call.settings->reviewer;
    return reviewer.matcher()->entries().empty() && !reviewer.has_videos() &&
           reviewer.classifier().classifier == nullptr;
}

}  // namespace

std::size_t unseen_parts(const json::Value& body) {
    std::size_t count = 0;
    for (const std::string_view name : {"messages", "input"}) {
        if (const json::Value* all = body.find(name)) {
            count += count_in(*all);
        }
    }
    return count;
}

std::optional<Refusal> refuse_unseen_parts(Call& call, const json::Value& body) {
    const std::size_t parts = unseen_parts(body);
    if (parts == 0) {
        return std::nullopt;
    }
    const bool passes = call.settings->unseen_parts == UnseenParts::kPass;
    if ((!library_is_empty(call) && !passes) ||
        !Webhooks::can_pass_unseen(call, review::Stage::kInput)) {
        return invalid_request(
            "sounds, videos and files within a chat cannot be reviewed, so they are not passed on",
            "messages");
    }
    call.detail.emplace_back("unseen_parts", static_cast<std::int64_t>(parts));
    return std::nullopt;
}

}  // namespace colophon::gateway
