// SPDX-License-Identifier: Apache-2.0
// The answers of an S3 store are somebody else's bytes.

#include "core/assert.h"
#include "core/bytes.h"
#include "storage/internal/s3_xml.h"

#include <cstddef>
#include <cstdint>

namespace colophon::storage {
namespace {

std::size_t count(const XmlElement& element, std::size_t depth) {
    COLOPHON_ASSERT(depth <= kS3XmlDepthMax);
    COLOPHON_ASSERT(!element.name.empty());
    std::size_t all = 1;
    for (const XmlElement& child : element.children) {
        all += count(child, depth + 1);
    }
    return all;
}

}  // namespace
}  // namespace colophon::storage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto document = colophon::storage::parse_s3_xml(colophon::as_text({data, size}));
    if (document.ok()) {
        COLOPHON_ASSERT(colophon::storage::count(*document, 1) <=
                        colophon::storage::kS3XmlElementsMax);
    }
    return 0;
}
