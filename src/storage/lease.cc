// SPDX-License-Identifier: Apache-2.0
#include "storage/lease.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "storage/store.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::storage {
namespace {

constexpr std::size_t kHolderBytes = 16;

constexpr Statement kAcquire{
    "INSERT INTO leases (name, holder, token, until_at) VALUES ($1, $2, 1, $3)"
    " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = leases.token + 1,"
    " until_at = excluded.until_at WHERE leases.until_at <= $4"};
constexpr Statement kHeld{"SELECT token FROM leases WHERE name = $1 AND holder = $2"};
constexpr Statement kRenew{
    "UPDATE leases SET until_at = $4"
    " WHERE name = $1 AND holder = $2 AND token = $3 AND until_at > $5"};
constexpr Statement kFence{
    "UPDATE leases SET token = token"
    " WHERE name = $1 AND holder = $2 AND token = $3 AND until_at > $4"};
// The row stays, so that tokens go on growing.
constexpr Statement kRelease{
    "UPDATE leases SET until_at = 0 WHERE name = $1 AND holder = $2 AND token = $3"};

Value at(Time time) {
    return integer(time.time_since_epoch().count());
}

}  // namespace

Result<std::optional<Lease>> acquire_lease(Store& store, std::string_view name,
                                           std::chrono::milliseconds duration, Time now,
                                           Random& random) {
    COLOPHON_ASSERT(duration.count() > 0);
    Lease lease{.name = std::string(name),
                .holder = Buffer(kHolderBytes),
                .token = 0,
                .until = now + duration};
    TRY(random.fill(lease.holder));
    Batch batch;
    batch.operations.push_back(
        {.statement = kAcquire,
         .parameters = {text(name), bytes(lease.holder), at(lease.until), at(now)}});
    TRY(store.apply(std::move(batch)));
    const Rows rows = TRY(store.query(kHeld, {text(name), bytes(lease.holder)}));
    if (rows.empty()) {
        return std::optional<Lease>();
    }
    lease.token = TRY(rows.integer(0, 0));
    return std::optional(std::move(lease));
}

Result<Lease> renew_lease(Store& store, const Lease& lease, std::chrono::milliseconds duration,
                          Time now) {
    Lease renewed = lease;
    renewed.until = now + duration;
    Batch batch;
    batch.operations.push_back({.statement = kRenew,
                                .parameters = {text(lease.name), bytes(lease.holder),
                                               integer(lease.token), at(renewed.until), at(now)},
                                .affects = Affects::kOne});
    auto done = store.apply(std::move(batch));
    if (!done.ok()) {
        Error error = std::move(done).error();
        return error.code == ErrorCode::kConflict
                   ? Error{ErrorCode::kConflict, "the lease \"" + lease.name + "\" was lost"}
                   : std::move(error);
    }
    return renewed;
}

Result<void> release_lease(Store& store, const Lease& lease) {
    Batch batch;
    batch.operations.push_back(
        {.statement = kRelease,
         .parameters = {text(lease.name), bytes(lease.holder), integer(lease.token)}});
    return store.apply(std::move(batch));
}

Operation fence(const Lease& lease, Time now) {
    return {.statement = kFence,
            .parameters = {text(lease.name), bytes(lease.holder), integer(lease.token), at(now)},
            .affects = Affects::kOne};
}

}  // namespace colophon::storage
