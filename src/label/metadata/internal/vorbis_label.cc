// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/internal/vorbis_label.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "label/container/vorbis_comment.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/label_sites.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::label::internal {
namespace {

constexpr std::string_view kName = "AIGC";

void append_comment(Buffer& out, std::string_view value) {
    append_le32(out, static_cast<std::uint32_t>(kName.size() + 1 + value.size()));
    append(out, kName);
    append(out, "=");
    append(out, value);
}

}  // namespace

bool is_label_comment(const VorbisComment& comment) {
    return is_label_name(comment.name) || is_tc260_label(comment.value);
}

Buffer edit_vorbis_comments(Bytes list, const VorbisComments& comments,
                            std::optional<std::string_view> value) {
    COLOPHON_ASSERT(comments.end <= list.size());
    Buffer body;
    std::uint32_t count = 0;
    bool written = !value.has_value();
    for (const VorbisComment& comment : comments.comments) {
        if (!is_label_comment(comment)) {
            append(body, list.subspan(comment.offset, comment.end - comment.offset));
            ++count;
        } else if (!written) {
            append_comment(body, *value);
            ++count;
            written = true;
        }
    }
    if (!written) {
        append_comment(body, *value);
        ++count;
    }
    Buffer out = to_buffer(list.first(comments.count_offset));
    append_le32(out, count);
    append(out, body);
    append(out, list.subspan(comments.end));
    return out;
}

void collect_vorbis_labels(MetadataReading& reading, const VorbisComments& comments,
                           std::uint64_t base, std::string_view where) {
    for (const VorbisComment& comment : comments.comments) {
        if (is_label_comment(comment)) {
            collect_site(reading, {.where = std::string(where) + " " + printable_name(comment.name),
                                   .value = std::string(comment.value),
                                   .offset = base + comment.offset,
                                   .standard_place = is_label_name(comment.name)});
        }
    }
}

}  // namespace colophon::label::internal
