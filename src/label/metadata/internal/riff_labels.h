// SPDX-License-Identifier: Apache-2.0
#pragma once

// What WAV, AVI and WebP share above their chunks: the LIST/INFO texts, and changing single chunks
// while all others are copied.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/container/riff_chunks.h"
#include "label/metadata/container.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace colophon::label::internal {

// The text of a chunk, without the zeros at its end.
std::string_view riff_text(Bytes file, const RiffChunk& chunk);

// Adds the labels of a LIST/INFO chunk. A list whose chunks cannot be told apart is the finding
// "metadata.riff_info".
void collect_info_labels(MetadataReading& reading, Bytes file, const RiffChunk& list,
                         std::string_view where, bool standard);

// New bytes in place of source bytes [offset, offset + size).
struct RiffEdit {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    Buffer bytes;
};

// The LIST/INFO chunk without labels; nothing when it has none.
std::optional<RiffEdit> strip_info_labels(Bytes file, const RiffChunk& list);

// The file after the edits, which are in ascending order and apart, with its RIFF size put right.
Result<Splice> splice_riff(Bytes file, const RiffFile& riff, std::vector<RiffEdit> edits);

}  // namespace colophon::label::internal
