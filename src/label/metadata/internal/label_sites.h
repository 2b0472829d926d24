// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the readers and writers of sounds and of RIFF files share: the bound on sites, the name AIGC
// in its spellings, and XMP packets inside chunks.

#include "core/bytes.h"
#include "label/finding.h"
#include "label/metadata/container.h"

#include <optional>
#include <string>
#include <string_view>

namespace colophon::label::internal {

// The key AIGC in any case.
bool is_label_name(std::string_view name) noexcept;

// Whether a text is a TC260 label and nothing else; never above limits::kLabelBytesMax.
bool is_tc260_label(std::string_view text);

// Whether a value may be written: kLimit above limits::kLabelBytesMax.
Result<void> check_label_bytes(std::string_view value);

// A name from a file, fit for people: at most 32 characters, others than ASCII letters as '?'.
std::string printable_name(std::string_view name);

// Adds a finding, unless there are limits::kLabelSitesMax already: a file of a million broken
// chunks is not worth a million sentences.
void collect_finding(MetadataReading& reading, Finding finding);

// Adds a site; beyond limits::kLabelSitesMax and for values above limits::kLabelBytesMax a finding
// ("metadata.too_many", "metadata.too_long") instead.
void collect_site(MetadataReading& reading, LabelSite site);

// Adds the labels of an XMP packet and its IPTC fields, unless a packet before had some. A packet
// that cannot be read is the finding "metadata.xmp", not an error: the file around it is sound.
void collect_xmp(MetadataReading& reading, Bytes packet, const LabelSite& site);

// The packet without its TC260 labels; nothing when it has none or cannot be read.
std::optional<std::string> strip_xmp_labels(Bytes packet);

}  // namespace colophon::label::internal
