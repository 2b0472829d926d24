// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/s3_xml.h"

#include "core/bytes.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace colophon::storage {
namespace {

TEST_CASE("a page of a list is read with its names, entities and name spaces") {
    const auto page = parse_s3_xml(
        "<?xml version=\"1.0\"?>\n<!-- a > b -->\n"
        "<s3:ListBucketResult xmlns:s3='http://s3.amazonaws.com/doc/2006-03-01/' note=\"<>\">\n"
        " <IsTruncated>true</IsTruncated><Empty/><Gap  />\n"
        " <Contents><Key>a&amp;b&lt;&#233;&#x4E2D;</Key><ETag>&quot;1&quot;</ETag></Contents>\n"
        " <Contents><Key><![CDATA[x<y&amp;]]></Key></Contents>\n"
        "</s3:ListBucketResult>\n");
    REQUIRE(page.ok());
    CHECK(page->name == "ListBucketResult");
    CHECK(page->text_of("IsTruncated") == "true");
    CHECK(page->text_of("Nothing").empty());
    CHECK(page->children.size() == 5);
    CHECK(page->children[3].text_of("Key") == "a&b<\xC3\xA9\xE4\xB8\xAD");
    CHECK(page->children[3].text_of("ETag") == "\"1\"");
    CHECK(page->children[4].text_of("Key") == "x<y&amp;");
}

TEST_CASE("what is no small document is refused") {
    for (const std::string_view bad : {"",
                                       " ",
                                       "text",
                                       "<a>",
                                       "<a></b>",
                                       "<a/><b/>",
                                       "<a/>x",
                                       "x<a/>",
                                       "<a",
                                       "<a b='>",
                                       "</a>",
                                       "<a><!-- </a>",
                                       "<a><![CDATA[ </a>",
                                       "<?xml <a/>",
                                       "<!DOCTYPE a><a/>",
                                       "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
                                       "<a>&x;</a>",
                                       "<a>&amp</a>",
                                       "<a>&#0;</a>",
                                       "<a>&#xD800;</a>",
                                       "<a>&#1114112;</a>",
                                       "<a>&#x;</a>",
                                       "<a>&;</a>",
                                       "<></>",
                                       "< a/>",
                                       "<a<b/>",
                                       "<a><</a>"}) {
        CAPTURE(bad);
        CHECK(parse_s3_xml(bad).error().code == ErrorCode::kCorrupt);
    }
}

TEST_CASE("depth, number and size of a document are bounded") {
    const auto nested = [](std::size_t depth) {
        std::string text;
        for (std::size_t i = 0; i < depth; ++i) {
            text += "<a>";
        }
        for (std::size_t i = 0; i < depth; ++i) {
            text += "</a>";
        }
        return text;
    };
    CHECK(parse_s3_xml(nested(kS3XmlDepthMax)).ok());
    CHECK(parse_s3_xml(nested(kS3XmlDepthMax + 1)).error().code == ErrorCode::kLimit);
    std::string many = "<a>";
    for (std::size_t i = 0; i < kS3XmlElementsMax; ++i) {
        many += "<b/>";
    }
    CHECK(parse_s3_xml(many + "</a>").error().code == ErrorCode::kLimit);
    CHECK(parse_s3_xml("<a>" + std::string(kS3XmlBytesMax, 'x') + "</a>").error().code ==
          ErrorCode::kLimit);
}

}  // namespace
}  // namespace colophon::storage
