// SPDX-License-Identifier: Apache-2.0
#include "core/assert.h"
#include "core/bytes.h"
#include "label/metadata/container.h"
#include "label/provenance/carrier.h"
#include "label/provenance/credential_link.h"
#include "label_carrier.h"

#include <cstddef>
#include <cstdint>
#include <string>

// The first byte chooses the carrier.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace provenance = colophon::label::provenance;
    if (size == 0) {
        return 0;
    }
    const auto carriers = provenance::all_carriers();
    const provenance::Carrier& carrier = carriers[data[0] % carriers.size()];
    const colophon::Bytes file(data + 1, size - 1);
    const std::string link = provenance::find_credential_link(file, carrier.format);
    COLOPHON_ASSERT(link.size() <= colophon::label::kCredentialLinkBytesMax + 1);
    provenance::check_carrier(carrier, file);
    return 0;
}
