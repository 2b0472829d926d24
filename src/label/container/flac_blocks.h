// SPDX-License-Identifier: Apache-2.0
#pragma once

// The metadata blocks of a FLAC file (RFC 9639 clause 8), as views of the file. Audio frames are
// not looked at. ID3v2 tags in front of the signature, which the format does not know but many
// files have, are skipped by the caller (label/container/id3v2.h).

#include "core/bytes.h"

#include <cstdint>
#include <vector>

namespace colophon::label {

inline constexpr std::uint8_t kFlacStreamInfo = 0;
inline constexpr std::uint8_t kFlacPadding = 1;
inline constexpr std::uint8_t kFlacVorbisComment = 4;
inline constexpr std::uint32_t kFlacBlockBytesMax = 0xFFFFFF;

struct FlacBlock {
    std::uint8_t type = 0;
    bool last = false;
    std::uint64_t offset = 0;  // of the four-byte block header in the file
    Bytes data;

    std::uint64_t end() const noexcept { return offset + 4 + data.size(); }
};

struct FlacFile {
    std::uint64_t offset = 0;  // of the signature
    std::vector<FlacBlock> blocks;
    std::uint64_t audio_offset = 0;
};

// `offset`: where the signature "fLaC" must stand. kCorrupt for a wrong signature, a first block
// that is no STREAMINFO of 34 bytes, a block over the end of the file and the forbidden type 127;
// kLimit above limits::kContainerItemsMax blocks.
Result<FlacFile> walk_flac(Bytes file, std::uint64_t offset);

// The four bytes before the data of a block. `size` at most kFlacBlockBytesMax (asserted).
Buffer make_flac_header(std::uint8_t type, bool last, std::uint64_t size);

}  // namespace colophon::label
