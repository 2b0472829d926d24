// SPDX-License-Identifier: Apache-2.0
#include "gateway/dashscope.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/json_edit.h"
#include "gateway/picture_review.h"
#include "gateway/pictures.h"
#include "gateway/routing.h"
#include "gateway/settings.h"
#include "gateway/text_stream.h"
#include "http/loop.h"
#include "http/multipart.h"
#include "http/upstream.h"

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

constexpr std::size_t kAnswerBytesMax = 1U << 20U;
constexpr std::size_t kTaskIdBytesMax = 200;
constexpr int kFailuresMax = 3;               // questions in a row that may fail
constexpr std::int64_t kPicturesMost = 1000;  // of one task
constexpr std::chrono::milliseconds kPauseFirst{500};
constexpr std::chrono::milliseconds kPauseMost{3'000};

Result<json::Value> output_of(std::string_view answer) {
    const auto parsed = json::parse(answer, {.bytes_max = kAnswerBytesMax});
    if (!parsed.ok() || parsed->if_object() == nullptr) {
        return not_ours("it is no JSON object");
    }
    const json::Value* output = parsed->find("output");
    if (output == nullptr || output->if_object() == nullptr) {
        return not_ours("it has no output");
    }
    return *output;
}

// Where DashScope wants them: what describes the picture in one place, how it is made in another.
bool is_input(std::string_view name) {
    return name == "negative_prompt" || name == "ref_img";
}

Task<Result<std::string>> ask_once(Gateway& gateway, Call& call, const UpstreamSettings& upstream,
                                   const std::string& task) {
    http::UpstreamRequest request;
    request.method = "GET";
    request.url = upstream.url;
    request.url.path += "/tasks/" + task;
    if (!upstream.key.empty()) {
        request.headers.push_back({"authorization", "Bearer " + upstream.key});
    }
    request.times = upstream.times;
    request.stop = call.exchange.gone();
    auto response = co_await gateway.upstream(call.loop()).send(std::move(request));
    if (!response.ok()) {
        co_return response.error();
    }
    if ((*response)->head().status != 200) {
        co_return Error{ErrorCode::kUnavailable, fmt::format("the upstream answered with status {}",
                                                             (*response)->head().status)};
    }
    co_return co_await (*response)->read_all(kAnswerBytesMax);
}

}  // namespace

http::UpstreamRequest dashscope_request(const json::Value& body, const UpstreamSettings& upstream,
                                        const Target& target) {
    http::UpstreamRequest out;
    out.url = upstream.url;
    out.url.path += "/services/aigc/text2image/image-synthesis";
    out.headers.push_back({"content-type", "application/json"});
    out.headers.push_back({"x-dashscope-async", "enable"});
    if (!upstream.key.empty()) {
        out.headers.push_back({"authorization", "Bearer " + upstream.key});
    }
    json::Object input{{"prompt", std::string(text_member(body, "prompt"))}};
    // The visible label is ours; a second one of the upstream would say something else.
    json::Object parameters{{"watermark", false}};
    for (const auto& [name, value] : *body.if_object()) {
        if (is_input(name)) {
            input.emplace_back(name, value);
        } else if (name == "size" && value.if_string() != nullptr) {
            std::string size = *value.if_string();
            std::ranges::replace(size, 'x', '*');  // 1024x1024
            parameters.emplace_back(name, std::move(size));
        } else if (name != "model" && name != "prompt" && name != "user" && name != "stream" &&
                   name != "response_format" && name != "watermark") {
            parameters.emplace_back(name, value);
        }
    }
    out.body = json::write(json::Object{{"model", target.model},
                                        {"input", std::move(input)},
                                        {"parameters", std::move(parameters)}});
    return out;
}

namespace {

constexpr std::size_t kMessagePicturesMax = 3;

// What stands in the form in the place where DashScope wants it; nothing for what it has no place
// for.
json::Value value_of_field(std::string_view text) {
    if (text == "true" || text == "false") {
        return text == "true";
    }
    std::int64_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed == std::errc{} && end == text.data() + text.size()) {
        return number;
    }
    return text;
}

// What an edit is made of, sorted.
struct EditParts {
    std::vector<std::string> pictures;  // data: addresses
    std::string mask;
    std::string function;
    json::Object parameters;
};

EditParts parts_of(const PictureAsk& ask) {
    // The visible label is ours; a second one of the upstream would say something else.
    EditParts to;
    to.parameters.emplace_back("watermark", false);
    for (const http::FormPart& part : ask.parts) {
        if (part.file_name) {
            const Bytes file = as_bytes(part.data);
            std::string address =
                fmt::format("data:{};base64,{}", media_type_of(file), to_base64(file));
            if (part.name == "mask") {
                to.mask = std::move(address);
            } else {
                to.pictures.push_back(std::move(address));
            }
        } else if (part.name == "function") {
            to.function = part.data;
        } else if (part.name == "size") {
            std::string size(part.data);
            std::ranges::replace(size, 'x', '*');
            to.parameters.emplace_back(part.name, std::move(size));
        } else if (part.name != "prompt" && part.name != "response_format" &&
                   part.name != "watermark") {
            to.parameters.emplace_back(part.name, value_of_field(part.data));
        }
    }
    return to;
}

http::UpstreamRequest edit_to(const UpstreamSettings& upstream, const char* service) {
    http::UpstreamRequest out;
    out.url = upstream.url;
    out.url.path += service;
    out.headers.push_back({"content-type", "application/json"});
    if (!upstream.key.empty()) {
        out.headers.push_back({"authorization", "Bearer " + upstream.key});
    }
    return out;
}

}  // namespace

bool dashscope_edits_at_once(const Target& target) noexcept {
    return target.model.starts_with("qwen-image");
}

Result<http::UpstreamRequest> dashscope_edit(const PictureAsk& ask,
                                             const UpstreamSettings& upstream,
                                             const Target& target) {
    EditParts parts = parts_of(ask);
    if (dashscope_edits_at_once(target)) {
        if (!parts.mask.empty() || parts.pictures.size() > kMessagePicturesMax) {
            return Error{ErrorCode::kInvalidArgument,
                         "this model edits up to three pictures, and takes no mask"};
        }
        json::Array content;
        for (std::string& each : parts.pictures) {
            content.push_back(json::Object{{"image", std::move(each)}});
        }
        content.push_back(json::Object{{"text", ask.prompt}});
        json::Array messages;
        messages.push_back(json::Object{{"role", "user"}, {"content", std::move(content)}});
        http::UpstreamRequest out =
            edit_to(upstream, "/services/aigc/multimodal-generation/generation");
        out.body =
            json::write(json::Object{{"model", target.model},
                                     {"input", json::Object{{"messages", std::move(messages)}}},
                                     {"parameters", std::move(parts.parameters)}});
        return out;
    }
    if (parts.pictures.size() != 1) {
        return Error{ErrorCode::kInvalidArgument, "this model edits one picture"};
    }
    if (parts.function.empty()) {
        parts.function = parts.mask.empty() ? "description_edit" : "description_edit_with_mask";
    }
    json::Object input{{"function", std::move(parts.function)},
                       {"prompt", ask.prompt},
                       {"base_image_url", std::move(parts.pictures.front())}};
    if (!parts.mask.empty()) {
        input.emplace_back("mask_image_url", std::move(parts.mask));
    }
    http::UpstreamRequest out = edit_to(upstream, "/services/aigc/image2image/image-synthesis");
    out.headers.push_back({"x-dashscope-async", "enable"});
    out.body = json::write(json::Object{{"model", target.model},
                                        {"input", std::move(input)},
                                        {"parameters", std::move(parts.parameters)}});
    return out;
}

std::optional<Result<json::Value>> dashscope_choices(std::string_view answer) {
    const auto output = output_of(answer);
    const json::Value* choices = output.ok() ? output->find("choices") : nullptr;
    const json::Array* list = choices == nullptr ? nullptr : choices->if_array();
    if (list == nullptr) {
        return std::nullopt;
    }
    json::Array data;
    for (const json::Value& choice : *list) {
        const json::Value* message = choice.find("message");
        const json::Value* content = message == nullptr ? nullptr : message->find("content");
        const json::Array* parts = content == nullptr ? nullptr : content->if_array();
        for (const json::Value& part : parts == nullptr ? json::Array() : *parts) {
            const std::string_view address = text_member(part, "image");
            if (!address.empty()) {
                data.push_back(json::Object{{"url", address}});
            }
        }
    }
    if (data.empty()) {
        return Result<json::Value>(not_ours("it has no picture"));
    }
    return Result<json::Value>(json::Object{{"data", std::move(data)}});
}

Result<std::string> dashscope_task(std::string_view answer) {
    const json::Value output = TRY(output_of(answer));
    std::string task(text_member(output, "task_id"));
    // It becomes a part of an address.
    const bool plain = std::ranges::all_of(task, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    });
    if (task.empty() || task.size() > kTaskIdBytesMax || !plain) {
        return not_ours("it names no task");
    }
    return task;
}

Result<json::Value> dashscope_pictures(std::string_view answer) {
    const json::Value output = TRY(output_of(answer));
    const std::string_view status = text_member(output, "task_status");
    if (status == "PENDING" || status == "RUNNING") {
        return json::Value();
    }
    if (status != "SUCCEEDED") {
        const std::string_view said = text_member(output, "message");
        return upstream_says(json::Object{{"message", said.empty() ? status : said}});
    }
    const json::Value* results = output.find("results");
    const json::Array* list = results == nullptr ? nullptr : results->if_array();
    json::Array data;
    if (list != nullptr) {
        for (const json::Value& each : *list) {
            const std::string_view url = text_member(each, "url");
            if (url.empty()) {
                continue;  // one that failed, beside others
            }
            json::Object item{{"url", std::string(url)}};
            const std::string_view prompt = text_member(each, "actual_prompt");
            if (!prompt.empty()) {
                item.emplace_back("revised_prompt", std::string(prompt));
            }
            data.emplace_back(std::move(item));
        }
    }
    if (data.empty()) {
        return not_ours("it has no picture");
    }
    return json::Value(json::Object{{"data", std::move(data)}});
}

std::optional<int> dashscope_progress(std::string_view answer) {
    const auto output = output_of(answer);
    const json::Value* counts = output.ok() ? output->find("task_metrics") : nullptr;
    const json::Value* all = counts == nullptr ? nullptr : counts->find("TOTAL");
    const json::Value* done = counts == nullptr ? nullptr : counts->find("SUCCEEDED");
    if (all == nullptr || done == nullptr) {
        return std::nullopt;
    }
    const auto most = all->as_int();
    const auto made = done->as_int();
    const bool plain = most.ok() && made.ok() && *most > 0 && *most <= kPicturesMost &&
                       *made >= 0 && *made <= *most;
    return plain ? std::optional(static_cast<int>(*made * 100 / *most)) : std::nullopt;
}

Task<Result<json::Value>> await_dashscope(Gateway& gateway, Call& call, Routing::Sent& sent,
                                          std::string submitted) {
    if (auto made = dashscope_choices(submitted)) {
        co_return std::move(*made);
    }
    const auto task = dashscope_task(submitted);
    if (!task.ok()) {
        co_return task.error();
    }
    const UpstreamSettings& upstream = *sent.upstream;
    const auto until = std::chrono::steady_clock::now() + upstream.task_time;
    std::chrono::milliseconds pause = kPauseFirst;
    int failures = 0;
    std::optional<Error> last;
    while (failures < kFailuresMax) {
        if (std::chrono::steady_clock::now() + pause > until) {
            co_return Error{ErrorCode::kLimit,
                            fmt::format("the upstream's task did not end within {} seconds",
                                        upstream.task_time.count())};
        }
        co_await call.loop().sleep(pause, call.exchange.gone());
        if (call.exchange.gone().stop_requested()) {
            co_return Error{ErrorCode::kUnavailable, "the call was given up"};
        }
        pause = std::min(kPauseMost, pause + pause / 2);
        const auto answer = co_await ask_once(gateway, call, upstream, *task);
        if (!answer.ok()) {
            last = answer.error();
            ++failures;
            continue;
        }
        failures = 0;
        auto pictures = dashscope_pictures(*answer);
        if (!pictures.ok() || !pictures->is_null()) {
            co_return pictures;
        }
    }
    gateway.routing().note_broken(*sent.target);
    co_return *last;
}

}  // namespace colophon::gateway
