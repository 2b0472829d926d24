// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/splice.h"
#include "label/container/pdf_file.h"
#include "label/container/pdf_syntax.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {
namespace {

using test::make_sample;
using test::read_file;
using test::run_tool;
using test::run_tool_ok;
using test::TempDir;
using test::write_file;

constexpr std::string_view kLabel =
    R"json({"Label":"1","ContentProducer":"(甲\\)","ProduceID":"42"})json";

Buffer with_label(Bytes file, std::string_view label = kLabel) {
    const auto splice =
        find_container(Format::kPdf)->write(file, {.aigc = std::string(label), .iptc = {}});
    REQUIRE_MESSAGE(splice.ok(), (splice.ok() ? std::string() : splice.error().what));
    return apply_splice(file, *splice);
}

std::string only_label(Bytes file) {
    const auto reading = find_container(Format::kPdf)->read(file);
    REQUIRE_MESSAGE(reading.ok(), (reading.ok() ? std::string() : reading.error().what));
    REQUIRE(reading->sites.size() == 1);
    CHECK(reading->sites[0].where == "pdf Info AIGC");
    CHECK(reading->sites[0].standard_place);
    return reading->sites[0].value;
}

// The same page with a table, with tables that are streams, linearized, and without information.
std::vector<std::string> variants(const TempDir& dir) {
    const std::string plain = make_sample(dir, "pdf");
    std::vector<std::string> files{plain};
    for (const std::vector<std::string>& options :
         {std::vector<std::string>{"--object-streams=generate"},
          {"--linearize", "--object-streams=disable"},
          {"--linearize", "--object-streams=generate"},
          {"--force-version=2.0", "--object-streams=generate", "--compress-streams=n"}}) {
        std::vector<std::string> command{"qpdf"};
        command.insert(command.end(), options.begin(), options.end());
        files.push_back(dir.file("variant" + std::to_string(files.size()) + ".pdf"));
        command.insert(command.end(), {plain, files.back()});
        run_tool_ok(command);
    }
    Buffer bytes = read_file(plain);
    std::string text(as_text(bytes));
    const std::size_t info = text.find("/Info 6 0 R");
    text.replace(info, 11, "           ");
    files.push_back(dir.file("bare.pdf"));
    write_file(files.back(), as_bytes(text));
    return files;
}

TEST_CASE("the label of a PDF stands in its information, behind all that was there") {
    const TempDir dir;
    for (const std::string& path : variants(dir)) {
        CAPTURE(path);
        const Buffer before = read_file(path);
        const Buffer after = with_label(before);
        CHECK(as_text(after).starts_with(as_text(before)));
        CHECK(only_label(after) == kLabel);
        CHECK(with_label(after) == after);
        const Buffer again = with_label(after, R"({"Label":"2"})");
        CHECK(only_label(again) == R"({"Label":"2"})");
        write_file(path, again);
        const auto checked = run_tool({"qpdf", "--check", path});
        CHECK_MESSAGE(checked.exit_code == 0, checked.out, checked.err);
        const auto seen = run_tool({"exiftool", "-s", "-AIGC", path});
        CHECK_MESSAGE(seen.out.find(R"({"Label":"2"})") != std::string::npos, seen.out, seen.err);
        CHECK(run_tool({"pdfinfo", path}).exit_code == 0);
    }
}

TEST_CASE("a label in the XMP of a PDF is read, and gone when another is written") {
    const TempDir dir;
    const std::string path = make_sample(dir, "pdf");
    const std::string packet =
        "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description "
        "rdf:about='' xmlns:TC260='http://www.tc260.org.cn/ns/AIGC/1.0/' "
        "TC260:AIGC='{&quot;Label&quot;:&quot;3&quot;}'/></rdf:RDF></x:xmpmeta><?xpacket end='w'?>";
    const Buffer plain = read_file(path);
    auto file = pdf::File::create(plain);
    REQUIRE(file.ok());
    pdf::Update update(*file);
    const pdf::Reference stream = update.reserve();
    const auto catalog = file->catalog();
    REQUIRE(catalog.ok());
    update.put({.number = 1, .generation = 0},
               pdf::rewrite(*catalog, {{"Metadata", pdf::write_reference(stream)}}));
    update.put_stream(
        stream, "<< /Type /Metadata /Subtype /XML /Length " + std::to_string(packet.size()) + " >>",
        as_bytes(packet));
    Buffer with_xmp = plain;
    append(with_xmp, update.finish().value().bytes);
    const auto reading = find_container(Format::kPdf)->read(with_xmp);
    REQUIRE(reading.ok());
    REQUIRE(reading->sites.size() == 1);
    CHECK(reading->sites[0].value == R"({"Label":"3"})");
    CHECK(!reading->sites[0].standard_place);
    const Buffer after = with_label(with_xmp);
    CHECK(only_label(after) == kLabel);
    write_file(path, after);
    CHECK(run_tool({"qpdf", "--check", path}).exit_code == 0);
}

TEST_CASE("an encrypted PDF is refused, and said to be encrypted") {
    const TempDir dir;
    const std::string plain = make_sample(dir, "pdf");
    const std::string locked = dir.file("locked.pdf");
    run_tool_ok({"qpdf", "--encrypt", "user", "owner", "256", "--", plain, locked});
    const auto reading = find_container(Format::kPdf)->read(read_file(locked));
    REQUIRE(!reading.ok());
    CHECK(reading.error().code == ErrorCode::kUnsupported);
    CHECK(reading.error().what.find("encrypted") != std::string::npos);
}

TEST_CASE("strings, names and references are read as they are meant") {
    CHECK(pdf::to_string("(a\\(b\\)(c)\\101\\r\\\n)") == "a(b)(c)A\r");
    CHECK(pdf::to_string("<48 656C 6c6F7>") == "Hellop");
    CHECK(pdf::to_string(pdf::write_string("(\\)\x01\xFF")) == "(\\)\x01\xFF");
    CHECK(pdf::to_name("/application#2Fc2pa") == "application/c2pa");
    CHECK(pdf::to_reference("12 0 R") == pdf::Reference{.number = 12, .generation = 0});
    CHECK_FALSE(pdf::to_reference("12 0 RG"));
    CHECK_FALSE(pdf::to_number("-1"));
    const auto dictionary = pdf::Dictionary::parse("<</A[1 2 0 R(])]/B<</C/D>>/E null % /F 1\n>>");
    REQUIRE(dictionary.ok());
    CHECK(dictionary->find("A") == "[1 2 0 R(])]");
    CHECK(dictionary->find("B") == "<</C/D>>");
    CHECK(dictionary->find("E").empty());
    CHECK(dictionary->find("F").empty());
}

// A PDF that is nothing but an end.
std::string ending(const std::string& body, std::size_t place) {
    return "%PDF-1.7\n" + body + "\nstartxref\n" + std::to_string(place) + "\n%%EOF\n";
}

TEST_CASE("tables that lie are errors, soon") {
    const std::string deep(100000, '[');
    const std::string loop = "xref\n0 0\ntrailer\n<< /Root 1 0 R /Size 2 /Prev 9 >>";
    const std::string hybrid = "xref\n0 0\ntrailer\n<< /Root 1 0 R /Size 2 /XRefStm 9 >>";
    const std::string huge = "xref\n0 4294967295\n0000000000 65535 f \ntrailer\n<< /Root 1 0 R >>";
    const std::string self = "xref\n1 1\n0000000009 00000 n \ntrailer\n<< /Root 1 0 R /Size 2 >>";
    const std::string length = "1 0 obj\n<< /Type /XRef /Length 1 0 R >>\nstream\nx\nendstream";
    const std::string bomb =
        "1 0 obj\n<< /Type /XRef /W [1 8 8] /Size 99999999 /Root 1 0 R /Length 3 >>\nstream\nabc"
        "\nendstream\nendobj";
    const std::string nested = "xref\n0 0\ntrailer\n<< /Root " + deep;
    for (const std::string& file :
         {ending("", 9), ending(loop, 9), ending(hybrid, 9), ending(huge, 9), ending(self, 9),
          ending(length, 9), ending(bomb, 9), ending(nested, 9), ending("", 99999999),
          ending("", 0), std::string("%PDF-1.7\n"), std::string("%PDF-")}) {
        CAPTURE(file.substr(0, 60));
        const auto reading = find_container(Format::kPdf)->read(as_bytes(file));
        CHECK(!reading.ok());
    }
}

TEST_CASE("a chain of more updates than anybody makes is refused") {
    std::string body;
    std::size_t previous = 0;
    for (int i = 0; i < 1100; ++i) {
        const std::size_t place = 9 + body.size();
        body += "xref\n0 0\ntrailer\n<< /Root 1 0 R /Size 2" +
                (i == 0 ? std::string() : " /Prev " + std::to_string(previous)) + " >>\n";
        previous = place;
    }
    const auto reading = find_container(Format::kPdf)->read(as_bytes(ending(body, previous)));
    REQUIRE(!reading.ok());
    CHECK(reading.error().code == ErrorCode::kLimit);
}

}  // namespace
}  // namespace colophon::label
