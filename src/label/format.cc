// SPDX-License-Identifier: Apache-2.0
#include "label/format.h"

#include "core/bytes.h"
#include "core/utf8.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::label {
namespace {

constexpr std::array kFormats{
    FormatFacts{Format::kJpeg, Kind::kImage, "jpeg", "image/jpeg", "jpg jpeg jpe jfif"},
    FormatFacts{Format::kPng, Kind::kImage, "png", "image/png", "png"},
    FormatFacts{Format::kWebp, Kind::kImage, "webp", "image/webp", "webp"},
    FormatFacts{Format::kGif, Kind::kImage, "gif", "image/gif", "gif"},
    FormatFacts{Format::kTiff, Kind::kImage, "tiff", "image/tiff", "tiff tif"},
    FormatFacts{Format::kHeic, Kind::kImage, "heic", "image/heic", "heic heif"},
    FormatFacts{Format::kAvif, Kind::kImage, "avif", "image/avif", "avif"},
    FormatFacts{Format::kSvg, Kind::kImage, "svg", "image/svg+xml", "svg"},
    FormatFacts{Format::kWav, Kind::kAudio, "wav", "audio/wav", "wav wave"},
    FormatFacts{Format::kMp3, Kind::kAudio, "mp3", "audio/mpeg", "mp3"},
    FormatFacts{Format::kFlac, Kind::kAudio, "flac", "audio/flac", "flac"},
    FormatFacts{Format::kOggVorbis, Kind::kAudio, "ogg", "audio/ogg", "ogg oga"},
    FormatFacts{Format::kOpus, Kind::kAudio, "opus", "audio/opus", "opus"},
    FormatFacts{Format::kM4a, Kind::kAudio, "m4a", "audio/mp4", "m4a"},
    FormatFacts{Format::kMarkdown, Kind::kText, "markdown", "text/markdown", "md markdown"},
    FormatFacts{Format::kHtml, Kind::kText, "html", "text/html", "html htm xhtml"},
    FormatFacts{Format::kPlainText, Kind::kText, "text", "text/plain", "txt text"},
    FormatFacts{Format::kMp4, Kind::kVideo, "mp4", "video/mp4", "mp4 m4v mov"},
    FormatFacts{Format::kMatroska, Kind::kVideo, "matroska", "video/x-matroska", "mkv webm mka"},
    FormatFacts{Format::kAvi, Kind::kVideo, "avi", "video/x-msvideo", "avi"},
    FormatFacts{Format::kFlv, Kind::kVideo, "flv", "video/x-flv", "flv"},
    FormatFacts{Format::kPdf, Kind::kText, "pdf", "application/pdf", "pdf"},
    FormatFacts{Format::kDocx, Kind::kText, "docx",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "docx dotx"},
    FormatFacts{Format::kXlsx, Kind::kText, "xlsx",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx xltx"},
    FormatFacts{Format::kPptx, Kind::kText, "pptx",
                "application/vnd.openxmlformats-officedocument.presentationml.presentation",
                "pptx potx"},
    FormatFacts{Format::kEpub, Kind::kText, "epub", "application/epub+zip", "epub"},
    FormatFacts{Format::kOdt, Kind::kText, "odt", "application/vnd.oasis.opendocument.text",
                "odt ott"},
    FormatFacts{Format::kOds, Kind::kText, "ods", "application/vnd.oasis.opendocument.spreadsheet",
                "ods ots"},
    FormatFacts{Format::kOdp, Kind::kText, "odp", "application/vnd.oasis.opendocument.presentation",
                "odp otp"},
};

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
    return out;
}

std::string extension_of(std::string_view file_name) {
    const std::size_t dot = file_name.find_last_of("./");
    if (dot == std::string_view::npos || file_name[dot] != '.') {
        return {};
    }
    return lower(file_name.substr(dot + 1));
}

bool has_extension(const FormatFacts& row, std::string_view extension) {
    std::string_view rest = row.extensions;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        if (rest.substr(0, end) == extension) {
            return true;
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return false;
}

std::optional<Format> detect_riff(Bytes head) {
    if (head.size() < 12 ||
        !(starts_with(head, "RIFF") || starts_with(head, "RF64") || starts_with(head, "BW64"))) {
        return std::nullopt;
    }
    const std::string_view form = as_text(head.subspan(8, 4));
    if (form == "WEBP") {
        return Format::kWebp;
    }
    if (form == "WAVE") {
        return Format::kWav;
    }
    return form == "AVI " ? std::optional(Format::kAvi) : std::nullopt;
}

// ISO/IEC 14496-12: the file type box names brands; the first that we know decides.
std::optional<Format> detect_bmff(Bytes head, std::string_view extension) {
    if (head.size() < 16 || as_text(head.subspan(4, 4)) != "ftyp") {
        // QuickTime files of old start with another box and have no brands at all.
        const bool quicktime = head.size() >= 16 && (as_text(head.subspan(4, 4)) == "moov" ||
                                                     as_text(head.subspan(4, 4)) == "wide" ||
                                                     as_text(head.subspan(4, 4)) == "mdat");
        return quicktime ? std::optional(Format::kMp4) : std::nullopt;
    }
    const std::size_t end = std::min<std::size_t>(load_be32(head), head.size());
    for (std::size_t at = 8; at + 4 <= end; at += at == 8 ? 8 : 4) {
        const std::string_view brand = as_text(head.subspan(at, 4));
        if (brand == "avif" || brand == "avis") {
            return Format::kAvif;
        }
        if (brand == "heic" || brand == "heix" || brand == "heim" || brand == "heis" ||
            brand == "hevc" || brand == "hevx") {
            return Format::kHeic;
        }
        if (brand == "M4A " || brand == "M4B ") {
            return Format::kM4a;
        }
    }
    return extension == "m4a" ? Format::kM4a : Format::kMp4;
}

std::optional<Format> detect_ogg(Bytes head) {
    if (!starts_with(head, "OggS")) {
        return std::nullopt;
    }
    const std::string_view text = as_text(head.first(std::min<std::size_t>(head.size(), 512)));
    if (text.find("OpusHead") != std::string_view::npos) {
        return Format::kOpus;
    }
    return text.find("\x01vorbis") != std::string_view::npos ? std::optional(Format::kOggVorbis)
                                                             : std::nullopt;
}

// What an OpenDocument file says that it is (ODF 1.3, part 2, 3.3), templates too.
std::optional<Format> detect_open_document(std::string_view type) {
    for (const Format format : {Format::kOdt, Format::kOds, Format::kOdp}) {
        const std::string_view known = facts(format).media_type;
        const std::string_view rest = type.substr(std::min(known.size(), type.size()));
        if (type.starts_with(known) && (rest.starts_with("PK") || rest.starts_with("-template"))) {
            return format;
        }
    }
    return std::nullopt;
}

// ZIP archives of which we know the kind. An EPUB or OpenDocument file says what it is in its first
// file, which is stored (EPUB 3.3, OCF 4.3); an Office file by its name, or by the folder of its
// main part where that is in sight.
std::optional<Format> detect_zip(Bytes head, std::string_view extension) {
    constexpr std::size_t kNameAt = 30;
    if (!starts_with(head, "PK\x03\x04") || head.size() < kNameAt) {
        return std::nullopt;
    }
    const std::string_view text = as_text(head);
    if (text.substr(kNameAt).starts_with("mimetypeapplication/epub+zip")) {
        return Format::kEpub;
    }
    constexpr std::string_view kType = "mimetype";
    if (text.substr(kNameAt).starts_with(kType)) {
        return detect_open_document(text.substr(kNameAt + kType.size()));
    }
    constexpr std::array kOffice{std::pair{Format::kDocx, std::string_view("word/")},
                                 std::pair{Format::kXlsx, std::string_view("xl/")},
                                 std::pair{Format::kPptx, std::string_view("ppt/")}};
    for (const auto& [format, folder] : kOffice) {
        if (!extension.empty() && has_extension(facts(format), extension)) {
            return format;
        }
    }
    if (text.find("[Content_Types].xml") == std::string_view::npos) {
        return std::nullopt;
    }
    for (const auto& [format, folder] : kOffice) {
        if (text.find(folder) != std::string_view::npos) {
            return format;
        }
    }
    return std::nullopt;
}

bool looks_like_mpeg_audio(Bytes head) {
    // Frame sync, a version, a layer, a bit rate and a sample rate that exist (ISO/IEC 11172-3).
    return head.size() >= 4 && head[0] == 0xFF && (head[1] & 0xE0U) == 0xE0U &&
           (head[1] & 0x18U) != 0x08U && (head[1] & 0x06U) == 0x02U && (head[2] & 0xF0U) != 0xF0U &&
           (head[2] & 0x0CU) != 0x0CU;
}

// ID3v2 stands before MP3 by its own specification and before FLAC by habit (Content Credentials
// go there): what follows the tag, if it is in sight, tells which. ID3v2.4, 3.1: ten bytes, the
// last four the size of the rest, seven bits in each.
std::optional<Format> detect_after_id3(Bytes file, std::string_view extension) {
    constexpr std::size_t kHeader = 10;
    if (!starts_with(file, "ID3")) {
        return std::nullopt;
    }
    std::size_t end = 0;
    for (std::size_t at = 6; at < std::min(kHeader, file.size()); ++at) {
        end = end << 7U | (file[at] & 0x7FU);
    }
    end += kHeader;
    if (end < file.size()) {
        return starts_with(file.subspan(end), "fLaC") ? Format::kFlac : Format::kMp3;
    }
    return extension == "flac" ? Format::kFlac : Format::kMp3;
}

std::optional<Format> detect_binary(Bytes head, std::string_view extension) {
    if (starts_with(head, "\xFF\xD8\xFF")) {
        return Format::kJpeg;
    }
    if (starts_with(head, "\x89PNG\r\n\x1A\n")) {
        return Format::kPng;
    }
    if (starts_with(head, "GIF87a") || starts_with(head, "GIF89a")) {
        return Format::kGif;
    }
    if (starts_with(head, std::string_view("II*\0", 4)) ||
        starts_with(head, std::string_view("MM\0*", 4)) ||
        starts_with(head, std::string_view("II+\0\x08\0\0\0", 8)) ||  // BigTIFF
        starts_with(head, std::string_view("MM\0+\0\x08\0\0", 8))) {
        return Format::kTiff;
    }
    if (starts_with(head, "fLaC")) {
        return Format::kFlac;
    }
    if (starts_with(head, "\x1A\x45\xDF\xA3")) {
        return Format::kMatroska;
    }
    if (starts_with(head, "FLV\x01")) {
        return Format::kFlv;
    }
    if (starts_with(head, "%PDF-")) {
        return Format::kPdf;
    }
    if (const auto riff = detect_riff(head)) {
        return riff;
    }
    if (const auto ogg = detect_ogg(head)) {
        return ogg;
    }
    if (const auto zip = detect_zip(head, extension)) {
        return zip;
    }
    return detect_bmff(head, extension);
}

// Text is UTF-8 (a character may be cut by the end of the head) or UTF-16 with a byte order mark,
// without control characters that no text has.
bool looks_like_text(Bytes head) {
    const std::string_view text = as_text(head);
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
        return true;
    }
    const auto invalid = find_invalid_utf8(text);
    if (invalid && *invalid + 4 <= text.size()) {
        return false;
    }
    return std::ranges::none_of(text.substr(0, invalid.value_or(text.size())), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r' &&
               c != '\f' && c != '\x1B';
    });
}

std::optional<Format> detect_text(Bytes head, std::string_view extension) {
    if (!looks_like_text(head)) {
        return std::nullopt;
    }
    for (const FormatFacts& row : kFormats) {
        const bool textual = is_written_text(row.format) || row.format == Format::kSvg;
        if (textual && !extension.empty() && has_extension(row, extension)) {
            return row.format;
        }
    }
    const std::string text = lower(as_text(head));
    if (text.find("<svg") != std::string::npos &&
        (text.starts_with("<svg") || text.find("<?xml") != std::string::npos)) {
        return Format::kSvg;
    }
    if (text.find("<!doctype html") != std::string::npos || text.starts_with("<html")) {
        return Format::kHtml;
    }
    // Words put into a JSON, YAML or source file would break it, and an empty "x.png" is no text:
    // what is named after another format is not one of ours.
    if (!extension.empty()) {
        return std::nullopt;
    }
    if (text.starts_with("---\n") || text.starts_with("---\r\n")) {
        return Format::kMarkdown;
    }
    return Format::kPlainText;
}

}  // namespace

std::span<const FormatFacts> all_formats() noexcept {
    return kFormats;
}

const FormatFacts& facts(Format format) noexcept {
    return kFormats[static_cast<std::size_t>(format)];
}

bool is_written_text(Format format) noexcept {
    return format == Format::kPlainText || format == Format::kMarkdown || format == Format::kHtml;
}

std::string_view kind_name(Kind kind) noexcept {
    constexpr std::array<std::string_view, 4> kNames{"text", "image", "audio", "video"};
    return kNames[static_cast<std::size_t>(kind)];
}

std::optional<Format> detect_format(Bytes file, std::string_view file_name) {
    const std::string extension = extension_of(file_name);
    if (const auto tagged = detect_after_id3(file, extension)) {
        return tagged;
    }
    const Bytes head = file.first(std::min(file.size(), kSniffBytes));
    if (const auto binary = detect_binary(head, extension)) {
        return binary;
    }
    if (head.size() >= 4 && looks_like_mpeg_audio(head)) {
        return Format::kMp3;
    }
    return detect_text(head, extension);
}

std::optional<Format> format_by_name(std::string_view name) noexcept {
    for (const FormatFacts& row : kFormats) {
        if (row.name == name) {
            return row.format;
        }
    }
    return std::nullopt;
}

}  // namespace colophon::label
