// SPDX-License-Identifier: Apache-2.0
#pragma once

// Labels in EXIF (CIPA DC-008): UserComment, ImageDescription and XPComment, where TC260 Annex B
// and several vendors put them. Shared by JPEG (APP1), PNG (eXIf), WebP (EXIF chunk), HEIF (Exif
// item) and TIFF itself. Reads only; EXIF is never rebuilt, so offsets of maker notes stay true.

#include "core/bytes.h"
#include "label/metadata/container.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace colophon::label {

// The values that may be labels (may_be_label) in a TIFF structure, in the order UserComment,
// ImageDescription, XPComment. `tiff` starts at the byte order mark ("II" or "MM"); `base_offset`
// is its place in the file; `where_prefix` names the carrier: "jpeg" gives "jpeg EXIF UserComment".
// A structure that is broken is kCorrupt; a value that cannot be decoded is no label.
Result<std::vector<LabelSite>> find_exif_labels(Bytes tiff, std::uint64_t base_offset,
                                                std::string_view where_prefix);

// New bytes for a range of the same length.
struct ExifPatch {
    std::uint64_t offset = 0;  // from the start of `tiff`
    Buffer bytes;
};

// What to overwrite so that no TC260 label is left: the label is replaced by zeros (the whole value
// is the label) or spaces (it stands inside other text). Disclosures of other schemas, which are
// not TC260 labels, stay. In ascending order of offset, without overlaps.
Result<std::vector<ExifPatch>> blank_exif_labels(Bytes tiff);

}  // namespace colophon::label
