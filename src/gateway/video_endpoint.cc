// SPDX-License-Identifier: Apache-2.0
// /v1/videos: a video is asked for, and made by a job (gateway/video_jobs.h). Whoever asked hears
// how far it is, and gets it labelled.
#include "core/base64.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/file_prints.h"
#include "gateway/gateway.h"
#include "gateway/job_endpoints.h"
#include "gateway/json_edit.h"
#include "gateway/picture_review.h"
#include "gateway/refusal.h"
#include "gateway/request_body.h"
#include "gateway/settings.h"
#include "gateway/video_upstreams.h"
#include "gateway/webhook_texts.h"
#include "gateway/webhooks.h"
#include "http/message.h"
#include "http/multipart.h"
#include "ledger/file_prints.h"
#include "ledger/media_jobs.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr std::size_t kReferenceBytesMax = 8U << 20U;
constexpr std::string_view kReference = "input_reference";

struct VideoRequest {
    Ask ask;
    VideoAsk video;
};

std::optional<Refusal> set_reference(VideoRequest& request, std::string bytes, std::string type) {
    if (bytes.size() > kReferenceBytesMax) {
        return invalid_request(
            fmt::format("a picture to begin with has at most {} bytes", kReferenceBytesMax),
            std::string(kReference));
    }
    request.video.reference = std::move(bytes);
    request.video.reference_type = std::move(type);
    return std::nullopt;
}

// A picture of a JSON request stands in it, as a data address.
std::optional<Refusal> take_reference(VideoRequest& request) {
    const json::Value* value = request.video.body.find(kReference);
    if (value == nullptr || value->is_null()) {
        return std::nullopt;
    }
    const std::string_view text =
        value->if_string() != nullptr ? *value->if_string() : text_member(*value, "image_url");
    const std::size_t comma = text.find(',');
    const std::string_view head = text.substr(0, std::min(comma, text.size()));
    if (!head.starts_with("data:") || !head.ends_with(";base64")) {
        return invalid_request(
            "a picture to begin with is sent in the form, or as a data: address in base64",
            std::string(kReference));
    }
    auto bytes = from_base64(text.substr(comma + 1));
    if (!bytes.ok()) {
        return invalid_request("the picture to begin with is no base64", std::string(kReference));
    }
    auto refusal =
        set_reference(request, std::string(as_text(*bytes)), std::string(media_type_of(*bytes)));
    remove_member(request.video.body, kReference);
    return refusal;
}

std::optional<Refusal> check_request(const Call& call, VideoRequest& request) {
    const json::Value& body = request.video.body;
    request.ask.model = text_member(body, "model");
    request.ask.text = text_member(body, "prompt");
    request.ask.account = text_member(body, "user");
    if (auto refusal = check_ask(call, request.ask)) {
        return refusal;
    }
    remove_member(request.video.body, "user");
    request.video.model = request.ask.model;
    return std::nullopt;
}

std::optional<Refusal> read_json(const std::string& text, VideoRequest& request) {
    if (auto refusal = read_json_body(text, request.video.body)) {
        return refusal;
    }
    return take_reference(request);
}

std::optional<Refusal> read_form(const Call& call, const std::string& text, VideoRequest& request) {
    const auto boundary = http::form_boundary(call.exchange.request().header("content-type"));
    if (!boundary.ok()) {
        return invalid_request(boundary.error().what, "");
    }
    const auto parts = http::parse_form(text, *boundary);
    if (!parts.ok()) {
        return invalid_request(parts.error().what, "");
    }
    request.video.form = true;
    json::Object body;
    for (const http::FormPart& part : *parts) {
        const bool twice = std::ranges::any_of(
            body, [&](const json::Member& each) { return each.first == part.name; });
        const bool is_reference = part.name == kReference;
        if (twice || is_reference != part.file_name.has_value() ||
            (is_reference && !request.video.reference.empty())) {
            return invalid_request("a field of the form stands there twice, or is a file",
                                   part.name);
        }
        if (!is_reference) {
            body.emplace_back(part.name, std::string(part.data));
            continue;
        }
        auto refusal = set_reference(request, std::string(part.data),
                                     std::string(media_type_of(as_bytes(part.data))));
        if (refusal) {
            return refusal;
        }
    }
    request.video.body = std::move(body);
    return std::nullopt;
}

std::optional<Refusal> read_request(const Call& call, const std::string& body,
                                    VideoRequest& request) {
    const bool form =
        call.exchange.request().header("content-type").starts_with("multipart/form-data");
    auto refusal = form ? read_form(call, body, request) : read_json(body, request);
    return refusal ? refusal : check_request(call, request);
}

// A picture or video that an upstream would fetch for itself is seen by nobody here.
bool names_unseen(const json::Value& value) {
    if (const std::string* text = value.if_string()) {
        return text->starts_with("http:") || text->starts_with("https:") ||
               text->starts_with("data:") || text->starts_with("oss:");
    }
    if (const json::Array* list = value.if_array()) {
        return std::ranges::any_of(*list, names_unseen);
    }
    const json::Object* members = value.if_object();
    return members != nullptr && std::ranges::any_of(*members, [](const json::Member& each) {
               return each.first != "prompt" && names_unseen(each.second);
           });
}

// The prompt again, and the picture to begin with, which is nowhere kept but in the job.
Task<std::optional<Refusal>> review_rest(Gateway& gateway, Call& call, VideoRequest& request) {
    VideoAsk& video = request.video;
    const bool guarded = Webhooks::wanted(call, review::Stage::kInput);
    if ((guarded || call.settings->reviewer->has_pictures()) && names_unseen(video.body)) {
        co_return invalid_request("a picture that is only named cannot be reviewed", "");
    }
    std::vector<std::string> pictures;
    if (!video.reference.empty()) {
        const Bytes picture = as_bytes(video.reference);
        call.record.content_digests.push_back(sha256(picture));
        auto refusal = co_await review_picture(gateway, call, review::Stage::kInput, picture);
        if (refusal) {
            co_return refusal;
        }
        if (guarded) {
            pictures.push_back(to_base64(picture));
        }
    }
    auto refusal = co_await guard_prompt(gateway, call, member(video.body, "prompt"),
                                         request.ask.text, std::move(pictures));
    video.prompt = request.ask.text;
    co_return refusal;
}

json::Value shown_of(const VideoRequest& request, bool unlabelled) {
    const auto text_of = [&](std::string_view name) {
        const json::Value* value = request.video.body.find(name);
        if (value == nullptr || value->is_null()) {
            return json::Value();
        }
        const std::string text =
            value->if_string() != nullptr ? *value->if_string() : json::write(*value);
        return json::Value(text.substr(0, 32));
    };
    json::Object shown{
        {"model", request.ask.model}, {"seconds", text_of("seconds")}, {"size", text_of("size")}};
    if (unlabelled) {
        shown.emplace_back("explicit_label", "none");
    }
    return shown;
}

Task<std::optional<Refusal>> create_video(Gateway& gateway, Call& call) {
    VideoRequest request;
    const Wanted wanted{.kind = ModelKind::kVideo, .otherwise = "this model makes no videos"};
    auto refusal = co_await take_request(gateway, call, wanted, read_request, request);
    if (refusal) {
        keep_unlooked(call, ledger::kPictureFile, request.video.reference.empty() ? 0 : 1);
        co_return refusal;
    }
    refusal = co_await review_rest(gateway, call, request);
    if (refusal) {
        co_return refusal;
    }
    // Nothing goes out yet: the release is the record of who gets the video.
    const bool unlabelled = std::exchange(call.unlabelled, false);
    JobAdded job{.shown = shown_of(request, unlabelled), .order = {}};
    job.order.ask = std::move(request.video);
    job.order.from = call.record.personal;
    job.order.unlabelled = unlabelled;
    job.order.trace = call.trace;
    co_return co_await add_job(gateway, call, video_face(), std::move(job));
}

constexpr const char* kVideoRequest =
    R"({"type":"object","required":["model","prompt"],"properties":{"model":{"type":"string"},)"
    R"("prompt":{"type":"string"},"seconds":{"type":"string"},"size":{"type":"string"},)"
    R"("user":{"type":"string"}},"additionalProperties":true})";

constexpr JobFace kFace{
    .kind = ledger::JobKind::kVideo,
    .path = "/v1/videos",
    .parameter = "video",
    .operation = "videos",
    .id_start = "video_",
    .object = "video",
    .code_start = "video",
    .status_added = 200,
    .null_members = {"prompt", "remixed_from_video_id"},
    .settings = [](const Settings& all) -> const JobSettings& { return all.video.jobs; },
    .none = "there is no such video",
    .no_store = "videos cannot be looked up now",
    .no_after = "after is the id of a video",
    .not_ready = "the video is not made yet",
    .failed = "the video could not be made",
    .unreadable = "the video cannot be read now",
    .list_summary = "the caller's videos, the newest first",
    .show_summary = "how far a video is",
    .content_summary = "the labelled video",
    .delete_summary = "ends a video that is being made, or removes it"};

}  // namespace

const JobFace& video_face() {
    return kFace;
}

void add_video_routes(Gateway& gateway) {
    gateway.add_call(
        {.method = "POST",
         .pattern = "/v1/videos",
         .operation = "videos.create",
         .right = "generate",
         .summary = "a job that makes a labelled video, from a text or from a picture with "
                    "it",
         .request_schema = kVideoRequest,
         .response_schema = R"({"type":"object"})",
         .handle = {}},
        create_video);
    add_job_routes(gateway, kFace);
}

}  // namespace colophon::gateway
