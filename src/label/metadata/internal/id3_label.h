// SPDX-License-Identifier: Apache-2.0
#pragma once

// The label in ID3v2 tags: a user text frame with the description AIGC. Shared by MP3, by FLAC
// files with a tag in front and by the `id3 ` chunk of WAV.

#include "core/bytes.h"
#include "label/container/id3v2.h"
#include "label/metadata/container.h"

#include <optional>
#include <string_view>

namespace colophon::label::internal {

// Adds the labels of a tag. `where` names the carrier ("mp3 ID3v2"); `standard` tells whether the
// frame AIGC is the place of the standard there.
void collect_id3_labels(MetadataReading& reading, Bytes file, const Id3Tag& tag,
                        std::string_view where, bool standard);

// The tag with exactly one label, where the first stood or behind the last frame; with no `value`,
// without any. Nothing when that is how the tag already is. Errors: those of make_id3_tag.
Result<std::optional<Buffer>> edit_id3_label(Bytes file, const Id3Tag& tag,
                                             std::optional<std::string_view> value);

}  // namespace colophon::label::internal
