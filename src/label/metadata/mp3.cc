// SPDX-License-Identifier: Apache-2.0
// The label in MP3: an ID3v2 user text frame (TXXX, in 2.2 TXX) with the description AIGC, in the
// first tag of the file. Padding takes up the frame where it can, so that the sound does not move.

#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/id3v2.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/ape_tag.h"
#include "label/metadata/internal/containers.h"
#include "label/metadata/internal/id3_label.h"
#include "label/metadata/internal/label_sites.h"

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

// The tag may stand in front of another format whose name the file does not bear.
bool is_flac(Bytes file, std::uint64_t audio) {
    const auto start = slice(file, audio, 4);
    return start && as_text(*start) == "fLaC";
}

std::uint64_t audio_start(const std::vector<Id3Tag>& tags) {
    return tags.empty() ? 0 : tags.back().end();
}

bool is_label_item(const ApeItem& item) {
    constexpr std::uint32_t kNoText = 0x6;  // binary and external items
    return (item.flags & kNoText) == 0 && (is_label_name(item.key) || is_tc260_label(item.value));
}

// The end of the file, from the sound on: an APE tag loses its labels. Where nothing is left of it,
// what lies before it may now be the tag at the end, as may an ID3v1 tag with one before that.
void copy_sound(Splice& splice, Bytes file, std::uint64_t audio) {
    Bytes left = file;
    Buffer kept;
    std::optional<Bytes> id3v1;
    while (kept.empty()) {
        const auto ape = find_ape_tag(left, audio, !id3v1);
        std::vector<bool> drop;
        for (const ApeItem& item : ape ? ape->items : std::vector<ApeItem>()) {
            drop.push_back(is_label_item(item));
        }
        if (std::ranges::find(drop, true) == drop.end()) {
            break;
        }
        if (ape->end < left.size()) {
            id3v1 = left.subspan(static_cast<std::size_t>(ape->end));
        }
        kept = make_ape_tag(left, *ape, drop);
        left = left.first(static_cast<std::size_t>(ape->offset));
    }
    splice.copy(audio, left.size() - audio);
    splice.insert(std::move(kept));
    splice.insert(to_buffer(id3v1.value_or(Bytes())));
}

}  // namespace

Result<MetadataReading> read_mp3(Bytes file) {
    const std::vector<Id3Tag> tags = TRY(read_id3_tags(file, 0));
    if (is_flac(file, audio_start(tags))) {
        return read_flac(file);
    }
    MetadataReading reading;
    for (const Id3Tag& tag : tags) {
        collect_id3_labels(reading, file, tag, "mp3 ID3v2", true);
    }
    const auto ape = find_ape_tag(file, audio_start(tags));
    if (ape) {
        for (const ApeItem& item : ape->items) {
            if (is_label_item(item)) {
                collect_site(reading, {.where = "mp3 APEv2 " + printable_name(item.key),
                                       .value = std::string(item.value),
                                       .offset = item.offset});
            }
        }
    }
    return reading;
}

// [GB45438-6.1] Exactly one label, in the first ID3v2 tag; a file without one gets a tag 2.4.
Result<Splice> write_mp3(Bytes file, const MetadataFields& fields) {
    const std::vector<Id3Tag> tags = TRY(read_id3_tags(file, 0));
    if (is_flac(file, audio_start(tags))) {
        return write_flac(file, fields);
    }
    TRY(check_label_bytes(fields.aigc));
    Splice splice;
    if (tags.empty()) {
        Id3Tag tag;
        tag.version = 4;
        splice.insert(
            TRY(make_id3_tag(tag, make_user_text(tag, {.name = "AIGC", .value = fields.aigc}), 0)));
    }
    for (std::size_t i = 0; i < tags.size(); ++i) {
        const std::optional<std::string_view> value =
            i == 0 ? std::optional<std::string_view>(fields.aigc) : std::nullopt;
        if (auto bytes = TRY(edit_id3_label(file, tags[i], value))) {
            splice.insert(std::move(*bytes));
        } else {
            splice.copy(tags[i].offset, tags[i].size);
        }
    }
    copy_sound(splice, file, audio_start(tags));
    return splice;
}

}  // namespace colophon::label::internal
