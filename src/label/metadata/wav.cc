// SPDX-License-Identifier: Apache-2.0
// The label in WAV: a chunk AIGC directly inside the RIFF, before the sound. The Labelling Measures
// mean the head of the file [AILM-5], a reader of a stream meets the label before the sound,
// and a file whose sound has an open size stays what it is. Cue points, bext and fact count from
// the start of the data chunk and stay true.

#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/id3v2.h"
#include "label/container/riff_chunks.h"
#include "label/finding.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/containers.h"
#include "label/metadata/internal/id3_label.h"
#include "label/metadata/internal/label_sites.h"
#include "label/metadata/internal/riff_labels.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

Result<RiffFile> walk_wav(Bytes file) {
    RiffFile riff = TRY(walk_riff(file));
    if (riff.form != "WAVE") {
        return corrupt_at("a RIFF file that is no WAVE", 8);
    }
    return riff;
}

bool is_id3_chunk(const RiffChunk& chunk) {
    return chunk.id == "id3 " || chunk.id == "ID3 ";
}

void collect_id3_chunk(MetadataReading& reading, Bytes file, const RiffChunk& chunk) {
    const Bytes up_to_end =
        file.first(static_cast<std::size_t>(chunk.data_offset() + chunk.data_size));
    const auto tag = read_id3_tag(up_to_end, chunk.data_offset());
    if (!tag.ok()) {
        collect_finding(reading, {.code = "metadata.id3",
                                  .level = FindingLevel::kWarning,
                                  .what = "the ID3 chunk at byte " + std::to_string(chunk.offset) +
                                          " cannot be read: " + tag.error().what});
    } else if (*tag) {
        collect_id3_labels(reading, file, **tag, "wav ID3", false);
    }
}

// The ID3 chunk without labels; a tag keeps its size, so nothing moves.
Result<std::optional<RiffEdit>> strip_id3_chunk(Bytes file, const RiffChunk& chunk) {
    const Bytes up_to_end =
        file.first(static_cast<std::size_t>(chunk.data_offset() + chunk.data_size));
    const auto tag = read_id3_tag(up_to_end, chunk.data_offset());
    if (!tag.ok() || !*tag) {
        return std::optional<RiffEdit>();
    }
    auto bytes = TRY(edit_id3_label(file, **tag, std::nullopt));
    if (!bytes) {
        return std::optional<RiffEdit>();
    }
    append(*bytes, *slice(up_to_end, (*tag)->end(), up_to_end.size() - (*tag)->end()));
    return std::optional(RiffEdit{.offset = chunk.offset,
                                  .size = chunk.end - chunk.offset,
                                  .bytes = make_riff_chunk(chunk.id, *bytes)});
}

std::optional<RiffEdit> strip_xmp_chunk(Bytes file, const RiffChunk& chunk) {
    auto packet = strip_xmp_labels(riff_data(file, chunk));
    if (!packet) {
        return std::nullopt;
    }
    return RiffEdit{.offset = chunk.offset,
                    .size = chunk.end - chunk.offset,
                    .bytes = make_riff_chunk(chunk.id, as_bytes(*packet))};
}

// What becomes of a chunk that is no AIGC chunk, so that no label is left in it.
Result<std::optional<RiffEdit>> strip_chunk(Bytes file, const RiffChunk& chunk) {
    if (is_id3_chunk(chunk)) {
        return strip_id3_chunk(file, chunk);
    }
    if (chunk.id == "_PMX") {
        return strip_xmp_chunk(file, chunk);
    }
    if (riff_list_kind(file, chunk) == "INFO") {
        return strip_info_labels(file, chunk);
    }
    return std::optional<RiffEdit>();
}

}  // namespace

Result<MetadataReading> read_wav(Bytes file) {
    RiffFile riff = TRY(walk_wav(file));
    MetadataReading reading;
    for (const RiffChunk& chunk : riff.chunks) {
        if (chunk.id == "AIGC") {
            collect_site(reading, {.where = "wav AIGC chunk",
                                   .value = std::string(riff_text(file, chunk)),
                                   .offset = chunk.offset,
                                   .standard_place = true});
        } else if (is_id3_chunk(chunk)) {
            collect_id3_chunk(reading, file, chunk);
        } else if (chunk.id == "_PMX") {
            collect_xmp(reading, riff_data(file, chunk),
                        {.where = "wav XMP", .value = {}, .offset = chunk.offset});
        } else if (riff_list_kind(file, chunk) == "INFO") {
            collect_info_labels(reading, file, chunk, "wav", false);
        }
    }
    std::ranges::move(riff.findings, std::back_inserter(reading.findings));
    return reading;
}

// [GB45438-6.1] Exactly one label. It takes the place of the first AIGC chunk that stands before
// the sound, else it goes directly before the sound.
Result<Splice> write_wav(Bytes file, const MetadataFields& fields) {
    TRY(check_label_bytes(fields.aigc));
    const RiffFile riff = TRY(walk_wav(file));
    const auto data = std::ranges::find(riff.chunks, "data", &RiffChunk::id);
    if (data == riff.chunks.end()) {
        return Error{ErrorCode::kCorrupt, "a WAV file without a data chunk"};
    }
    const auto first = std::find_if(riff.chunks.begin(), data,
                                    [](const RiffChunk& chunk) { return chunk.id == "AIGC"; });
    std::vector<RiffEdit> edits;
    for (auto chunk = riff.chunks.begin(); chunk != riff.chunks.end(); ++chunk) {
        // Either the first label before the sound, or the sound itself when there was none.
        if (chunk == first) {
            const bool replaces = chunk->id == "AIGC";
            edits.push_back({.offset = chunk->offset,
                             .size = replaces ? chunk->end - chunk->offset : 0,
                             .bytes = make_riff_chunk("AIGC", as_bytes(fields.aigc))});
        } else if (chunk->id == "AIGC") {
            edits.push_back(
                {.offset = chunk->offset, .size = chunk->end - chunk->offset, .bytes = {}});
        } else if (auto edit = TRY(strip_chunk(file, *chunk))) {
            edits.push_back(std::move(*edit));
        }
    }
    return splice_riff(file, riff, std::move(edits));
}

}  // namespace colophon::label::internal
