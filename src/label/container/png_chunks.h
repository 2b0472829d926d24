// SPDX-License-Identifier: Apache-2.0
#pragma once

// The chunks of a PNG file (ISO/IEC 15948, W3C PNG third edition), APNG included, as views of the
// file. Checksums are verified only where a caller asks, so that walking never reads pixels.

#include "core/bytes.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace colophon::label {

inline constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1A\n";

struct PngChunk {
    std::string_view type;     // four letters, a view of the file
    std::uint64_t offset = 0;  // of the length field
    std::uint64_t size = 0;    // length, type, data and checksum: 12 + data.size()
    Bytes data;                // a view of the file

    std::uint64_t end() const noexcept { return offset + size; }
};

struct PngFile {
    std::vector<PngChunk> chunks;  // IHDR first, IEND last
    std::uint64_t end = 0;         // behind IEND; what follows is trailing data
};

// kCorrupt for a wrong signature, a first chunk other than IHDR, a truncated chunk, a type that is
// no four letters, and a missing IEND; kLimit above limits::kContainerItemsMax chunks.
Result<PngFile> walk_png(Bytes file);

// Whether the stored checksum is the one of type and data. Reads the whole chunk.
bool png_checksum_matches(Bytes file, const PngChunk& chunk);

// One chunk with its checksum, ready to be inserted. `type`: four letters (asserted); the data must
// be shorter than 2^31 bytes (asserted: callers stay below limits::kMetadataBlockBytesMax).
Buffer make_png_chunk(std::string_view type, Bytes data);

}  // namespace colophon::label
