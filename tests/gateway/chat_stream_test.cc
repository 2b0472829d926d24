// SPDX-License-Identifier: Apache-2.0
#include "gateway/chat_stream.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/text_gate.h"
#include "gateway/text_stream.h"
#include "http/sse.h"
#include "label/explicit/text.h"
#include "label/format.h"
#include "review/entry_list.h"
#include "review/matcher.h"
#include "review/review.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr const char* kWords = "本内容由AI生成";

AnswerRules rules(TextShape shape = TextShape::kChat, const char* words = kWords) {
    AnswerRules made;
    made.shape = shape;
    made.reviewer = std::make_shared<const review::Reviewer>(
        review::Matcher::compile(review::parse_entry_list("forbidden\n").value().texts).value());
    made.label.words = words;
    made.aigc = json::Object{{"Label", "1"}};
    return made;
}

std::string delta(std::string_view members, std::string_view finish = "null") {
    return R"({"id":"x","model":"m","choices":[{"index":0,"delta":{)" + std::string(members) +
           R"(},"finish_reason":)" + std::string(finish) + "}]}";
}

std::string say(std::string_view text) {
    return delta("\"content\":" + json::quote(text));
}

// All text and all tool arguments that a client reads out of the events.
struct Read {
    std::string content;
    std::string arguments;
    std::vector<std::string> finishes;
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
        all.labels += value->find("aigc") != nullptr ? 1 : 0;
        for (const json::Value& choice : *value->find("choices")->if_array()) {
            all.content += choice.string_or("text", "");
            if (const json::Value* piece = choice.find("delta")) {
                all.content += piece->string_or("content", "");
                if (const json::Value* calls = piece->find("tool_calls")) {
                    for (const json::Value& call : *calls->if_array()) {
                        all.arguments += call.find("function")->string_or("arguments", "");
                    }
                }
            }
            const std::string finish = choice.string_or("finish_reason", "");
            if (!finish.empty()) {
                all.finishes.push_back(finish);
            }
        }
    }
}

std::string run(ChatStream& stream, const std::vector<std::string>& events,
                ChatStream::Ending ending) {
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

TEST_CASE("[DSP-17] a streamed text bears its label in its first and in its last part") {
    ChatStream stream(rules());
    std::vector<std::string> events{delta(R"("role":"assistant","content":"")")};
    std::string said;
    for (int i = 0; i < 40; ++i) {
        events.push_back(say("word " + std::to_string(i) + " "));
        said += "word " + std::to_string(i) + " ";
    }
    events.push_back(delta("", "\"stop\""));
    const Read got = read(run(stream, events, ChatStream::Ending::kWhole));
    CHECK(got.content == stream.text());
    CHECK(got.content.find(said) != std::string::npos);
    CHECK(got.content.find(kWords) < got.content.find("word 0"));
    CHECK(got.content.rfind(kWords) > got.content.find("word 39"));
    CHECK(got.finishes == std::vector<std::string>{"stop"});
    CHECK(got.labels == 2);
    const auto mark = label::find_text_mark(as_bytes(got.content), label::Format::kMarkdown);
    REQUIRE(mark.ok());
    CHECK(mark->found);
    CHECK(mark->where == "start and end");
}

TEST_CASE("[DSP-17] a label that the upstream put into its stream is not doubled") {
    const std::string end = "\n\n> 本内容由AI生成\n";
    std::string tale;
    for (int i = 0; i < 40; ++i) {
        tale += "一二三四五";
    }
    struct Sample {
        std::string said;
        std::string heard;  // empty: the same
    };
    for (const Sample& each : std::vector<Sample>{
             {"> 本内容由AI生成\n\n" + tale + end, ""},
             {"**（本内容由AI生成）**\n\n" + tale + end, ""},
             {"This content is AI-generated\n\n" + tale + end, ""},
             {"AI-generated content\n\n" + tale + end, ""},
             // Ours where there is none, and where it only began like one.
             {tale, "> 本内容由AI生成\n\n" + tale + end},
             {"本内容" + tale, "> 本内容由AI生成\n\n本内容" + tale + end},
             {"> AI-gen" + tale, "> 本内容由AI生成\n\n> AI-gen" + tale + end},
             {"This is it. " + tale, "> 本内容由AI生成\n\nThis is it. " + tale + end},
             {"本内容由", "> 本内容由AI生成\n\n本内容由"}}) {
        CAPTURE(each.said);
        for (const std::size_t characters : {1U, 2U, 7U, 1000U}) {
            CAPTURE(characters);
            std::vector<std::string> events;
            std::string piece;
            std::size_t count = 0;
            for (std::size_t at = 0; at < each.said.size(); ++at) {
                const bool begins = (static_cast<unsigned char>(each.said[at]) & 0xC0U) != 0x80U;
                if (begins && count++ % characters == 0 && !piece.empty()) {
                    events.push_back(say(std::exchange(piece, {})));
                }
                piece += each.said[at];
            }
            events.push_back(say(piece));
            events.push_back(delta("", "\"stop\""));
            ChatStream stream(rules());
            const Read got = read(run(stream, events, ChatStream::Ending::kWhole));
            CHECK(got.content == (each.heard.empty() ? each.said : each.heard));
            CHECK(got.content == stream.text());
        }
    }
}

TEST_CASE("a stream that only seems to begin a label does not wait for ever") {
    ChatStream stream(rules());
    std::string out;
    for (int i = 0; i < 200 && out.find(kWords) == std::string::npos; ++i) {
        auto taken = stream.take(say("* "));
        REQUIRE(taken.ok());
        out += *taken;
    }
    CHECK(out.find(kWords) != std::string::npos);
}

TEST_CASE("a blocked word never goes out, and the stream ends as the protocol has it") {
    ChatStream stream(rules());
    const Read got = read(run(stream, {say("this is for"), say("bid"), say("den fruit")},
                              ChatStream::Ending::kBlocked));
    CHECK(stream.blocked());
    CHECK(got.content.find("this is ") != std::string::npos);
    CHECK(got.content.find("for") == std::string::npos);
    CHECK(got.finishes == std::vector<std::string>{"content_filter"});
    CHECK(stream.text() == got.content);
}

TEST_CASE("what was held goes out at a whole end and stays at a broken one") {
    ChatStream whole(rules(TextShape::kChat, ""));
    CHECK(read(run(whole, {say("so forbid")}, ChatStream::Ending::kWhole)).content == "so forbid");
    ChatStream broken(rules(TextShape::kChat, ""));
    const Read got = read(run(broken, {say("so forbid")}, ChatStream::Ending::kBroken));
    CHECK(got.content == "so ");
    CHECK(got.finishes.empty());
}

TEST_CASE("arguments of tools and reasoning are reviewed as well") {
    ChatStream stream(rules());
    const auto arguments = [](std::string_view text) {
        return delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":)" +
                     json::quote(text) + "}}]");
    };
    Read got = read(
        run(stream, {arguments("{\"a\":\"for"), arguments("est\"}")}, ChatStream::Ending::kWhole));
    CHECK(got.arguments == "{\"a\":\"forest\"}");
    CHECK(got.content.empty());
    ChatStream blocked(rules());
    (void)run(blocked, {arguments("{\"a\":\"forb"), arguments("idden\"}")},
              ChatStream::Ending::kBlocked);
    CHECK(blocked.blocked());
    ChatStream thinking(rules());
    (void)run(thinking, {delta(R"("reasoning_content":"forbidden")")},
              ChatStream::Ending::kBlocked);
    CHECK(thinking.blocked());
}

TEST_CASE("choices have texts and labels of their own; completions have another shape") {
    ChatStream stream(rules(TextShape::kCompletion));
    const auto text = [](int index, std::string_view piece) {
        return R"({"choices":[{"index":)" + std::to_string(index) + R"(,"text":)" +
               json::quote(piece) +
               R"(,"logprobs":{"tokens":["forbidden"]},"finish_reason":null}]})";
    };
    const std::string out =
        run(stream, {text(0, "one "), text(1, "two ")}, ChatStream::Ending::kWhole);
    const Read got = read(out);
    CHECK(got.content.find("one") != std::string::npos);
    CHECK(got.content.find(kWords) != got.content.rfind(kWords));
    CHECK(out.find("forbidden") == std::string::npos);
    CHECK(got.finishes.size() == 2);
}

TEST_CASE("an event that is not what it should be ends the stream") {
    for (const char* event : {"{not json", "[]", R"({"error":{"message":"out of memory"}})",
                              R"({"choices":[{"index":0,"delta":{"audio":{"data":"AAAA"}}}]})"}) {
        CAPTURE(event);
        ChatStream stream(rules());
        CHECK_FALSE(stream.take(event).ok());
    }
}

TEST_CASE("an answer at once is reviewed and labelled like a stream") {
    auto answer = json::parse(
        R"({"choices":[{"index":0,"message":{"role":"assistant","content":"hello"}}],"x":1})");
    std::string text;
    const auto verdict = pass_answer(*answer, rules(), text);
    REQUIRE(verdict.ok());
    CHECK_FALSE(verdict->blocked());
    CHECK(text.find(kWords) != std::string::npos);
    CHECK(json::write(*answer).find("\"x\":1") != std::string::npos);
    CHECK(answer->find("aigc") != nullptr);

    auto bad = json::parse(R"({"choices":[{"message":{"content":"forbidden"}}]})");
    std::string none;
    CHECK(pass_answer(*bad, rules(), none)->blocked());
    auto picture = json::parse(R"({"choices":[{"message":{"content":"a","images":[1]}}]})");
    CHECK_FALSE(pass_answer(*picture, rules(), none).ok());
    auto nothing = json::parse(R"({"ok":true})");
    CHECK_FALSE(pass_answer(*nothing, rules(), none).ok());
}

TEST_CASE("tokens are counted as either name has them") {
    CHECK(usage_of(*json::parse(R"({"usage":{"prompt_tokens":3,"completion_tokens":4}})")).output ==
          4);
    CHECK(usage_of(*json::parse(R"({"usage":{"input_tokens":3,"output_tokens":4}})")).input == 3);
    CHECK(usage_of(*json::parse(R"({"usage":{"prompt_tokens":-3}})")).input == 0);
}

}  // namespace colophon::gateway
