// SPDX-License-Identifier: Apache-2.0
#include "label/format.h"

#include "core/bytes.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::label {
namespace {

std::optional<Format> detect(std::string_view content, std::string_view name) {
    return detect_format(as_bytes(content), name);
}

TEST_CASE("a text is what its extension says, and without one what it looks like") {
    CHECK(detect("words", "a.txt") == Format::kPlainText);
    CHECK(detect("words", "README") == Format::kPlainText);
    CHECK(detect("words", "-") == Format::kPlainText);
    CHECK(detect("words", "A.MD") == Format::kMarkdown);
    CHECK(detect("words", "a.html") == Format::kHtml);
    CHECK(detect("---\ntitle: t\n---\n", "note") == Format::kMarkdown);
    CHECK(detect("<!DOCTYPE html><p>x", "page") == Format::kHtml);
    CHECK(detect("<svg xmlns='http://www.w3.org/2000/svg'/>", "drawing.xml") == Format::kSvg);
}

TEST_CASE("a text that is named after a format of others is left alone") {
    for (const std::string_view name :
         {"a.json", "main.c", "config.yaml", "a.xml", "empty.png", "a.pdf", "a.csv"}) {
        CAPTURE(name);
        CHECK_FALSE(detect("---\nwords", name));
        CHECK_FALSE(detect("words", name));
        CHECK_FALSE(detect("", name));
    }
}

TEST_CASE("what the bytes say counts more than the name") {
    CHECK(detect("\x89PNG\r\n\x1A\n and more", "a.txt") == Format::kPng);
    CHECK(detect("%PDF-1.7\n and more", "a.txt") == Format::kPdf);
}

TEST_CASE("an archive is the document that it says it is, and no other archive is ours") {
    const std::string head = "PK\x03\x04" + std::string(26, '\0');
    CHECK(detect(head + "mimetypeapplication/epub+zip", "a.zip") == Format::kEpub);
    const std::string open = head + "mimetypeapplication/vnd.oasis.opendocument.";
    CHECK(detect(open + "textPK", "a.zip") == Format::kOdt);
    CHECK(detect(open + "text-templatePK", "a.ott") == Format::kOdt);
    CHECK(detect(open + "spreadsheetPK", "-") == Format::kOds);
    CHECK(detect(open + "presentationPK", "-") == Format::kOdp);
    CHECK_FALSE(detect(open + "graphicsPK", "a.odg"));
    CHECK_FALSE(detect(open + "text-masterPK", "a.odm"));
    const std::string office = head + "[Content_Types].xml" + std::string(40, 'x');
    CHECK(detect(office, "a.docx") == Format::kDocx);
    CHECK(detect(office, "a.PPTX") == Format::kPptx);
    CHECK(detect(office + "xl/workbook.xml", "-") == Format::kXlsx);
    CHECK_FALSE(detect(office, "-"));
    CHECK_FALSE(detect(head + "notes.txt", "a.zip"));
    CHECK_FALSE(detect(head + "META-INF/MANIFEST.MF", "a.jar"));
}

TEST_CASE("what follows an ID3 tag tells FLAC from MP3, and the name where that is out of sight") {
    const std::string header("ID3\x04\0\0\0\0\x01\x02", 10);  // 130 bytes follow
    const std::string tag = header + std::string(130, '\0');
    CHECK(detect(tag + "fLaC and more", "") == Format::kFlac);
    CHECK(detect(tag + "fLaC and more", "a.mp3") == Format::kFlac);
    CHECK(detect(tag + "\xFF\xFB\x90", "a.flac") == Format::kMp3);
    for (const std::size_t cut : {std::size_t{3}, header.size(), tag.size()}) {
        CAPTURE(cut);
        CHECK(detect(tag.substr(0, cut), "") == Format::kMp3);
        CHECK(detect(tag.substr(0, cut), "a.flac") == Format::kFlac);
    }
}

}  // namespace
}  // namespace colophon::label
