// SPDX-License-Identifier: Apache-2.0
#pragma once

// The marker segments of a JPEG file (ITU-T T.81 Annex B), as views of the file: what a label
// reader, a label writer and a C2PA writer need to put pieces in or take them out without touching
// the coded picture. Nothing is decoded.

#include "core/bytes.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace colophon::label {

namespace jpeg {

inline constexpr std::uint8_t kSoi = 0xD8;
inline constexpr std::uint8_t kEoi = 0xD9;
inline constexpr std::uint8_t kSos = 0xDA;
inline constexpr std::uint8_t kApp0 = 0xE0;
inline constexpr std::uint8_t kApp1 = 0xE1;
inline constexpr std::uint8_t kApp2 = 0xE2;
inline constexpr std::uint8_t kApp11 = 0xEB;
inline constexpr std::uint8_t kApp15 = 0xEF;
inline constexpr std::uint8_t kCom = 0xFE;

// The length field counts itself and has 16 bits.
inline constexpr std::size_t kPayloadBytesMax = 65533;

}  // namespace jpeg

struct JpegSegment {
    std::uint8_t marker = 0;   // 0xE1 for APP1; parameterless markers have an empty payload
    std::uint64_t offset = 0;  // of the first 0xFF, fill bytes before the marker included
    std::uint64_t size = 0;    // up to the end of the payload; SOS: of its header, no coded data
    Bytes payload;             // behind the length field; a view of the file

    std::uint64_t payload_offset() const noexcept { return offset + size - payload.size(); }
    std::uint64_t end() const noexcept { return offset + size; }
    bool is_app() const noexcept { return marker >= jpeg::kApp0 && marker <= jpeg::kApp15; }
};

struct JpegFile {
    // In file order, without SOI. With kWholeImage the last one is EOI; with kHeaders it is the
    // first SOS.
    std::vector<JpegSegment> segments;
    // Behind the last segment: the first coded byte with kHeaders, the first byte behind EOI with
    // kWholeImage. Bytes from there to the end of the file are trailing data (further pictures of
    // an MPF file, the video of a motion photo).
    std::uint64_t end = 0;
};

enum class JpegExtent : std::uint8_t {
    kHeaders,     // up to the first SOS: costs no more than the headers
    kWholeImage,  // all scans up to EOI: passes over the coded data at the speed of memchr
};

// kCorrupt for bytes that are no marker where one must stand, for a truncated segment and for a
// missing SOS (or EOI, with kWholeImage); kLimit above limits::kContainerItemsMax segments.
Result<JpegFile> walk_jpeg(Bytes file, JpegExtent extent);

// One segment, ready to be inserted. kLimit when the payload exceeds jpeg::kPayloadBytesMax.
Result<Buffer> make_jpeg_segment(std::uint8_t marker, Bytes payload);

}  // namespace colophon::label
