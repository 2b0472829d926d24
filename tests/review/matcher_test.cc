// SPDX-License-Identifier: Apache-2.0
#include "review/matcher.h"

#include "core/utf8.h"
#include "review/entry.h"
#include "review/fold.h"
#include "review/naive_matcher.h"
#include "review/text_scan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

std::shared_ptr<const Matcher> compiled(std::vector<Entry> entries) {
    auto matcher = Matcher::compile(std::move(entries));
    REQUIRE_MESSAGE(matcher.ok(), (matcher.ok() ? std::string() : matcher.error().what));
    return std::make_shared<const Matcher>(std::move(*matcher));
}

std::vector<Match> matches_in(const std::shared_ptr<const Matcher>& matcher, std::string_view text,
                              const std::vector<std::size_t>& cuts = {}) {
    TextScan scan(matcher);
    std::vector<Match> matches;
    const auto collect = [&] {
        while (const auto match = scan.next()) {
            matches.push_back(*match);
        }
    };
    std::size_t at = 0;
    for (const std::size_t cut : cuts) {
        scan.push(text.substr(at, cut - at));
        collect();
        at = cut;
    }
    scan.push(text.substr(at));
    collect();
    scan.finish();
    collect();
    return matches;
}

Entry entry(std::string phrase, Folding folding = Folding::kLoose) {
    Entry made;
    made.id = phrase;
    made.category = "test";
    made.phrase = std::move(phrase);
    made.folding = folding;
    return made;
}

bool hit(const Entry& wanted, std::string_view text) {
    return !matches_in(compiled({wanted}), text).empty();
}

// Characters that the levels treat in different ways, and some that they do not.
constexpr std::array<std::string_view, 30> kAlphabet{
    "a",  "A",  "ａ", "b", "ab", "1", "i", "一",  "壹", "法", "发", "發", "轮", "輪", "妈",
    "马", "骂", "m",  "u", " ",  "-", "·", "​", "é",  "㍿", "①",  "𝐚",  "б",  "か", "\n"};

std::string random_text(std::mt19937_64& random, std::size_t most) {
    std::string text;
    for (std::size_t size = random() % most + 1; size > 0; --size) {
        text += kAlphabet[random() % kAlphabet.size()];
    }
    return text;
}

bool leaves_something(std::string_view phrase, Folding folding) {
    for (std::size_t at = 0; at < phrase.size();) {
        if (fold(*next_code_point(phrase, at), folding).count != 0) {
            return true;
        }
    }
    return false;
}

std::vector<Entry> random_entries(std::mt19937_64& random) {
    std::vector<Entry> entries;
    for (std::size_t count = random() % 6 + 1; count > 0; --count) {
        Entry made = entry(random_text(random, 3), static_cast<Folding>(random() % kFoldings));
        made.inside_words = random() % 3 == 0;
        const auto phrase = [&] {
            std::string text = random_text(random, 2);
            return leaves_something(text, made.folding) ? text : std::string("轮");
        };
        if (!leaves_something(made.phrase, made.folding)) {
            made.phrase = "法";
        }
        if (random() % 4 == 0) {
            made.action = Decision::kAllow;
        } else if (random() % 3 == 0) {
            made.within = static_cast<std::uint32_t>(random() % 8 + 1);
            for (std::size_t i = random() % 3; i > 0; --i) {
                made.with.push_back(phrase());
            }
            for (std::size_t i = random() % 2; i > 0; --i) {
                made.without.push_back(phrase());
            }
        }
        entries.push_back(std::move(made));
    }
    return entries;
}

std::vector<std::size_t> random_cuts(std::mt19937_64& random, std::size_t size) {
    std::vector<std::size_t> cuts;
    for (std::size_t count = random() % 6; count > 0; --count) {
        cuts.push_back(random() % (size + 1));
    }
    std::ranges::sort(cuts);
    return cuts;
}

std::string shown(const std::vector<Match>& matches) {
    std::string text;
    for (const Match& match : matches) {
        text += std::to_string(match.entry) + ":" + std::to_string(match.begin) + "-" +
                std::to_string(match.end) + " ";
    }
    return text;
}

std::string shown(const std::vector<Entry>& entries) {
    std::string text;
    for (const Entry& each : entries) {
        text += std::string(folding_name(each.folding)) + (each.inside_words ? " inside" : "") +
                (each.action == Decision::kAllow ? " allow" : "") + " [" + each.phrase + "]";
        for (const std::string& other : each.with) {
            text += " +[" + other + "]";
        }
        for (const std::string& other : each.without) {
            text += " -[" + other + "]";
        }
        text += " within " + std::to_string(each.within) + "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("a word that begins with the last letter of the one before it is found") {
    for (const Folding folding : {Folding::kLoose, Folding::kSound}) {
        const Entry bomb = entry("bomb", folding);
        CHECK(hit(bomb, "bob bomb"));
        CHECK(hit(bomb, "bob  bbomb"));
        CHECK(hit(bomb, "some words before it, bob bomb, and some behind it"));
        CHECK(hit(bomb, "bob-b-o-m-b"));
        CHECK_FALSE(hit(bomb, "bobomb"));
        CHECK_FALSE(hit(bomb, "bobbomb"));
        CHECK_FALSE(hit(bomb, "bob bombs"));
        CHECK(hit(entry("SM", folding), "he gets SM"));
        CHECK(hit(entry("incite", folding), "they will incite"));
        // As often as the phrase has it, from where it begins.
        const Entry llama = entry("llama", folding);
        CHECK(hit(llama, "will llama"));
        CHECK_FALSE(hit(llama, "will lama"));
    }
    const auto matches = matches_in(compiled({entry("bomb")}), "bob bomb", {5});
    REQUIRE(matches.size() == 1);
    CHECK(matches[0].begin == 4);
    CHECK(matches[0].end == 8);
}

TEST_CASE("[DSP-10] the matcher finds what a naive search finds, however the text is cut") {
    std::mt19937_64 random(45438);
    for (int round = 0; round < 400; ++round) {
        const std::vector<Entry> entries = random_entries(random);
        const std::string text = random_text(random, 24);
        const auto matcher = compiled(entries);
        const std::string expected = shown(test::naive_matches(entries, text));
        CAPTURE(round);
        CAPTURE(text);
        CAPTURE(shown(entries));
        REQUIRE(shown(matches_in(matcher, text)) == expected);
        for (int i = 0; i < 4; ++i) {
            REQUIRE(shown(matches_in(matcher, text, random_cuts(random, text.size()))) == expected);
        }
    }
}

// Longer than what is read at a time, of few characters, so that beginnings of phrases are
// everywhere.
TEST_CASE("[DSP-10] long texts give the matches of a naive search") {
    constexpr std::array<std::string_view, 8> kFew{"一", "壹", "法", "发", "轮", " ", "马", "妈"};
    std::mt19937_64 random(8);
    const auto text_of = [&](std::size_t size) {
        std::string text;
        for (; size > 0; --size) {
            text += kFew[random() % kFew.size()];
        }
        return text;
    };
    for (int round = 0; round < 24; ++round) {
        std::vector<Entry> entries;
        for (std::size_t count = random() % 12 + 1; count > 0; --count) {
            Entry made = entry(text_of(random() % 6 + 1), static_cast<Folding>(round % 4));
            made.phrase += "法";
            made.action = random() % 8 == 0 ? Decision::kAllow : made.action;
            entries.push_back(std::move(made));
        }
        if (round % 3 == 0) {
            entries.push_back(entry("马", static_cast<Folding>(round % 4)));
        }
        const std::string text = text_of(700 + random() % 900);
        const auto matcher = compiled(entries);
        const std::string expected = shown(test::naive_matches(entries, text));
        CAPTURE(round);
        CAPTURE(shown(entries));
        REQUIRE(shown(matches_in(matcher, text)) == expected);
        REQUIRE(shown(matches_in(matcher, text, random_cuts(random, text.size()))) == expected);
    }
}

// Repeats count once, but for phrases that say how often; too many separators end a phrase. All of
// it in the middle of what is read at a time and across its ends.
TEST_CASE("[DSP-10] texts with runs of all kinds give the matches of a naive search") {
    constexpr std::array<std::string_view, 11> kFew{"一", "壹", "法", "发", "轮", " ",
                                                    "，", "马", "a",  "㍿", "1"};
    std::mt19937_64 random(9);
    const auto text_of = [&](std::size_t size, std::size_t most) {
        std::string text;
        for (; size > 0; --size) {
            const std::string_view piece = kFew[random() % kFew.size()];
            for (std::size_t times = random() % 4 == 0 ? random() % most + 1 : 1; times > 0;
                 --times) {
                text += piece;
            }
        }
        return text;
    };
    for (int round = 0; round < 60; ++round) {
        const auto folding = static_cast<Folding>(round % 4);
        std::vector<Entry> entries;
        for (std::size_t count = random() % 10 + 1; count > 0; --count) {
            std::string phrase = text_of(random() % 4 + 1, 3);
            if (leaves_something(phrase, folding)) {
                entries.push_back(entry(std::move(phrase), folding));
                entries.back().inside_words = random() % 2 == 0;
            }
        }
        entries.push_back(entry("法法", folding));
        const std::string text = text_of(400 + random() % 600, random() % 2 == 0 ? 3 : 20);
        const auto matcher = compiled(entries);
        const std::string expected = shown(test::naive_matches(entries, text));
        CAPTURE(round);
        CAPTURE(shown(entries));
        CAPTURE(text);
        REQUIRE(shown(matches_in(matcher, text)) == expected);
        REQUIRE(shown(matches_in(matcher, text, random_cuts(random, text.size()))) == expected);
    }
}

TEST_CASE("[DSP-10] each level finds what the one before finds, and its own disguises") {
    struct Disguise {
        std::string_view text;
        Folding from;
    };
    const std::array disguises{
        Disguise{"卖发票吗", Folding::kExact},  Disguise{"賣發票嗎", Folding::kPlain},
        Disguise{"发​票", Folding::kPlain}, Disguise{"发\xEF\xB8\x8F票", Folding::kPlain},
        Disguise{"发 票", Folding::kLoose},     Disguise{"发***票", Folding::kLoose},
        Disguise{"fapiao", Folding::kSound},    Disguise{"法漂", Folding::kSound},
        Disguise{"发piao", Folding::kSound},
    };
    for (const Disguise& disguise : disguises) {
        for (const Folding folding :
             {Folding::kExact, Folding::kPlain, Folding::kLoose, Folding::kSound}) {
            CAPTURE(disguise.text);
            CAPTURE(folding_name(folding));
            CHECK(hit(entry("发票", folding), disguise.text) == (folding >= disguise.from));
        }
    }
    CHECK(hit(entry("SM", Folding::kPlain), "ｓＭ"));
    CHECK(hit(entry("café", Folding::kPlain), "CAFE"));
    CHECK(hit(entry("八九六四"), "八 9 ⑥ 肆"));
    CHECK(hit(entry("porn"), "p0rn and рorn"));
    CHECK(hit(entry("枪支店"), "枪枪支支支店"));
    CHECK_FALSE(hit(entry("枪支店", Folding::kPlain), "枪枪支支支店"));
    CHECK_FALSE(hit(entry("妈妈"), "我妈来了"));
    CHECK(hit(entry("妈妈"), "我妈~妈妈来了"));
}

TEST_CASE("a word is no part of a longer one unless the entry says so") {
    CHECK_FALSE(hit(entry("SM"), "Smoking"));
    CHECK_FALSE(hit(entry("64"), "1640"));
    CHECK(hit(entry("SM"), "SM,"));
    CHECK(hit(entry("SM"), "玩SM的"));
    CHECK(hit(entry("SM"), "SM3"));
    Entry inside = entry("SM");
    inside.inside_words = true;
    CHECK(hit(inside, "Smoking"));
}

TEST_CASE("a phrase that may pass covers what lies inside it, not what lies across it") {
    Entry trouble = entry("大麻烦");
    trouble.action = Decision::kAllow;
    const auto matcher = compiled({entry("大麻"), trouble});
    CHECK(matches_in(matcher, "这是个大麻烦").empty());
    CHECK(matches_in(matcher, "这是大麻。烦").empty());
    CHECK(matches_in(matcher, "卖大麻").size() == 1);
    CHECK(matches_in(matcher, "大麻烦，大麻").size() == 1);
    Entry traffic = entry("路口");
    traffic.action = Decision::kAllow;
    CHECK(matches_in(compiled({entry("口交"), traffic}), "路口交通").size() == 1);
}

TEST_CASE("an entry with company needs all of it, near, and none of what excuses it") {
    Entry sale = entry("身份证");
    sale.with = {"出售", "联系"};
    sale.without = {"反诈"};
    sale.within = 12;
    CHECK(hit(sale, "出售身份证，联系我"));
    CHECK(hit(sale, "联系我，身份证出售"));
    CHECK_FALSE(hit(sale, "出售身份证"));
    CHECK_FALSE(hit(sale, "反诈提醒：出售身份证请勿联系"));
    CHECK_FALSE(hit(sale, "出售身份证，联系我，反诈"));
    CHECK_FALSE(hit(sale, "出售" + std::string(40, 'x') + "身份证，联系我"));
}

TEST_CASE("a character that is written as its halves is found when the entry asks") {
    Entry split = entry("赌场");
    CHECK_FALSE(hit(split, "贝者场"));
    split.split = true;
    CHECK(hit(split, "贝者场"));
    CHECK(hit(split, "贝 者 场"));
    CHECK(hit(split, "赌场"));
}

TEST_CASE("an entry that cannot be searched for is refused with its name") {
    const auto refused = [](const Entry& wrong) {
        const auto matcher = Matcher::compile({wrong});
        REQUIRE_FALSE(matcher.ok());
        CHECK(matcher.error().what.find("bad one") != std::string::npos);
        return matcher.error().what;
    };
    Entry wrong = entry("x");
    wrong.id = "bad one";
    wrong.phrase = "";
    refused(wrong);
    wrong.phrase = std::string(kPhraseBytesMax + 1, 'x');
    refused(wrong);
    wrong.phrase = "\xff";
    refused(wrong);
    wrong.phrase = "?,";
    CHECK(refused(wrong).find("loose") != std::string::npos);
    wrong.folding = Folding::kPlain;
    CHECK(Matcher::compile({wrong}).ok());
    wrong.phrase = "x";
    wrong.with.assign(kContextPhrasesMax + 1, "y");
    refused(wrong);
    wrong.with.clear();
    wrong.within = 0;
    refused(wrong);
    wrong.within = 5;
    wrong.action = Decision::kAllow;
    wrong.with = {"y"};
    refused(wrong);
}

TEST_CASE("bytes that are no text end a phrase and nothing else") {
    const auto matcher = compiled({entry("ab")});
    CHECK(matches_in(matcher,
                     "a\xff"
                     "b")
              .empty());
    CHECK(matches_in(matcher, "\xe4\xb8 ab \xf0\x9f").size() == 1);
    CHECK(matches_in(matcher, std::string("\0ab", 3)).size() == 1);
    CHECK(matches_in(matcher, "a" + std::string(kSeparatorsMax + 1, ' ') + "b").empty());
    CHECK(matches_in(matcher, "a" + std::string(kSeparatorsMax, ' ') + "b").size() == 1);
}

TEST_CASE("the version of a library changes with everything that may change a verdict") {
    const std::string before = compiled({entry("x")})->version();
    CHECK(compiled({entry("x")})->version() == before);
    Entry other = entry("x");
    other.within = 49;
    CHECK(compiled({other})->version() != before);
    other = entry("x");
    other.action = Decision::kFlag;
    CHECK(compiled({other})->version() != before);
    CHECK(compiled({entry("x"), entry("y")})->version() != before);
}

}  // namespace colophon::review
