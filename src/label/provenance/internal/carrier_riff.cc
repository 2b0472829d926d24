// SPDX-License-Identifier: Apache-2.0
// WebP, WAV and AVI (C2PA 2.4, A.3): the store is the data of a chunk C2PA, the last of the first
// RIFF. A pad byte behind it belongs to the content.

#include "core/bytes.h"
#include "core/result.h"
#include "label/container/file_edits.h"
#include "label/container/riff_chunks.h"
#include "label/finding.h"
#include "label/provenance/carrier.h"
#include "label/provenance/internal/carriers.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::string_view kChunk = "C2PA";
constexpr std::uint64_t kHeaderBytes = 8;

}  // namespace

Result<std::optional<FoundStore>> find_in_riff(Bytes file) {
    const RiffFile riff = TRY(walk_riff(file));
    std::optional<FoundStore> found;
    for (const RiffChunk& chunk : riff.chunks) {
        if (chunk.id != kChunk) {
            continue;
        }
        if (found) {
            found->problem = "the file holds more than one chunk C2PA";
            continue;
        }
        found =
            FoundStore{.store = to_buffer(riff_data(file, chunk)),
                       .ranges = {{.offset = chunk.offset, .size = kHeaderBytes + chunk.data_size}},
                       .where = "riff C2PA",
                       .problem = {},
                       .code = {}};
        if (chunk.stored_size != chunk.data_size) {
            found->problem = "the chunk C2PA is cut short";
        }
    }
    return found;
}

Result<Placement> place_in_riff(Bytes file, Bytes store) {
    const RiffFile riff = TRY(walk_riff(file));
    // A last chunk whose own size is open would take in whatever stands behind it, too.
    const bool open = std::ranges::find(riff.findings, "metadata.riff_open", &Finding::code) !=
                      riff.findings.end();
    if (riff.streaming || open) {
        return Error{ErrorCode::kUnsupported,
                     "the RIFF file does not say where it ends, so nothing can stand behind its "
                     "data; save it with its sizes first"};
    }
    std::vector<FileEdit> edits;
    std::uint64_t removed = 0;
    std::uint64_t end = 12;
    for (const RiffChunk& chunk : riff.chunks) {
        if (chunk.id == kChunk) {
            edits.push_back({chunk.offset, chunk.end - chunk.offset, {}});
            removed += chunk.end - chunk.offset;
        } else {
            end = chunk.end;
        }
    }
    // Behind the last other chunk, which may lack its pad byte.
    Buffer chunk;
    if (end % 2 != 0) {
        chunk.push_back(0);
    }
    const std::uint64_t pad = chunk.size();
    append(chunk, make_riff_chunk(kChunk, store));
    const auto delta = static_cast<std::int64_t>(chunk.size()) - static_cast<std::int64_t>(removed);
    for (RiffPatch& patch : TRY(resize_riff(file, riff, delta))) {
        const std::uint64_t size = patch.bytes.size();
        edits.push_back({patch.offset, size, std::move(patch.bytes)});
    }
    std::uint64_t removed_before = 0;
    for (const RiffChunk& each : riff.chunks) {
        removed_before += each.id == kChunk && each.offset < end ? each.end - each.offset : 0;
    }
    Placement placement;
    placement.ranges = {
        {.offset = end - removed_before + pad, .size = kHeaderBytes + store.size()}};
    edits.push_back({end, 0, std::move(chunk)});
    placement.splice = TRY(splice_edits(file, std::move(edits)));
    return placement;
}

}  // namespace colophon::label::provenance::internal
