// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the readers of picture files put together a MetadataReading: the bound on sites, and what an
// XMP packet, an EXIF block and a text of general use contribute.

#include "core/bytes.h"
#include "label/metadata/container.h"

#include <cstdint>
#include <string_view>

namespace colophon::label::internal {

// Adds a site; beyond limits::kLabelSitesMax and for values above limits::kLabelBytesMax a finding
// ("metadata.too_many", "metadata.too_long") instead.
void add_site(MetadataReading& reading, LabelSite site);

// The labels of an XMP packet and its IPTC fields (the first packet that has one decides). A packet
// that cannot be read is the finding "metadata.xmp", not an error: the file around it is sound.
void add_xmp(MetadataReading& reading, Bytes packet, LabelSite site);

// Both say `damaged_label` when the bytes of a label are in what cannot be read.

// The labels in EXIF; "metadata.exif" when it cannot be read.
void add_exif(MetadataReading& reading, Bytes tiff, std::uint64_t base_offset,
              std::string_view where_prefix);

// The labels in a text of general use; `site` names the place, its value is ignored.
void add_text(MetadataReading& reading, std::string_view text, const LabelSite& site);

}  // namespace colophon::label::internal
