// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/xmp.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/metadata/container.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {
namespace {

const std::string kLabel =
    R"({"Label":"1","ContentProducer":"00119144030008867405X210001","ProduceID":"0Q6YH3ZK2W",)"
    R"("ReservedCode1":"","ContentPropagator":"","PropagateID":"","ReservedCode2":""})";
const std::string kOther =
    R"({"Label":"2","ContentProducer":"Example","ProduceID":"7","ReservedCode1":"",)"
    R"("ContentPropagator":"","PropagateID":"","ReservedCode2":""})";
const std::string kSource =
    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

MetadataFields label_only(const std::string& aigc = kLabel) {
    return {.aigc = aigc, .iptc = {}};
}

MetadataFields everything() {
    return {.aigc = kLabel,
            .iptc = {.digital_source_type = kSource,
                     .ai_system_used = "Painter & Sons <beta>",
                     .ai_system_version_used = "3.1 \"gamma\""}};
}

// The packet as Jimeng and Doubao write it: an XML declaration before xpacket, "??>", no padding.
const std::string kJimeng =
    R"(<?xml version="1.0" encoding="UTF-8"?><?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"??>)"
    R"(<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF )"
    R"(xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" )"
    R"(xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"><TC260:AIGC>{&quot;Label&quot;:)"
    R"(&quot;1&quot;,&quot;ContentProducer&quot;:&quot;00119144030008867405X210001&quot;,)"
    R"(&quot;ProduceID&quot;:&quot;tos-cn-i-tb4s082cfz/c7fe057c61584857b10c5ad6f5ee96e6&quot;,)"
    R"(&quot;ReservedCode1&quot;:&quot;&quot;,&quot;ContentPropagator&quot;:)"
    R"(&quot;00119144030008867405X220001&quot;,&quot;PropagateID&quot;:)"
    R"(&quot;tos-cn-i-tb4s082cfz/c7fe057c61584857b10c5ad6f5ee96e6&quot;,)"
    R"(&quot;ReservedCode2&quot;:&quot;&quot;}</TC260:AIGC></rdf:Description></rdf:RDF>)"
    R"(</x:xmpmeta><?xpacket end="w"?>)";

const std::string kRdf = R"(xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#")";
const std::string kTc = R"(xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/")";

std::string in_rdf(const std::string& inside) {
    return "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF " + kRdf + ">" + inside +
           "</rdf:RDF></x:xmpmeta>";
}

std::string exiftool(const std::string& packet, const std::string& tag) {
    const test::TempDir dir;
    const std::string path = dir.file("label.xmp");
    test::write_file(path, as_bytes(packet));
    return test::run_tool_ok({"exiftool", "-s3", "-" + tag, path});
}

// Writes, reads back, writes again: exactly one label, and the same bytes the second time.
std::string check_write(const std::string& packet, const MetadataFields& fields) {
    const auto out = write_xmp(packet, fields);
    REQUIRE_MESSAGE(out.ok(), out.error().what);
    const auto reading = read_xmp(*out);
    REQUIRE_MESSAGE(reading.ok(), reading.error().what, "\n", *out);
    REQUIRE(reading->aigc.size() == 1);
    CHECK(reading->aigc.front() == fields.aigc);
    CHECK(reading->iptc.digital_source_type.find(fields.iptc.digital_source_type) == 0);
    const auto again = write_xmp(*out, fields);
    REQUIRE(again.ok());
    CHECK(*again == *out);
    return *out;
}

// [GB45438-6.1] [GB45438-E]
TEST_CASE("the packet that Jimeng writes is read, and writing its own label changes no byte") {
    const auto reading = read_xmp(kJimeng);
    REQUIRE(reading.ok());
    REQUIRE(reading->aigc.size() == 1);
    CHECK(reading->aigc.front() ==
          R"({"Label":"1","ContentProducer":"00119144030008867405X210001","ProduceID":)"
          R"("tos-cn-i-tb4s082cfz/c7fe057c61584857b10c5ad6f5ee96e6","ReservedCode1":"",)"
          R"("ContentPropagator":"00119144030008867405X220001","PropagateID":)"
          R"("tos-cn-i-tb4s082cfz/c7fe057c61584857b10c5ad6f5ee96e6","ReservedCode2":""})");
    CHECK(write_xmp(kJimeng, label_only(reading->aigc.front())).value() == kJimeng);
}

TEST_CASE("a new packet holds label and IPTC fields as ExifTool reads them, and room to grow") {
    const std::string packet = check_write("", everything());
    CHECK(exiftool(packet, "XMP-TC260:AIGC") == kLabel + "\n");
    CHECK(exiftool(packet, "XMP-iptcExt:DigitalSourceType") == kSource + "\n");
    CHECK(exiftool(packet, "XMP:AISystemUsed") == everything().iptc.ai_system_used + "\n");
    CHECK(exiftool(packet, "XMP:AISystemVersionUsed") ==
          everything().iptc.ai_system_version_used + "\n");
    CHECK(packet.find(std::string(100, ' ') + "\n" + std::string(100, ' ')) != std::string::npos);
    CHECK(packet.ends_with("<?xpacket end=\"w\"?>"));
}

TEST_CASE("a label that replaces another takes the earlier system and version with it") {
    for (const std::string& packet : {
             in_rdf("<rdf:Description xmlns:e=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" " +
                    kTc + "><TC260:AIGC>" + "{}" +
                    "</TC260:AIGC><e:AISystemUsed>old</e:AISystemUsed>"
                    "<e:AISystemVersionUsed>1</e:AISystemVersionUsed></rdf:Description>"),
             in_rdf("<rdf:Description xmlns:e=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" " +
                    kTc +
                    " e:AISystemUsed=\"old\" TC260:AIGC=\"{}\" "
                    "e:AISystemVersionUsed=\"1\"/>"),
         }) {
        CAPTURE(packet);
        MetadataFields fields = label_only();
        CHECK(exiftool(check_write(packet, fields), "XMP:AISystemUsed") == "old\n");
        fields.replaces_system = true;
        const std::string without = check_write(packet, fields);
        CHECK(without.find("AISystem") == std::string::npos);
        CHECK(exiftool(without, "XMP:AISystemUsed").empty());
        // A system without a version has no business with the earlier one's version.
        fields = label_only();
        fields.iptc.ai_system_used = "new";
        const std::string named = check_write(packet, fields);
        CHECK(exiftool(named, "XMP:AISystemUsed") == "new\n");
        CHECK(exiftool(named, "XMP:AISystemVersionUsed").empty());
    }
}

struct EditRow {
    std::string what;
    std::string before;
    std::string after;  // with @ for the escaped label
    // ExifTool knows namespaces by their usual prefix, so it cannot judge every row.
    bool exiftool_can_tell = true;
};

std::string with_label(std::string text, const std::string& label = kLabel) {
    std::string escaped;
    for (const char c : label) {
        escaped += c == '"' ? std::string("&quot;") : std::string(1, c);
    }
    for (std::size_t at = text.find('@'); at != std::string::npos; at = text.find('@')) {
        text.replace(at, 1, escaped);
    }
    return text;
}

// [GB45438-6.1]
TEST_CASE("the label goes to its place and every foreign byte stays") {
    const std::string ns = "http://www.tc260.org.cn/ns/AIGC/1.0/";
    const std::vector<EditRow> rows{
        {"element replaced in place, under any prefix",
         in_rdf("<rdf:Description rdf:about='' xmlns:q='" + ns +
                "' xmlns:d='urn:d'  d:k = 'v'><!-- c --><q:AIGC>old</q:AIGC>\t</rdf:Description>"),
         in_rdf("<rdf:Description rdf:about='' xmlns:q='" + ns +
                "' xmlns:d='urn:d'  d:k = 'v'><!-- c --><q:AIGC>@</q:AIGC>\t</rdf:Description>")},
        {"attribute form kept",
         in_rdf("<rdf:Description rdf:about='' " + kTc + " TC260:AIGC='old'/>"),
         in_rdf("<rdf:Description rdf:about='' " + kTc + " TC260:AIGC='@'/>")},
        {"several become one, the first",
         in_rdf("<rdf:Description rdf:about='' " + kTc +
                ">\n <TC260:AIGC>a</TC260:AIGC>\n <TC260:AIGC>b</TC260:AIGC>\n</rdf:Description>"
                "<rdf:Description rdf:about='' xmlns:z='" +
                ns + "' z:AIGC='c' z:o='1'/>"),
         in_rdf("<rdf:Description rdf:about='' " + kTc +
                ">\n <TC260:AIGC>@</TC260:AIGC>\n</rdf:Description>"
                "<rdf:Description rdf:about='' xmlns:z='" +
                ns + "' z:o='1'/>")},
        {"namespace bound, no label yet: its prefix is used",
         in_rdf("<rdf:Description rdf:about='' xmlns:a='urn:a'/><rdf:Description rdf:about='' "
                "xmlns:t='" +
                ns + "' t:More='x'></rdf:Description>"),
         in_rdf("<rdf:Description rdf:about='' xmlns:a='urn:a'/><rdf:Description rdf:about='' "
                "xmlns:t='" +
                ns + "' t:More='x'><t:AIGC>@</t:AIGC></rdf:Description>")},
        {"added to a description, in its indentation",
         in_rdf("\n  <rdf:Description rdf:about=\"\">\n   <rdf:type/>\n  </rdf:Description>\n"),
         in_rdf("\n  <rdf:Description " + kTc +
                " rdf:about=\"\">\n   <TC260:AIGC>@</TC260:AIGC>"
                "\n   <rdf:type/>\n  </rdf:Description>\n")},
        {"added to a self-closing description", in_rdf("<rdf:Description rdf:about=''/>"),
         in_rdf("<rdf:Description " + kTc +
                " rdf:about=''><TC260:AIGC>@</TC260:AIGC></rdf:Description>")},
        {"our usual prefix means something else",
         in_rdf("<rdf:Description rdf:about='' xmlns:TC260='urn:x' TC260:AIGC='foreign'/>"),
         in_rdf("<rdf:Description rdf:about='' xmlns:TC260='urn:x' TC260:AIGC='foreign'>"
                "<TC260:AIGC " +
                kTc + ">@</TC260:AIGC></rdf:Description>"),
         false},
        {"self-closing RDF without wrapper", "<rdf:RDF " + kRdf + "/>",
         "<rdf:RDF " + kRdf + "><rdf:Description rdf:about=\"\" " + kTc +
             "><TC260:AIGC>@</TC260:AIGC></rdf:Description></rdf:RDF>"},
        {"RDF as the default namespace",
         "<RDF xmlns='http://www.w3.org/1999/02/22-rdf-syntax-ns#'></RDF>",
         "<RDF xmlns='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description " + kRdf +
             " rdf:about=\"\" " + kTc + "><TC260:AIGC>@</TC260:AIGC></rdf:Description></RDF>",
         false},
        {"misplaced label moved into a node",
         "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><TC260:AIGC " + kTc + ">x</TC260:AIGC><rdf:RDF " +
             kRdf + "><rdf:Description rdf:about=''/></rdf:RDF></x:xmpmeta>",
         in_rdf("<rdf:Description " + kTc +
                " rdf:about=''><TC260:AIGC>@</TC260:AIGC></rdf:Description>")},
        {"a label as an attribute at the place where a declaration goes",
         in_rdf("<rdf:Description xmlns:a='" + ns +
                "' a:AIGC='1'/><rdf:Description><b:AIGC "
                "xmlns:b='" +
                ns + "' rdf:parseType='Resource'/></rdf:Description>"),
         in_rdf("<rdf:Description xmlns:a='" + ns +
                "' a:AIGC='@'/><rdf:Description></rdf:Description>")},
        {"elements that are no plain text are rebuilt with their declarations",
         in_rdf("<rdf:Description><b:AIGC xmlns:b='" + ns +
                "'><rdf:Alt><rdf:li>x</rdf:li></rdf:Alt></b:AIGC></rdf:Description>"),
         in_rdf("<rdf:Description><b:AIGC xmlns:b='" + ns + "'>@</b:AIGC></rdf:Description>")},
        {"taking an element away never joins the end of a CDATA section",
         in_rdf("<rdf:Description " + kTc +
                "><TC260:AIGC>x</TC260:AIGC>]]<TC260:AIGC/>></rdf:Description>"),
         in_rdf("<rdf:Description " + kTc +
                "><TC260:AIGC>@</TC260:AIGC>]]<!---->></rdf:Description>")},
        {"an empty label is a label",
         in_rdf("<rdf:Description " + kTc + "><TC260:AIGC/></rdf:Description>"),
         in_rdf("<rdf:Description " + kTc + "><TC260:AIGC>@</TC260:AIGC></rdf:Description>")},
        {"padding and read-only marks stay",
         "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>" +
             in_rdf("<rdf:Description " + kTc + " TC260:AIGC=\"\"/>") +
             "   \n   <?xpacket end='r'?>" + std::string(3, '\0'),
         "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>" +
             in_rdf("<rdf:Description " + kTc + " TC260:AIGC=\"@\"/>") +
             "   \n   <?xpacket end='r'?>" + std::string(3, '\0')},
    };
    for (const EditRow& row : rows) {
        CAPTURE(row.what);
        CHECK(check_write(row.before, label_only()) == with_label(row.after));
        if (row.exiftool_can_tell) {
            CHECK(exiftool(with_label(row.after), "XMP:AIGC") == kLabel + "\n");
        }
    }
}

TEST_CASE("a wrapper without RDF gets one") {
    const std::string out = check_write("<x:xmpmeta xmlns:x='adobe:ns:meta/'/>", everything());
    CHECK(out.starts_with("<x:xmpmeta xmlns:x='adobe:ns:meta/'>"));
    CHECK(out.ends_with("</x:xmpmeta>"));
    CHECK(exiftool(out, "XMP:AIGC") == kLabel + "\n");
}

TEST_CASE("IPTC fields are replaced or added, exactly one of each, and kept when none are given") {
    const std::string iptc = "xmlns:I='http://iptc.org/std/Iptc4xmpExt/2008-02-29/'";
    const std::string before =
        in_rdf("<rdf:Description rdf:about='' " + iptc +
               " I:AISystemUsed='old'><I:DigitalSourceType rdf:resource='urn:old'/>"
               "<I:DigitalSourceType>urn:older</I:DigitalSourceType></rdf:Description>");
    const auto reading = read_xmp(before);
    REQUIRE(reading.ok());
    CHECK(reading->iptc.digital_source_type == "urn:old");
    CHECK(reading->iptc.ai_system_used == "old");
    CHECK(reading->findings.front().code == "metadata.iptc_conflict");

    const std::string kept = check_write(before, label_only());
    CHECK(read_xmp(kept)->iptc.digital_source_type == "urn:old");

    const std::string out = check_write(before, everything());
    CHECK(exiftool(out, "XMP:DigitalSourceType") == kSource + "\n");
    CHECK(exiftool(out, "XMP:AISystemUsed") == everything().iptc.ai_system_used + "\n");
    CHECK(exiftool(out, "XMP:AISystemVersionUsed") ==
          everything().iptc.ai_system_version_used + "\n");
    CHECK(out.find("urn:old") == std::string::npos);
    CHECK(read_xmp(out)->findings.empty());
}

struct ReadRow {
    std::string what;
    std::string packet;
    std::vector<std::string> values;
};

// [GB45438-E]
TEST_CASE("every form in which a label was seen is read") {
    const std::string open = "<rdf:Description " + kTc + ">";
    const std::vector<ReadRow> rows{
        {"CDATA and white space",
         in_rdf(open +
                "<TC260:AIGC>\n <![CDATA[{\"a\":\"<&>\"}]]> </TC260:AIGC></rdf:Description>"),
         {"{\"a\":\"<&>\"}"}},
        {"character references",
         in_rdf(open + "<TC260:AIGC>&#123;&#x4EBA;&#x1F600;&apos;&amp;lt;</TC260:AIGC>"
                       "</rdf:Description>"),
         {"{\xE4\xBA\xBA\xF0\x9F\x98\x80'&lt;"}},
        {"an array gives each of its items",
         in_rdf(open + "<TC260:AIGC><rdf:Bag><rdf:li>a</rdf:li> <rdf:li>b</rdf:li></rdf:Bag>"
                       "</TC260:AIGC></rdf:Description>"),
         {"a", "b"}},
        {"parseType and a comment inside",
         in_rdf(open + "<TC260:AIGC rdf:parseType='Literal'>a<!-- x -->b</TC260:AIGC>"
                       "</rdf:Description>"),
         {"ab"}},
        {"typed nodes and several descriptions",
         in_rdf("<w:Work xmlns:w='urn:w' " + kTc + " TC260:AIGC='1'/>" + open +
                "<TC260:AIGC>2</TC260:AIGC></rdf:Description>"),
         {"1", "2"}},
        {"outside RDF", "<a " + kTc + "><TC260:AIGC>1</TC260:AIGC></a>", {"1"}},
        {"another namespace is not ours",
         in_rdf("<rdf:Description xmlns:TC260='urn:other' TC260:AIGC='1'/>"),
         {}},
        {"nothing but padding", std::string(20, ' ') + std::string(4, '\0'), {}},
    };
    for (const ReadRow& row : rows) {
        CAPTURE(row.what);
        const auto reading = read_xmp(row.packet);
        REQUIRE_MESSAGE(reading.ok(), reading.error().what);
        CHECK(reading->aigc == row.values);
    }
}

TEST_CASE("a label inside another property belongs to an ingredient and is left alone") {
    const std::string pantry =
        "<rdf:Description rdf:about='' xmlns:m='http://ns.adobe.com/xap/1.0/mm/'><m:Pantry>"
        "<rdf:Bag><rdf:li><rdf:Description " +
        kTc +
        " TC260:AIGC='theirs'/></rdf:li></rdf:Bag>"
        "</m:Pantry></rdf:Description>";
    const auto reading = read_xmp(in_rdf(pantry));
    REQUIRE(reading.ok());
    CHECK(reading->aigc.empty());
    CHECK(reading->findings.front().code == "metadata.nested_label");
    const std::string out = check_write(in_rdf(pantry), label_only());
    CHECK(out.find("TC260:AIGC='theirs'") != std::string::npos);
}

std::string widen(std::string_view ascii, std::size_t unit, bool big_endian) {
    std::string out;
    for (const char c : ascii) {
        std::string one(unit, '\0');
        one[big_endian ? unit - 1 : 0] = c;
        out += one;
    }
    return out;
}

TEST_CASE("UTF-16 and UTF-32 packets are read, and written back as UTF-8") {
    const std::string packet =
        "<?xml version='1.0' encoding='UTF-16'?>" +
        in_rdf("<rdf:Description " + kTc + " TC260:AIGC='old' xmlns:k='urn:k' k:k='v'/>");
    struct Row {
        std::string mark;
        std::size_t unit;
        bool big_endian;
    };
    const std::vector<Row> rows{{"\xFF\xFE", 2, false},
                                {"\xFE\xFF", 2, true},
                                {"", 2, false},
                                {"", 2, true},
                                {std::string("\xFF\xFE\0\0", 4), 4, false},
                                {std::string("\0\0\xFE\xFF", 4), 4, true}};
    for (const Row& row : rows) {
        CAPTURE(row.unit);
        CAPTURE(row.big_endian);
        const std::string wide = row.mark + widen(packet, row.unit, row.big_endian);
        const auto reading = read_xmp(wide);
        REQUIRE_MESSAGE(reading.ok(), reading.error().what);
        CHECK(reading->aigc == std::vector<std::string>{"old"});
        const std::string out = check_write(wide, label_only());
        CHECK(out.starts_with("<?xml version='1.0' encoding='UTF-8'?><x:xmpmeta"));
        CHECK(out.find("k:k='v'") != std::string::npos);
    }
    CHECK(read_xmp("\xFF\xFE<").error().code == ErrorCode::kCorrupt);
    CHECK(read_xmp("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xC3\xA4</a>").error().code ==
          ErrorCode::kUnsupported);
}

struct RefusalRow {
    std::string what;
    std::string packet;
    ErrorCode code;
    const char* words;
};

std::string many(std::size_t count, std::string_view piece) {
    std::string out;
    out.reserve(count * piece.size());
    for (std::size_t i = 0; i < count; ++i) {
        out += piece;
    }
    return out;
}

TEST_CASE("hostile packets are refused with the reason and the byte") {
    std::string attributes = "<a";
    for (int i = 0; i < 5000; ++i) {
        attributes += " a" + std::to_string(i) + "=''";
    }
    std::string namespaces;
    for (int i = 0; i < 30; ++i) {
        namespaces += "<a";
        for (int j = 0; j < 40; ++j) {
            namespaces += " xmlns:n" + std::to_string(i * 40 + j) + "='u'";
        }
        namespaces += ">";
    }
    const std::vector<RefusalRow> rows{
        {"a billion laughs", "<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><l>&b;</l>",
         ErrorCode::kCorrupt, "document type declaration, which is not allowed here at byte 0"},
        {"an unknown entity", "<a>&nbsp;</a>", ErrorCode::kCorrupt, "entity"},
        {"an endless reference", "<a>&#" + std::string(100, '0') + "65;</a>", ErrorCode::kCorrupt,
         "at byte 3"},
        {"a forbidden character", "<a>&#0;</a>", ErrorCode::kCorrupt, "at byte 3"},
        {"a surrogate", "<a>&#xD800;</a>", ErrorCode::kCorrupt, "at byte 3"},
        {"deep nesting", many(65, "<a>"), ErrorCode::kLimit, "deeper than 64 at byte 192"},
        {"a third of a million levels", many(300000, "<a>"), ErrorCode::kLimit, "deeper"},
        {"thousands of attributes", attributes + "/>", ErrorCode::kLimit, "4096 attributes"},
        {"thousands of namespaces", namespaces, ErrorCode::kLimit, "1024 namespaces"},
        {"a thousand labels",
         in_rdf("<rdf:Description " + kTc + ">" + many(1025, "<TC260:AIGC/>") +
                "</rdf:Description>"),
         ErrorCode::kLimit, "1024 label properties"},
        {"a megabyte and more", "<a>" + std::string(limits::kXmpBytesMax, ' ') + "</a>",
         ErrorCode::kLimit, "at most 1048576"},
        {"the same attribute twice", "<a b='' c='' b=''/>", ErrorCode::kCorrupt,
         "'b' stands twice at byte 13"},
        {"the same attribute by another prefix", "<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>",
         ErrorCode::kCorrupt, "'b' stands twice"},
        {"an undeclared prefix", "<p:a/>", ErrorCode::kCorrupt, "'p' is not declared"},
        {"crossed tags", "<a><b></a></b>", ErrorCode::kCorrupt, "at byte 6"},
        {"two roots", "<a/><b/>", ErrorCode::kCorrupt, "second root"},
        {"text outside", "<a/>x", ErrorCode::kCorrupt, "outside the root element at byte 4"},
        {"a control character", std::string("<a>\x01</a>"), ErrorCode::kCorrupt, "at byte 3"},
        {"broken UTF-8", "<a>\xC3</a>", ErrorCode::kCorrupt, "not UTF-8 at byte 3"},
        {"less-than in a value", "<a b='<'/>", ErrorCode::kCorrupt, "at byte 6"},
        {"no element", "<!-- x -->", ErrorCode::kCorrupt, "no element"},
    };
    for (const RefusalRow& row : rows) {
        CAPTURE(row.what);
        const auto reading = read_xmp(row.packet);
        REQUIRE_FALSE(reading.ok());
        CHECK(reading.error().code == row.code);
        CHECK_MESSAGE(reading.error().what.find(row.words) != std::string::npos,
                      reading.error().what);
        CHECK(write_xmp(row.packet, label_only()).error().code == row.code);
    }
}

TEST_CASE("a packet cut at any byte is an error, never a crash or a wrong label") {
    for (std::size_t size = 1; size < kJimeng.size(); ++size) {
        const auto reading = read_xmp(std::string_view(kJimeng).substr(0, size));
        if (reading.ok()) {  // only the closing instruction may be missing
            CHECK(kJimeng.substr(0, size).ends_with("</x:xmpmeta>"));
        }
        CHECK(write_xmp(std::string_view(kJimeng).substr(0, size), label_only()).ok() ==
              reading.ok());
    }
}

TEST_CASE("fields that XML cannot hold are refused before anything is written") {
    CHECK(write_xmp("", label_only("")).error().code == ErrorCode::kInvalidArgument);
    CHECK(write_xmp("", label_only("{\"a\":\"\x02\"}")).error().code ==
          ErrorCode::kInvalidArgument);
    MetadataFields fields = everything();
    fields.iptc.ai_system_used = "\xFF";
    CHECK(write_xmp("", fields).error().code == ErrorCode::kInvalidArgument);
    CHECK(write_xmp("<html/>", label_only()).error().code == ErrorCode::kUnsupported);
}

TEST_CASE("Exiv2 takes a packet in and shows the label and the IPTC fields") {
    const test::TempDir dir;
    const std::string picture = dir.file("photo.jpg");
    test::run_tool_ok({"/usr/bin/convert", "-size", "8x8", "xc:red", picture});
    for (const std::string& before : {std::string(), kJimeng}) {
        test::write_file(dir.file("photo.xmp"), as_bytes(check_write(before, everything())));
        test::run_tool_ok({"exiv2", "-iX", picture});
        const std::string shown = test::run_tool_ok({"exiv2", "-PXkv", picture});
        CHECK(shown.find(kLabel) != std::string::npos);
        CHECK(shown.find("Xmp.TC260.AIGC") != std::string::npos);
        CHECK(shown.find(kSource) != std::string::npos);
        CHECK(shown.find(everything().iptc.ai_system_used) != std::string::npos);
    }
}

TEST_CASE("a packet that ExifTool wrote keeps what ExifTool put there") {
    const test::TempDir dir;
    const std::string path = dir.file("photo.xmp");
    test::run_tool_ok({"exiftool", "-q", "-XMP-dc:Title=Blue & <red>", "-XMP-dc:Subject=a",
                       "-XMP-dc:Subject=b", "-XMP-xmp:Rating=5",
                       "-XMP-iptcExt:DigitalSourceType=urn:camera", path});
    const std::string before(as_text(test::read_file(path)));
    const std::string out = check_write(before, everything());
    CHECK(exiftool(out, "XMP-dc:all") == exiftool(before, "XMP-dc:all"));
    CHECK(exiftool(out, "XMP:Rating") == "5\n");
    CHECK(exiftool(out, "XMP:DigitalSourceType") == kSource + "\n");
    CHECK(exiftool(out, "XMP:AIGC") == kLabel + "\n");
    // And ExifTool can edit what we wrote without losing the label.
    test::write_file(path, as_bytes(out));
    test::run_tool_ok({"exiftool", "-q", "-overwrite_original", "-XMP-xmp:Rating=3", path});
    const auto reading = read_xmp(as_text(test::read_file(path)));
    REQUIRE(reading.ok());
    CHECK(reading->aigc == std::vector<std::string>{kLabel});
    check_write(std::string(as_text(test::read_file(path))), label_only(kOther));
}

}  // namespace
}  // namespace colophon::label
