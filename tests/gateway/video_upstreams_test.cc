// SPDX-License-Identifier: Apache-2.0
#include "gateway/video_upstreams.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/settings.h"
#include "gateway/template_upstream.h"
#include "http/upstream.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

UpstreamSettings upstream_of(Dialect dialect) {
    UpstreamSettings upstream;
    upstream.name = "u";
    upstream.dialect = dialect;
    upstream.url = http::parse_url("https://a.example/v1").value();
    upstream.key = "sk-1";
    return upstream;
}

UpstreamSettings template_upstream() {
    UpstreamTemplate pattern;
    pattern.path = "/make";
    pattern.headers.push_back({"x-token", "T {key}"});
    pattern.error = JsonPointer::parse("/oops").value();
    TemplateTask task;
    task.id = JsonPointer::parse("/job").value();
    task.path = "/jobs/{task}";
    task.status = JsonPointer::parse("/state").value();
    task.done = {"ready"};
    task.failed = {"burnt"};
    task.video_path = "/files/{task}";
    task.cancel_method = "DELETE";
    task.cancel_path = "/jobs/{task}";
    pattern.task = std::move(task);
    UpstreamSettings upstream = upstream_of(Dialect::kTemplate);
    upstream.pattern = std::make_shared<const UpstreamTemplate>(std::move(pattern));
    return upstream;
}

VideoAsk ask_of(std::string_view body) {
    VideoAsk ask;
    ask.model = "film";
    ask.prompt = "a hill";
    ask.body = json::parse(body).value();
    return ask;
}

const Target kTarget{.upstream = "u", .model = "film-2"};

// What an answer about a task is taken for.
std::string told(const UpstreamSettings& upstream, std::string_view answer) {
    const auto status = video_status(upstream, answer);
    if (!status.ok()) {
        return std::string(error_code_name(status.error().code));
    }
    return status->done ? "done" : "waits";
}

}  // namespace

TEST_CASE("answers about tasks are understood, and lies are told from failures") {
    const UpstreamSettings openai = upstream_of(Dialect::kOpenai);
    for (const auto& [answer, what] :
         {std::pair{R"({"status":"queued"})", "waits"},
          std::pair{R"({"status":"in_progress","progress":250})", "waits"},
          std::pair{R"({"status":"completed","seconds":"8"})", "done"},
          std::pair{R"({"status":"failed","error":{"message":"no"}})", "unavailable"},
          std::pair{R"({"status":"failed","error":null})", "unavailable"},
          std::pair{R"({"status":"dancing"})", "corrupt"}, std::pair{R"({})", "corrupt"},
          std::pair{"[]", "corrupt"}, std::pair{"{", "corrupt"}}) {
        CAPTURE(answer);
        CHECK(told(openai, answer) == what);
    }
    CHECK(video_status(openai, R"({"status":"completed","seconds":"8"})")->seconds == 8);
    CHECK(video_status(openai, R"({"status":"in_progress","progress":40})")->progress == 40);
    CHECK_FALSE(video_status(openai, R"({"status":"in_progress","progress":250})")->progress);
    const UpstreamSettings dashscope = upstream_of(Dialect::kDashscope);
    for (const auto& [answer, what] :
         {std::pair{R"({"output":{"task_status":"PENDING"}})", "waits"},
          std::pair{R"({"output":{"task_status":"RUNNING"}})", "waits"},
          std::pair{R"({"output":{"task_status":"SUCCEEDED","video_url":"https://b/c"}})", "done"},
          std::pair{R"({"output":{"task_status":"SUCCEEDED"}})", "corrupt"},
          std::pair{R"({"output":{"task_status":"FAILED","message":"no"}})", "unavailable"},
          std::pair{R"({"output":{"task_status":"UNKNOWN"}})", "unavailable"},
          std::pair{R"({"output":7})", "corrupt"}, std::pair{R"({})", "corrupt"}}) {
        CAPTURE(answer);
        CHECK(told(dashscope, answer) == what);
    }
    const UpstreamSettings templated = template_upstream();
    for (const auto& [answer, what] :
         {std::pair{R"({"state":"cooking"})", "waits"}, std::pair{R"({"state":"ready"})", "done"},
          std::pair{R"({"state":"burnt"})", "unavailable"},
          std::pair{R"({"oops":"tired","state":"ready"})", "unavailable"},
          std::pair{R"({"state":null})", "corrupt"}, std::pair{"no", "corrupt"}}) {
        CAPTURE(answer);
        CHECK(told(templated, answer) == what);
    }
}

TEST_CASE("a task whose name would lead elsewhere is none") {
    const UpstreamSettings openai = upstream_of(Dialect::kOpenai);
    CHECK(video_task(openai, R"({"id":"video_1-a.b:c"})").value() == "video_1-a.b:c");
    for (const char* answer :
         {R"({"id":"../secrets"})", R"({"id":".."})", R"({"id":"a/b"})", R"({"id":""})",
          R"({"id":7})", R"({"id":"a?b"})", R"({"id":"a b"})", "{}", "7"}) {
        CAPTURE(answer);
        CHECK(video_task(openai, answer).error().code == ErrorCode::kCorrupt);
    }
    CHECK(video_task(upstream_of(Dialect::kDashscope), R"({"output":{"task_id":"t-1"}})").value() ==
          "t-1");
    CHECK(video_task(template_upstream(), R"({"job":17})").value() == "17");
}

TEST_CASE("each dialect is asked in its own way") {
    VideoAsk ask = ask_of(R"({"model":"film","prompt":"a hill","seconds":"8","size":"1280x720"})");
    const auto openai = video_request(ask, "k", upstream_of(Dialect::kOpenai), kTarget).value();
    CHECK(openai.url.path == "/v1/videos");
    CHECK(openai.body == R"({"model":"film-2","prompt":"a hill","seconds":"8","size":"1280x720"})");
    ask.form = true;
    ask.reference = "picture";
    ask.reference_type = "image/png";
    const auto form = video_request(ask, "k", upstream_of(Dialect::kOpenai), kTarget).value();
    CHECK(form.body.find("film-2") != std::string::npos);
    CHECK(form.body.find("name=\"input_reference\"") != std::string::npos);
    CHECK(form.body.find("name=\"model\"") != std::string::npos);
    const auto dashscope =
        video_request(ask, "k", upstream_of(Dialect::kDashscope), kTarget).value();
    CHECK(dashscope.url.path == "/v1/services/aigc/video-generation/video-synthesis");
    CHECK(dashscope.body ==
          R"({"model":"film-2","input":{"prompt":"a hill","img_url":"data:image/png;base64,)" +
              to_base64(as_bytes(ask.reference)) +
              R"("},"parameters":{"watermark":false,"duration":8,"size":"1280*720"}})");
    CHECK(video_request(ask, "k", upstream_of(Dialect::kAnthropic), kTarget).error().code ==
          ErrorCode::kInvalidArgument);
    const UpstreamSettings templated = template_upstream();
    CHECK(video_question(templated, kTarget, "7").url.path == "/v1/jobs/7");
    CHECK(video_cancel(templated, kTarget, "7")->method == "DELETE");
    CHECK(video_cancel(upstream_of(Dialect::kDashscope), kTarget, "7")->url.path ==
          "/v1/tasks/7/cancel");
    CHECK(video_cancel(upstream_of(Dialect::kOpenai), kTarget, "7")->method == "DELETE");
}

}  // namespace colophon::gateway
