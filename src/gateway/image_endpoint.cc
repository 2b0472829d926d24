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
#include "gateway/gateway.h"
#include "gateway/held.h"
#include "gateway/image_upstreams.h"
#include "gateway/json_edit.h"
#include "gateway/media_label.h"
#include "gateway/picture_review.h"
#include "gateway/refusal.h"
#include "gateway/request_body.h"
#include "gateway/routing.h"
#include "gateway/settings.h"
#include "gateway/text_stream.h"
#include "gateway/webhook_texts.h"
#include "gateway/webhooks.h"
#include "http/message.h"
#include "http/multipart.h"
#include "http/upstream.h"
#include "label/format.h"
#include "label/record.h"
#include "ledger/record.h"
#include "review/queue.h"
#include "review/scope.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr std::size_t kPicturesMax = 10;

struct ImageRequest {
    json::Value body;  // of a generation
    Ask ask;
    // Of an edit: the form that came, and its parts, which point into it.
    bool edit = false;
    std::string form;
    std::vector<http::FormPart> parts;
};

std::optional<Refusal> read_request(const Call& call, const std::string& text,
                                    ImageRequest& request) {
    if (auto refusal = read_json_body(text, request.body)) {
        return refusal;
    }
    request.ask.model = text_member(request.body, "model");
    request.ask.text = text_member(request.body, "prompt");
    request.ask.account = text_member(request.body, "user");
    if (auto refusal = check_ask(call, request.ask)) {
        return refusal;
    }
    const json::Value* stream = request.body.find("stream");
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
    request.form = body;
    auto parts = http::parse_form(request.form, *boundary);
    if (!parts.ok()) {
        return invalid_request(parts.error().what, "");
    }
    std::optional<std::string> model;
    std::optional<std::string> prompt;
    std::optional<std::string> user;
    std::optional<std::string> stream;
    bool twice = false;
    std::size_t pictures = 0;
    for (http::FormPart& part : *parts) {
        if (take_field(part, "model", model, twice) || take_field(part, "user", user, twice)) {
            continue;  // the upstream gets its own
        }
        if (take_field(part, "stream", stream, twice)) {
            continue;
        }
        take_field(part, "prompt", prompt, twice);
        pictures += part.file_name && part.name != "mask" ? 1U : 0U;
        request.parts.push_back(std::move(part));
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
    request.ask = {
        .model = model.value_or(""), .account = user.value_or(""), .text = prompt.value_or("")};
    return check_ask(call, request.ask);
}

// The name of a file may say whose it is; what it ends with says how to read it.
std::string neutral_name(std::string_view name) {
    constexpr std::size_t kEndingMax = 5;
    const std::size_t dot = name.rfind('.');
    std::string ending(dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1));
    const bool plain =
        ending.size() <= kEndingMax && std::ranges::all_of(ending, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        });
    return plain && !ending.empty() ? "file." + ending : std::string("file");
}

http::UpstreamRequest edit_request(const ImageRequest& request, const UpstreamSettings& upstream,
                                   const Target& target) {
    http::UpstreamRequest out;
    out.url = upstream.url;
    out.url.path += "/images/edits";
    // No form contains its own digest.
    const std::string boundary = "colophon-" + to_hex(sha256(as_bytes(request.form))).substr(0, 32);
    out.headers.push_back({"content-type", "multipart/form-data; boundary=" + boundary});
    if (!upstream.key.empty()) {
        out.headers.push_back({"authorization", "Bearer " + upstream.key});
    }
    std::vector<http::FormPart> parts = request.parts;
    for (http::FormPart& part : parts) {
        if (part.file_name) {
            part.file_name = neutral_name(*part.file_name);
        }
    }
    parts.push_back({.name = "model", .file_name = {}, .media_type = {}, .data = target.model});
    out.body = http::write_form(parts, boundary);
    return out;
}

Task<Result<Buffer>> picture_of(Gateway& gateway, Call& call, const UpstreamSettings& upstream,
                                const json::Value& item) {
    const std::string_view coded = text_member(item, "b64_json");
    if (!coded.empty()) {
        auto bytes = from_base64(coded);
        if (!bytes.ok()) {
            co_return Error{ErrorCode::kCorrupt, "the upstream's picture is no base64"};
        }
        co_return std::move(*bytes);
    }
    const std::string address(text_member(item, "url"));
    if (address.empty()) {
        co_return Error{ErrorCode::kCorrupt, "the upstream's answer has no picture"};
    }
    co_return co_await fetch_content(gateway, call, upstream, address);
}

// What the upstream says that it was asked instead goes out like any other text, or not at all.
void pass_prompt(Call& call, json::Value& item) {
    const std::string_view said = text_member(item, "revised_prompt");
    if (!said.empty() && reviewer_of(call, review::Stage::kOutput)->review(said).blocked()) {
        remove_member(item, "revised_prompt");
    }
}

// A picture that was held, and why.
struct HeldPicture {
    Refusal refusal;
    Buffer file;
};

struct Drawn {
    const UpstreamSettings& upstream;
    json::Value& answer;
};

// Every picture of one call bears the same content id; the first that fails ends the call. One that
// is held does not: the answer is made for the person who is to look at it.
Task<std::optional<Refusal>> label_pictures(Gateway& gateway, Call& call, Drawn drawn,
                                            std::optional<HeldPicture>& held) {
    json::Value& answer = drawn.answer;
    json::Value* data = member(answer, "data");
    json::Array* list = data == nullptr ? nullptr : data->if_array();
    if (list == nullptr || list->empty() || list->size() > kPicturesMax) {
        co_return upstream_failure(
            Error{ErrorCode::kCorrupt, "the upstream's answer has no picture"});
    }
    call.pictures = static_cast<std::int64_t>(list->size());
    for (json::Value& item : *list) {
        pass_prompt(call, item);
        auto picture = co_await picture_of(gateway, call, drawn.upstream, item);
        if (!picture.ok()) {
            co_return upstream_failure(picture.error());
        }
        auto refusal = co_await guard_picture(gateway, call, *picture);
        if (refusal && refusal->code != kHeldForReview) {
            co_return refusal;
        }
        if (refusal && !held) {
            held = HeldPicture{.refusal = std::move(*refusal), .file = *picture};
        }
        refusal = co_await review_picture(gateway, call, review::Stage::kOutput, *picture);
        if (refusal && refusal->code != kHeldForReview) {
            co_return refusal;
        }
        if (refusal && !held) {
            held = HeldPicture{.refusal = std::move(*refusal), .file = *picture};
        }
        auto labelled = co_await label_file(gateway, call, std::move(*picture), "");
        if (!labelled.ok()) {
            co_return label_failure(labelled.error());
        }
        if (label::facts(labelled->format).kind != label::Kind::kImage) {
            co_return upstream_failure(
                Error{ErrorCode::kCorrupt, "the upstream's answer has no picture"});
        }
        remove_member(item, "url");
        set_member(item, "b64_json", to_base64(labelled->file));
    }
    set_member(answer, "aigc", aigc_value(call.aigc));
    co_return std::nullopt;
}

Task<Refusal> hold_pictures(Gateway& gateway, Call& call, const json::Value& answer,
                            HeldPicture held) {
    review::WaitingAnswer waiting;
    waiting.body = json::write(answer);
    waiting.headers.emplace_back("content-type", "application/json");
    hand_over_label(call, waiting);
    const std::string type(media_type_of(held.file));
    Holding holding{.stage = review::Stage::kOutput,
                    .text = call.record.personal.input,
                    .file = std::move(held.file),
                    .media_type = type,
                    .answer = std::move(waiting)};
    co_await hold(gateway.stages(), call, std::move(holding), held.refusal);
    co_return std::move(held.refusal);
}

Task<std::optional<Refusal>> draw_and_label(Gateway& gateway, Call& call, ImageRequest& request) {
    const auto make = [&](const UpstreamSettings& upstream,
                          const Target& target) -> Result<http::UpstreamRequest> {
        if (!request.edit) {
            return media_request(request.body, request.ask.text, "/images/generations", upstream,
                                 target);
        }
        if (upstream.dialect != Dialect::kOpenai) {
            return Error{ErrorCode::kInvalidArgument, "this model's upstream edits no pictures"};
        }
        return edit_request(request, upstream, target);
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
    auto unnumbered = co_await make_label(gateway.stages(), call);
    if (unnumbered) {
        co_return unnumbered;
    }
    std::optional<HeldPicture> held;
    const Drawn drawn{.upstream = *sent->upstream, .answer = *answer};
    auto refusal = co_await label_pictures(gateway, call, drawn, held);
    if (!refusal && held) {
        refusal = co_await hold_pictures(gateway, call, *answer, std::move(*held));
    }
    if (refusal) {
        call.facts().label.clear();
        co_return refusal;
    }
    http::Headers headers = answer_headers(call, "application/json");
    std::string out = json::write(*answer);
    co_return co_await record_and_answer(gateway, call, std::move(headers), std::move(out));
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
    if (names_unseen_picture(call, request.body)) {
        co_return invalid_request("a picture that is only named cannot be reviewed", "ref_img");
    }
    std::vector<std::string> no_pictures;
    refusal = co_await guard_prompt(gateway, call, member(request.body, "prompt"), request.ask.text,
                                    std::move(no_pictures));
    if (refusal) {
        co_return refusal;
    }
    co_return co_await draw_and_label(gateway, call, request);
}

// The prompt and the pictures of an edit, as webhooks see them.
Task<std::optional<Refusal>> guard_edit(Gateway& gateway, Call& call, ImageRequest& request) {
    if (!Webhooks::wanted(call, review::Stage::kInput)) {
        co_return std::nullopt;
    }
    std::vector<std::string> pictures;
    for (const http::FormPart& part : request.parts) {
        if (part.file_name) {
            pictures.push_back(to_base64(as_bytes(part.data)));
        }
    }
    json::Value prompt = request.ask.text;
    auto refusal =
        co_await guard_prompt(gateway, call, &prompt, request.ask.text, std::move(pictures));
    for (http::FormPart& part : request.parts) {
        if (part.name == "prompt") {
            part.data = request.ask.text;
        }
    }
    co_return refusal;
}

Task<std::optional<Refusal>> serve_edits(Gateway& gateway, Call& call) {
    ImageRequest request;
    request.edit = true;
    call.origin = label::Origin::kEdited;
    const Wanted wanted{.kind = ModelKind::kImage, .otherwise = "this model makes no pictures"};
    auto refusal = co_await take_request(gateway, call, wanted, read_edit, request);
    if (refusal) {
        co_return refusal;
    }
    // The pictures that came are nowhere kept; their digests say later which they were.
    for (const http::FormPart& part : request.parts) {
        if (part.file_name) {
            call.record.content_digests.push_back(sha256(as_bytes(part.data)));
            const Bytes picture = as_bytes(part.data);
            refusal = co_await review_picture(gateway, call, review::Stage::kInput, picture);
            if (refusal) {
                co_return refusal;
            }
        }
    }
    refusal = co_await guard_edit(gateway, call, request);
    if (refusal) {
        co_return refusal;
    }
    co_return co_await draw_and_label(gateway, call, request);
}

constexpr const char* kImageRequest =
    R"({"type":"object","required":["model","prompt"],"properties":{"model":{"type":"string"},)"
    R"("prompt":{"type":"string"},"n":{"type":"integer"},"user":{"type":"string"}},)"
    R"("additionalProperties":true})";

}  // namespace

void add_image_routes(Gateway& gateway) {
    gateway.add_call({.method = "POST",
                      .pattern = "/v1/images/generations",
                      .operation = "images.generations",
                      .right = "generate",
                      .summary = "labelled pictures",
                      .request_schema = kImageRequest,
                      .response_schema = R"({"type":"object"})",
                      .handle = {}},
                     serve_images);
    gateway.add_call({.method = "POST",
                      .pattern = "/v1/images/edits",
                      .operation = "images.edits",
                      .right = "generate",
                      .summary = "pictures changed by a model, labelled",
                      .request_schema = {},
                      .response_schema = R"({"type":"object"})",
                      .handle = {}},
                     serve_edits);
}

}  // namespace colophon::gateway
