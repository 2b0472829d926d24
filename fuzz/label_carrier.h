// SPDX-License-Identifier: Apache-2.0
#pragma once

// What every row of the table of carriers promises, for any bytes: a store that was placed is found
// where it was said to be, and placing it again changes nothing.

#include "core/assert.h"
#include "core/bytes.h"
#include "core/splice.h"
#include "label/provenance/carrier.h"

namespace colophon::label::provenance {

inline void check_carrier(const Carrier& carrier, Bytes file) {
    const auto before = carrier.find(file);
    Buffer store;
    append_be32(store, 300);
    append(store, "jumb");
    append_be32(store, 30);
    append(store, "jumdc2pa");
    store.resize(300);
    const auto placed = carrier.place(file, store);
    if (!before.ok() || !placed.ok()) {
        return;
    }
    const Buffer written = apply_splice(file, placed->splice);
    const auto found = carrier.find(written);
    COLOPHON_ASSERT(found.ok());
    COLOPHON_ASSERT(found->has_value());
    if (!(*found)->problem.empty()) {
        return;
    }
    COLOPHON_ASSERT((*found)->store == store);
    COLOPHON_ASSERT((*found)->ranges == placed->ranges);
    const auto again = carrier.place(written, store);
    COLOPHON_ASSERT(again.ok());
    COLOPHON_ASSERT(apply_splice(written, again->splice) == written);
}

}  // namespace colophon::label::provenance
