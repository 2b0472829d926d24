// SPDX-License-Identifier: Apache-2.0
// Reads any bytes as an XMP packet; when that works and a label can be written, the result must
// hold exactly that label, and writing it again must change nothing.

#include "core/bytes.h"
#include "label/metadata/container.h"
#include "label/metadata/xmp.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace colophon;         // NOLINT(google-build-using-namespace): one small program
using namespace colophon::label;  // NOLINT(google-build-using-namespace)

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view packet = as_text(Bytes(data, size));
    const auto before = read_xmp(packet);
    const MetadataFields fields{
        .aigc = R"({"Label":"1","ContentProducer":"x","ReservedCode1":"<&>'\""})",
        .iptc = {
            .digital_source_type = "urn:s", .ai_system_used = "a", .ai_system_version_used = "1"}};
    const auto out = write_xmp(packet, fields);
    if (!out.ok()) {
        return 0;
    }
    require(before.ok());
    const auto after = read_xmp(*out);
    require(after.ok() && after->aigc.size() == 1 && after->aigc.front() == fields.aigc);
    require(after->iptc.digital_source_type == "urn:s" && after->iptc.ai_system_used == "a");
    const auto again = write_xmp(*out, fields);
    require(again.ok() && *again == *out);
    return 0;
}
