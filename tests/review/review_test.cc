// SPDX-License-Identifier: Apache-2.0
#include "review/review.h"

#include "core/random.h"
#include "core/result.h"
#include "review/word_list.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {
namespace {

std::shared_ptr<const Reviewer> reviewer(std::string_view words) {
    auto list = WordList::parse(words);
    REQUIRE(list.ok());
    return std::make_shared<const Reviewer>(std::move(*list));
}

}  // namespace

TEST_CASE("a word of the list blocks, in whatever case, and says which entry it was") {
    const auto rules = reviewer("# a comment\n\npolitics\t坏词\r\nBadWord\n");
    CHECK_FALSE(rules->review("all is well").blocked());
    const Verdict english = rules->review("a bADwORD here");
    CHECK(english.blocked());
    CHECK(english.category == "word");
    CHECK(english.rule.ends_with("/1"));
    CHECK(english.rule.find("adWord") == std::string::npos);
    CHECK(rules->review("有坏词在").category == "politics");
    CHECK_FALSE(rules->review("坏 词").blocked());
}

TEST_CASE("overlapping words and their beginnings are found") {
    const auto rules = reviewer("abcd\nbc\nxyzxyq\n");
    CHECK(rules->review("aabcx").blocked());
    CHECK(rules->review("xyzxyzxyq").blocked());
    CHECK_FALSE(rules->review("xyzxyzxy").blocked());
}

TEST_CASE("a list that is wrong says where") {
    const auto wrong = WordList::parse("good\n\t\n" + std::string(300, 'x') + "\n");
    REQUIRE_FALSE(wrong.ok());
    CHECK(wrong.error().what.find("line 3") != std::string::npos);
    CHECK_FALSE(WordList::parse("\xFF\n").ok());
    CHECK(WordList::parse("")->size() == 0);
    CHECK(WordList::parse("a\nb")->version() != WordList::parse("a\nc")->version());
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

TEST_CASE("a walk over the list agrees with looking for each word alone") {
    SeededRandom random(7);
    for (int round = 0; round < 300; ++round) {
        std::vector<std::string> words;
        std::string list;
        for (int i = 0; i < 5; ++i) {
            std::string word;
            const std::uint64_t size = *random.next() % 4 + 1;
            for (std::uint64_t j = 0; j < size; ++j) {
                word += static_cast<char>('a' + *random.next() % 3);
            }
            words.push_back(word);
            list += word + "\n";
        }
        std::string text;
        for (int i = 0; i < 12; ++i) {
            text += static_cast<char>('a' + *random.next() % 4);
        }
        bool expected = false;
        for (const std::string& word : words) {
            expected = expected || text.find(word) != std::string::npos;
        }
        CAPTURE(text);
        CAPTURE(list);
        CHECK(reviewer(list)->review(text).blocked() == expected);
    }
}

}  // namespace colophon::review
