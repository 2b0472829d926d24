// SPDX-License-Identifier: Apache-2.0
#pragma once

// What was asked about a person and what came of it, as a record of the service [DSP-9]. The record
// is made before the transaction that keeps the state and written by that transaction: no state
// without its record, no record without its state.

#include "core/clock.h"
#include "core/ids.h"
#include "core/random.h"
#include "identity/verification.h"
#include "ledger/conduct.h"
#include "ledger/records.h"
#include "storage/store.h"

#include <functional>
#include <string_view>

namespace colophon::identity {

struct VerificationEvent {
    std::string_view operation;  // "subject.verify", "subject.code"
    TenantId tenant;
    SubjectId subject;
    Means means = Means::kResidentId;
    // The state that the ask led to; "discarded" when an answer came for an account that was closed
    // or asked anew meanwhile, so that it changed nothing.
    std::string_view state;
    const VerificationAnswer* answer = nullptr;  // absent where nobody was asked
};

// An error ends the verification: its state is not kept either.
using VerificationRecorder = std::function<Result<storage::Batch>(const VerificationEvent&)>;

// Records in the service's log, sealed under the subject's key. `actor` is who asked. What is given
// lives longer.
struct VerificationRecords {
    ledger::Records& records;
    Clock& clock;
    Random& random;
};
VerificationRecorder verification_recorder(const VerificationRecords& parts, ledger::Actor actor);

}  // namespace colophon::identity
