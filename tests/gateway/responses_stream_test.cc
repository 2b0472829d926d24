// SPDX-License-Identifier: Apache-2.0
#include "gateway/responses_stream.h"

#include "core/json.h"
#include "core/result.h"
#include "gateway/refusal.h"
#include "gateway/text_stream.h"
#include "http/sse.h"
#include "review/entry_list.h"
#include "review/matcher.h"
#include "review/review.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr const char* kWords = "本内容由AI生成";

AnswerRules rules(const char* words = kWords) {
    AnswerRules made;
    made.shape = TextShape::kResponses;
    made.reviewer = std::make_shared<const review::Reviewer>(
        review::Matcher::compile(review::parse_entry_list("forbidden\n").value().texts).value());
    made.label.words = words;
    made.aigc = json::Object{{"Label", "1"}};
    return made;
}

constexpr const char* kCreated =
    R"({"type":"response.created","response":{"id":"r","model":"m","output":[]}})";
constexpr const char* kAdded =
    R"({"type":"response.output_item.added","output_index":0,)"
    R"("item":{"type":"message","id":"a","role":"assistant","content":[]}})";
constexpr const char* kPart =
    R"({"type":"response.content_part.added","item_id":"a","output_index":0,"content_index":0,)"
    R"("part":{"type":"output_text","text":"","annotations":[]}})";

std::string piece(std::string_view text) {
    return R"({"type":"response.output_text.delta","item_id":"a","output_index":0,)"
           R"("content_index":0,"logprobs":[{"token":"forbidden"}],"delta":)" +
           json::quote(text) + "}";
}

std::string completed(std::string_view text) {
    return R"({"type":"response.completed","response":{"id":"r","model":"m","output":[)"
           R"({"type":"message","id":"a","content":[{"type":"output_text","text":)" +
           json::quote(text) +
           R"(,"annotations":[{"title":"forbidden"}]}]}],)"
           R"("usage":{"input_tokens":3,"output_tokens":4}}})";
}

// What a client reads out of the events.
struct Read {
    std::string pieces;
    std::string whole;  // of the final response
    std::string last;   // type of the last event
    bool ordered = true;
    int labels = 0;
};

Read read(const std::string& stream) {
    http::SseReader reader;
    reader.feed(stream);
    Read all;
    for (std::int64_t number = 0;; ++number) {
        auto event = reader.next();
        REQUIRE(event.ok());
        if (!*event) {
            return all;
        }
        const auto value = json::parse((*event)->data);
        REQUIRE(value.ok());
        all.last = value->string_or("type", "");
        CHECK((*event)->name == all.last);
        all.ordered = all.ordered && value->find("sequence_number")->as_int().value() == number;
        if (all.last == "response.output_text.delta") {
            all.pieces += value->string_or("delta", "");
        }
        if (const json::Value* response = value->find("response")) {
            all.labels += response->find("aigc") != nullptr ? 1 : 0;
            for (const json::Value& item : *response->find("output")->if_array()) {
                for (const json::Value& part : *item.find("content")->if_array()) {
                    all.whole += part.string_or("text", "");
                }
            }
        }
    }
}

std::string run(ResponsesStream& stream, const std::vector<std::string>& events,
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

TEST_CASE("[DSP-17] an answer of the Responses API bears its label first and last") {
    ResponsesStream stream(rules());
    std::vector<std::string> events{kCreated, kAdded, kPart};
    std::string said;
    for (int i = 0; i < 40; ++i) {
        events.push_back(piece("word " + std::to_string(i) + " "));
        said += "word " + std::to_string(i) + " ";
    }
    events.push_back(completed(said));
    const std::string out = run(stream, events, TextStream::Ending::kWhole);
    const Read got = read(out);
    CHECK(got.ordered);
    CHECK(got.labels == 2);
    CHECK(got.pieces == got.whole);
    CHECK(got.whole == stream.text());
    CHECK(got.whole.find(kWords) < got.whole.find("word 0"));
    CHECK(got.whole.rfind(kWords) > got.whole.find("word 39"));
    CHECK(got.last == "response.completed");
    CHECK(stream.usage().output == 4);
    CHECK(out.find("forbidden") == std::string::npos);
}

TEST_CASE("a blocked word ends a response as incomplete, and stands in none of its events") {
    ResponsesStream stream(rules());
    const std::string out =
        run(stream, {kCreated, kAdded, kPart, piece("this is for"), piece("bidden")},
            TextStream::Ending::kBlocked);
    CHECK(stream.blocked());
    const Read got = read(out);
    CHECK(got.last == "response.incomplete");
    CHECK(got.pieces == got.whole);
    CHECK(got.whole.find("this is ") != std::string::npos);
    CHECK(out.find("for") == std::string::npos);
    CHECK(out.find("content_filter") != std::string::npos);
}

TEST_CASE("a text that comes only at the end of a response is reviewed as well") {
    ResponsesStream stream(rules());
    (void)run(stream, {kCreated, completed("it is forbidden")}, TextStream::Ending::kBlocked);
    CHECK(stream.blocked());
    ResponsesStream other(rules());
    const Read got =
        read(run(other, {kCreated, completed("it is fine")}, TextStream::Ending::kWhole));
    CHECK(got.whole.find("it is fine") != std::string::npos);
    CHECK(got.whole.find(kWords) != std::string::npos);
}

TEST_CASE("arguments of tools and reasoning of a response are reviewed and bear no label") {
    const std::vector<std::string> events{
        kCreated,
        R"({"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning",)"
        R"("summary":[]}})",
        R"({"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,)"
        R"("delta":"for"})",
        R"({"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,)"
        R"("delta":"est"})",
        R"({"type":"response.function_call_arguments.delta","output_index":1,"delta":"{}"})"};
    ResponsesStream stream(rules());
    const std::string out = run(stream, events, TextStream::Ending::kBroken);
    CHECK(out.find(kWords) == std::string::npos);
    for (const char* last : {"forbidden", "a forbidden b"}) {
        for (const char* type :
             {R"("response.reasoning_summary_text.delta","output_index":2,"summary_index":0)",
              R"("response.function_call_arguments.delta","output_index":3)",
              R"("response.custom_tool_call_input.delta","output_index":4)"}) {
            ResponsesStream blocked(rules());
            (void)blocked.take("{\"type\":" + std::string(type) +
                               ",\"delta\":" + json::quote(last) + "}");
            blocked.settle();
            CHECK(blocked.blocked());
        }
    }
}

TEST_CASE("what nobody can review or label ends a response; events of no known type stay here") {
    for (const char* event :
         {"{not json", "[]", R"({"type":"error","message":"out of memory"})",
          R"({"type":"response.failed","response":{"error":{"message":"x"},"output":[]}})",
          R"({"type":"response.output_item.added","output_index":0,)"
          R"("item":{"type":"image_generation_call","result":"AAAA"}})",
          R"({"type":"response.completed","response":{"output":[{"type":"mcp_call"}]}})",
          R"({"type":"response.completed","response":{}})",
          R"({"type":"response.output_text.delta","delta":1})"}) {
        CAPTURE(event);
        ResponsesStream stream(rules());
        CHECK_FALSE(stream.take(event).ok());
    }
    ResponsesStream stream(rules());
    CHECK(stream.take(R"({"type":"response.audio.delta","delta":"AAAA"})").value().empty());
    const Refusal refusal = invalid_request("x", "");
    const Read got = read(stream.error_event(refusal, {}));
    CHECK(got.last == "error");
    CHECK_FALSE(stream.all_finished());
}

}  // namespace colophon::gateway
