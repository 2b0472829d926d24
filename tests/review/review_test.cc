// SPDX-License-Identifier: Apache-2.0
#include "review/review.h"

#include "core/result.h"
#include "review/entry.h"
#include "review/entry_list.h"
#include "review/matcher.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

std::shared_ptr<const Reviewer> reviewer(std::vector<Entry> entries) {
    auto matcher = Matcher::compile(std::move(entries));
    REQUIRE(matcher.ok());
    return std::make_shared<const Reviewer>(std::move(*matcher));
}

std::shared_ptr<const Reviewer> reviewer(std::string_view words) {
    auto list = parse_entry_list(words);
    REQUIRE(list.ok());
    return reviewer(std::move(list->texts));
}

}  // namespace

TEST_CASE("a word of the list blocks, in whatever case, and says which entry it was") {
    const auto rules = reviewer("# a comment\n\npolitics\t坏词\r\nBadWord\n");
    CHECK_FALSE(rules->review("all is well").blocked());
    const Verdict english = rules->review("a bADwORD here");
    CHECK(english.blocked());
    CHECK(english.category == "word");
    CHECK(english.rule.ends_with("/words/4"));
    CHECK(english.rule.find("adWord") == std::string::npos);
    CHECK(rules->review("有坏词在").category == "politics");
    CHECK(rules->review("坏 词").blocked());
}

TEST_CASE("of all entries that match the strictest decides") {
    Entry flag;
    flag.id = "one";
    flag.category = "A1g";
    flag.phrase = "谣言";
    flag.action = Decision::kFlag;
    Entry block = flag;
    block.id = "two";
    block.category = "A1d";
    block.phrase = "炸弹";
    block.action = Decision::kBlock;
    block.reply = "这个问题我无法回答。";
    const auto rules = reviewer(std::vector{flag, block});
    const Verdict flagged = rules->review("这是谣言");
    CHECK(flagged.decision == Decision::kFlag);
    CHECK_FALSE(flagged.blocked());
    const Verdict both = rules->review("谣言说有炸弹");
    CHECK(both.decision == Decision::kBlock);
    CHECK(both.category == "A1d");
    CHECK(both.reply == block.reply);
    CHECK(both.rule == rules->version() + "/two");
}

TEST_CASE("a list that is wrong says where") {
    const auto wrong = parse_entry_list("good\n\t\n" + std::string(300, 'x') + "\n");
    REQUIRE_FALSE(wrong.ok());
    CHECK(wrong.error().what.find("line 3") != std::string::npos);
    CHECK_FALSE(parse_entry_list("\xFF\n").ok());
    CHECK(parse_entry_list("")->texts.empty());
}

TEST_CASE("no part of a blocked word leaves a stream, however it is cut") {
    const auto rules = reviewer("forbidden\n禁止内容\n");
    for (const std::string_view text : {"say forbidden things", "写禁止内容了"}) {
        for (std::size_t first = 0; first <= text.size(); ++first) {
            for (std::size_t second = first; second <= text.size(); ++second) {
                TextStream stream(rules);
                std::string out = stream.push(text.substr(0, first));
                out += stream.push(text.substr(first, second - first));
                out += stream.push(text.substr(second));
                out += stream.finish();
                CHECK(stream.blocked());
                CHECK(text.find(out) == 0);
                CHECK(out.size() <= text.find(text[0] == 's' ? "forbidden" : "禁"));
            }
        }
    }
}

TEST_CASE("a stream holds only what may become a word, and lets go of it at the end") {
    const auto rules = reviewer("forbidden\n");
    TextStream stream(rules);
    CHECK(stream.push("for") == "");
    CHECK(stream.held_bytes() == 3);
    CHECK(stream.push("est forbid") == "forest ");
    CHECK(stream.finish() == "forbid");
    CHECK_FALSE(stream.blocked());
}

TEST_CASE("[DSP-10] what a stream shows and its verdict do not depend on how it is cut") {
    const auto rules = reviewer("bomb\n炸弹\n大麻\n毒 品\nbo mber\nsm\n");
    constexpr std::array<std::string_view, 16> kPieces{
        "bo", "m", "b", "er", "炸", "弹", "彈", " ", "大", "麻", "毒", "品", "-", "s", "xyz", "。"};
    std::mt19937_64 random(10);
    int blocked = 0;
    for (int round = 0; round < 2500; ++round) {
        std::string text;
        for (std::size_t size = random() % 14 + 1; size > 0; --size) {
            text += kPieces[random() % kPieces.size()];
        }
        std::string expected;
        std::string rule;
        for (int chunking = 0; chunking < 5; ++chunking) {
            TextStream stream(rules);
            std::string out;
            for (std::size_t at = 0; at < text.size();) {
                const std::size_t size = chunking == 0 ? text.size() : random() % 5 + 1;
                out += stream.push(std::string_view(text).substr(at, size));
                at += size;
            }
            out += stream.finish();
            CAPTURE(text);
            if (chunking == 0) {
                expected = out;
                rule = stream.verdict().rule;
                blocked += stream.blocked() ? 1 : 0;
                // What is shown is the beginning of the text and harmless by itself.
                REQUIRE(text.starts_with(out));
                REQUIRE_FALSE(rules->review(out).blocked());
                REQUIRE(stream.blocked() == rules->review(text).blocked());
            }
            REQUIRE(out == expected);
            REQUIRE(stream.verdict().rule == rule);
        }
    }
    CHECK(blocked > 250);
    CHECK(blocked < 2000);
}

}  // namespace colophon::review
