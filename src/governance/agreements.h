// SPDX-License-Identifier: Apache-2.0
#pragma once

// Agreements with users who want content without its explicit label [AILM-9]: only after the
// agreement with a user has fixed that labelling is the user's duty, and who is liable, may the
// service leave the explicit label out. The implicit label is never left out.
//
//   proposed ──► granted ──► revoked
//      └───────► refused
//
// What one person of the staff proposes another one grants; anybody who may do either may revoke.
// An agreement is for one user of one tenant, for a purpose and for a time that ends. The signed
// text stays with the operator; its digest stands here. Each step is a record of conduct, written
// by its own transaction. What is released is a record of its own kind (ledger/record.h).
//
// Threads: any method from any thread at the same time; each blocks.

#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/random.h"
#include "ledger/conduct.h"
#include "storage/migration.h"
#include "storage/store.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::governance {

std::span<const storage::Migration> agreement_migrations();

using AgreementId = RandomId<struct AgreementTag>;

inline constexpr std::size_t kPurposeBytesMax = 2000;  // and of reasons
inline constexpr std::size_t kDocumentBytesMax = 200;
inline constexpr std::chrono::days kAgreementMax{366};  // then it is to be made anew

enum class AgreementState : std::uint8_t { kProposed = 1, kGranted, kRefused, kRevoked };
std::string_view agreement_state_name(AgreementState state) noexcept;  // "proposed", ...
std::optional<AgreementState> parse_agreement_state(std::string_view name) noexcept;

struct Terms {
    TenantId tenant;
    SubjectId subject;
    std::string purpose;   // what the content is for; 1 to kPurposeBytesMax bytes on one line
    std::string document;  // by which the operator finds the signed text
    Digest256 digest;      // SHA-256 of that text
    Time from;
    Time until;
};

struct Agreement {
    AgreementId id;
    Terms terms;
    AgreementState state = AgreementState::kProposed;
    std::string proposed_by;
    Time proposed;
    std::string decided_by;  // who granted or refused
    std::optional<Time> decided;
    std::string revoked_by;
    std::optional<Time> revoked;
    std::string reason;  // of a refusal, or of the revocation
};

struct AgreementQuery {
    std::optional<TenantId> tenant;
    std::optional<SubjectId> subject;
    std::optional<AgreementState> state;
};

// What a call is let out under.
struct Covering {
    AgreementId id;
    Digest256 digest;
};
// The granted agreement that is in force for this user now, the one that ends last; nothing when
// there is none. One query, answered by the store: what was revoked covers nothing any more.
Result<std::optional<Covering>> covering_agreement(storage::Store& store, const TenantId& tenant,
                                                   const SubjectId& subject, Time now);

class Agreements {
public:
    // All that is passed in outlives this.
    Agreements(storage::Store& store, Clock& clock, Random& random, const ledger::Conduct& conduct)
        : store_(store), clock_(clock), random_(random), conduct_(conduct) {}

    // kInvalidArgument says which of the terms is wrong; kNotFound when the tenant has no such
    // user; kConflict when the user's account is closed.
    Result<Agreement> propose(const Terms& terms, const std::string& by);
    // kDenied for whoever proposed it; kConflict when it is not proposed, or over.
    Result<Agreement> grant(const AgreementId& id, const std::string& by);
    Result<Agreement> refuse(const AgreementId& id, const std::string& by,
                             const std::string& reason);
    // From the moment that this returns nothing is let out under it. kConflict when it is not
    // granted.
    Result<Agreement> revoke(const AgreementId& id, const std::string& by,
                             const std::string& reason);

    // The newest first, at most kAgreementsListMax.
    static constexpr std::size_t kAgreementsListMax = 10'000;
    Result<std::vector<Agreement>> list(const AgreementQuery& query);
    Result<Agreement> find(const AgreementId& id);

private:
    struct Step;
    Result<Agreement> move(const Step& step, const AgreementId& id, const std::string& by,
                           const std::string& reason);

    storage::Store& store_;
    Clock& clock_;
    Random& random_;
    const ledger::Conduct& conduct_;
};

}  // namespace colophon::governance
