// SPDX-License-Identifier: Apache-2.0
#include "core/assert.h"
#include "core/bytes.h"
#include "core/splice.h"
#include "label/provenance/carrier.h"

#include <cstddef>
#include <cstdint>

// The first byte chooses the carrier. What every row of the table of carriers promises, for any
// bytes: a store that was placed is found where it was said to be, and placing it again changes
// nothing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using colophon::Buffer;
    using colophon::Bytes;
    namespace provenance = colophon::label::provenance;
    if (size == 0) {
        return 0;
    }
    const auto carriers = provenance::all_carriers();
    const provenance::Carrier& carrier = carriers[data[0] % carriers.size()];
    const Bytes file(data + 1, size - 1);
    const auto before = carrier.find(file);
    Buffer store;
    colophon::append_be32(store, 300);
    colophon::append(store, "jumb");
    colophon::append_be32(store, 30);
    colophon::append(store, "jumdc2pa");
    store.resize(300);
    const auto placed = carrier.place(file, store);
    if (!before.ok() || !placed.ok()) {
        return 0;
    }
    const Buffer written = colophon::apply_splice(file, placed->splice);
    const auto found = carrier.find(written);
    COLOPHON_ASSERT(found.ok());
    COLOPHON_ASSERT(found->has_value());
    if (!(*found)->problem.empty()) {
        return 0;
    }
    COLOPHON_ASSERT((*found)->store == store);
    COLOPHON_ASSERT((*found)->ranges == placed->ranges);
    const auto again = carrier.place(written, store);
    COLOPHON_ASSERT(again.ok());
    COLOPHON_ASSERT(colophon::apply_splice(written, again->splice) == written);
    return 0;
}
