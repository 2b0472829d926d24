// SPDX-License-Identifier: Apache-2.0
#pragma once

// The verification of a user by the providers of the configuration, with its record [DSP-9]: what
// the command line and the management API both do.

#include "core/ids.h"
#include "core/random.h"
#include "core/result.h"
#include "identity/provider_chain.h"
#include "identity/subjects.h"

namespace colophon::console {

struct VerifyParts {
    identity::Subjects& subjects;  // with a recorder of verifications
    identity::ProviderChain& providers;
    Random& random;
};

// kInvalidArgument when no provider verifies by these means; otherwise as Subjects::verify(). An
// empty idempotency key of the claim becomes a random one.
Result<identity::VerificationState> verify_subject(const VerifyParts& parts, const TenantId& tenant,
                                                   const SubjectId& subject, identity::Claim claim);

}  // namespace colophon::console
