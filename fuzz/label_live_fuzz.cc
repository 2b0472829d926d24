// SPDX-License-Identifier: Apache-2.0
#include "core/assert.h"
#include "core/bytes.h"
#include "label/format.h"
#include "label/provenance/hashing.h"
#include "label/provenance/validate.h"

#include <cstddef>
#include <cstdint>
#include <vector>

// A movie in several files, the beginning first, each behind its length:32: segments with manifests
// or with what a session key signed. Nobody is trusted, so nothing is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace provenance = colophon::label::provenance;
    constexpr std::size_t kPartsMax = 16;
    std::vector<colophon::Bytes> parts;
    colophon::Bytes rest(data, size);
    while (rest.size() >= 4 && parts.size() < kPartsMax) {
        const std::size_t length = colophon::load_be32(rest);
        rest = rest.subspan(4);
        if (length > rest.size()) {
            break;
        }
        parts.push_back(rest.first(length));
        rest = rest.subspan(length);
    }
    if (parts.size() < 2) {
        return 0;
    }
    const std::vector<provenance::FileView> segments(parts.begin() + 1, parts.end());
    const auto reading = provenance::read_fragmented_credential(parts.front(), segments,
                                                                colophon::label::Format::kMp4, {});
    COLOPHON_ASSERT(!reading.ok() || !reading->trusted());
    return 0;
}
