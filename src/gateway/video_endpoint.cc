// SPDX-License-Identifier: Apache-2.0
// /v1/videos: a video is asked for, and made by a job (gateway/video_jobs.h). Whoever asked hears
// how far it is, and gets it labelled.
#include "core/base64.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/json_edit.h"
#include "gateway/parts.h"
#include "gateway/picture_review.h"
#include "gateway/refusal.h"
#include "gateway/request_body.h"
#include "gateway/settings.h"
#include "gateway/unlabelled.h"
#include "gateway/video_jobs.h"
#include "gateway/video_upstreams.h"
#include "gateway/webhook_texts.h"
#include "gateway/webhooks.h"
#include "http/message.h"
#include "http/multipart.h"
#include "identity/caches.h"
#include "ledger/media_jobs.h"
#include "ledger/record.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr std::size_t kReferenceBytesMax = 8U << 20U;
constexpr std::string_view kReference = "input_reference";
constexpr std::string_view kIdStart = "video_";
constexpr const char* kVideoObject = "video";
constexpr int kAskAgainSeconds = 5;
constexpr std::uint64_t kPieceBytes = 1U << 20U;

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
    if (!Webhooks::can_pass_unseen(call, review::Stage::kOutput)) {
        co_return invalid_request(
            "a check of outputs is configured that cannot look at videos, so none is made",
            "model");
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

// The address of a job, and back.
std::string public_id(const ledger::JobId& id) {
    return std::string(kIdStart) + to_string(id);
}

std::optional<ledger::JobId> job_id_of(std::string_view text) {
    if (!text.starts_with(kIdStart)) {
        return std::nullopt;
    }
    const auto id = parse_random_id<ledger::JobId>(text.substr(kIdStart.size()));
    return id.ok() ? std::optional(*id) : std::nullopt;
}

json::Value seconds_value(const std::optional<Time>& time) {
    if (!time) {
        return {};
    }
    return std::chrono::duration_cast<std::chrono::seconds>(time->time_since_epoch()).count();
}

// What kept of a failure, as the caller reads it.
json::Value failure_json(const json::Value& error, const Call& call) {
    Refusal refusal;
    refusal.type = text_member(error, "type");
    refusal.code = text_member(error, "code");
    refusal.message = text_member(error, "message");
    refusal.category = text_member(error, "category");
    refusal.ticket = text_member(error, "ticket");
    ErrorContext context = call.errors;
    context.shape = ErrorShape::kOpenai;
    const json::Value whole = error_json(refusal, context);
    return *whole.find("error");
}

json::Value video_json(const ledger::MediaJob& job, const Call& call) {
    json::Object video{{"id", public_id(job.id)},
                       {"object", kVideoObject},
                       {"created_at", seconds_value(job.created)},
                       {"status", ledger::job_state_name(job.state)},
                       {"progress", std::int64_t{job.progress}},
                       {"completed_at", seconds_value(job.ended)},
                       {"expires_at", seconds_value(job.expires)},
                       {"prompt", nullptr},
                       {"remixed_from_video_id", nullptr}};
    for (const auto& [name, value] : *job.shown.if_object()) {
        video.emplace_back(name, value);
    }
    json::Value error;
    if (job.outcome && !job.outcome->error.is_null()) {
        error = failure_json(job.outcome->error, call);
    }
    video.emplace_back("error", std::move(error));
    if (job.outcome && job.outcome->content_id) {
        video.emplace_back("content_id", to_string(*job.outcome->content_id));
        video.emplace_back("aigc", aigc_value(job.outcome->label));
    }
    return video;
}

Task<std::optional<Refusal>> create_video(Gateway& gateway, Call& call) {
    VideoRequest request;
    const Wanted wanted{.kind = ModelKind::kVideo, .otherwise = "this model makes no videos"};
    auto refusal = co_await take_request(gateway, call, wanted, read_request, request);
    if (refusal) {
        co_return refusal;
    }
    refusal = co_await review_rest(gateway, call, request);
    if (refusal) {
        co_return refusal;
    }
    // Nothing goes out yet: the release is the record of who gets the video.
    const bool unlabelled = std::exchange(call.unlabelled, false);
    const VideoOrder order{.ask = std::move(request.video),
                           .from = call.record.personal,
                           .unlabelled = unlabelled,
                           .trace = call.trace};
    ledger::MediaJobs::NewJob job{
        .shown = shown_of({.ask = request.ask, .video = order.ask}, unlabelled),
        .asked = write_order(order),
        .tenant_max = call.settings->video.tenant_jobs_at_once,
        .subject_max = call.settings->video.subject_jobs_at_once};
    call.facts().outcome = ledger::Outcome::kAnswered;
    const auto filled = co_await fill_record(gateway.stages(), call);
    if (!filled.ok()) {
        co_return own_failure("record_unavailable",
                              "the call cannot be recorded now, so it is not answered");
    }
    const auto add = [&] { return gateway.parts().jobs.add(job, call.record); };
    const auto added = co_await gateway.parts().blocking.run(call.loop(), add);
    if (!added.ok() && added.error().code == ErrorCode::kLimit) {
        co_return too_many(added.error().what, kAskAgainSeconds);
    }
    if (!added.ok()) {
        co_return own_failure("record_unavailable",
                              "the call cannot be recorded now, so it is not answered");
    }
    call.recorded = true;
    http::Headers headers = answer_headers(call, "application/json");
    std::string out = json::write(video_json(*added, call));
    (void)co_await call.exchange.answer(200, std::move(headers), std::move(out));
    co_return std::nullopt;
}

Refusal no_video() {
    Refusal refusal = invalid_request("there is no such video", "");
    refusal.status = 404;
    refusal.code = "not_found";
    return refusal;
}

Refusal no_store() {
    return own_failure("store_unavailable", "videos cannot be looked up now");
}

// Whose videos are asked for, where the call names an end user.
struct Asker {
    std::optional<SubjectId> subject;
    std::optional<Refusal> refusal;
};

Task<Asker> asker_of(Gateway& gateway, Call& call) {
    Asker asker;
    const std::string account(call.exchange.request().header("colophon-subject"));
    if (account.empty()) {
        co_return asker;
    }
    const auto load = [&] { return gateway.parts().subjects.load(call.caller.tenant, account); };
    const auto subject = co_await gateway.parts().blocking.run(call.loop(), load);
    if (!subject.ok()) {
        asker.refusal =
            own_failure("identity_unavailable", "the end user's identity cannot be looked up now");
    } else if (!*subject) {
        asker.refusal = no_video();
    } else {
        asker.subject = (*subject)->id;
    }
    co_return asker;
}

struct Found {
    std::optional<ledger::MediaJob> job;
    std::optional<Refusal> refusal;
};

Task<Found> find_video(Gateway& gateway, Call& call) {
    Found found;
    const auto id = job_id_of(call.path.front());
    if (!id) {
        found.refusal = no_video();
        co_return found;
    }
    const Asker asker = co_await asker_of(gateway, call);
    if (asker.refusal) {
        found.refusal = asker.refusal;
        co_return found;
    }
    const auto find = [&] {
        return gateway.parts().jobs.find(call.caller.tenant, asker.subject, *id);
    };
    auto job = co_await gateway.parts().blocking.run(call.loop(), find);
    if (job.ok()) {
        found.job = std::move(*job);
    } else {
        found.refusal = job.error().code == ErrorCode::kNotFound ? no_video() : no_store();
    }
    co_return found;
}

// Asking makes nothing, so it needs no record.
Task<void> answer_unrecorded(Call& call, json::Value body, bool waits) {
    http::Headers headers;
    headers.push_back({"content-type", "application/json"});
    headers.push_back({"cache-control", "no-store"});
    if (waits) {
        headers.push_back({"retry-after", std::to_string(kAskAgainSeconds)});
    }
    std::string text = json::write(body);
    (void)co_await call.exchange.answer(200, std::move(headers), std::move(text));
}

Task<std::optional<Refusal>> show_video(Gateway& gateway, Call& call) {
    call.recorded = true;
    call.facts().id = {};
    const Found found = co_await find_video(gateway, call);
    if (found.refusal) {
        co_return found.refusal;
    }
    json::Value body = video_json(*found.job, call);
    co_await answer_unrecorded(call, std::move(body), !ledger::has_ended(found.job->state));
    co_return std::nullopt;
}

std::optional<Refusal> read_page(const Call& call, ledger::MediaJobs::Query& query) {
    const std::string& fields = call.exchange.request().query;
    if (const auto limit = http::query_field(fields, "limit")) {
        const auto [end, failed] =
            std::from_chars(limit->data(), limit->data() + limit->size(), query.jobs_max);
        if (failed != std::errc{} || end != limit->data() + limit->size() || query.jobs_max < 1 ||
            query.jobs_max > ledger::kJobsPageMax) {
            return invalid_request("limit is a number from 1 to 100", "limit");
        }
    }
    if (const auto order = http::query_field(fields, "order")) {
        query.ascending = *order == "asc";
        if (*order != "asc" && *order != "desc") {
            return invalid_request("order is asc or desc", "order");
        }
    }
    if (const auto after = http::query_field(fields, "after")) {
        query.after = job_id_of(*after);
        if (!query.after) {
            return invalid_request("after is the id of a video", "after");
        }
    }
    return std::nullopt;
}

Task<std::optional<Refusal>> list_videos(Gateway& gateway, Call& call) {
    call.recorded = true;
    call.facts().id = {};
    ledger::MediaJobs::Query query;
    if (auto refusal = read_page(call, query)) {
        co_return refusal;
    }
    const Asker asker = co_await asker_of(gateway, call);
    json::Array data;
    bool more = false;
    if (!asker.refusal) {
        query.tenant = call.caller.tenant;
        query.subject = asker.subject;
        const std::size_t most = query.jobs_max++;  // one more says whether there is more
        const auto list = [&] { return gateway.parts().jobs.list(query); };
        const auto jobs = co_await gateway.parts().blocking.run(call.loop(), list);
        if (!jobs.ok()) {
            co_return no_store();
        }
        more = jobs->size() > most;
        for (std::size_t i = 0; i < std::min(jobs->size(), most); ++i) {
            data.push_back(video_json((*jobs)[i], call));
        }
    } else if (asker.refusal->status != 404) {
        co_return asker.refusal;
    }
    const auto id_at = [&](bool first) {
        return data.empty() ? json::Value()
                            : json::Value(std::string(
                                  text_member(first ? data.front() : data.back(), "id")));
    };
    json::Object body{{"object", "list"},
                      {"first_id", id_at(true)},
                      {"last_id", id_at(false)},
                      {"has_more", more}};
    body.emplace_back("data", std::move(data));
    co_await answer_unrecorded(call, std::move(body), false);
    co_return std::nullopt;
}

Refusal not_there(const ledger::MediaJob& job, const Call& call) {
    if (!ledger::has_ended(job.state)) {
        Refusal refusal = invalid_request("the video is not made yet", "");
        refusal.status = 409;
        refusal.code = "video_not_ready";
        refusal.retry_after = kAskAgainSeconds;
        return refusal;
    }
    Refusal refusal = invalid_request("the video could not be made", "");
    refusal.status = 422;
    refusal.code = "video_failed";
    if (job.outcome && !job.outcome->error.is_null()) {
        refusal.message = in_tongue(refusal.message, call.errors.tongue);
        refusal.category = text_member(job.outcome->error, "category");
        refusal.ticket = text_member(job.outcome->error, "ticket");
    }
    return refusal;
}

// [DSP-9] [AILM-9] It goes out now, so what was admitted when it was asked for is looked at again.
Task<std::optional<Refusal>> admit_content(Gateway& gateway, Call& call,
                                           const ledger::MediaJob& job) {
    const auto read = [&]() -> Result<VideoOrder> {
        const auto asked = gateway.parts().jobs.asked(job);
        if (!asked.ok()) {
            return asked.error();
        }
        return read_order(*asked);
    };
    const auto order = co_await gateway.parts().blocking.run(call.loop(), read);
    if (!order.ok()) {
        co_return order.error().code == ErrorCode::kNotFound ? no_video() : no_store();
    }
    auto refusal = co_await admit_identity(gateway.stages(), call, order->from.account);
    if (refusal) {
        co_return refusal;
    }
    if (order->unlabelled) {
        refusal = co_await check_agreement(gateway.stages(), call);
        call.unlabelled = !refusal;
    }
    co_return refusal;
}

Task<Result<Buffer>> read_piece(Gateway& gateway, Call& call, const ledger::MediaJob& job,
                                std::uint64_t offset) {
    const auto read = [&] { return gateway.parts().jobs.read(job, offset, kPieceBytes); };
    co_return co_await gateway.parts().blocking.run(call.loop(), read);
}

// Piece by piece: a video is never in memory as a whole. A piece that cannot be had cuts the
// answer, so that nobody takes it for whole.
Task<void> send_video(Gateway& gateway, Call& call, const ledger::MediaJob& job, Buffer piece) {
    http::Headers headers = answer_headers(call, job.outcome->media_type);
    if (job.outcome->content_id) {
        headers.push_back({"colophon-content-id", to_string(*job.outcome->content_id)});
    }
    headers.push_back({"colophon-aigc", job.outcome->label});
    const auto begun = co_await call.exchange.begin(200, std::move(headers));
    const auto size = static_cast<std::uint64_t>(job.outcome->bytes);
    std::uint64_t sent = 0;
    bool goes_on = begun.ok();
    while (goes_on && !piece.empty()) {
        const auto written = co_await call.exchange.write(as_text(piece));
        sent += piece.size();
        goes_on = written.ok();
        if (!goes_on || sent >= size) {
            break;
        }
        auto next = co_await read_piece(gateway, call, job, sent);
        goes_on = next.ok();
        if (goes_on) {
            piece = std::move(*next);
        }
    }
    if (goes_on && sent == size) {
        (void)co_await call.exchange.end();
    }
}

Task<std::optional<Refusal>> give_video(Gateway& gateway, Call& call) {
    note_source(call);
    const auto variant = http::query_field(call.exchange.request().query, "variant");
    if (variant && *variant != "video") {
        co_return invalid_request("only the video itself is kept", "variant");
    }
    const Found found = co_await find_video(gateway, call);
    if (found.refusal) {
        co_return found.refusal;
    }
    const ledger::MediaJob& job = *found.job;
    call.facts().subject = job.subject;
    call.facts().model = job.shown.string_or("model", "");
    call.detail.emplace_back("job", to_string(job.id));
    if (job.state != ledger::JobState::kCompleted || !job.outcome) {
        co_return not_there(job, call);
    }
    auto refusal = co_await admit_content(gateway, call, job);
    if (refusal) {
        co_return refusal;
    }
    auto first = co_await read_piece(gateway, call, job, 0);
    if (!first.ok() || first->empty()) {
        co_return own_failure("store_unavailable", "the video cannot be read now");
    }
    call.facts().label = job.outcome->label;
    call.record.content_digests.push_back(job.outcome->digest);
    if (job.outcome->content_id) {
        // The number itself belongs to the record of the job.
        call.detail.emplace_back("content", to_string(*job.outcome->content_id));
    }
    call.facts().outcome = ledger::Outcome::kAnswered;
    const auto kept = co_await append_record(gateway.stages(), call);
    if (!kept.ok()) {
        co_return own_failure("record_unavailable",
                              "the call cannot be recorded now, so it is not answered");
    }
    co_await send_video(gateway, call, job, std::move(*first));
    co_return std::nullopt;
}

Task<std::optional<Refusal>> delete_video(Gateway& gateway, Call& call) {
    note_source(call);
    const Found found = co_await find_video(gateway, call);
    if (found.refusal) {
        co_return found.refusal;
    }
    const ledger::MediaJob& job = *found.job;
    call.facts().subject = job.subject;
    call.detail.emplace_back("job", to_string(job.id));
    call.detail.emplace_back("state", ledger::job_state_name(job.state));
    call.facts().outcome = ledger::Outcome::kAnswered;
    const auto filled = co_await fill_record(gateway.stages(), call);
    const auto remove = [&] { return gateway.parts().jobs.remove(job, call.record); };
    auto removed = filled;
    if (filled.ok()) {
        removed = co_await gateway.parts().blocking.run(call.loop(), remove);
    }
    if (!removed.ok() && removed.error().code == ErrorCode::kNotFound) {
        co_return no_video();
    }
    if (!removed.ok()) {
        co_return own_failure("record_unavailable",
                              "the call cannot be recorded now, so it is not answered");
    }
    call.recorded = true;
    http::Headers headers = answer_headers(call, "application/json");
    std::string out = json::write(json::Object{{"id", public_id(job.id)},
                                               {"object", std::string(kVideoObject) + ".deleted"},
                                               {"deleted", true}});
    (void)co_await call.exchange.answer(200, std::move(headers), std::move(out));
    co_return std::nullopt;
}

constexpr const char* kVideoRequest =
    R"({"type":"object","required":["model","prompt"],"properties":{"model":{"type":"string"},)"
    R"("prompt":{"type":"string"},"seconds":{"type":"string"},"size":{"type":"string"},)"
    R"("user":{"type":"string"}},"additionalProperties":true})";
constexpr const char* kObject = R"({"type":"object"})";

}  // namespace

void add_video_routes(Gateway& gateway) {
    gateway.add_call(
        {.method = "POST",
         .pattern = "/v1/videos",
         .operation = "videos.create",
         .right = "generate",
         .summary = "a job that makes a labelled video, from a text or from a picture with "
                    "it",
         .request_schema = kVideoRequest,
         .response_schema = kObject,
         .handle = {}},
        create_video);
    gateway.add_call({.method = "GET",
                      .pattern = "/v1/videos",
                      .operation = "videos.list",
                      .right = "generate",
                      .summary = "the caller's videos, the newest first",
                      .response_schema = kObject,
                      .query = {{"limit", "how many, 1 to 100; usually 20"},
                                {"after", "the id of the last video of the page before"},
                                {"order", "asc or desc"}},
                      .handle = {}},
                     list_videos);
    gateway.add_call({.method = "GET",
                      .pattern = "/v1/videos/{video}",
                      .operation = "videos.retrieve",
                      .right = "generate",
                      .summary = "how far a video is",
                      .response_schema = kObject,
                      .handle = {}},
                     show_video);
    gateway.add_call({.method = "GET",
                      .pattern = "/v1/videos/{video}/content",
                      .operation = "videos.content",
                      .right = "generate",
                      .summary = "the labelled video",
                      .handle = {}},
                     give_video);
    gateway.add_call({.method = "DELETE",
                      .pattern = "/v1/videos/{video}",
                      .operation = "videos.delete",
                      .right = "generate",
                      .summary = "ends a video that is being made, or removes it",
                      .response_schema = kObject,
                      .handle = {}},
                     delete_video);
}

}  // namespace colophon::gateway
