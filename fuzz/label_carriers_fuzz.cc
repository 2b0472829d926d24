// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "label/provenance/carrier.h"
#include "label_carrier.h"

#include <cstddef>
#include <cstdint>

// The first byte chooses the carrier.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace provenance = colophon::label::provenance;
    if (size == 0) {
        return 0;
    }
    const auto carriers = provenance::all_carriers();
    const provenance::Carrier& carrier = carriers[data[0] % carriers.size()];
    provenance::check_carrier(carrier, colophon::Bytes(data + 1, size - 1));
    return 0;
}
