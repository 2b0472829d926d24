// SPDX-License-Identifier: Apache-2.0
// What DashScope says of its tasks and edits, and what it is asked for an edit.

#include "gateway/dashscope.h"

#include "core/json.h"
#include "core/result.h"
#include "gateway/pictures.h"
#include "gateway/settings.h"
#include "http/multipart.h"
#include "http/upstream.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

std::string task(std::string_view counts) {
    return R"({"output":{"task_status":"RUNNING","task_metrics":)" + std::string(counts) + "}}";
}

UpstreamSettings upstream() {
    UpstreamSettings settings;
    settings.dialect = Dialect::kDashscope;
    settings.url = http::parse_url("https://example.com/api/v1").value();
    settings.key = "sk";
    return settings;
}

PictureAsk edit(std::vector<http::FormPart> parts) {
    PictureAsk ask;
    ask.edit = true;
    ask.prompt = "a hat";
    ask.form = std::make_shared<const std::string>("form");
    ask.parts = std::move(parts);
    return ask;
}

// So much of a PNG that it is known for one.
constexpr std::string_view kPng("\x89PNG\r\n\x1A\n", 8);

http::FormPart file(const char* name) {
    return {.name = name, .file_name = "a.png", .media_type = "image/png", .data = kPng};
}

}  // namespace

TEST_CASE("how far a task of DashScope is stands in its counts, when they are some") {
    CHECK(dashscope_progress(task(R"({"TOTAL":4,"SUCCEEDED":1,"FAILED":0})")) == 25);
    CHECK(dashscope_progress(task(R"({"TOTAL":4,"SUCCEEDED":4})")) == 100);
    for (const char* counts :
         {R"({"TOTAL":0,"SUCCEEDED":0})", R"({"TOTAL":4,"SUCCEEDED":5})",
          R"({"TOTAL":4,"SUCCEEDED":-1})", R"({"TOTAL":9000000000000000000,"SUCCEEDED":1})",
          R"({"TOTAL":"4","SUCCEEDED":"1"})", R"({"TOTAL":4})", "{}", "7"}) {
        CAPTURE(counts);
        CHECK_FALSE(dashscope_progress(task(counts)).has_value());
    }
    CHECK_FALSE(dashscope_progress("[]").has_value());
}

TEST_CASE("pictures of an edit stand in the choices of its answer") {
    const auto made = dashscope_choices(
        R"({"output":{"choices":[{"message":{"content":[{"image":"http://a/1"},{"text":"t"},)"
        R"({"image":"http://a/2"}]}}]}})");
    REQUIRE(made.has_value());
    REQUIRE(made->ok());
    CHECK(json::write(**made) == R"({"data":[{"url":"http://a/1"},{"url":"http://a/2"}]})");
    const auto none = dashscope_choices(R"({"output":{"choices":[{"message":{}},7]}})");
    REQUIRE(none.has_value());
    CHECK(none->error().code == ErrorCode::kCorrupt);
    CHECK_FALSE(dashscope_choices(R"({"output":{"task_id":"t"}})").has_value());
    CHECK_FALSE(dashscope_choices("no JSON").has_value());
}

TEST_CASE("an edit is asked for as the model takes it, or refused") {
    const Target task_model{.upstream = "u", .model = "wanx2.1-imageedit"};
    const Target at_once{.upstream = "u", .model = "qwen-image-edit-plus"};
    CHECK_FALSE(dashscope_edits_at_once(task_model));
    CHECK(dashscope_edits_at_once(at_once));
    const http::FormPart seed{.name = "seed", .file_name = {}, .media_type = {}, .data = "7"};
    const http::FormPart user_mark{
        .name = "watermark", .file_name = {}, .media_type = {}, .data = "true"};
    auto asked = dashscope_edit(edit({file("image"), seed, user_mark}), upstream(), task_model);
    REQUIRE(asked.ok());
    CHECK(asked->url.path == "/api/v1/services/aigc/image2image/image-synthesis");
    CHECK(asked->body ==
          R"({"model":"wanx2.1-imageedit","input":{"function":"description_edit","prompt":"a hat",)"
          R"("base_image_url":"data:image/png;base64,iVBORw0KGgo="},)"
          R"("parameters":{"watermark":false,"seed":7}})");
    asked = dashscope_edit(edit({file("image[]"), file("image[]")}), upstream(), at_once);
    REQUIRE(asked.ok());
    CHECK(asked->url.path == "/api/v1/services/aigc/multimodal-generation/generation");
    CHECK(asked->body.find(R"({"text":"a hat"}]}]},"parameters":{"watermark":false}})") !=
          std::string::npos);
    const auto refused = [&](std::vector<http::FormPart> parts, const Target& target) {
        const auto request = dashscope_edit(edit(std::move(parts)), upstream(), target);
        return !request.ok() && request.error().code == ErrorCode::kInvalidArgument;
    };
    CHECK(refused({file("image[]"), file("image[]")}, task_model));
    CHECK(refused({file("image"), file("mask")}, at_once));
    CHECK(refused({file("image"), file("image"), file("image"), file("image")}, at_once));
}

}  // namespace colophon::gateway
