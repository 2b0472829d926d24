// SPDX-License-Identifier: Apache-2.0
#pragma once

// How long records are kept, and how they go [DSP-10] [DSP-16]. The Cybersecurity Law and the
// Labelling Measures, article 9 [AILM-9], ask for at least six months of logs; disposals and other
// administration are kept three years. Records on legal hold stay whatever their age.
//
// A purge leaves proof: it is itself a record (and so a leaf of the log) that commits to the list
// of what it removed and names the rule. The leaves of purged records stay in their log, so nothing
// can be said to have never been.

#include "core/clock.h"
#include "core/ids.h"
#include "ledger/conduct.h"
#include "ledger/records.h"
#include "storage/migration.h"
#include "storage/store.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace colophon::ledger {

inline constexpr std::chrono::days kRetentionLeast{180};
// Of what was given out without explicit label [AILM-9]: six months, however long they are.
inline constexpr std::chrono::days kReleaseRetentionLeast{184};

struct RetentionPolicy {
    std::chrono::days service{366};
    std::chrono::days conduct{3 * 366};

    // kInvalidArgument when a period is shorter than kRetentionLeast.
    Result<void> check() const;
    std::chrono::days of(RecordKind kind) const noexcept;
};

std::span<const storage::Migration> retention_migrations();

// Whose records stay. With both absent: everything in the range of time.
struct LegalHold {
    std::string id;  // set by place_hold()
    std::optional<TenantId> tenant;
    std::optional<SubjectId> subject;
    Time from;
    Time until;
    std::string reason;  // the order's number; no personal data
    StaffId placed_by;
    Time placed_at;
};
// Both are records of conduct ("hold.place", "hold.lift"), written by the same transaction.
Result<std::string> place_hold(storage::Store& store, const LegalHold& hold, const Conduct& conduct,
                               Random& random);
// kNotFound when there is no such hold, or it was lifted.
struct LiftedHold {
    std::string id;
    StaffId by;
    Time at;
};
Result<void> lift_hold(storage::Store& store, const LiftedHold& lifted, const Conduct& conduct);
Result<std::vector<LegalHold>> holds(storage::Store& store);

// Removes what is past its time, at most `batches_max` transactions of kPurgeBatchRecords records.
// Each writes one record of kind kPurge. Their blobs go with RecordContents::release_due().
// Error{kConflict} when holds were placed meanwhile: what was purged before stays so.
struct PurgeReport {
    std::int64_t removed = 0;
    bool more = false;  // there is more to remove
};
inline constexpr std::size_t kPurgeBatchRecords = 1000;
struct Purge {
    RetentionPolicy policy;
    Time now;
    TenantId service;  // in whose name the purge is recorded
    std::size_t batches_max = 100;
};
Result<PurgeReport> purge(storage::Store& store, Records& records, const Purge& purge,
                          Random& random);

// For the transaction that erases a subject: the blobs of its records are due to be released.
storage::Operation release_contents_of(SubjectId subject);

}  // namespace colophon::ledger
