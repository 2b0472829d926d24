// SPDX-License-Identifier: Apache-2.0
#include "gateway/video_upstreams.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/call.h"
#include "gateway/file_intake.h"
#include "gateway/gateway.h"
#include "gateway/json_edit.h"
#include "gateway/parts.h"
#include "gateway/settings.h"
#include "gateway/template_upstream.h"
#include "gateway/text_stream.h"
#include "http/multipart.h"
#include "http/upstream.h"
#include "worker/spool.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr std::size_t kAnswerBytesMax = 1U << 20U;
constexpr std::size_t kTaskIdBytesMax = 200;
constexpr std::int64_t kSecondsMax = 21'600;

// It becomes a part of an address.
Result<std::string> plain_task(std::string task) {
    const bool plain = std::ranges::all_of(task, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.' || c == ':';
    });
    if (task.empty() || task.size() > kTaskIdBytesMax || !plain || task.starts_with('.')) {
        return not_ours("it names no task");
    }
    return task;
}

void add_key(const UpstreamSettings& upstream, http::UpstreamRequest& to) {
    if (!upstream.key.empty()) {
        to.headers.push_back({"authorization", "Bearer " + upstream.key});
    }
}

std::string data_address(const VideoAsk& ask) {
    return "data:" + ask.reference_type + ";base64," + to_base64(as_bytes(ask.reference));
}

// A number, or a text that is one.
std::int64_t number_of(const json::Value* value) {
    if (value == nullptr) {
        return 0;
    }
    if (const std::string* text = value->if_string()) {
        std::int64_t number = 0;
        std::from_chars(text->data(), text->data() + text->size(), number);
        return std::clamp<std::int64_t>(number, 0, kSecondsMax);
    }
    const auto number = value->as_double();
    return number.ok() && *number > 0
               ? static_cast<std::int64_t>(std::min(*number, double{kSecondsMax}))
               : 0;
}

std::optional<int> percent_of(const json::Value* value) {
    const auto number = value == nullptr ? Result<double>(-1.0) : value->as_double();
    return number.ok() && *number >= 0 && *number <= 100 ? std::optional(static_cast<int>(*number))
                                                         : std::nullopt;
}

Result<json::Value> object_of(std::string_view answer) {
    auto parsed = json::parse(answer, {.bytes_max = kAnswerBytesMax});
    if (!parsed.ok() || parsed->if_object() == nullptr) {
        return not_ours("it is no JSON object");
    }
    return std::move(*parsed);
}

// --- OpenAI

http::UpstreamRequest openai_form(const VideoAsk& ask, const Target& target,
                                  http::UpstreamRequest out) {
    const std::string boundary =
        "colophon-" + to_hex(sha256(as_bytes(ask.reference + json::write(ask.body)))).substr(0, 32);
    std::vector<std::string> texts;  // reserved: parts point into them
    std::vector<http::FormPart> parts;
    texts.reserve(ask.body.if_object()->size());
    for (const auto& [name, value] : *ask.body.if_object()) {
        if (name == "model") {
            texts.push_back(target.model);
        } else {
            texts.push_back(value.if_string() != nullptr ? *value.if_string() : json::write(value));
        }
        parts.push_back({.name = name, .file_name = {}, .media_type = {}, .data = texts.back()});
    }
    if (!ask.reference.empty()) {
        parts.push_back({.name = "input_reference",
                         .file_name = "reference",
                         .media_type = ask.reference_type,
                         .data = ask.reference});
    }
    out.headers.push_back({"content-type", "multipart/form-data; boundary=" + boundary});
    out.body = http::write_form(parts, boundary);
    return out;
}

http::UpstreamRequest openai_request(const VideoAsk& ask, const std::string& key,
                                     const UpstreamSettings& upstream, const Target& target) {
    http::UpstreamRequest out;
    out.url = upstream.url;
    out.url.path += "/videos";
    add_key(upstream, out);
    out.headers.push_back({"idempotency-key", key});
    if (ask.form) {
        return openai_form(ask, target, std::move(out));
    }
    json::Value body = ask.body;
    set_member(body, "model", target.model);
    if (!ask.reference.empty()) {
        set_member(body, "input_reference", json::Object{{"image_url", data_address(ask)}});
    }
    out.headers.push_back({"content-type", "application/json"});
    out.body = json::write(body);
    return out;
}

Result<VideoStatus> openai_status(const json::Value& answer) {
    const std::string_view status = text_member(answer, "status");
    VideoStatus to{.done = status == "completed",
                   .progress = percent_of(answer.find("progress")),
                   .seconds = number_of(answer.find("seconds")),
                   .video = {}};
    if (status == "failed" || status == "cancelled" || status == "expired") {
        const json::Value* error = answer.find("error");
        const bool says = error != nullptr && !error->is_null();
        return upstream_says(says ? *error : json::Value(json::Object{{"message", status}}));
    }
    if (!to.done && status != "queued" && status != "in_progress") {
        return not_ours("its status is none of those that are known");
    }
    return to;
}

// --- DashScope

// Where DashScope wants them: what describes the video in one place, how it is made in another.
bool is_input(std::string_view name) {
    return name == "negative_prompt" || name == "template" || name.ends_with("_url");
}

http::UpstreamRequest dashscope_video(const VideoAsk& ask, const UpstreamSettings& upstream,
                                      const Target& target) {
    http::UpstreamRequest out;
    out.url = upstream.url;
    out.url.path += "/services/aigc/video-generation/video-synthesis";
    out.headers.push_back({"content-type", "application/json"});
    out.headers.push_back({"x-dashscope-async", "enable"});
    add_key(upstream, out);
    json::Object input{{"prompt", ask.prompt}};
    if (!ask.reference.empty()) {
        input.emplace_back("img_url", data_address(ask));
    }
    // The visible label is ours; a second one of the upstream would say something else.
    json::Object parameters{{"watermark", false}};
    for (const auto& [name, value] : *ask.body.if_object()) {
        if (name == "model" || name == "prompt" || name == "watermark") {
            continue;
        }
        if (name == "seconds") {
            parameters.emplace_back("duration", number_of(&value));
        } else if (name == "size" && value.if_string() != nullptr) {
            std::string size = *value.if_string();
            std::ranges::replace(size, 'x', '*');  // 1280x720
            parameters.emplace_back(name, std::move(size));
        } else {
            (is_input(name) ? input : parameters).emplace_back(name, value);
        }
    }
    out.body = json::write(json::Object{{"model", target.model},
                                        {"input", std::move(input)},
                                        {"parameters", std::move(parameters)}});
    return out;
}

Result<VideoStatus> dashscope_video_status(const json::Value& answer) {
    const json::Value* output = answer.find("output");
    if (output == nullptr || output->if_object() == nullptr) {
        return not_ours("it has no output");
    }
    const std::string_view status = text_member(*output, "task_status");
    VideoStatus to;
    if (status == "PENDING" || status == "RUNNING") {
        return to;
    }
    if (status != "SUCCEEDED") {
        const std::string_view said = text_member(*output, "message");
        return upstream_says(json::Object{{"message", said.empty() ? status : said}});
    }
    to.done = true;
    to.video = text_member(*output, "video_url");
    if (to.video.empty()) {
        return not_ours("it has no video");
    }
    if (const json::Value* usage = answer.find("usage")) {
        to.seconds =
            number_of(usage->find("video_duration") != nullptr ? usage->find("video_duration")
                                                               : usage->find("duration"));
    }
    return to;
}

// --- Templates

Result<http::UpstreamRequest> template_request(const VideoAsk& ask,
                                               const UpstreamSettings& upstream,
                                               const Target& target) {
    json::Value body = ask.body;
    if (!ask.reference.empty()) {
        set_member(body, "input_reference", data_address(ask));
    }
    const TemplateAsk placeholders{.body = body, .prompt = ask.prompt};
    http::UpstreamRequest out;
    out.method = upstream.pattern->method;
    out.url = upstream.url;
    out.url.path += template_path(upstream, target, placeholders);
    out.headers = TRY(template_headers(upstream, target));
    out.body = template_body(upstream, target, placeholders);
    return out;
}

http::UpstreamRequest template_question(const UpstreamSettings& upstream, const Target& target,
                                        std::string_view path, std::string_view task) {
    http::UpstreamRequest out;
    out.method = "GET";
    out.url = upstream.url;
    out.url.path += template_task_path(path, task);
    auto headers = template_headers(upstream, target);
    if (headers.ok()) {  // it was when the task was submitted
        out.headers = std::move(*headers);
    }
    std::erase_if(out.headers, [](const auto& each) { return each.name == "content-type"; });
    return out;
}

std::string word_of(const json::Value* value) {
    if (value == nullptr || value->is_null()) {
        return {};
    }
    const std::string* text = value->if_string();
    return text == nullptr ? json::write(*value) : *text;
}

Result<VideoStatus> template_status(const UpstreamTemplate& from, std::string_view body) {
    const TemplateTask& task = *from.task;
    const json::Value answer = TRY(template_answer(from, body));
    const std::string status = word_of(task.status->find(answer));
    if (status.empty()) {
        return not_ours("it has no status");
    }
    if (std::ranges::find(task.failed, status) != task.failed.end()) {
        return upstream_says(json::Object{{"message", status}});
    }
    VideoStatus to;
    to.done = std::ranges::find(task.done, status) != task.done.end();
    to.progress = task.progress ? percent_of(task.progress->find(answer)) : std::nullopt;
    to.seconds = task.seconds ? number_of(task.seconds->find(answer)) : 0;
    if (to.done && task.video) {
        to.video = word_of(task.video->find(answer));
        if (to.video.empty()) {
            return not_ours("it has no video");
        }
    }
    return to;
}

// --- Fetching

bool is_address(std::string_view text) {
    return text.starts_with("http://") || text.starts_with("https://");
}

Error too_large(std::size_t most) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("the upstream's video has more than {} bytes", most)};
}

// Where it lies. An address is somebody else's text: only public ones are followed, and the
// upstream's own where the configuration says so.
Result<http::UpstreamRequest> content_request(const VideoPlace& place) {
    const UpstreamSettings& upstream = place.upstream;
    http::UpstreamRequest out;
    if (is_address(place.video)) {
        out.url = TRY(http::parse_url(place.video));
        const bool own = upstream.fetch == Fetch::kOwn && out.url.secure == upstream.url.secure &&
                         out.url.host == upstream.url.host && out.url.port == upstream.url.port;
        out.only_public = !own;
    } else if (upstream.dialect == Dialect::kTemplate) {
        out = template_question(upstream, place.target, upstream.pattern->task->video_path,
                                place.task);
    } else {
        out.url = upstream.url;
        out.url.path += "/videos/" + place.task + "/content";
        add_key(upstream, out);
    }
    out.method = "GET";
    out.times = upstream.times;
    return out;
}

FetchedVideo fetched(Result<worker::SpooledFile> file) {
    return {.file = std::move(file), .spool_failed = false};
}

FetchedVideo spool_failed(Error error) {
    return {.file = std::move(error), .spool_failed = true};
}

Task<FetchedVideo> read_video(Gateway& gateway, Call& call, http::UpstreamResponse& response) {
    const std::size_t most = call.settings->video.bytes_max;
    FileIntake intake(gateway.parts(), call.loop(), 0);
    std::string piece;
    for (;;) {
        piece.clear();
        const auto count = co_await response.read(piece);
        if (!count.ok()) {
            co_return fetched(count.error());
        }
        if (*count == 0) {
            break;
        }
        if (intake.size() + piece.size() > most) {
            co_return fetched(too_large(most));
        }
        const auto kept = co_await intake.put(piece);
        if (!kept.ok()) {
            co_return spool_failed(kept.error());
        }
    }
    auto taken = co_await intake.finish();
    if (!taken.ok()) {
        co_return spool_failed(taken.error());
    }
    co_return fetched(std::move(taken->file));
}

Result<Buffer> coded_video(std::string_view text, std::size_t bytes_max) {
    const std::size_t comma = text.starts_with("data:") ? text.find(',') : std::string_view::npos;
    auto bytes = from_base64(comma == std::string_view::npos ? text : text.substr(comma + 1));
    if (!bytes.ok()) {
        return Error{ErrorCode::kCorrupt, "the upstream's video is no base64"};
    }
    if (bytes->size() > bytes_max) {
        return too_large(bytes_max);
    }
    return std::move(*bytes);
}

}  // namespace

Result<http::UpstreamRequest> video_request(const VideoAsk& ask, const std::string& key,
                                            const UpstreamSettings& upstream,
                                            const Target& target) {
    switch (upstream.dialect) {
        case Dialect::kOpenai:
            return openai_request(ask, key, upstream, target);
        case Dialect::kDashscope:
            return dashscope_video(ask, upstream, target);
        case Dialect::kTemplate:
            return template_request(ask, upstream, target);
        case Dialect::kAnthropic:
        case Dialect::kBuiltin:
            break;
    }
    return Error{ErrorCode::kInvalidArgument, "this model's upstream makes no videos"};
}

Result<std::string> video_task(const UpstreamSettings& upstream, std::string_view answer) {
    if (upstream.dialect == Dialect::kTemplate) {
        const json::Value value = TRY(template_answer(*upstream.pattern, answer));
        return plain_task(word_of(upstream.pattern->task->id->find(value)));
    }
    const json::Value value = TRY(object_of(answer));
    if (upstream.dialect == Dialect::kDashscope) {
        const json::Value* output = value.find("output");
        return plain_task(output == nullptr ? "" : std::string(text_member(*output, "task_id")));
    }
    return plain_task(std::string(text_member(value, "id")));
}

http::UpstreamRequest video_question(const UpstreamSettings& upstream, const Target& target,
                                     std::string_view task) {
    if (upstream.dialect == Dialect::kTemplate) {
        http::UpstreamRequest asked =
            template_question(upstream, target, upstream.pattern->task->path, task);
        asked.times = upstream.times;
        return asked;
    }
    http::UpstreamRequest out;
    out.method = "GET";
    out.url = upstream.url;
    out.url.path += upstream.dialect == Dialect::kDashscope ? "/tasks/" : "/videos/";
    out.url.path += task;
    out.times = upstream.times;
    add_key(upstream, out);
    return out;
}

Result<VideoStatus> video_status(const UpstreamSettings& upstream, std::string_view answer) {
    if (upstream.dialect == Dialect::kTemplate) {
        return template_status(*upstream.pattern, answer);
    }
    const json::Value value = TRY(object_of(answer));
    return upstream.dialect == Dialect::kDashscope ? dashscope_video_status(value)
                                                   : openai_status(value);
}

std::optional<http::UpstreamRequest> video_cancel(const UpstreamSettings& upstream,
                                                  const Target& target, std::string_view task) {
    http::UpstreamRequest out;
    if (upstream.dialect == Dialect::kTemplate) {
        const TemplateTask& of = *upstream.pattern->task;
        if (of.cancel_path.empty()) {
            return std::nullopt;
        }
        out = template_question(upstream, target, of.cancel_path, task);
        out.method = of.cancel_method;
    } else if (upstream.dialect == Dialect::kDashscope) {
        out = video_question(upstream, target, task);
        out.url.path += "/cancel";
        out.method = "POST";
    } else {
        out = video_question(upstream, target, task);
        out.method = "DELETE";
    }
    out.times = upstream.times;
    return out;
}

std::size_t status_bytes_max(const UpstreamSettings& upstream, const Settings& settings) {
    const bool within = upstream.dialect == Dialect::kTemplate && upstream.pattern->task->video;
    return kAnswerBytesMax + (within ? settings.video.bytes_max / 3 * 4 : 0);
}

Task<Result<std::string>> good_answer(http::UpstreamResponse& response, std::size_t bytes_max) {
    const int status = response.head().status;
    auto body = co_await response.read_all(bytes_max);
    if (status < 200 || status > 299) {
        co_return Error{ErrorCode::kUnavailable,
                        fmt::format("the upstream answered with status {}", status)};
    }
    co_return body;
}

Task<FetchedVideo> fetch_video(Gateway& gateway, Call& call, VideoPlace place) {
    if (!place.video.empty() && !is_address(place.video)) {
        const auto coded = coded_video(place.video, call.settings->video.bytes_max);
        if (!coded.ok()) {
            co_return fetched(coded.error());
        }
        const auto hold = [&] { return gateway.parts().spool.hold(*coded); };
        auto held = co_await gateway.parts().blocking.run(call.loop(), hold);
        if (!held.ok()) {
            co_return spool_failed(held.error());
        }
        co_return fetched(std::move(held));
    }
    auto request = content_request(place);
    if (!request.ok()) {
        co_return fetched(request.error());
    }
    request->stop = call.exchange.gone();
    auto response = co_await gateway.upstream(call.loop()).send(std::move(*request));
    if (!response.ok()) {
        co_return fetched(response.error());
    }
    if ((*response)->head().status != 200) {
        co_return fetched(
            Error{ErrorCode::kUnavailable, "the file cannot be fetched from its address"});
    }
    co_return co_await read_video(gateway, call, **response);
}

}  // namespace colophon::gateway
