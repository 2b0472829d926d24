// SPDX-License-Identifier: Apache-2.0
// The label in FLAC: a Vorbis comment AIGC. Padding takes up the difference where it can, so that
// the sound does not move.

#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/flac_blocks.h"
#include "label/container/id3v2.h"
#include "label/container/vorbis_comment.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/containers.h"
#include "label/metadata/internal/id3_label.h"
#include "label/metadata/internal/label_sites.h"
#include "label/metadata/internal/vorbis_label.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

// A block of the new file: bytes of its own, or a range of the source.
struct OutBlock {
    std::uint8_t type = 0;
    const FlacBlock* source = nullptr;
    Buffer bytes;

    std::uint64_t size() const { return source != nullptr ? source->data.size() : bytes.size(); }
};

// The comment list of a file that had none.
Buffer new_comments(std::string_view value) {
    const Buffer none(8);  // no vendor, no comments
    const VorbisComments comments{.vendor = {}, .count_offset = 4, .comments = {}, .end = 8};
    return edit_vorbis_comments(none, comments, value);
}

Result<std::vector<OutBlock>> edit_blocks(const FlacFile& flac, std::string_view value) {
    std::vector<OutBlock> blocks;
    bool written = false;
    for (const FlacBlock& block : flac.blocks) {
        if (block.type != kFlacVorbisComment) {
            blocks.push_back({.type = block.type, .source = &block, .bytes = {}});
            continue;
        }
        const VorbisComments comments = TRY(read_vorbis_comments(block.data, block.offset + 4));
        // The format allows one such block; a label in a second one goes.
        blocks.push_back({.type = block.type,
                          .source = nullptr,
                          .bytes = edit_vorbis_comments(
                              block.data, comments,
                              written ? std::nullopt : std::optional<std::string_view>(value))});
        written = true;
    }
    if (!written) {
        blocks.insert(
            blocks.begin() + 1,
            {.type = kFlacVorbisComment, .source = nullptr, .bytes = new_comments(value)});
    }
    return blocks;
}

// Lets the first padding block take up the difference between the old size and the new one.
void use_padding(std::vector<OutBlock>& blocks, std::uint64_t size_before) {
    std::uint64_t size_after = 0;
    for (const OutBlock& block : blocks) {
        size_after += 4 + block.size();
    }
    const auto padding = std::ranges::find(blocks, kFlacPadding, &OutBlock::type);
    if (padding == blocks.end() || size_after == size_before) {
        return;
    }
    const std::uint64_t others = size_after - padding->size();
    if (size_before >= others && size_before - others <= kFlacBlockBytesMax) {
        padding->source = nullptr;
        padding->bytes = Buffer(static_cast<std::size_t>(size_before - others));
    } else if (size_before == others - 4) {
        blocks.erase(padding);
    }
}

}  // namespace

Result<MetadataReading> read_flac(Bytes file) {
    const std::vector<Id3Tag> tags = TRY(read_id3_tags(file, 0));
    const FlacFile flac = TRY(walk_flac(file, tags.empty() ? 0 : tags.back().end()));
    MetadataReading reading;
    for (const Id3Tag& tag : tags) {
        collect_id3_labels(reading, file, tag, "flac ID3v2", false);
    }
    for (const FlacBlock& block : flac.blocks) {
        if (block.type != kFlacVorbisComment) {
            continue;
        }
        const VorbisComments comments = TRY(read_vorbis_comments(block.data, block.offset + 4));
        collect_vorbis_labels(reading, comments, block.offset + 4, "flac Vorbis comment");
    }
    return reading;
}

// [GB45438-6.1] Exactly one label, in the comment block.
Result<Splice> write_flac(Bytes file, const MetadataFields& fields) {
    TRY(check_label_bytes(fields.aigc));
    const std::vector<Id3Tag> tags = TRY(read_id3_tags(file, 0));
    const FlacFile flac = TRY(walk_flac(file, tags.empty() ? 0 : tags.back().end()));
    std::vector<OutBlock> blocks = TRY(edit_blocks(flac, fields.aigc));
    use_padding(blocks, flac.audio_offset - flac.offset - 4);
    Splice splice;
    for (const Id3Tag& tag : tags) {
        if (auto bytes = TRY(edit_id3_label(file, tag, std::nullopt))) {
            splice.insert(std::move(*bytes));
        } else {
            splice.copy(tag.offset, tag.size);
        }
    }
    splice.copy(flac.offset, 4);
    for (OutBlock& block : blocks) {
        const bool last = &block == &blocks.back();
        if (block.size() > kFlacBlockBytesMax) {
            return Error{ErrorCode::kLimit, "with the label the Vorbis comments have " +
                                                std::to_string(block.size()) +
                                                " bytes; a FLAC block holds 16777215"};
        }
        if (block.source != nullptr && block.source->last == last) {
            splice.copy(block.source->offset, 4 + block.size());
            continue;
        }
        splice.insert(make_flac_header(block.type, last, block.size()));
        if (block.source != nullptr) {
            splice.copy(block.source->offset + 4, block.size());
        } else {
            splice.insert(std::move(block.bytes));
        }
    }
    splice.copy(flac.audio_offset, file.size() - flac.audio_offset);
    return splice;
}

}  // namespace colophon::label::internal
