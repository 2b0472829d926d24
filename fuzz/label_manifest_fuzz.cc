// SPDX-License-Identifier: Apache-2.0
#include "core/assert.h"
#include "core/bytes.h"
#include "label/format.h"
#include "label/provenance/crjson.h"
#include "label/provenance/validate.h"

#include <cstddef>
#include <cstdint>

// A manifest store that lies beside a file: JUMBF, claims, assertions, ingredients. Nobody is
// trusted, so nothing is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace provenance = colophon::label::provenance;
    const auto reading = provenance::read_detached(colophon::Bytes(data, size), {},
                                                   colophon::label::Format::kPng, {});
    COLOPHON_ASSERT(!reading.trusted());
    static_cast<void>(provenance::write_crjson(reading));
    return 0;
}
