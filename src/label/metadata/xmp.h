// SPDX-License-Identifier: Apache-2.0
#pragma once

// The XMP packet (ISO 16684-1) with the TC260 label and the IPTC fields in it, shared by every
// container that carries XMP. Editing is textual: everything in the packet that is not ours stays
// byte for byte.
//
//   namespace http://www.tc260.org.cn/ns/AIGC/1.0/ (prefix TC260), property AIGC = the JSON text
//   namespace http://iptc.org/std/Iptc4xmpExt/2008-02-29/, DigitalSourceType, AISystemUsed,
//   AISystemVersionUsed

#include "core/result.h"
#include "label/finding.h"
#include "label/metadata/container.h"

#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {

struct XmpReading {
    std::vector<std::string> aigc;  // every TC260:AIGC found, element or attribute form, unescaped
    IptcFields iptc;
    std::string credential_link;  // as in MetadataReading
    Findings findings;
};

// `packet`: UTF-8, or UTF-16/UTF-32 with a byte order mark. Prefixes are looked up, not assumed.
// kLimit above limits::kXmpBytesMax or kXmlDepthMax; kCorrupt for XML that is not well-formed and
// for any DTD or entity declaration, with the byte in the packet.
Result<XmpReading> read_xmp(std::string_view packet);

// Whether a block that cannot be read (XMP or EXIF) still holds the bytes of a label: the name of
// the namespace or of one of the fields, in UTF-8, UTF-16 or UTF-32.
bool holds_label_bytes(std::string_view block);

// kInvalidArgument or kLimit names the field that no packet can hold.
Result<void> check_xmp_fields(const MetadataFields& fields);

// The packet with exactly one TC260:AIGC and the given IPTC fields (what empty ones mean stands at
// MetadataFields). An empty `packet` yields a new one. The result is UTF-8 (a UTF-16 packet is
// converted). Same errors as read_xmp.
Result<std::string> write_xmp(std::string_view packet, const MetadataFields& fields);

}  // namespace colophon::label
