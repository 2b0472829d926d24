// SPDX-License-Identifier: Apache-2.0
#pragma once

// The file formats that Colophon knows, one row each, and how to tell them by their first bytes.

#include "core/bytes.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace colophon::label {

// The kinds of content of GB 45438-2025 clause 5.
enum class Kind : std::uint8_t { kText, kImage, kAudio, kVideo };

enum class Format : std::uint8_t {
    kJpeg,
    kPng,
    kWebp,
    kGif,
    kTiff,
    kHeic,
    kAvif,
    kSvg,
    kWav,
    kMp3,
    kFlac,
    kOggVorbis,
    kOpus,
    kM4a,
    kMarkdown,
    kHtml,
    kPlainText,
    kMp4,
    kMatroska,
    kAvi,
    kFlv,   // labels are read; writing them comes with video
    kPdf,   // metadata and credentials; its pages are not read
    kDocx,  // and those below: credentials only
    kXlsx,
    kPptx,
    kEpub,
    kOdt,
    kOds,
    kOdp,
};

struct FormatFacts {
    Format format;
    Kind kind;
    std::string_view name;        // "png": in reports, JSON and options
    std::string_view media_type;  // "image/png"
    std::string_view extensions;  // "jpg jpeg jpe", the first is the usual one
};

// All formats, in the order of the enumeration.
std::span<const FormatFacts> all_formats() noexcept;
const FormatFacts& facts(Format format) noexcept;
// Whether the file's bytes are its words: plain text, Markdown, HTML. PDF and Office files are of
// the kind text too, and their words lie in compressed streams.
bool is_written_text(Format format) noexcept;
std::string_view kind_name(Kind kind) noexcept;  // "text", "image", "audio", "video"

// How many bytes of the start detect_format needs.
inline constexpr std::size_t kSniffBytes = 4096;

// Tells the format by content; the file name (only its extension matters, may be empty) decides
// only between texts and between MP4 and M4A when the brand leaves it open. A text with an
// extension that is not ours (.json, .c) is not plain text. Nothing when the bytes are no format we
// know. `file`: all of it, or its first kSniffBytes at least; what lies behind an ID3 tag is told
// by the name where the bytes end before it.
std::optional<Format> detect_format(Bytes file, std::string_view file_name);

std::optional<Format> format_by_name(std::string_view name) noexcept;

}  // namespace colophon::label
