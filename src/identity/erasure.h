// SPDX-License-Identifier: Apache-2.0
#pragma once

// Erasing a person: what is known of the subject goes, then the data key under which everything
// else about it is sealed. Each of the two steps writes its record in its own transaction: an act
// of administration, then a record of kind kErasure. A crash in between leaves a subject that is
// closed and nameless and a key that the next call destroys, or the next start where a tombstone
// says so (finish_erasures()).
//
// The law also asks to keep: logs for half a year at least, and whatever an authority put on hold.
// A hold always wins. Younger records only yield to a caller who says that they must.

#include "core/clock.h"
#include "core/ids.h"
#include "identity/subjects.h"
#include "ledger/conduct.h"
#include "ledger/records.h"
#include "storage/data_keys.h"
#include "storage/store.h"

#include <string>

namespace colophon::identity {

struct Erasure {
    TenantId tenant;
    SubjectId subject;
    std::string reason;  // the request's number or an order; kept sealed
    bool despite_retention = false;
};

struct ErasureParts {
    storage::Store& store;
    storage::DataKeys& keys;
    Subjects& subjects;
    ledger::Records& records;
    const ledger::Conduct& conduct;
    Clock& clock;
};

// kNotFound when the tenant has no such subject; kConflict when a legal hold covers it, or its
// records have to be kept and `despite_retention` is not set; the message says until when. No error
// when it was done before.
Result<void> erase_subject(const ErasureParts& parts, const Erasure& erasure);

// The records of keys that a tombstone destroyed when the installation was opened: after a crash in
// the middle of an erasure, or a backup that was older than it.
Result<void> finish_erasures(storage::DataKeys& keys, const ledger::Conduct& conduct);

}  // namespace colophon::identity
