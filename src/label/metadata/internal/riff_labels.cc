// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/internal/riff_labels.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/riff_chunks.h"
#include "label/finding.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/label_sites.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

bool is_label_chunk(Bytes file, const RiffChunk& chunk) {
    // Sizes above the limit are labels by their name only; texts are not searched there.
    return is_label_name(chunk.id) ||
           (chunk.data_size <= limits::kLabelBytesMax && is_tc260_label(riff_text(file, chunk)));
}

}  // namespace

std::string_view riff_text(Bytes file, const RiffChunk& chunk) {
    // One byte more than a label may have is enough to see that it is too long.
    const std::uint64_t size = std::min(chunk.data_size, limits::kLabelBytesMax + 1);
    std::string_view text = as_text(*slice(file, chunk.data_offset(), size));
    while (text.ends_with('\0')) {
        text.remove_suffix(1);
    }
    return text;
}

void collect_info_labels(MetadataReading& reading, Bytes file, const RiffChunk& list,
                         std::string_view where, bool standard) {
    const auto chunks = walk_riff_list(file, list);
    if (!chunks.ok()) {
        collect_finding(reading, {.code = "metadata.riff_info",
                                  .level = FindingLevel::kWarning,
                                  .what = std::string(where) +
                                          " LIST/INFO cannot be read: " + chunks.error().what});
        return;
    }
    for (const RiffChunk& chunk : *chunks) {
        if (is_label_chunk(file, chunk)) {
            collect_site(reading,
                         {.where = std::string(where) + " LIST/INFO " + printable_name(chunk.id),
                          .value = std::string(riff_text(file, chunk)),
                          .offset = chunk.offset,
                          .standard_place = standard && is_label_name(chunk.id)});
        }
    }
}

std::optional<RiffEdit> strip_info_labels(Bytes file, const RiffChunk& list) {
    const auto chunks = walk_riff_list(file, list);
    if (!chunks.ok() || list.data_size > limits::kMetadataBlockBytesMax) {
        return std::nullopt;
    }
    Buffer data = to_buffer(std::string_view("INFO"));
    bool found = false;
    for (const RiffChunk& chunk : *chunks) {
        if (is_label_chunk(file, chunk)) {
            found = true;
        } else {
            append(data, *slice(file, chunk.offset, chunk.end - chunk.offset));
        }
    }
    if (!found) {
        return std::nullopt;
    }
    RiffEdit edit{.offset = list.offset, .size = list.end - list.offset, .bytes = {}};
    if (data.size() > 4) {
        edit.bytes = make_riff_chunk("LIST", data);
    }
    return edit;
}

Result<Splice> splice_riff(Bytes file, const RiffFile& riff, std::vector<RiffEdit> edits) {
    std::int64_t delta = 0;
    for (const RiffEdit& edit : edits) {
        delta +=
            static_cast<std::int64_t>(edit.bytes.size()) - static_cast<std::int64_t>(edit.size);
    }
    std::vector<RiffPatch> patches = TRY(resize_riff(file, riff, delta));
    for (RiffPatch& patch : patches) {
        edits.insert(
            edits.begin(),
            {.offset = patch.offset, .size = patch.bytes.size(), .bytes = std::move(patch.bytes)});
    }
    Splice splice;
    std::uint64_t at = 0;
    for (RiffEdit& edit : edits) {
        splice.copy(at, edit.offset - at);
        splice.insert(std::move(edit.bytes));
        at = edit.offset + edit.size;
    }
    splice.copy(at, file.size() - at);
    return splice;
}

}  // namespace colophon::label::internal
