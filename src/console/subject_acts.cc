// SPDX-License-Identifier: Apache-2.0
#include "console/subject_acts.h"

#include "core/ids.h"
#include "core/result.h"
#include "identity/provider_chain.h"
#include "identity/subjects.h"
#include "identity/verification.h"

#include <fmt/format.h>

#include <string>

namespace colophon::console {
Result<identity::VerificationState> verify_subject(const VerifyParts& parts, const TenantId& tenant,
                                                   const SubjectId& subject,
                                                   identity::Claim claim) {
    if (!parts.providers.verifies(claim.means)) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("no provider of the configuration verifies by {}",
                                 identity::means_name(claim.means))};
    }
    if (claim.idempotency_key.empty()) {
        const auto random = TRY(make_random_id<RecordId>(parts.random));
        claim.idempotency_key = to_string(random);
    }
    return parts.subjects.verify(tenant, subject, claim,
                                 [&](const identity::VerificationRequest& request) {
                                     return parts.providers.verify(request);
                                 });
}

}  // namespace colophon::console
