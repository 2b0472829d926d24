// SPDX-License-Identifier: Apache-2.0
// Reads any bytes as an XMP packet; when that works and a label can be written, the result must
// hold exactly that label, and writing it again must change nothing.

#include "core/assert.h"
#include "core/bytes.h"
#include "label/metadata/container.h"
#include "label/metadata/xmp.h"
#include "label_documents.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace colophon::label {
namespace {

void check_packet(std::string_view packet) {
    const auto before = read_xmp(packet);
    const MetadataFields fields = awkward_fields();
    const auto out = write_xmp(packet, fields);
    if (!out.ok()) {
        return;
    }
    COLOPHON_ASSERT(before.ok());
    const auto after = read_xmp(*out);
    COLOPHON_ASSERT(after.ok());
    COLOPHON_ASSERT(after->aigc.size() == 1);
    COLOPHON_ASSERT(after->aigc.front() == fields.aigc);
    COLOPHON_ASSERT(after->iptc.digital_source_type == fields.iptc.digital_source_type);
    COLOPHON_ASSERT(after->iptc.ai_system_used == fields.iptc.ai_system_used);
    const auto again = write_xmp(*out, fields);
    COLOPHON_ASSERT(again.ok());
    COLOPHON_ASSERT(*again == *out);
}

}  // namespace
}  // namespace colophon::label

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    colophon::label::check_packet(colophon::as_text(colophon::Bytes(data, size)));
    return 0;
}
