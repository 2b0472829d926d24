// SPDX-License-Identifier: Apache-2.0
#include "support/sample_files.h"

#include "core/bytes.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::test {
namespace {

constexpr std::string_view kHtml =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>t</title></head>\n"
    "<body><p>Words of a page.</p></body></html>\n";
constexpr std::string_view kSvg =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 320 240\">"
    "<rect width=\"320\" height=\"240\" fill=\"#88aacc\"/></svg>\n";

void make_picture(const std::string& path) {
    run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i",
                 "testsrc2=size=320x240", "-frames:v", "1", "-pix_fmt",
                 path.ends_with(".jpeg") || path.ends_with(".webp") ? "yuv420p"
                 : path.ends_with(".gif")                           ? "rgb8"
                                                                    : "rgb24",
                 path});
}

void make_sound(const std::string& path, const std::vector<std::string>& codec) {
    std::vector<std::string> command{
        "ffmpeg", "-nostdin", "-v",
        "error",  "-y",       "-f",
        "lavfi",  "-i",       "aevalsrc=0.3*sin(2*PI*t*(300+200*sin(t*3))):s=44100:d=2"};
    command.insert(command.end(), codec.begin(), codec.end());
    command.push_back(path);
    run_tool_ok(command);
}

// One page with a line of words, a title, and a table of the old kind.
std::string make_pdf_text() {
    const std::string words = "BT /F1 24 Tf 72 700 Td (Words of a page) Tj ET";
    const std::vector<std::string> objects{
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font "
        "<< /F1 5 0 R >> >> >>",
        "<< /Length " + std::to_string(words.size()) + " >>\nstream\n" + words + "\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< /Title (A page) /Producer (test) >>"};
    std::string out = "%PDF-1.7\n%\xE2\xE3\xCF\xD3\n";
    std::string table = "xref\n0 7\n0000000000 65535 f \n";
    for (std::size_t i = 0; i < objects.size(); ++i) {
        const std::string offset = std::to_string(out.size());
        table += std::string(10 - offset.size(), '0') + offset + " 00000 n \n";
        out += std::to_string(i + 1) + " 0 obj\n" + objects[i] + "\nendobj\n";
    }
    const std::string place = std::to_string(out.size());
    return out + table + "trailer\n<< /Size 7 /Root 1 0 R /Info 6 0 R >>\nstartxref\n" + place +
           "\n%%EOF\n";
}

std::uint32_t crc32_of(Bytes bytes) {
    std::uint32_t crc = 0xFFFFFFFFU;
    for (const std::uint8_t byte : bytes) {
        crc ^= byte;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
        }
    }
    return ~crc;
}

struct Member {
    std::string_view name;
    std::string_view contents;
};

// An archive of files that are stored.
Buffer make_zip(const std::vector<Member>& members) {
    Buffer out;
    Buffer directory;
    for (const Member& each : members) {
        Buffer common;
        for (const unsigned word : {20U, 0U, 0U, 0U, 0x21U}) {
            append_le16(common, static_cast<std::uint16_t>(word));
        }
        append_le32(common, crc32_of(as_bytes(each.contents)));
        append_le32(common, static_cast<std::uint32_t>(each.contents.size()));
        append_le32(common, static_cast<std::uint32_t>(each.contents.size()));
        append_le16(common, static_cast<std::uint16_t>(each.name.size()));
        append_le16(common, 0);
        append(directory, std::string_view("PK\x01\x02\x14\0", 6));
        append(directory, common);
        directory.insert(directory.end(), 10, 0);
        append_le32(directory, static_cast<std::uint32_t>(out.size()));
        append(directory, each.name);
        append(out, std::string_view("PK\x03\x04"));
        append(out, common);
        append(out, each.name);
        append(out, each.contents);
    }
    const auto begin = static_cast<std::uint32_t>(out.size());
    append(out, directory);
    append(out, std::string_view("PK\x05\x06\0\0\0\0", 8));
    append_le16(out, static_cast<std::uint16_t>(members.size()));
    append_le16(out, static_cast<std::uint16_t>(members.size()));
    append_le32(out, static_cast<std::uint32_t>(directory.size()));
    append_le32(out, begin);
    append_le16(out, 0);
    return out;
}

constexpr std::string_view kContentTypes =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Types "
    "xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">"
    "<Default Extension=\"rels\" "
    "ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
    "<Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>";

Buffer make_document(std::string_view format) {
    if (format == "epub") {
        return make_zip({{"mimetype", "application/epub+zip"},
                         {"META-INF/container.xml", "<container/>"},
                         {"book.opf", "<package/>"},
                         {"text.xhtml", "<html><body>Words of a book.</body></html>"}});
    }
    if (format == "odt" || format == "ods" || format == "odp") {
        const std::string_view kind = format == "odt"   ? "text"
                                      : format == "ods" ? "spreadsheet"
                                                        : "presentation";
        const std::string type = "application/vnd.oasis.opendocument." + std::string(kind);
        return make_zip(
            {{"mimetype", type},
             {"content.xml", "<office:document-content>Words.</office:document-content>"},
             {"META-INF/manifest.xml",
              "<manifest:manifest><manifest:file-entry manifest:full-path=\"/\" "
              "manifest:media-type=\"" +
                  type + "\"/></manifest:manifest>"}});
    }
    const std::string_view main = format == "docx"   ? "word/document.xml"
                                  : format == "xlsx" ? "xl/workbook.xml"
                                                     : "ppt/presentation.xml";
    return make_zip({{"[Content_Types].xml", kContentTypes},
                     {"_rels/.rels", "<Relationships/>"},
                     {main, "<document>Words of a document.</document>"}});
}

void make_text(const std::string& path, std::string_view text) {
    write_file(path, as_bytes(text));
}

}  // namespace

const std::vector<std::string_view>& writable_formats() {
    static const std::vector<std::string_view> kFormats{
        "jpeg", "png",  "webp", "gif",  "tiff", "heic",     "avif", "svg",  "wav",
        "mp3",  "flac", "ogg",  "opus", "m4a",  "markdown", "html", "text", "pdf"};
    return kFormats;
}

std::string make_sample(const TempDir& dir, std::string_view format) {
    if (format == "markdown" || format == "text") {
        const std::string path = dir.file(format == "text" ? "sample.txt" : "sample.md");
        make_text(path, "# Heading\n\nSome words of a text that somebody wrote.\n");
        return path;
    }
    const std::string path = dir.file("sample." + std::string(format));
    if (format == "html") {
        make_text(path, kHtml);
    } else if (format == "svg") {
        make_text(path, kSvg);
    } else if (format == "pdf") {
        make_text(path, make_pdf_text());
    } else if (format == "docx" || format == "xlsx" || format == "pptx" || format == "epub" ||
               format == "odt" || format == "ods" || format == "odp") {
        write_file(path, make_document(format));
    } else if (format == "heic" || format == "avif") {
        const std::string png = dir.file("source.png");
        make_picture(png);
        std::vector<std::string> command{"heif-enc", "-q", "80", png, "-o", path};
        if (format == "avif") {
            command.insert(command.begin() + 1, "-A");
        }
        run_tool_ok(command);
    } else if (format == "jpeg" || format == "png" || format == "webp" || format == "gif" ||
               format == "tiff") {
        make_picture(path);
    } else if (format == "ogg") {
        make_sound(path, {"-c:a", "libvorbis"});
    } else if (format == "m4a") {
        make_sound(path, {"-c:a", "aac"});
    } else {
        make_sound(path, {});
    }
    return path;
}

}  // namespace colophon::test
