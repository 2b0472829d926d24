// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "label/format.h"
#include "label/internal/html_scan.h"
#include "label/metadata/container.h"
#include "label/metadata/text_containers.h"
#include "support/processor_time.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {
namespace {

using internal::HtmlContext;
using internal::HtmlKind;
using internal::HtmlScanner;
using test::check_label_write;
using test::kLabel;
using test::read_label;
using test::write_error;

const std::string kTag =
    "<meta name=\"AIGC\" content=\"{&quot;Label&quot;:&quot;1&quot;,&quot;ContentProducer&quot;:"
    "&quot;00119144030008867405X210001&quot;,&quot;ProduceID&quot;:&quot;0Q6YH3ZK2W&quot;,"
    "&quot;ReservedCode1&quot;:&quot;&quot;,&quot;ContentPropagator&quot;:&quot;&quot;,"
    "&quot;PropagateID&quot;:&quot;&quot;,&quot;ReservedCode2&quot;:&quot;it&#39;s&quot;}\">";

std::string with_tag(std::string text) {
    const std::size_t at = text.find('@');
    return at == std::string::npos ? text : text.replace(at, 1, kTag);
}

struct Row {
    std::string what;
    std::string before;
    std::string after;  // with @ for the tag
};

// [GB45438-6.1]
TEST_CASE("the meta tag goes behind the charset, and every foreign byte stays") {
    const std::vector<Row> rows{
        {"behind the charset",
         "<!DOCTYPE html>\r\n<html>\r\n<head>\r\n  <META CHARSET=gbk>\r\n  <title>\xD6\xD0</title>"
         "\r\n</head><body>",
         "<!DOCTYPE html>\r\n<html>\r\n<head>\r\n  <META CHARSET=gbk>\r\n  @\r\n  <title>\xD6\xD0"
         "</title>\r\n</head><body>"},
        {"behind the old form of the charset",
         "<head><meta http-equiv='Content-Type' content='text/html; charset=utf-8'></head>",
         "<head><meta http-equiv='Content-Type' content='text/html; charset=utf-8'>@</head>"},
        {"behind head", "<html><head>\n<title>x</title></head>",
         "<html><head>\n@\n<title>x</title></head>"},
        {"behind html", "<html lang=zh><p>x", "<html lang=zh>@<p>x"},
        {"behind the document type", "<!doctype html><p>x", "<!doctype html>@<p>x"},
        {"at the start, behind the byte order mark", "\xEF\xBB\xBF<p>x", "\xEF\xBB\xBF@\n<p>x"},
        {"an empty file", "", "@\n"},
        {"a charset in the body is not in the head", "<head></head><body><meta charset=x>",
         "<head>@</head><body><meta charset=x>"},
        {"what looks like a head in a comment or script",
         "<!-- <head> --><script>'<head><meta name=AIGC content=x>'</script><p>",
         "@\n<!-- <head> --><script>'<head><meta name=AIGC content=x>'</script><p>"},
        {"replaced in its quotes", "<head><MeTa  content='old' NAME = aigc></head>",
         "<head><MeTa  content='" + kTag.substr(27, kTag.size() - 29) + "' NAME = aigc></head>"},
        {"rebuilt when it had no quotes", "<head><meta name=AIGC content=old></head>",
         "<head>@</head>"},
        {"several become one",
         "<head><meta name=AIGC>\n <meta name=aigc content=b>\n</head><body>x "
         "<meta property=AIGC content=c> y<meta name=AIGC>z</body>",
         "<head>@\n</head><body>x y<!---->z</body>"},
        {"one in the body moves to the head",
         "<head></head><body><meta name='AIGC' content='c'></body>", "<head>@</head><body></body>"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        CHECK(check_label_write(Format::kHtml, row.before) == with_tag(row.after));
    }
}

TEST_CASE("taking a tag away never turns text into markup") {
    CHECK(check_label_write(Format::kHtml, "<p>a<<meta name=aigc>b>") == kTag + "\n<p>a<<!---->b>");
    CHECK(check_label_write(Format::kHtml, "<p>a<<meta name=aigc><meta name=aigc>b>") ==
          kTag + "\n<p>a<<!----><!---->b>");
    CHECK(check_label_write(Format::kHtml, "<p>a< <meta name=aigc> <meta name=aigc>b>") ==
          kTag + "\n<p>a< b>");
}

TEST_CASE("XHTML gets a tag that XML accepts") {
    const std::string page =
        "<?xml version=\"1.0\"?>\n<html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title>x"
        "</title></head><body/></html>";
    const std::string out = check_label_write(Format::kHtml, page);
    CHECK(out.find("<head>" + kTag.substr(0, kTag.size() - 1) + " />") != std::string::npos);
}

struct ReadRow {
    std::string page;
    std::vector<std::string> values;
};

// [GB45438-E]
TEST_CASE("the tag is read in any spelling, and only where a browser sees it") {
    const std::vector<ReadRow> rows{
        {"<META CONTENT='{\"a\":1}' NAME=\" AIGC \">", {"{\"a\":1}"}},
        {"<meta name=aigc content={&quot;a&quot;:1}>", {"{\"a\":1}"}},
        {"<meta/name='aigc'/content=x>", {"x"}},
        {"<meta name=aigc content=1 content=2>", {"1"}},
        {"<meta name=aigc>", {""}},
        {"<meta name='TC260:AIGC' content='&#x7b;&#125;&amp;lt;'>", {"{}&lt;"}},
        {"<body>text<meta property=\"AIGC\" content=\"b\">", {"b"}},
        {"<!-- <meta name=aigc content=1> --><meta name=aigc content=2>", {"2"}},
        {"<!--><meta name=aigc content=1>-->", {"1"}},
        {"<!-- --!><meta name=aigc content=1>", {"1"}},
        {"<!-- > <meta name=aigc content=1>", {}},
        {"<script><meta name=aigc content=1></script>", {}},
        {"<script><!-- <script></script><meta name=aigc content=1> --></script>", {}},
        {"<style><meta name=aigc content=1></styles></style >", {}},
        {"<title><meta name=aigc content=1></title>", {}},
        {"<textarea><meta name=aigc content=1></TextArea>", {}},
        {"<template><template></template><meta name=aigc content=1></template>"
         "<meta name=aigc content=2>",
         {"2"}},
        {"<plaintext><meta name=aigc content=1>", {}},
        {"<p title='<meta name=aigc content=1>'>", {}},
        {"</p <meta name=aigc content=1>", {}},
        {"<meta name=aigc content='1'", {}},
        {"<meta name=author content=AIGC><metadata name=aigc content=1>", {}},
    };
    for (const ReadRow& row : rows) {
        CAPTURE(row.page);
        const MetadataReading reading = read_label(Format::kHtml, row.page);
        std::vector<std::string> values;
        for (const LabelSite& site : reading.sites) {
            values.push_back(site.value);
        }
        CHECK(values == row.values);
    }
}

TEST_CASE("tokens tell where they stand, and all of them together are the page") {
    const std::string page =
        "\xEF\xBB\xBF<!doctype html><!-- c --><p a b='1' c=2>x < y</p><script>if (a</b) "
        "</script><br/></><?x?></3><";
    std::string kinds;
    std::size_t at = 3;
    HtmlScanner scanner(page);
    while (scanner.next()) {
        CHECK(scanner.token().range.begin == at);
        at = scanner.token().range.end;
        kinds += "TRSECD"[static_cast<std::size_t>(scanner.token().kind)];
    }
    CHECK(at == page.size());
    CHECK(kinds == "DCSTESRESCCCT");
}

TEST_CASE("character references are resolved as browsers do") {
    CHECK(
        internal::decode_html("&lt;&LT;&#60;&#X3c;&#128;&#0;&copy2&nosuch;&", HtmlContext::kText) ==
        "<&LT;<<\xE2\x82\xAC\xEF\xBF\xBD\xC2\xA9"
        "2&nosuch;&");
    CHECK(internal::decode_html("?a&copy=2&lt", HtmlContext::kAttribute) == "?a&copy=2<");
    CHECK(internal::decode_html("&#xFFFFFFFFFFFFFFFFF;", HtmlContext::kText) == "\xEF\xBF\xBD");
}

TEST_CASE("the label means the same in every encoding, because the tag is ASCII") {
    const auto fields = test::label_fields("{\"a\":\"\xE4\xBA\xBA\"}");
    const std::string out = check_label_write(Format::kHtml, "<head>", fields);
    CHECK(out == "<head><meta name=\"AIGC\" content=\"{&quot;a&quot;:&quot;&#20154;&quot;}\">");
}

TEST_CASE("libxml2's HTML parser finds the label in the head") {
    const colophon::test::TempDir dir;
    const std::string path = dir.file("page.html");
    for (const char* page :
         {"<html><head><title>x</title></head></html>", "<p>x", "<!doctype html>",
          "<head><meta charset=utf-8><style>p{}</style></head><body>x"}) {
        colophon::test::write_file(path, as_bytes(check_label_write(Format::kHtml, page)));
        CHECK(colophon::test::run_tool_ok({"xmllint", "--html", "--nowarning", "--xpath",
                                           "string(/html/head/meta[@name='AIGC']/@content)",
                                           path}) == kLabel + "\n");
    }
}

TEST_CASE("hostile pages cost little and are never an error") {
    std::vector<std::string> pages(6);
    for (int i = 0; i < 1000000; ++i) {
        pages[0] += "<!-->";
        pages[1] += "<p>";
        pages[2] += "<script><!--";
        pages[3] += i == 0 ? "<p" : " a=b";
        pages[4] += "</";
        pages[5] += "<!--";
    }
    for (const std::string& page : pages) {
        const colophon::test::ProcessorTime time;
        CHECK(find_container(Format::kHtml)->read(as_bytes(page)).ok());
        CHECK(time.spent() < std::chrono::seconds(2));
    }
    CHECK(write_error(Format::kHtml, "\xFF\xFE<") == ErrorCode::kUnsupported);
    CHECK(write_error(Format::kHtml, "", {}) == ErrorCode::kInvalidArgument);
}

TEST_CASE("a page cut at any byte never crashes and never gets a second label") {
    test::check_cut_anywhere(Format::kHtml,
                             with_tag("<!DOCTYPE html><html><head><meta charset=utf-8>@<script>"
                                      "<!-- </script><title>x</title></head><body>x</body>"));
}

}  // namespace
}  // namespace colophon::label
