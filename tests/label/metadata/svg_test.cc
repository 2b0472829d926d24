// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "label/metadata/text_containers.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {
namespace {

using test::check_label_write;
using test::kLabel;
using test::label_fields;
using test::read_label;
using test::write_error;

const std::string kSvg = R"(<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4">)";
const std::string kRdf = R"(<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">)";
const std::string kTc = R"(xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/")";

// As Inkscape writes it: bare RDF with a typed node, Creative Commons terms, a comment, entities.
const std::string kInkscape =
    "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\r\n"
    "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" "
    "\"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">\r\n"
    "<!-- Created with a drawing program -->\r\n"
    "<svg xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:cc='http://creativecommons.org/ns#'\r\n"
    "   xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'\r\n"
    "   xmlns='http://www.w3.org/2000/svg' width='4' height='4'>\r\n"
    "  <defs id='d'/>\r\n  <metadata id='m'>\r\n    <rdf:RDF>\r\n"
    "      <cc:Work rdf:about=\"\">\r\n        <dc:format>image/svg+xml</dc:format>\r\n"
    "        <dc:title>Tom &amp; \xE4\xBA\xBA</dc:title>\r\n      </cc:Work>\r\n"
    "    </rdf:RDF>\r\n  </metadata>\r\n"
    "  <g  ><text>&lt;metadata&gt;</text></g>\r\n  <style><![CDATA[ a > b {} ]]></style>\r\n</svg>";

std::string exiftool(const std::string& svg, const std::string& tag) {
    const colophon::test::TempDir dir;
    const std::string path = dir.file("drawing.svg");
    colophon::test::write_file(path, as_bytes(svg));
    return colophon::test::run_tool_ok({"exiftool", "-s3", "-" + tag, path});
}

// Everything that `before` has is still there, in order: what was added is one run.
void check_one_insertion(const std::string& before, const std::string& after) {
    std::size_t head = 0;
    while (head < before.size() && before[head] == after[head]) {
        ++head;
    }
    CHECK(after.ends_with(std::string_view(before).substr(head)));
}

// [GB45438-6.1]
TEST_CASE("a drawing gets an XMP packet in its metadata, and ExifTool reads it") {
    const std::vector<std::string> drawings{
        kSvg + "<rect width=\"2\" height=\"2\"/></svg>",
        kSvg + "\n  <rect width=\"2\" height=\"2\"/>\n</svg>\n",
        R"(<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>)",
        "<?xml version=\"1.0\"?>\n" + kSvg + "<metadata/><g/></svg>",
        kSvg + "<title>t</title><metadata>\n <x:a xmlns:x='urn:x'/>\n</metadata><g/></svg>",
        R"(<?xml version="1.0"?><svg:svg xmlns:svg="http://www.w3.org/2000/svg" width="4" )"
        R"(height="4"><svg:metadata/></svg:svg>)",
        "<?xml version='1.0' encoding='ISO-8859-1'?>" + kSvg + "</svg>",
        kInkscape,
    };
    for (const std::string& drawing : drawings) {
        CAPTURE(drawing);
        const std::string out = check_label_write(Format::kSvg, drawing);
        CHECK(exiftool(out, "XMP:AIGC") == kLabel + "\n");
    }
}

TEST_CASE("the new metadata element takes the prefix of the drawing") {
    const std::string out = check_label_write(
        Format::kSvg, "<s:svg xmlns:s='http://www.w3.org/2000/svg'>\n <s:g/>\n</s:svg>");
    CHECK(out.starts_with("<s:svg xmlns:s='http://www.w3.org/2000/svg'>\n <s:metadata>\n  <?x"));
    CHECK(out.ends_with("\n </s:metadata>\n <s:g/>\n</s:svg>"));
}

TEST_CASE("a packet that stands in a drawing already is edited where it stands") {
    const std::string packet =
        "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>" +
        kRdf + "<rdf:Description rdf:about='http://example.org/a.svg' xmlns:k='urn:k' k:k='v'/>" +
        "</rdf:RDF></x:xmpmeta>   <?xpacket end='w'?>";
    const std::string before = kSvg + "<g/><metadata>" + packet + "</metadata></svg>";
    const std::string out = check_label_write(Format::kSvg, before);
    CHECK(out.find("k:k='v'><TC260:AIGC>{") != std::string::npos);
    CHECK(out.ends_with("</rdf:RDF></x:xmpmeta>   <?xpacket end='w'?></metadata></svg>"));
}

TEST_CASE("foreign RDF stays byte for byte and takes the label itself") {
    MetadataFields fields = label_fields();
    fields.iptc.digital_source_type =
        "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
    const std::string out = check_label_write(Format::kSvg, kInkscape, fields);
    check_one_insertion(kInkscape, out);
    CHECK(out.find("xpacket") == std::string::npos);
    CHECK(exiftool(out, "XMP:DigitalSourceType") == fields.iptc.digital_source_type + "\n");
    CHECK(read_label(Format::kSvg, out).iptc.digital_source_type ==
          fields.iptc.digital_source_type);
}

TEST_CASE("a description of another resource in a drawing does not take the label") {
    const std::string licence = kSvg + "<metadata>" + kRdf +
                                "<rdf:Description rdf:about='http://example.org/licence'/>"
                                "</rdf:RDF></metadata></svg>";
    const std::string out = check_label_write(Format::kSvg, licence);
    check_one_insertion(licence, out);
    CHECK(out.find("about='http://example.org/licence'/>") != std::string::npos);
}

TEST_CASE("several labels in a drawing are all read and become one") {
    const std::string node = "<rdf:Description rdf:about='' " + kTc + " TC260:AIGC='a'/>";
    const std::string file = kSvg + "<metadata>" + kRdf + node + "</rdf:RDF></metadata>" +
                             "<metadata>" + kRdf + node + "</rdf:RDF><TC260:AIGC " + kTc +
                             ">b</TC260:AIGC></metadata><g><metadata>" + kRdf + node +
                             "</rdf:RDF></metadata></g></svg>";
    const MetadataReading reading = read_label(Format::kSvg, file);
    REQUIRE(reading.sites.size() == 3);  // the one in <g> speaks about the group
    CHECK(reading.sites[0].value == "a");
    CHECK(reading.sites[0].offset == file.find("TC260:AIGC='a'"));
    CHECK(reading.sites[2].value == "b");
    CHECK_FALSE(reading.sites[2].standard_place);
    const std::string out = check_label_write(Format::kSvg, file);
    CHECK(out.find("<g><metadata>" + kRdf + node) != std::string::npos);
}

TEST_CASE("what is no drawing in UTF-8 is refused with the reason") {
    struct Row {
        std::string file;
        ErrorCode code;
    };
    std::string deep = kSvg;
    for (int i = 0; i < 1000000; ++i) {
        deep += "<g>";
    }
    const std::vector<Row> rows{
        {"\x1F\x8B\x08", ErrorCode::kUnsupported},
        {std::string("\xFF\xFE<\0", 4), ErrorCode::kUnsupported},
        {"<?xml version='1.0' encoding='GB2312'?><svg>\xE4\xBA\xBA</svg>", ErrorCode::kUnsupported},
        {"<html/>", ErrorCode::kUnsupported},
        {"<!DOCTYPE svg [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><svg>&b;</svg>",
         ErrorCode::kUnsupported},
        {"<svg><metadata></svg>", ErrorCode::kCorrupt},
        {"<svg>&nbsp;</svg>", ErrorCode::kCorrupt},
        {"", ErrorCode::kCorrupt},
        {deep, ErrorCode::kLimit},
    };
    for (const Row& row : rows) {
        CAPTURE(row.file.substr(0, 60));
        CHECK(find_container(Format::kSvg)->read(as_bytes(row.file)).error().code == row.code);
        CHECK(write_error(Format::kSvg, row.file) == row.code);
    }
}

TEST_CASE("a drawing cut at any byte never crashes and never gets a second label") {
    test::check_cut_anywhere(Format::kSvg, check_label_write(Format::kSvg, kInkscape));
}

}  // namespace
}  // namespace colophon::label
