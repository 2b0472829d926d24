// SPDX-License-Identifier: Apache-2.0
#pragma once

// A name that one holder has at a time, for work that must not be done twice at once, such as the
// sequencing of the log. A holder that stalls loses it when its time is over; what it then still
// writes is refused, because each holder has a larger token than the one before and puts fence()
// into its batches. Safety rests on the fence alone, not on clocks.

#include "core/clock.h"
#include "core/random.h"
#include "storage/store.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::storage {

struct Lease {
    std::string name;
    Buffer holder;           // random, so that nobody takes another's lease for its own
    std::int64_t token = 0;  // grows from holder to holder
    Time until;
};

// Nothing when somebody else holds it.
Result<std::optional<Lease>> acquire_lease(Store& store, std::string_view name,
                                           std::chrono::milliseconds duration, Time now,
                                           Random& random);
// Error{kConflict} when it was lost; it may be that nobody else has it yet.
Result<Lease> renew_lease(Store& store, const Lease& lease, std::chrono::milliseconds duration,
                          Time now);
// Lets go before its time, so that the next one need not wait. No error when it was lost.
Result<void> release_lease(Store& store, const Lease& lease);

// First in a batch: the batch fails with Error{kConflict} unless the lease is still held, and
// nobody can take it over until the batch is committed.
Operation fence(const Lease& lease, Time now);

}  // namespace colophon::storage
