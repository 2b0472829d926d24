// SPDX-License-Identifier: Apache-2.0
// /v1/images/generations and /v1/images/edits: pictures of an upstream, each with all its marks
// before any byte goes out.
#include "core/base64.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/file_prints.h"
#include "gateway/gateway.h"
#include "gateway/image_upstreams.h"
#include "gateway/job_endpoints.h"
#include "gateway/json_edit.h"
#include "gateway/picture_review.h"
#include "gateway/pictures.h"
#include "gateway/refusal.h"
#include "gateway/request_body.h"
#include "gateway/routing.h"
#include "gateway/settings.h"
#include "gateway/text_stream.h"
#include "gateway/webhook_texts.h"
#include "gateway/webhooks.h"
#include "http/message.h"
#include "http/multipart.h"
#include "label/record.h"
#include "ledger/file_prints.h"
#include "ledger/media_jobs.h"
#include "review/scope.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr std::string_view kBackground = "background";
constexpr std::size_t kShownBytesMax = 32;

struct ImageRequest {
    Ask ask;
    PictureAsk picture;
    bool background = false;  // the caller comes back for them
};

// RFC 7240: "respond-async, wait=10", and lists of such in several fields.
bool prefers_async(const http::Request& request) {
    return std::ranges::any_of(request.headers, [](const http::Header& each) {
        if (each.name != "prefer") {
            return false;
        }
        std::string_view rest = each.value;
        while (!rest.empty()) {
            const std::size_t comma = std::min(rest.find(','), rest.size());
            std::string_view word = rest.substr(0, std::min(comma, rest.find(';')));
            rest.remove_prefix(std::min(comma + 1, rest.size()));
            while (word.starts_with(' ') || word.starts_with('\t')) {
                word.remove_prefix(1);
            }
            while (word.ends_with(' ') || word.ends_with('\t')) {
                word.remove_suffix(1);
            }
            const bool same = std::ranges::equal(
                word, std::string_view("respond-async"),
                [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b; });
            if (same) {
                return true;
            }
        }
        return false;
    });
}

std::optional<Refusal> read_request(const Call& call, const std::string& text,
                                    ImageRequest& request) {
    json::Value& body = request.picture.body;
    if (auto refusal = read_json_body(text, body)) {
        return refusal;
    }
    request.ask.model = text_member(body, "model");
    request.ask.text = text_member(body, "prompt");
    request.ask.account = text_member(body, "user");
    if (auto refusal = check_ask(call, request.ask)) {
        return refusal;
    }
    // What is no truth value is the background of the picture: "transparent", "opaque", "auto".
    const json::Value* background = body.find(kBackground);
    if (background != nullptr && background->if_bool() != nullptr) {
        request.background = *background->if_bool();
        remove_member(body, kBackground);
    }
    const json::Value* stream = body.find("stream");
    if (stream != nullptr && stream->if_bool() != nullptr && *stream->if_bool()) {
        return invalid_request("a picture is labelled as a whole, so it cannot be streamed",
                               "stream");
    }
    return std::nullopt;
}

// One of the fields whose meaning we must know: it may stand there once.
bool take_field(const http::FormPart& part, std::string_view name, std::optional<std::string>& to,
                bool& twice) {
    if (part.name != name) {
        return false;
    }
    twice = twice || to.has_value() || part.file_name.has_value();
    to = std::string(part.data);
    return true;
}

std::optional<Refusal> read_edit(const Call& call, const std::string& body, ImageRequest& request) {
    const auto boundary = http::form_boundary(call.exchange.request().header("content-type"));
    if (!boundary.ok()) {
        Refusal refusal = invalid_request(boundary.error().what, "");
        refusal.status = boundary.error().code == ErrorCode::kUnsupported ? 415 : 400;
        return refusal;
    }
    request.picture.edit = true;
    request.picture.form = std::make_shared<const std::string>(body);
    auto parts = http::parse_form(*request.picture.form, *boundary);
    if (!parts.ok()) {
        return invalid_request(parts.error().what, "");
    }
    std::optional<std::string> model;
    std::optional<std::string> prompt;
    std::optional<std::string> user;
    std::optional<std::string> stream;
    std::optional<std::string> background;
    bool twice = false;
    std::size_t pictures = 0;
    for (http::FormPart& part : *parts) {
        if (take_field(part, "model", model, twice) || take_field(part, "user", user, twice)) {
            continue;  // the upstream gets its own
        }
        if (take_field(part, "stream", stream, twice)) {
            continue;
        }
        const bool says = part.data == "true" || part.data == "false";
        if (says && take_field(part, kBackground, background, twice)) {
            continue;
        }
        take_field(part, "prompt", prompt, twice);
        pictures += part.file_name && part.name != "mask" ? 1U : 0U;
        request.picture.parts.push_back(std::move(part));
    }
    if (twice) {
        return invalid_request("a field of the form stands there twice, or is a file", "");
    }
    if (pictures == 0) {
        return invalid_request("the form has no picture", "image");
    }
    if (stream && *stream != "false") {
        return invalid_request("a picture is labelled as a whole, so it cannot be streamed",
                               "stream");
    }
    request.background = background && *background == "true";
    request.ask = {
        .model = model.value_or(""), .account = user.value_or(""), .text = prompt.value_or("")};
    return check_ask(call, request.ask);
}

Task<std::optional<Refusal>> draw_and_label(Gateway& gateway, Call& call, ImageRequest& request) {
    const auto make = [&](const UpstreamSettings& upstream, const Target& target) {
        return picture_request(request.picture, "", upstream, target);
    };
    const auto began = std::chrono::steady_clock::now();
    auto sent = co_await gateway.routing().send(call, gateway.upstream(call.loop()), make);
    if (!sent.ok() && sent.error().code == ErrorCode::kInvalidArgument) {
        co_return invalid_request(sent.error().what, "");
    }
    if (!sent.ok()) {
        co_return upstream_failure(sent.error());
    }
    auto answer = co_await image_answer(gateway, call, *sent);
    call.facts().durations.upstream_ms = milliseconds_since(began);
    call.waited += std::chrono::steady_clock::now() - began;
    if (!answer.ok()) {
        co_return upstream_failure(answer.error());
    }
    const Usage usage = usage_of(*answer);
    call.facts().input_tokens = usage.input;
    call.facts().output_tokens = usage.output;
    PictureTerms terms;
    terms.form = form_of(request.picture);
    auto refusal =
        co_await finish_pictures(gateway, call, *sent->upstream, *answer, std::move(terms));
    if (refusal) {
        co_return refusal;
    }
    http::Headers headers = answer_headers(call, "application/json");
    std::string out = json::write(*answer);
    co_return co_await record_and_answer(gateway, call, std::move(headers), std::move(out));
}

json::Value shown_of(const ImageRequest& request, bool unlabelled) {
    json::Object shown{{"model", request.ask.model}};
    const auto show = [&](std::string_view name, std::string_view text) {
        shown.emplace_back(std::string(name), text.substr(0, kShownBytesMax));
    };
    for (const std::string_view name : {"size", "quality", "n"}) {
        if (const json::Value* value = request.picture.body.find(name)) {
            show(name, value->if_string() != nullptr ? *value->if_string() : json::write(*value));
        }
        for (const http::FormPart& part : request.picture.parts) {
            if (part.name == name && !part.file_name) {
                show(name, part.data);
            }
        }
    }
    if (unlabelled) {
        shown.emplace_back("explicit_label", "none");
    }
    return shown;
}

// All that a call does before its upstream is asked was done; the rest is a job's.
Task<std::optional<Refusal>> draw_later(Gateway& gateway, Call& call, ImageRequest& request) {
    // Nothing goes out yet: the release is the record of who gets the pictures.
    const bool unlabelled = std::exchange(call.unlabelled, false);
    JobAdded job{.shown = shown_of(request, unlabelled),
                 .order = {},
                 .preferred = prefers_async(call.exchange.request())};
    job.order.ask = std::move(request.picture);
    job.order.from = call.record.personal;
    job.order.unlabelled = unlabelled;
    job.order.trace = call.trace;
    call.detail.emplace_back("background", true);
    co_return co_await add_job(gateway, call, picture_face(), std::move(job));
}

bool comes_back(const Call& call, const ImageRequest& request) {
    return request.background || prefers_async(call.exchange.request());
}

Task<std::optional<Refusal>> draw(Gateway& gateway, Call& call, ImageRequest& request) {
    request.picture.model = request.ask.model;
    request.picture.prompt = request.ask.text;
    if (comes_back(call, request)) {
        co_return co_await draw_later(gateway, call, request);
    }
    co_return co_await draw_and_label(gateway, call, request);
}

// A picture that an upstream would fetch for itself is seen by nobody here.
bool names_unseen_picture(const Call& call, const json::Value& body) {
    const bool looked_at =
        call.settings->reviewer->has_pictures() || Webhooks::wanted(call, review::Stage::kInput);
    return looked_at && body.find("ref_img") != nullptr;
}

Task<std::optional<Refusal>> serve_images(Gateway& gateway, Call& call) {
    ImageRequest request;
    const Wanted wanted{.kind = ModelKind::kImage, .otherwise = "this model makes no pictures"};
    auto refusal = co_await take_request(gateway, call, wanted, read_request, request);
    if (refusal) {
        co_return refusal;
    }
    if (names_unseen_picture(call, request.picture.body)) {
        co_return invalid_request("a picture that is only named cannot be reviewed", "ref_img");
    }
    std::vector<std::string> no_pictures;
    refusal = co_await guard_prompt(gateway, call, member(request.picture.body, "prompt"),
                                    request.ask.text, std::move(no_pictures));
    if (refusal) {
        co_return refusal;
    }
    co_return co_await draw(gateway, call, request);
}

// The prompt and the pictures of an edit, as webhooks see them.
Task<std::optional<Refusal>> guard_edit(Gateway& gateway, Call& call, ImageRequest& request) {
    if (!Webhooks::wanted(call, review::Stage::kInput)) {
        co_return std::nullopt;
    }
    std::vector<std::string> pictures;
    for (const http::FormPart& part : request.picture.parts) {
        if (part.file_name) {
            pictures.push_back(to_base64(as_bytes(part.data)));
        }
    }
    json::Value prompt = request.ask.text;
    auto refusal =
        co_await guard_prompt(gateway, call, &prompt, request.ask.text, std::move(pictures));
    for (http::FormPart& part : request.picture.parts) {
        if (part.name == "prompt") {
            part.data = request.ask.text;
        }
    }
    co_return refusal;
}

Task<std::optional<Refusal>> serve_edits(Gateway& gateway, Call& call) {
    ImageRequest request;
    call.origin = label::Origin::kEdited;
    const Wanted wanted{.kind = ModelKind::kImage, .otherwise = "this model makes no pictures"};
    auto refusal = co_await take_request(gateway, call, wanted, read_edit, request);
    auto left = static_cast<std::size_t>(std::ranges::count_if(
        request.picture.parts,
        [](const http::FormPart& part) { return part.file_name.has_value(); }));
    if (refusal) {
        keep_unlooked(call, ledger::kPictureFile, left);
        co_return refusal;
    }
    // The pictures that came are nowhere kept; their digests say later which they were.
    for (const http::FormPart& part : request.picture.parts) {
        if (part.file_name) {
            call.record.content_digests.push_back(sha256(as_bytes(part.data)));
            const Bytes picture = as_bytes(part.data);
            refusal = co_await review_picture(gateway, call, review::Stage::kInput, picture);
            --left;
            if (refusal) {
                keep_unlooked(call, ledger::kPictureFile, left);
                co_return refusal;
            }
        }
    }
    refusal = co_await guard_edit(gateway, call, request);
    if (refusal) {
        co_return refusal;
    }
    co_return co_await draw(gateway, call, request);
}

constexpr const char* kImageRequest =
    R"({"type":"object","required":["model","prompt"],"properties":{"model":{"type":"string"},)"
    R"("prompt":{"type":"string"},"n":{"type":"integer"},"user":{"type":"string"},)"
    R"("background":{"type":["boolean","string"]}},)"
    R"("additionalProperties":true})";

constexpr JobFace kFace{
    .kind = ledger::JobKind::kPictures,
    .path = "/v1/images/jobs",
    .parameter = "job",
    .operation = "images.jobs",
    .id_start = "imgjob_",
    .object = "image.job",
    .code_start = "image",
    .status_added = 202,
    .null_members = {},
    .settings = [](const Settings& all) -> const JobSettings& { return all.pictures; },
    .none = "there is no such job",
    .no_store = "jobs cannot be looked up now",
    .no_after = "after is the id of a job",
    .not_ready = "the pictures are not made yet",
    .failed = "the pictures could not be made",
    .unreadable = "the pictures cannot be read now",
    .list_summary = "the caller's jobs that make pictures, the newest first",
    .show_summary = "how far a job is",
    .content_summary = "the labelled pictures, as the call would have given them",
    .delete_summary = "ends a job, or removes its pictures"};

}  // namespace

const JobFace& picture_face() {
    return kFace;
}

void add_image_routes(Gateway& gateway) {
    gateway.add_call(
        {.method = "POST",
         .pattern = "/v1/images/generations",
         .operation = "images.generations",
         .right = "generate",
         .summary = "labelled pictures; with \"background\": true, or Prefer: respond-async, a "
                    "job that makes them",
         .request_schema = kImageRequest,
         .response_schema = R"({"type":"object"})",
         .handle = {}},
        serve_images);
    gateway.add_call({.method = "POST",
                      .pattern = "/v1/images/edits",
                      .operation = "images.edits",
                      .right = "generate",
                      .summary = "pictures changed by a model, labelled; or a job, as above",
                      .request_schema = {},
                      .response_schema = R"({"type":"object"})",
                      .handle = {}},
                     serve_edits);
    add_job_routes(gateway, kFace);
}

}  // namespace colophon::gateway
