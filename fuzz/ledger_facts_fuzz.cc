// SPDX-License-Identifier: Apache-2.0
// Packed facts of a record: any bytes as such, and any text through packing and back.

#include "core/assert.h"
#include "core/bytes.h"
#include "ledger/internal/packed_facts.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using colophon::ledger::internal::pack_facts;
    using colophon::ledger::internal::unpack_facts;
    const colophon::Bytes input(data, size);
    const auto unpacked = unpack_facts(input);
    if (unpacked.ok()) {
        const auto again = unpack_facts(pack_facts(*unpacked));
        COLOPHON_ASSERT(again.ok() && *again == *unpacked);
    }
    const auto text = colophon::as_text(input);
    const auto back = unpack_facts(pack_facts(text));
    COLOPHON_ASSERT(back.ok() && *back == text);
    return 0;
}
