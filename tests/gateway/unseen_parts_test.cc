// SPDX-License-Identifier: Apache-2.0
// Parts of a chat that nobody can look at are found in every shape that upstreams take.

#include "gateway/unseen_parts.h"

#include "core/json.h"
#include "core/result.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace colophon::gateway {
namespace {

std::size_t count_in(std::string_view text, Sounds sounds = Sounds::kUnseen) {
    const auto body = json::parse(text, {.bytes_max = text.size() + 1});
    REQUIRE(body.ok());
    return unseen_parts(*body, sounds).size();
}

std::string content(std::string_view part) {
    return R"({"messages":[{"role":"user","content":[{"type":"text","text":"file"},)" +
           std::string(part) + "]}]}";
}

}  // namespace

TEST_CASE("[DSP-10] sounds, videos and files within a chat are found") {
    for (const char* part :
         {R"({"type":"input_audio","input_audio":{"data":"","format":"wav"}})",
          R"({"type":"audio_url","audio_url":{"url":"http://a"}})",
          R"({"type":"video_url","video_url":{"url":"http://a"}})",
          R"({"type":"video","video":["http://a"]})", R"({"type":"file","file":{"file_id":"f"}})",
          R"({"type":"input_file","file_url":"http://a"})", R"({"input_audio":{"data":""}})",
          R"({"file":{"file_data":""}})"}) {
        CAPTURE(part);
        CHECK(count_in(content(part)) == 1);
    }
    CHECK(count_in(
              R"({"messages":[{"role":"assistant","content":null,"audio":{"id":"audio_1"}}]})") ==
          1);
    CHECK(count_in(R"({"input":[{"role":"user","content":[{"type":"input_file","file_id":"f"},)"
                   R"({"type":"input_audio","input_audio":{"data":""}}]}]})") == 2);
    CHECK(count_in(R"({"messages":[{"role":"tool","content":[{"type":"tool_result","content":)"
                   R"([{"type":"file","file":{"file_id":"f"}}]}]}]})") == 1);
}

TEST_CASE("what can be looked at, and what is the application's own, is none of them") {
    for (const char* part :
         {R"({"type":"text","text":"input_audio"})",
          R"({"type":"image_url","image_url":{"url":"data:image/png;base64,"}})",
          R"({"type":"input_image","image_url":"http://a"})",
          R"({"type":"tool_use","name":"open","input":{"type":"file","file":{"name":"a"}}})",
          R"({"type":"text","text":"a","audio":null})"}) {
        CAPTURE(part);
        CHECK(count_in(content(part)) == 0);
    }
    CHECK(count_in(R"({"tools":[{"type":"file"}],"messages":[]})") == 0);
    CHECK(count_in(R"({"messages":"file"})") == 0);
    CHECK(count_in("[]") == 0);
}

TEST_CASE("[DSP-10] sounds that stand in a chat are none where they are compared") {
    for (const char* part :
         {R"({"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}})",
          R"({"type":"audio_url","audio_url":{"url":"http://a"}})",
          R"({"type":"audio_url","audio_url":"http://a"})",
          R"({"input_audio":{"data":"UklGRg=="}})"}) {
        CAPTURE(part);
        CHECK(count_in(content(part)) == 1);
        CHECK(count_in(content(part), Sounds::kCompared) == 0);
    }
    // Nothing to compare: it lies elsewhere, or is empty, or stands beside something else.
    for (const char* part :
         {R"({"type":"input_audio","input_audio":{"data":"","format":"wav"}})",
          R"({"type":"input_audio","input_audio":{"id":"x"}})", R"({"type":"input_audio"})",
          R"({"type":"input_audio","input_audio":{"data":"UklGRg==","url":"a"}})",
          R"({"type":"video_url","input_audio":{"data":"UklGRg=="}})",
          R"({"input_audio":{"data":"UklGRg=="},"video_url":{"url":"http://a"}})",
          R"({"audio_url":"http://a","input_audio":{"data":"UklGRg=="}})",
          R"({"type":"file","file":{"file_data":"UklGRg=="}})"}) {
        CAPTURE(part);
        CHECK(count_in(content(part), Sounds::kCompared) == 1);
    }
    CHECK(count_in(R"({"messages":[{"role":"assistant","audio":{"id":"audio_1"}}]})",
                   Sounds::kCompared) == 1);
}

}  // namespace colophon::gateway
