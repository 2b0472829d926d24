// SPDX-License-Identifier: Apache-2.0
#include "gateway/dialects.h"

#include "core/json.h"
#include "core/result.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace colophon::gateway {
namespace {

json::Value value_of(std::string_view text) {
    auto value = json::parse(text);
    REQUIRE_MESSAGE(value.ok(), std::string(text));
    return *value;
}

// What a translator makes of the events, one a line.
std::string run(EventTranslator& translator, const std::vector<std::string>& events) {
    std::string all;
    for (const std::string& event : events) {
        const auto out = translator.take(event);
        REQUIRE(out.ok());
        for (const std::string& each : *out) {
            all += each + "\n";
        }
    }
    return all;
}

}  // namespace

TEST_CASE("a chat becomes messages that take turns, with system, pictures and tools") {
    const auto out = chat_to_messages(value_of(
        R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":[)"
        R"({"type":"text","text":"a"},{"type":"image_url","image_url":)"
        R"({"url":"data:image/png;base64,AAAA"}}]},{"role":"assistant","content":null,)"
        R"("tool_calls":[{"id":"t","function":{"name":"f","arguments":"{\"x\":1}"}}]},)"
        R"({"role":"tool","tool_call_id":"t","content":"r"},{"role":"user","content":"b"}],)"
        R"("tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required",)"
        R"("stop":"x","temperature":1.5,"user":"u","max_completion_tokens":7})"));
    REQUIRE(out.ok());
    CHECK(json::write(*out) ==
          R"({"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":[)"
          R"({"type":"text","text":"a"},{"type":"image","source":{"type":"base64",)"
          R"("media_type":"image/png","data":"AAAA"}}]},{"role":"assistant","content":[)"
          R"({"type":"tool_use","id":"t","name":"f","input":{"x":1}}]},{"role":"user","content":[)"
          R"({"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"r"}]},)"
          R"({"type":"text","text":"b"}]}],"max_tokens":7,"temperature":1,)"
          R"("stop_sequences":["x"],"metadata":{"user_id":"u"},)"
          R"("tools":[{"name":"f","input_schema":{"type":"object"}}],)"
          R"("tool_choice":{"type":"any"}})");
}

TEST_CASE("messages become a chat, results of tools first") {
    const auto out = messages_to_chat(value_of(
        R"({"system":"s","max_tokens":7,"stream":true,"messages":[{"role":"user","content":"a"},)"
        R"({"role":"assistant","content":[{"type":"thinking","thinking":"h"},)"
        R"({"type":"tool_use","id":"t","name":"f","input":{"x":1}}]},{"role":"user","content":[)"
        R"({"type":"tool_result","tool_use_id":"t","content":"r"},{"type":"text","text":"b"}]}],)"
        R"("tool_choice":{"type":"tool","name":"f"},"stop_sequences":["x"]})"));
    REQUIRE(out.ok());
    CHECK(json::write(*out) ==
          R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},)"
          R"({"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function",)"
          R"("function":{"name":"f","arguments":"{\"x\":1}"}}]},)"
          R"({"role":"tool","tool_call_id":"t","content":"r"},{"role":"user","content":"b"}],)"
          R"("max_tokens":7,"stream":true,"stop":["x"],"stream_options":{"include_usage":true},)"
          R"("tool_choice":{"type":"function","function":{"name":"f"}}})");
}

TEST_CASE("what the other side cannot be asked is refused by name") {
    for (const char* chat :
         {R"({"messages":[],"n":2})", R"({"messages":[],"response_format":{"type":"json_object"}})",
          R"({"messages":[{"role":"user","content":[{"type":"input_audio"}]}]})",
          R"({"messages":[{"role":"function","content":"x"}]})", R"({})",
          R"({"messages":[{"role":"user","content":7}]})",
          R"({"messages":[],"tools":[{"type":"custom"}]})"}) {
        CAPTURE(chat);
        CHECK(chat_to_messages(value_of(chat)).error().code == ErrorCode::kInvalidArgument);
    }
    for (const char* messages :
         {R"({"messages":[{"role":"user","content":[{"type":"document"}]}]})", R"({})",
          R"({"messages":[{"role":"user","content":[{"type":"image"}]}]})",
          R"({"messages":[{"role":"user","content":[{"type":"tool_result","content":7}]}]})"}) {
        CAPTURE(messages);
        CHECK(messages_to_chat(value_of(messages)).error().code == ErrorCode::kInvalidArgument);
    }
}

TEST_CASE("whole answers go both ways") {
    const auto chat = message_as_chat(
        value_of(R"({"id":"m","model":"x","content":[{"type":"thinking","thinking":"h"},)"
                 R"({"type":"text","text":"t"},{"type":"tool_use","id":"i","name":"f",)"
                 R"("input":{"a":1}}],"stop_reason":"tool_use",)"
                 R"("usage":{"input_tokens":1,"cache_read_input_tokens":2,"output_tokens":3}})"),
        7);
    REQUIRE(chat.ok());
    CHECK(json::write(*chat) ==
          R"({"id":"m","object":"chat.completion","created":7,"model":"x","choices":[{"index":0,)"
          R"("message":{"role":"assistant","content":"t","reasoning_content":"h","tool_calls":[)"
          R"({"id":"i","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},)"
          R"("finish_reason":"tool_calls"}],)"
          R"("usage":{"prompt_tokens":3,"completion_tokens":3,"total_tokens":6}})");
    const auto message = chat_as_message(*chat);
    REQUIRE(message.ok());
    CHECK(json::write(*message) ==
          R"({"id":"m","type":"message","role":"assistant","model":"x","content":[)"
          R"({"type":"thinking","thinking":"h","signature":""},{"type":"text","text":"t"},)"
          R"({"type":"tool_use","id":"i","name":"f","input":{"a":1}}],"stop_reason":"tool_use",)"
          R"("stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":3}})");
    CHECK_FALSE(message_as_chat(value_of(R"({"content":[{"type":"image"}]})"), 0).ok());
    CHECK_FALSE(chat_as_message(value_of(R"({"choices":[]})")).ok());
}

TEST_CASE("a stream of chunks becomes blocks that follow each other") {
    const auto translator = chunks_as_messages();
    const auto delta = [](std::string_view members, std::string_view reason = "null") {
        return R"({"id":"c","model":"x","choices":[{"delta":{)" + std::string(members) +
               R"(},"finish_reason":)" + std::string(reason) + "}]}";
    };
    const std::string out = run(
        *translator,
        {delta(R"("role":"assistant","content":"")"), delta(R"("reasoning_content":"h")"),
         delta(R"("content":"t")"),
         delta(R"("tool_calls":[{"index":0,"id":"i","function":{"name":"f","arguments":"{"}}])"),
         delta(R"("tool_calls":[{"index":0,"function":{"arguments":"}"}}])"),
         delta("", "\"tool_calls\"")});
    std::string types;
    std::string_view rest = out;
    for (std::size_t at = rest.find('\n'); at != std::string_view::npos; at = rest.find('\n')) {
        const json::Value event = value_of(rest.substr(0, at));
        types += event.string_or("type", "") + " ";
        rest.remove_prefix(at + 1);
    }
    CHECK(types ==
          "message_start content_block_start content_block_delta content_block_stop "
          "content_block_start content_block_delta content_block_stop content_block_start "
          "content_block_delta content_block_delta ");
    const std::vector<std::string> last = translator->close();
    REQUIRE(last.size() == 3);
    CHECK(last[1].find("\"stop_reason\":\"tool_use\"") != std::string::npos);
    CHECK(chunks_as_messages()->close().empty());
    CHECK_FALSE(chunks_as_messages()->take(R"({"error":{"message":"x"}})").ok());
    CHECK_FALSE(chunks_as_messages()
                    ->take(delta(R"("tool_calls":[{"index":1,"function":{"arguments":"}"}}])"))
                    .ok());
}

TEST_CASE("a stream of messages becomes chunks with their end") {
    const auto translator = messages_as_chunks(7);
    const std::string out = run(
        *translator,
        {R"({"type":"message_start","message":{"id":"m","model":"x","usage":{"input_tokens":3}}})",
         R"({"type":"ping"})",
         R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})",
         R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"t"}})",
         R"({"type":"content_block_stop","index":0})",
         R"({"type":"message_delta","delta":{"stop_reason":"max_tokens"},)"
         R"("usage":{"output_tokens":4}})",
         R"({"type":"message_stop"})"});
    CHECK(out.find(R"("created":7)") != std::string::npos);
    CHECK(out.find(R"("delta":{"content":"t"})") != std::string::npos);
    CHECK(out.find(R"("finish_reason":"length")") != std::string::npos);
    CHECK(out.find(R"("total_tokens":7)") != std::string::npos);
    CHECK(out.ends_with("[DONE]\n"));
    CHECK_FALSE(messages_as_chunks(0)
                    ->take(R"({"type":"content_block_start","content_block":{"type":"image"}})")
                    .ok());
}

}  // namespace colophon::gateway
