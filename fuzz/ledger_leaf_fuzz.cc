// SPDX-License-Identifier: Apache-2.0
// A leaf that is read is written back as it was, and the checker reads exactly the same leaves.

#include "core/assert.h"
#include "core/bytes.h"
#include "ledger/leaf.h"
#include "ledger/verify/proof.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const colophon::Bytes bytes(data, size);
    const auto leaf = colophon::ledger::parse_leaf(bytes);
    const auto reading = colophon::ledger::verify::read_leaf(bytes);
    COLOPHON_ASSERT(leaf.ok() == reading.has_value());
    if (leaf.ok()) {
        COLOPHON_ASSERT(colophon::ledger::encode_leaf(*leaf).value() == colophon::to_buffer(bytes));
        COLOPHON_ASSERT(reading->type == leaf->type && reading->object == leaf->object &&
                        reading->commitments.size() == leaf->commitments.size());
    }
    return 0;
}
