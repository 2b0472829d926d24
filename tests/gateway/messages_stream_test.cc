// SPDX-License-Identifier: Apache-2.0
#include "gateway/messages_stream.h"

#include "core/json.h"
#include "core/result.h"
#include "gateway/refusal.h"
#include "gateway/text_stream.h"
#include "http/sse.h"
#include "review/entry_list.h"
#include "review/matcher.h"
#include "review/review.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr const char* kWords = "本内容由AI生成";
constexpr const char* kStart =
    R"({"type":"message_start","message":{"model":"m","content":[],"usage":{"input_tokens":3,)"
    R"("cache_read_input_tokens":2}}})";
constexpr const char* kStop = R"({"type":"content_block_stop","index":0})";
constexpr const char* kDelta =
    R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":4}})";
constexpr const char* kEnd = R"({"type":"message_stop"})";

AnswerRules rules() {
    AnswerRules made;
    made.shape = TextShape::kMessages;
    made.reviewer = std::make_shared<const review::Reviewer>(
        review::Matcher::compile(review::parse_entry_list("forbidden\n").value().texts).value());
    made.label.words = kWords;
    made.aigc = json::Object{{"Label", "1"}};
    return made;
}

std::string begin(std::string_view block) {
    return R"({"type":"content_block_start","index":0,"content_block":)" + std::string(block) + "}";
}

std::string piece(std::string_view type, std::string_view member, std::string_view text) {
    return R"({"type":"content_block_delta","index":0,"delta":{"type":")" + std::string(type) +
           R"(",")" + std::string(member) + "\":" + json::quote(text) + "}}";
}

struct Read {
    std::string text;
    std::string reason;
    std::vector<std::string> types;
    int labels = 0;
};

Read read(const std::string& stream) {
    http::SseReader reader;
    reader.feed(stream);
    Read all;
    for (;;) {
        auto event = reader.next();
        REQUIRE(event.ok());
        if (!*event) {
            return all;
        }
        const auto value = json::parse((*event)->data);
        REQUIRE(value.ok());
        CHECK((*event)->name == value->string_or("type", ""));
        all.types.push_back((*event)->name);
        if (const json::Value* delta = value->find("delta")) {
            all.text += delta->string_or("text", "");
            all.reason = delta->string_or("stop_reason", all.reason);
        }
        const json::Value* message = value->find("message");
        const bool first = message != nullptr && message->find("aigc") != nullptr;
        all.labels += first || value->find("aigc") != nullptr ? 1 : 0;
    }
}

std::string run(MessagesStream& stream, const std::vector<std::string>& events,
                TextStream::Ending ending) {
    std::string out;
    for (const std::string& event : events) {
        auto taken = stream.take(event);
        REQUIRE(taken.ok());
        out += *taken;
    }
    if (ending != TextStream::Ending::kBroken) {
        stream.settle();
    }
    return out + stream.close(ending);
}

}  // namespace

TEST_CASE("[DSP-17] a streamed message bears its label first and last, and ends when it may") {
    std::vector<std::string> events{kStart, begin(R"({"type":"text","text":""})")};
    std::string said;
    for (int i = 0; i < 40; ++i) {
        const std::string word = "word " + std::to_string(i) + " ";
        events.push_back(piece("text_delta", "text", word));
        said += word;
    }
    events.insert(events.end(), {kStop, kDelta, kEnd});
    MessagesStream stream(rules());
    const Read got = read(run(stream, events, TextStream::Ending::kWhole));
    CHECK(got.text == stream.text());
    CHECK(got.text.find(said) != std::string::npos);
    CHECK(got.text.find(kWords) < got.text.find("word 0"));
    CHECK(got.text.rfind(kWords) > got.text.find("word 39"));
    CHECK(got.reason == "end_turn");
    CHECK(got.labels == 2);
    CHECK(got.types.front() == "message_start");
    CHECK(got.types.back() == "message_stop");
    CHECK(stream.said_end());
    CHECK(stream.usage().input == 5);
    CHECK(stream.usage().output == 4);
}

TEST_CASE("a blocked word ends a message as a refusal, its block closed") {
    MessagesStream stream(rules());
    const std::string out =
        run(stream,
            {kStart, begin(R"({"type":"text","text":""})"),
             piece("text_delta", "text", "this is for"), piece("text_delta", "text", "bidden")},
            TextStream::Ending::kBlocked);
    CHECK(stream.blocked());
    const Read got = read(out);
    CHECK(got.reason == "refusal");
    CHECK(out.find("forb") == std::string::npos);
    CHECK(got.types == std::vector<std::string>{"message_start", "content_block_start",
                                                "content_block_delta", "content_block_stop",
                                                "message_delta", "message_stop"});
}

TEST_CASE("every kind of block is reviewed, streamed and whole") {
    struct Row {
        const char* block;
        const char* delta;
        const char* member;
        const char* whole;
    };
    for (const Row& each :
         {Row{R"({"type":"text","text":""})", "text_delta", "text",
              R"({"type":"text","text":"forbidden"})"},
          Row{R"({"type":"thinking","thinking":""})", "thinking_delta", "thinking",
              R"({"type":"thinking","thinking":"forbidden"})"},
          Row{R"({"type":"tool_use","name":"f","input":{}})", "input_json_delta", "partial_json",
              R"({"type":"tool_use","name":"f","input":{"a":"forbidden"}})"}}) {
        CAPTURE(each.block);
        MessagesStream stream(rules());
        (void)run(stream, {kStart, begin(each.block), piece(each.delta, each.member, "forbidden")},
                  TextStream::Ending::kBlocked);
        CHECK(stream.blocked());
        MessagesStream whole(rules());
        auto message = json::parse(R"({"model":"m","content":[)" + std::string(each.whole) + "]}");
        REQUIRE(whole.pass_message(*message).ok());
        CHECK(whole.blocked());
    }
}

TEST_CASE("what is no message, or nobody can review, ends it") {
    for (const std::string& event :
         {std::string("{not json"), std::string(kStop), std::string(kEnd),
          begin(R"({"type":"server_tool_use"})"), piece("text_delta", "text", "x"),
          std::string(R"({"type":"error","error":{"message":"overloaded"}})")}) {
        CAPTURE(event);
        MessagesStream stream(rules());
        CHECK_FALSE(stream.take(event).ok());
    }
    MessagesStream stream(rules());
    CHECK(stream.take(R"({"type":"unknown","text":"forbidden"})").value().empty());
    auto other = json::parse(R"({"content":[{"type":"web_search_tool_result"}]})");
    CHECK_FALSE(stream.pass_message(*other).ok());
    const Read got =
        read(stream.error_event(invalid_request("x", ""), {.shape = ErrorShape::kAnthropic}));
    CHECK(got.types == std::vector<std::string>{"error"});
}

}  // namespace colophon::gateway
