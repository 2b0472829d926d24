// SPDX-License-Identifier: Apache-2.0
#include "core/assert.h"
#include "core/bytes.h"
#include "label/provenance/cbor.h"

#include <cstddef>
#include <cstdint>

// What is read can be written, in one form that reads back as itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace cbor = colophon::label::cbor;
    const auto value = cbor::decode(colophon::Bytes(data, size));
    if (value.ok()) {
        const colophon::Buffer once = cbor::encode(*value);
        const auto again = cbor::decode(once);
        COLOPHON_ASSERT(again.ok());
        COLOPHON_ASSERT(cbor::encode(*again) == once);
    }
    return 0;
}
