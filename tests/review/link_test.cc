// SPDX-License-Identifier: Apache-2.0
#include "review/link.h"

#include "core/utf8.h"
#include "review/entry.h"
#include "review/matcher.h"
#include "review/punycode.h"
#include "review/text_scan.h"

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

Entry link(std::string text, Decision action = Decision::kBlock) {
    Entry made;
    made.id = text;
    made.category = "test";
    made.kind = EntryKind::kLink;
    made.phrase = std::move(text);
    made.action = action;
    return made;
}

std::vector<Match> found_in(std::vector<Entry> entries, std::string_view text) {
    auto matcher = Matcher::compile(std::move(entries));
    REQUIRE_MESSAGE(matcher.ok(), (matcher.ok() ? std::string() : matcher.error().what));
    TextScan scan(std::make_shared<const Matcher>(std::move(*matcher)));
    scan.push(text);
    scan.finish();
    std::vector<Match> matches;
    while (const auto match = scan.next()) {
        matches.push_back(*match);
    }
    return matches;
}

bool hit(const std::string& listed, std::string_view text) {
    return !found_in({link(listed)}, text).empty();
}

std::string utf8(std::u32string_view text) {
    std::string out;
    for (const char32_t each : text) {
        append_utf8(out, each);
    }
    return out;
}

}  // namespace

TEST_CASE("[DSP-10] a listed domain is itself and all names below it, however it is written") {
    for (const std::string_view text : {
             "see example.com",
             "https://example.com/path?q=1",
             "http://www.a.example.com:8080/",
             "EXAMPLE.Com",
             "ｅｘａｍｐｌｅ．ｃｏｍ",
             "ⓔxample。com",
             "hxxp://example[.]com/x",
             "hXXps://example(.)com",
             "example{dot}com",
             "example [.] com",
             "example [ dot ] com",
             "example dot com",
             "example点com",
             "ex\xE2\x80\x8B"
             "ample.com",
             "ex%61mple.com",
             "http:\\/\\/example.com\\/a",
             "http:\\\\example.com\\a",
             "example\\.com",
             "mail me@example.com today",
             "请访问example.com下载",
             "example.com。",
             "(example.com)",
             "example.com.",
             "example.com. Then",
             "example.com-",
             "-example.com",
             "[x](https://example.com)",
         }) {
        CAPTURE(text);
        // 点 alone is a word of its own in running text and counts in brackets and between spaces.
        CHECK(hit("example.com", text) == (text != "example点com"));
    }
}

TEST_CASE("[DSP-10] a name that only looks like a listed one is not it") {
    for (const std::string_view text : {
             "notexample.com",
             "my-example.com",
             "example.com.evil.org",
             "example.community",
             "example.com-sale.net",
             "example.org",
             "examplescom",
             "example,com",
             "example com",
             "éxample.com",
             "жexample.com",
             "example.co",
             "an example. Common words",
             "for example [see] com",
             "examplé.com",
             "example_com",
         }) {
        CAPTURE(text);
        CHECK_FALSE(hit("example.com", text));
    }
    CHECK_FALSE(hit("10.0.0.1", "110.0.0.1"));
    CHECK_FALSE(hit("10.0.0.1", "1.10.0.0.1"));
    CHECK(hit("10.0.0.1", "http://10.0.0.1:80/x"));
}

TEST_CASE("a link is a name with a path that begins so, segment by segment") {
    const std::string listed = "example.com/evil";
    for (const std::string_view text :
         {"example.com/evil", "https://a.example.com/evil/x", "example.com:8080/evil?x",
          "EXAMPLE.com//Evil#y", "example.com/%65vil", "example[.]com/evil 看"}) {
        CAPTURE(text);
        CHECK(hit(listed, text));
    }
    for (const std::string_view text : {"example.com", "example.com/evilness", "example.com/x/evil",
                                        "example.com/evil.html", "notexample.com/evil"}) {
        CAPTURE(text);
        CHECK_FALSE(hit(listed, text));
    }
    CHECK(hit("example.com/文件", "example.com/%E6%96%87%E4%BB%B6"));
    CHECK(hit("https://user@EXAMPLE.com:443/evil/", "example.com/evil"));
}

TEST_CASE("names beyond ASCII are found in both of their forms, and within running text") {
    for (const std::string_view text :
         {"例子.中国", "看例子.中国的", "http://xn--fsqu00a.xn--fiqs8s/", "例子。xn--fiqs8s"}) {
        CAPTURE(text);
        CHECK(hit("例子.中国", text));
        CHECK(hit("xn--fsqu00a.xn--fiqs8s", text));
    }
    CHECK(hit("bücher.example", "BÜCHER.example"));
    CHECK(hit("bücher.example", "xn--bcher-kva.example"));
    CHECK_FALSE(hit("bücher.example", "bucher.example"));
}

TEST_CASE("a link that may pass covers what lies inside it") {
    const std::vector<Entry> entries{link("example.com"),
                                     link("good.example.com", Decision::kAllow),
                                     link("example.com/help", Decision::kAllow)};
    CHECK(found_in(entries, "good.example.com").empty());
    CHECK(found_in(entries, "a.good.example.com").empty());
    CHECK(found_in(entries, "example.com/help/1").empty());
    CHECK(found_in(entries, "example.com/helpless").size() == 1);
    CHECK(found_in(entries, "bad.example.com").size() == 1);
}

TEST_CASE("a link that cannot be one is refused with the reason") {
    for (const std::string_view wrong :
         {"", "com", "*.example.com", "exa mple.com", "example..com", "-a.com", "a-.com", "1.2.3",
          "xn--\xC3\xA9.com", "xn--99999999.com", "[::1]", "example.com#x", "http://", "a,b.com",
          "example.com?x"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_link(wrong).ok());
    }
    CHECK_FALSE(parse_link(std::string(64, 'a') + ".com").ok());
    CHECK_FALSE(parse_link(std::string(kLinkBytesMax + 1, 'a')).ok());
    CHECK(parse_link("co.uk").ok());
}

// RFC 3492, 7.1: (A), (B), (I), (L), (S).
TEST_CASE("punycode is what the RFC shows") {
    struct Sample {
        std::u32string_view text;
        std::string_view code;
    };
    constexpr std::array kSamples{
        Sample{U"ليهمابتكلموشعربي؟", "egbpdaj6bu4bxfgehfvwxn"},
        Sample{U"他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"},
        Sample{U"почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l"},
        Sample{U"3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"},
        Sample{U"-> $1.00 <-", "-> $1.00 <--"},
    };
    for (const Sample& sample : kSamples) {
        CAPTURE(sample.code);
        const auto encoded = encode_punycode(sample.text);
        REQUIRE(encoded);
        CHECK(*encoded == sample.code);
        const auto decoded = decode_punycode(sample.code);
        REQUIRE(decoded);
        CHECK(utf8(*decoded) == utf8(sample.text));
    }
    CHECK_FALSE(decode_punycode("99999999"));
    CHECK_FALSE(decode_punycode("a-\xC3"));
}

}  // namespace colophon::review
