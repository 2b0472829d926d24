// SPDX-License-Identifier: Apache-2.0
// Reads any bytes as an Office file: its archive, its content types and its credential.

#include "core/bytes.h"
#include "label/format.h"
#include "label/provenance/carrier.h"
#include "label_carrier.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using colophon::label::Format;
    colophon::label::provenance::check_carrier(
        *colophon::label::provenance::find_carrier(Format::kDocx), colophon::Bytes(data, size));
    return 0;
}
