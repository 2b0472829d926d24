// SPDX-License-Identifier: Apache-2.0
// Reads any bytes as a drawing; when that works and a label can be written, the result must hold
// exactly that label, and writing it again must change nothing.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/metadata/container.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

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
    const Bytes file(data, size);
    const Container* container = find_container(Format::kSvg);
    const auto before = container->read(file);
    const MetadataFields fields{
        .aigc = R"({"Label":"1","ContentProducer":"x","ReservedCode1":"<&>'\""})",
        .iptc = {
            .digital_source_type = "urn:s", .ai_system_used = "a", .ai_system_version_used = "1"}};
    const auto splice = container->write(file, fields);
    if (!splice.ok()) {
        return 0;
    }
    require(before.ok());
    const Buffer out = apply_splice(file, *splice);
    const auto after = container->read(out);
    require(after.ok() && after->sites.size() == 1);
    require(after->sites.front().value == fields.aigc && after->sites.front().standard_place);
    const auto again = container->write(out, fields);
    require(again.ok() && apply_splice(out, *again) == out);
    return 0;
}
