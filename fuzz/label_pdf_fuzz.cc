// SPDX-License-Identifier: Apache-2.0
// Reads any bytes as a PDF: its label and its credential.

#include "core/bytes.h"
#include "label/format.h"
#include "label/provenance/carrier.h"
#include "label_carrier.h"
#include "label_pictures.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using colophon::label::Format;
    const colophon::Bytes file(data, size);
    colophon::label::check_container(Format::kPdf, file);
    colophon::label::provenance::check_carrier(
        *colophon::label::provenance::find_carrier(Format::kPdf), file);
    return 0;
}
