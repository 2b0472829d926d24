// SPDX-License-Identifier: Apache-2.0
#include "review/entry_list.h"

#include "core/result.h"
#include "fingerprint/pdq.h"
#include "review/entry.h"
#include "review/fold.h"
#include "review/picture_list.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {

TEST_CASE("[DSP-10] a library is words and entries, and each member is kept") {
    const auto list = parse_entry_list(
        "# mine\n\n坏词\r\npolitics\t另一个\n"
        R"({"id":"b","category":"A1d","phrase":"x","folding":"sound","action":"flag","with":["y"],)"
        R"("without":["z"],"within":7,"inside_words":true,"split":true,"reply":"no"})"
        "\n");
    REQUIRE(list.ok());
    REQUIRE(list->texts.size() == 3);
    CHECK(list->texts[0].id == "words/3");
    CHECK(list->texts[1].category == "politics");
    CHECK(list->texts[1].phrase == "另一个");
    const Entry& entry = list->texts[2];
    CHECK(entry.folding == Folding::kSound);
    CHECK(entry.action == Decision::kFlag);
    CHECK(entry.with == std::vector<std::string>{"y"});
    CHECK(entry.without == std::vector<std::string>{"z"});
    CHECK(entry.within == 7);
    CHECK(entry.inside_words);
    CHECK(entry.split);
    CHECK(entry.reply == "no");
}

TEST_CASE("a line that is wrong is named, and so is what is wrong") {
    struct Wrong {
        std::string_view line;
        std::string_view what;
    };
    constexpr std::array kWrong{
        Wrong{"{\"id\":\"a\",\"category\":\"b\"", "at byte"},
        Wrong{R"({"category":"b","phrase":"x"})", "\"id\""},
        Wrong{R"({"id":"a","category":"b","phrase":"x","actoin":"flag"})", "actoin"},
        Wrong{R"({"id":"a","category":"b","phrase":"x","action":"maybe"})", "allow, flag"},
        Wrong{R"({"id":"a","category":"b","phrase":"x","folding":1})", "folding"},
        Wrong{R"({"id":"a","category":"b","phrase":"x","within":-1})", "within"},
        Wrong{R"({"id":"a","category":"b","phrase":"x","split":"yes"})", "split"},
        Wrong{R"({"id":"a","category":"b","phrase":"x","with":"y"})", "with"},
        Wrong{R"({"id":"a","category":"b","pdq":"12"})", "64"},
        Wrong{R"({"id":"a","category":"b","phrase":"x","distance":3})", "pdq"},
        Wrong{"\xff", "UTF-8"},
    };
    for (const Wrong& wrong : kWrong) {
        CAPTURE(wrong.line);
        const auto list = parse_entry_list("fine\n" + std::string(wrong.line) + "\n");
        REQUIRE_FALSE(list.ok());
        CAPTURE(list.error().what);
        CHECK(list.error().what.starts_with("line 2: "));
        CHECK(list.error().what.find(wrong.what) != std::string::npos);
    }
    CHECK_FALSE(parse_entry_list("{" + std::string(kEntryBytesMax, ' ') + "}").ok());
}

TEST_CASE("a picture is found within the distance of its entry, the nearest entry first") {
    const std::string zeros(64, '0');
    const auto list = parse_entry_list(R"({"id":"far","category":"c","pdq":")" + zeros +
                                       R"(","distance":10})"
                                       "\n"
                                       R"({"id":"near","category":"c","pdq":"f)" +
                                       zeros.substr(1) + R"("})");
    REQUIRE(list.ok());
    const auto pictures = PictureList::create(list->pictures);
    REQUIRE(pictures.ok());
    // Four bits from "near", eight from "far".
    const auto hash = fingerprint::parse_pdq_hex("ff" + zeros.substr(2));
    REQUIRE(hash.ok());
    const auto found = pictures->find({&*hash, 1});
    REQUIRE(found.size() == 2);
    CHECK(found[0].entry->id == "near");
    CHECK(found[0].distance == 4);
    CHECK(found[1].distance == 8);
    // Twelve from "far", which allows ten.
    const auto further = fingerprint::parse_pdq_hex("fff" + zeros.substr(3));
    CHECK(pictures->find({&*further, 1}).size() == 1);
    PictureEntry wrong = list->pictures[0];
    wrong.distance = 32;
    CHECK_FALSE(PictureList::create({wrong}).ok());
}

}  // namespace colophon::review
