// SPDX-License-Identifier: Apache-2.0
// PNG (C2PA 2.4, A.3.2): the store is the data of a chunk caBX before the first IDAT. It goes right
// before that, because ExifTool up to 13.59 reads no EXIF behind it.

#include "core/bytes.h"
#include "core/result.h"
#include "label/container/file_edits.h"
#include "label/container/png_chunks.h"
#include "label/provenance/carrier.h"
#include "label/provenance/internal/carriers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::string_view kChunk = "caBX";

}  // namespace

Result<std::optional<FoundStore>> find_in_png(Bytes file) {
    const PngFile png = TRY(walk_png(file));
    std::optional<FoundStore> found;
    bool pixels_seen = false;
    for (const PngChunk& chunk : png.chunks) {
        pixels_seen = pixels_seen || chunk.type == "IDAT";
        if (chunk.type != kChunk) {
            continue;
        }
        if (found) {
            found->problem = "the file holds more than one chunk caBX";
            continue;
        }
        found = FoundStore{.store = to_buffer(chunk.data),
                           .ranges = {{.offset = chunk.offset, .size = chunk.size}},
                           .where = "png caBX",
                           .problem = {},
                           .code = {}};
        if (pixels_seen) {
            found->problem = "the chunk caBX stands behind the picture";
        } else if (!png_checksum_matches(file, chunk)) {
            found->problem = "the checksum of the chunk caBX is wrong";
        }
    }
    return found;
}

Result<Placement> place_in_png(Bytes file, Bytes store) {
    const PngFile png = TRY(walk_png(file));
    std::vector<FileEdit> edits;
    const auto pixels = std::ranges::find(png.chunks, "IDAT", &PngChunk::type);
    if (pixels == png.chunks.end()) {
        return Error{ErrorCode::kCorrupt, "a PNG without a picture"};
    }
    std::uint64_t removed_before = 0;
    for (const PngChunk& chunk : png.chunks) {
        if (chunk.type == kChunk) {
            edits.push_back({chunk.offset, chunk.size, {}});
            removed_before += chunk.offset < pixels->offset ? chunk.size : 0;
        }
    }
    Buffer chunk = make_png_chunk(kChunk, store);
    Placement placement;
    placement.ranges = {{.offset = pixels->offset - removed_before, .size = chunk.size()}};
    edits.push_back({pixels->offset, 0, std::move(chunk)});
    placement.splice = TRY(splice_edits(file, std::move(edits)));
    return placement;
}

}  // namespace colophon::label::provenance::internal
