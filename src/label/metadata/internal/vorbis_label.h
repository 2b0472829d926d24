// SPDX-License-Identifier: Apache-2.0
#pragma once

// The label among Vorbis comments, shared by FLAC, Ogg Vorbis and Opus.

#include "core/bytes.h"
#include "label/container/vorbis_comment.h"
#include "label/metadata/container.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace colophon::label::internal {

// Whether the comment is a label: its name is AIGC in any case, or its whole text is a TC260 label.
bool is_label_comment(const VorbisComment& comment);

// The list with exactly one comment AIGC=`value`, where the first label stood or behind the last
// comment, and without other labels; with no `value`, without any. The rest is copied, what follows
// the list too.
Buffer edit_vorbis_comments(Bytes list, const VorbisComments& comments,
                            std::optional<std::string_view> value);

// Adds the labels of a list to a reading. `base` is the place of the list in the file, `where`
// names the carrier ("flac Vorbis comment").
void collect_vorbis_labels(MetadataReading& reading, const VorbisComments& comments,
                           std::uint64_t base, std::string_view where);

}  // namespace colophon::label::internal
