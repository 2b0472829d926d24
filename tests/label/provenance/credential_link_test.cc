// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/credential_link.h"

#include "core/bytes.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "label/metadata/xmp.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace colophon::label::provenance {
namespace {

constexpr std::string_view kUrl = "https://credentials.example/a?b=1&c=2";

std::string packet(std::string_view description) {
    return "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
           "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
           "xmlns:t='http://purl.org/dc/terms/' xmlns:o='http://other.example/'>" +
           std::string(description) + "</rdf:RDF></x:xmpmeta>";
}

std::string link_in(std::string_view description) {
    return read_xmp(packet(description)).value().credential_link;
}

TEST_CASE("the XMP packet names where the credential lies, in every form that RDF has") {
    const std::string escaped = "https://credentials.example/a?b=1&amp;c=2";
    CHECK(link_in("<rdf:Description t:provenance='" + escaped + "'/>") == kUrl);
    CHECK(link_in("<rdf:Description><t:provenance> " + escaped +
                  "\n</t:provenance></rdf:Description>") == kUrl);
    CHECK(link_in("<rdf:Description><t:provenance><![CDATA[https://credentials.example/a?b=1&c="
                  "2]]></t:provenance></rdf:Description>") == kUrl);
    CHECK(link_in("<rdf:Description><t:provenance rdf:resource='" + escaped +
                  "'/></rdf:Description>") == kUrl);
    // The first counts.
    CHECK(link_in("<rdf:Description t:provenance='first'/><rdf:Description><t:provenance>second"
                  "</t:provenance></rdf:Description>") == "first");
    CHECK(link_in("<rdf:Description><t:provenance>first</t:provenance><t:provenance>second"
                  "</t:provenance></rdf:Description>") == "first");
    // Of another vocabulary, about something else, or empty.
    CHECK(link_in("<rdf:Description o:provenance='x'/>") == "");
    CHECK(link_in("<rdf:Description><o:a><rdf:Description><t:provenance>x</t:provenance>"
                  "</rdf:Description></o:a></rdf:Description>") == "");
    CHECK(link_in("<rdf:Description><t:provenance/></rdf:Description>") == "");
    // As long as it may be, and a byte more.
    const std::string longest(kCredentialLinkBytesMax, 'a');
    CHECK(link_in("<rdf:Description t:provenance='" + longest + "'/>") == longest);
    CHECK(link_in("<rdf:Description t:provenance='" + longest + "aaa'/>") == longest + "a");
    CHECK(link_in("<rdf:Description><t:provenance>" + longest +
                  "aa<!-- -->aa</t:provenance></rdf:Description>") == longest + "a");
}

TEST_CASE("a label that is written leaves the address as it is") {
    const std::string before = packet(
        "<rdf:Description rdf:about=''><t:provenance>https://a.example/x"
        "</t:provenance></rdf:Description>");
    const MetadataFields fields{.aigc = R"({"Label":"1"})", .iptc = {}};
    const auto after = read_xmp(write_xmp(before, fields).value()).value();
    CHECK(after.credential_link == "https://a.example/x");
    CHECK(after.aigc.size() == 1);
}

TEST_CASE("every format with a packet names it" * doctest::test_suite("slow pictures")) {
    const test::TempDir dir;
    test::write_file(dir.file("packet.xmp"),
                     to_buffer(packet("<rdf:Description rdf:about='' "
                                      "t:provenance='https://credentials.example/a?b=1&amp;c=2'/"
                                      ">")));
    test::run_tool_ok({"ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i",
                       "testsrc=d=1:size=64x48", dir.file("in.mp4")});
    for (const std::string name : {"in.jpg", "in.png", "in.webp", "in.tif", "in.gif", "in.mp4"}) {
        CAPTURE(name);
        const std::string path = dir.file(name);
        if (name != "in.mp4") {
            test::run_tool_ok({"convert", "-size", "60x40", "gradient:", path});
        }
        const Format format = detect_format(test::read_file(path), name).value();
        CHECK(find_credential_link(test::read_file(path), format) == "");
        test::run_tool_ok(
            {"exiftool", "-q", "-overwrite_original", "-XMP<=" + dir.file("packet.xmp"), path});
        CHECK(find_credential_link(test::read_file(path), format) == kUrl);
    }
    const std::string drawing = "<svg xmlns='http://www.w3.org/2000/svg'><metadata>" +
                                packet("<rdf:Description t:provenance='https://a.example/x'/>") +
                                "</metadata></svg>";
    CHECK(find_credential_link(as_bytes(drawing), Format::kSvg) == "https://a.example/x");
}

TEST_CASE("pages and structured texts name it in their own way") {
    const auto page = [](std::string_view head) {
        const std::string text = "<!DOCTYPE html><html><head><title>x</title>" + std::string(head) +
                                 "</head><body>x</body></html>";
        return find_credential_link(as_bytes(text), Format::kHtml);
    };
    CHECK(page("<link rel=\"c2pa-manifest\" href=\"https://a.example/x?a=1&amp;b=2\">") ==
          "https://a.example/x?a=1&b=2");
    CHECK(page("<link href=x.c2pa rel=C2PA-Manifest>") == "x.c2pa");
    CHECK(page("<link rel=stylesheet href=x.css>") == "");
    CHECK(page("<template><link rel=c2pa-manifest href=x></template>") == "");
    CHECK(page("<!-- <link rel=c2pa-manifest href=x> -->") == "");
    CHECK(find_credential_link(
              as_bytes("<html><head></head><body><link rel=c2pa-manifest href=x></body></html>"),
              Format::kHtml) == "");
    const auto text = [](std::string_view words) {
        return find_credential_link(as_bytes(words), Format::kMarkdown);
    };
    CHECK(text("# x\n<!-- -----BEGIN C2PA MANIFEST----- https://a.example/x -----END C2PA "
               "MANIFEST----- -->\n") == "https://a.example/x");
    CHECK(text("-----BEGIN C2PA MANIFEST-----\nthe words between\n-----END C2PA MANIFEST-----\n") ==
          "");
    CHECK(find_credential_link(as_bytes("https://a.example/x"), Format::kPlainText) == "");
    CHECK(find_credential_link(as_bytes("no PNG"), Format::kPng) == "");
}

}  // namespace
}  // namespace colophon::label::provenance
