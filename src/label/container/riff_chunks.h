// SPDX-License-Identifier: Apache-2.0
#pragma once

// The chunks of a RIFF file (Microsoft/IBM Multimedia Programming Interface 1.0) and of its 64-bit
// forms RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088), as places in the file. Walking touches the
// eight bytes of each chunk header and nothing else, so that a mapped file of a gigabyte costs a
// few pages. Shared by WAV, WebP and AVI.

#include "core/bytes.h"
#include "label/finding.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {

struct RiffChunk {
    std::string_view id;            // four bytes, a view of the file
    std::uint64_t offset = 0;       // of the chunk header in the file
    std::uint64_t data_size = 0;    // bytes that are really there, without padding
    std::uint64_t end = 0;          // behind the data and its pad byte, if there is one
    std::uint32_t stored_size = 0;  // the size field as it stands

    std::uint64_t data_offset() const noexcept { return offset + 8; }
};

struct RiffFile {
    std::string_view form;   // "WAVE", "WEBP", "AVI "
    bool wide = false;       // RF64 or BW64: sizes stand in the ds64 chunk
    bool streaming = false;  // the size of the RIFF was left open (0 or 0xFFFFFFFF) by its writer
    std::uint64_t end = 0;   // of the last chunk; what follows is trailing data
    std::vector<RiffChunk> chunks;
    // "metadata.riff_size": the RIFF size is not that of the chunks. "metadata.riff_open": the
    // size of the last chunk was left open and taken to reach to the end of the file.
    // "metadata.riff_pad": the pad byte of the last chunk is missing.
    Findings findings;
};

// The chunks directly inside the RIFF. A `data` chunk whose size was left open by a streaming
// writer reaches to the end of the file. kCorrupt for a wrong signature and for any other chunk
// that reaches over the end of the file; kLimit above limits::kContainerItemsMax chunks.
Result<RiffFile> walk_riff(Bytes file);

// The bytes of a chunk, without padding.
Bytes riff_data(Bytes file, const RiffChunk& chunk);

// The kind of a LIST chunk ("INFO", "movi"); empty when the chunk is no LIST.
std::string_view riff_list_kind(Bytes file, const RiffChunk& chunk);

// The chunks directly inside a LIST chunk; nested lists stay closed, so depth costs nothing. A
// missing pad byte at the end is accepted. kCorrupt and kLimit as above.
Result<std::vector<RiffChunk>> walk_riff_list(Bytes file, const RiffChunk& list);

// Header, data and pad byte, ready to be inserted. `id`: four bytes; the data must be smaller than
// 2^32 - 1 bytes (asserted: callers stay below limits::kMetadataBlockBytesMax).
Buffer make_riff_chunk(std::string_view id, Bytes data);

// The patches of the head of a RIFF file whose chunks grew or shrank by `delta` bytes: new bytes
// for the RIFF size field, or for the riffSize of ds64. Nothing changes in a streaming file; a size
// that was wrong becomes right. kLimit above 4 GiB in a RIFF that is not wide.
struct RiffPatch {
    std::uint64_t offset = 0;
    Buffer bytes;
};
Result<std::vector<RiffPatch>> resize_riff(Bytes file, const RiffFile& riff, std::int64_t delta);

}  // namespace colophon::label
