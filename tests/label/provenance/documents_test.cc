// SPDX-License-Identifier: Apache-2.0
// Content Credentials in documents: what is special in each carrier. What all carriers promise is
// tried in credential_test.cc.
#include "core/base64.h"
#include "core/bytes.h"
#include "core/splice.h"
#include "label/container/zip_file.h"
#include "label/format.h"
#include "label/provenance/carrier.h"
#include "label/provenance/credential.h"
#include "label/provenance/signers.h"
#include "label/provenance/validate.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

using colophon::test::make_sample;
using colophon::test::read_file;
using colophon::test::run_tool;
using colophon::test::run_tool_ok;
using colophon::test::TempDir;
using colophon::test::write_file;

Buffer sample(Format format) {
    const TempDir dir;
    return read_file(make_sample(dir, facts(format).name));
}

Buffer sign_text(std::string_view text, Format format) {
    return test::sign(as_bytes(text), format);
}

TEST_CASE("a PDF of any make is signed behind its end, and others find nothing to complain of") {
    const TempDir dir;
    const std::string plain = make_sample(dir, "pdf");
    std::vector<std::string> files{plain};
    for (const char* option : {"--object-streams=generate", "--linearize"}) {
        files.push_back(dir.file("variant" + std::to_string(files.size()) + ".pdf"));
        run_tool_ok({"qpdf", option, plain, files.back()});
    }
    for (const std::string& path : files) {
        CAPTURE(path);
        const Buffer before = read_file(path);
        const Buffer after = test::sign(before, Format::kPdf);
        CHECK(as_text(after).starts_with(as_text(before)));
        CHECK(test::read(after, Format::kPdf).trusted());
        write_file(path, after);
        const auto checked = run_tool({"qpdf", "--check", path});
        CHECK_MESSAGE(checked.exit_code == 0, checked.out, checked.err);
        CHECK(run_tool({"qpdf", "--list-attachments", path}).out.find("content_credential.c2pa") !=
              std::string::npos);
        CHECK(run_tool({"pdfinfo", path}).exit_code == 0);
        CHECK(run_tool({"exiftool", path}).out.find("Warning") == std::string::npos);
    }
}

TEST_CASE("a PDF that is signed again names one store, and keeps its other attachments") {
    const TempDir dir;
    const std::string plain = make_sample(dir, "pdf");
    const std::string path = dir.file("attached.pdf");
    write_file(dir.file("a.txt"), as_bytes("a"));
    write_file(dir.file("z.txt"), as_bytes("z"));
    run_tool_ok({"qpdf", plain, "--add-attachment", dir.file("a.txt"), "--", "--add-attachment",
                 dir.file("z.txt"), "--", path});
    const Buffer once = test::sign(read_file(path), Format::kPdf, test::input(1));
    const CredentialReading before = test::read(once, Format::kPdf);
    CredentialInput input = test::input(2);
    input.upstream = {
        .store = before.store, .statuses = before.statuses, .ingredients = before.ingredients};
    const Buffer twice = test::sign(once, Format::kPdf, input);
    CHECK(as_text(twice).starts_with(as_text(once)));
    const CredentialReading after = test::read(twice, Format::kPdf);
    CHECK(after.trusted());
    CHECK(after.manifests == 2);
    write_file(path, twice);
    CHECK(run_tool({"qpdf", "--check", path}).exit_code == 0);
    const std::string names = run_tool({"qpdf", "--list-attachments", path}).out;
    CHECK(std::ranges::count(names, '\n') == 3);
    CHECK(names.find("a.txt") != std::string::npos);
    CHECK(names.find("z.txt") != std::string::npos);
}

TEST_CASE("a PDF whose certifying signature forbids it gets its credential beside it") {
    const TempDir dir;
    std::string text(as_text(sample(Format::kPdf)));
    text.replace(text.find("/Pages 2 0 R"), 12, "/Perms<</DocMDP 4 0 R>>/Pages 2 0 R");
    write_file(dir.file("in.pdf"), as_bytes(text));
    // The table is off by what was put in; qpdf makes it anew, and warns of that.
    CHECK(run_tool({"qpdf", dir.file("in.pdf"), dir.file("certified.pdf")}).exit_code == 3);
    const Buffer certified = read_file(dir.file("certified.pdf"));
    CredentialSigner by = test::signer();
    const auto made = add_credential(certified, Format::kPdf, test::input(), by);
    REQUIRE(!made.ok());
    CHECK(made.error().code == ErrorCode::kUnsupported);
    CHECK(made.error().what.find("certifying signature") != std::string::npos);
    CHECK(make_detached_credential(certified, Format::kPdf, test::input(), by).ok());
}

TEST_CASE("a page takes its credential at the end of its head, however it is written") {
    for (const std::string_view text :
         {"<!DOCTYPE html><html><head><title>t</title></head><body>x</body></html>",
          "<!DOCTYPE html>\n<p>no head</p>", "words only", "",
          "<html><head><template><script type='application/c2pa'>x</script></template><body>y",
          "\xEF\xBB\xBF<html><HEAD><SCRIPT>if (a </b) '</HEAD>'</SCRIPT></HEAD>z"}) {
        CAPTURE(text);
        const Buffer file = sign_text(text, Format::kHtml);
        CHECK(test::read(file, Format::kHtml).trusted());
        const Buffer other = test::sign(file, Format::kHtml, test::input(2));
        CHECK(test::read(other, Format::kHtml).trusted());
        CHECK(as_text(other).find("application/c2pa\">") ==
              as_text(other).rfind("application/c2pa\">"));
    }
}

TEST_CASE("two credentials in one text are one too many, by the code of the specification") {
    const std::string page(as_text(sign_text("<head></head><p>x</p>", Format::kHtml)));
    const std::size_t begin = page.find("<script");
    const std::string element = page.substr(begin, page.find("</script>") + 9 - begin);
    const CredentialReading html =
        test::read(as_bytes("<head>" + element + page.substr(6)), Format::kHtml);
    CHECK(test::failures(html) == "manifest.html.multipleManifests");
    const std::string note(as_text(sign_text("words\n", Format::kMarkdown)));
    const std::string block = note.substr(note.find("<!--"));
    const CredentialReading markdown = test::read(as_bytes(block + note), Format::kMarkdown);
    CHECK(test::failures(markdown) == "manifest.structuredText.multipleReferences");
    // Written anew, one is left.
    for (const auto& [text, format] :
         {std::pair{block + block + note, Format::kMarkdown},
          std::pair{"<head>" + element + page.substr(6), Format::kHtml}}) {
        CHECK(test::read(sign_text(text, format), format).trusted());
    }
}

TEST_CASE("a text that speaks of the delimiters carries nothing") {
    for (const std::string_view text :
         {"`-----BEGIN C2PA MANIFEST-----` and `-----END C2PA MANIFEST-----` stand around it\n",
          "# a\n-----BEGIN C2PA MANIFEST-----\nb\n-----END C2PA MANIFEST-----\nc\n",
          "-----BEGIN C2PA MANIFEST-----\nall words\nof a text\n-----END C2PA MANIFEST-----",
          "# -----BEGIN C2PA MANIFEST----- is a line -----END C2PA MANIFEST-----\n",
          "between\n\n    <!-- -----BEGIN C2PA MANIFEST----- nothing\n\nlines\n",
          "-----BEGIN C2PA MANIFEST----- https://a.example/x.c2pa -----END C2PA MANIFEST-----"}) {
        CAPTURE(text);
        CHECK(!test::read(as_bytes(text), Format::kMarkdown).found);
        const Buffer signed_text = sign_text(text, Format::kMarkdown);
        CHECK(test::read(signed_text, Format::kMarkdown).trusted());
        // But for an address that named another credential, nothing of it is gone.
        CHECK((as_text(signed_text).starts_with(text) ||
               text.find("https:") != std::string_view::npos));
    }
}

TEST_CASE("what stands beside the credential in what no hash covers is noticed") {
    const std::string page(as_text(sign_text("<head></head><p>x</p>", Format::kHtml)));
    const std::string note(as_text(sign_text("words\n", Format::kMarkdown)));
    const auto replaced = [](std::string text, std::string_view from, std::string_view to) {
        const std::size_t at = text.find(from);
        REQUIRE(at != std::string::npos);
        return text.replace(at, from.size(), to);
    };
    for (const std::string& text : {replaced(page, "<script type", "<script src=x.js type"),
                                    replaced(page, "</script>", "</script >"),
                                    replaced(page, "<script type", "<sCript type")}) {
        CHECK(!test::read(as_bytes(text), Format::kHtml).intact());
    }
    for (const std::string& text :
         {replaced(note, "<!-- --", "<!-- lies --"), replaced(note, "-- -->\n", "-- --> lies\n"),
          replaced(note, "-- -->", "-->")}) {
        CHECK(!test::read(as_bytes(text), Format::kMarkdown).intact());
    }
}

TEST_CASE("Markdown keeps its lines, and the block is its last one") {
    for (const std::string_view text :
         {"# a\r\n\r\nwords\r\n", "no line break", "", "---\ntitle: t\n---\nwords\n"}) {
        CAPTURE(text);
        const Buffer file = sign_text(text, Format::kMarkdown);
        CHECK(as_text(file).starts_with(text));
        CHECK(as_text(file).ends_with("-----END C2PA MANIFEST----- -->\n"));
        CHECK(test::read(file, Format::kMarkdown).trusted());
    }
}

TEST_CASE("the form in a front matter, which others write, is read") {
    // Signed by hand: the block of ours, moved into a front matter, is found there. Its hash is of
    // another file, so it is found and does not hold.
    const std::string note(as_text(sign_text("words\n", Format::kMarkdown)));
    const std::size_t begin = note.find("data:");
    const std::string reference = note.substr(begin, note.find(' ', begin) - begin);
    const std::string text = "---\n-----BEGIN C2PA MANIFEST-----\n" + reference +
                             "\n-----END C2PA MANIFEST-----\ntitle: t\n---\nwords\n";
    const auto found = find_carrier(Format::kMarkdown)->find(as_bytes(text)).value();
    REQUIRE(found.has_value());
    CHECK(found->problem.empty());
    CHECK(found->ranges.front().offset == 4);
    CHECK(text.substr(found->ranges.front().end()) == "title: t\n---\nwords\n");
}

std::string store_text(Bytes archive, std::string_view name) {
    const auto parsed = zip::read_archive(archive);
    REQUIRE(parsed.ok());
    const auto row = std::ranges::find(parsed->files, name, &zip::File::name);
    REQUIRE(row != parsed->files.end());
    return zip::inflate_file(archive, *row, 1U << 20U).value();
}

TEST_CASE("an Office file says of what type its credential is, once") {
    const Buffer once = test::sign(sample(Format::kDocx), Format::kDocx);
    const std::string types = store_text(once, "[Content_Types].xml");
    CHECK(types.find(R"(<Default Extension="c2pa" ContentType="application/c2pa"/>)") !=
          std::string::npos);
    const Buffer twice = test::sign(once, Format::kDocx, test::input(2));
    CHECK(store_text(twice, "[Content_Types].xml") == types);
    CHECK(store_text(twice, "word/document.xml").find("Words") != std::string::npos);
    CHECK(test::read(twice, Format::kDocx).trusted());
}

TEST_CASE("a file that names its type first does so still, and keeps its list of files") {
    for (const Format format : {Format::kEpub, Format::kOdt, Format::kOds, Format::kOdp}) {
        CAPTURE(facts(format).name);
        const Buffer before = sample(format);
        const Buffer book = test::sign(before, format);
        CHECK(detect_format(book, "") == format);
        CHECK(zip::read_archive(book)->files.front().name == "mimetype");
        CHECK(zip::read_archive(book)->files.back().name == "META-INF/content_credential.c2pa");
        const zip::Archive parsed = zip::read_archive(before).value();
        for (const zip::File& file : parsed.files) {
            CHECK(store_text(book, file.name) == store_text(before, file.name));
        }
        CHECK(test::read(book, format).trusted());
    }
}

TEST_CASE("files that are added, taken away, renamed or hidden between others are noticed") {
    const Buffer signed_file = test::sign(sample(Format::kDocx), Format::kDocx);
    const zip::Archive parsed = zip::read_archive(signed_file).value();
    // Everything anew with a stranger among the files, by the same writer.
    const auto rebuild = [&](const std::string& left_out, bool add) {
        Buffer out;
        Buffer directory;
        std::size_t count = 0;
        const auto put = [&](const std::string& name, const std::string& contents) {
            Buffer header = zip::make_header(name, as_bytes(contents));
            store_le32(header, zip::kOffsetAt, static_cast<std::uint32_t>(out.size()));
            append(directory, header);
            append(out, zip::make_file(name, as_bytes(contents)));
            ++count;
        };
        for (const zip::File& file : parsed.files) {
            if (file.name != left_out) {
                put(file.name, zip::inflate_file(signed_file, file, 1U << 20U).value());
            }
        }
        if (add) {
            put("word/other.xml", "<other/>");
        }
        Buffer end = to_buffer(std::string_view("PK\x05\x06\0\0\0\0", 8));
        append_le16(end, static_cast<std::uint16_t>(count));
        append_le16(end, static_cast<std::uint16_t>(count));
        append_le32(end, static_cast<std::uint32_t>(directory.size()));
        append_le32(end, static_cast<std::uint32_t>(out.size()));
        append_le16(end, 0);
        append(out, directory);
        append(out, end);
        return out;
    };
    for (const Buffer& file :
         {rebuild("", true), rebuild("_rels/.rels", false), rebuild("word/document.xml", true)}) {
        const CredentialReading reading = test::read(file, Format::kDocx);
        CHECK(reading.found);
        CHECK(test::failures(reading) == "assertion.collectionHash.mismatch");
    }
    // Bytes in front of the first file: no reader of directories sees them, so nobody may accept
    // them.
    Buffer hidden = signed_file;
    hidden.insert(hidden.begin(), 4, 0);
    CHECK(!find_carrier(Format::kDocx)->find(hidden).ok());
}

TEST_CASE("archives that lie are errors, soon") {
    const Buffer file = sample(Format::kDocx);
    const std::size_t end = file.size() - 22;
    const auto changed = [&](std::size_t at, std::vector<std::uint8_t> bytes) {
        Buffer other = file;
        std::ranges::copy(bytes, other.begin() + static_cast<std::ptrdiff_t>(at));
        return other;
    };
    std::vector<Buffer> files{
        changed(end + 10, {0xFF, 0x7F}),              // more files than there are
        changed(end + 12, {0xFF, 0xFF, 0xFF, 0x7F}),  // a directory of 2 GB
        changed(end + 16, {0xFF, 0xFF, 0xFF, 0xFF}),  // ZIP64
        changed(18, {0xFF, 0xFF, 0xFF, 0x7F}),        // a file of 2 GB, in its local header
        changed(0, {'X'}),                            // no local header
        Buffer(file.begin(), file.end() - 1),
        Buffer(22, 0),
        {}};
    for (const Buffer& each : files) {
        const auto found = find_carrier(Format::kDocx)->find(each);
        const auto placed = find_carrier(Format::kDocx)->place(each, Buffer(16));
        CHECK((!found.ok() || !found->has_value()));
        static_cast<void>(placed);
    }
}

}  // namespace
}  // namespace colophon::label::provenance
