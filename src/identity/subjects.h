// SPDX-License-Identifier: Apache-2.0
#pragma once

// The end users of a tenant and what is known of who they are [DSP-9].
//
// A subject is registered by the tenant's own name for it (the `user` field of a call), of which we
// keep a blind index only. It is verified by one of four means; publishing services ask standing()
// before they serve it. Numbers and days of birth are kept sealed under the subject's own key, and
// destroying that key is erasing the person.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/random.h"
#include "identity/provider.h"
#include "identity/recorder.h"
#include "identity/sealer.h"
#include "identity/verification.h"
#include "identity/verification_record.h"
#include "storage/store.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::identity {

enum class SubjectKind : std::uint8_t { kPerson, kOrganisation };

// How old a person is as far as the law asks; kUnknown until a resident number was verified.
enum class AgeClass : std::uint8_t { kUnknown, kUnder14, kMinor, kAdult };

enum class VerificationState : std::uint8_t {
    kUnverified,  // never asked, or the provider could not judge
    kPending,     // the provider is being asked now
    kVerified,
    kMismatch,
    kNoRecord,
    kInvalid,  // the provider takes the values for malformed
    kExpired,  // was verified, too long ago
};
std::string_view state_name(VerificationState state) noexcept;  // "unverified", ...

struct VerificationEntry {
    Means means = Means::kMobile;
    VerificationState state = VerificationState::kUnverified;
    std::string shown;  // "138****1234"; empty where nothing may be shown
    std::string provider;
    std::string assurance;
    std::optional<Time> checked;
    std::optional<Time> expires;
};

struct Standing {
    bool verified = false;  // by one of the means, not expired, and the account is not closed
    bool closed = false;
    SubjectKind kind = SubjectKind::kPerson;
    AgeClass age = AgeClass::kUnknown;
    bool needs_guardian = false;  // under 14 and no verified adult is named as guardian
    std::vector<VerificationEntry> verifications;
};

struct SubjectPolicy {
    int accounts_per_identity_max = 5;  // of one tenant, with the same number
    int asks_per_subject_a_day = 5;     // a bound for cost, and for guessing names to numbers
    int asks_per_value_a_day = 3;
    std::chrono::hours verified_for{24 * 365};
};

inline constexpr std::size_t kSubjectPageMax = 1000;
// A provider that answers at once has answered long before; whoever asked has died.
inline constexpr std::chrono::minutes kPendingMax{5};

struct SubjectKeys {
    Buffer index;  // of the blind indexes
    Buffer codes;  // of the one-time codes
};

// What a person gave. `number` is the mobile number, resident number, credit code or network token.
struct Claim {
    Means means = Means::kResidentId;
    std::string name;
    std::string number;
    std::string consent_reference;
    std::string idempotency_key;  // 1 to 64 of [A-Za-z0-9_-]
};

// Threads: all methods may be called at once. What is given lives longer.
class Subjects {
public:
    struct Parts {
        storage::Store& store;
        const Sealer& sealer;
        Clock& clock;
        Random& random;
        // NOLINTNEXTLINE(readability-redundant-member-init): for `{.store = ...}` without it
        Recorder recorder = {};  // of enrolling, guardians, closing and erasing
        // NOLINTNEXTLINE(readability-redundant-member-init): the same
        VerificationRecorder verifications = {};  // of codes sent and of what providers said
    };
    Subjects(const Parts& parts, SubjectKeys keys, const SubjectPolicy& policy = {})
        : parts_(parts), keys_(std::move(keys)), policy_(policy) {}

    // The subject of that name, registered now when it is new. kInvalidArgument for a reference
    // that is empty or longer than 256 bytes.
    Result<SubjectId> enrol(const TenantId& tenant, std::string_view reference, SubjectKind kind);
    // Nothing when there is none, or it is another tenant's.
    Result<std::optional<SubjectId>> find(const TenantId& tenant, std::string_view reference);

    // kNotFound when the tenant has no such subject.
    Result<Standing> standing(const TenantId& tenant, const SubjectId& subject);

    // Asks the provider, and keeps what came of it. The state afterwards is the answer: kUnverified
    // when the provider could not judge, which counts neither for nor against anybody.
    //   kInvalidArgument  the number or the name is malformed (nobody was asked)
    //   kConflict         the account is closed; the number has too many accounts; another ask is
    //                     going on; the kind of subject and the means do not fit
    //   kLimit            too many asks today
    // The same idempotency key again gives the state that it had, without asking.
    Result<VerificationState> verify(const TenantId& tenant, const SubjectId& subject,
                                     const Claim& claim, Provider& provider);
    // The same with whoever answers, a ProviderChain for example.
    using AskProvider = std::function<VerificationAnswer(const VerificationRequest&)>;
    Result<VerificationState> verify(const TenantId& tenant, const SubjectId& subject,
                                     const Claim& claim, const AskProvider& provider);

    // What a provider said later of an order that was pending: the state is its answer's, and the
    // order is over. kNotFound: there is no such order of this provider, it is over, or it was too
    // old. kConflict: the account was closed or asked anew meanwhile.
    Result<VerificationState> take_callback(std::string_view order,
                                            const VerificationAnswer& answer);

    // A code to be sent to a mobile number; the one before it ends. Errors as verify().
    Result<std::string> begin_mobile(const TenantId& tenant, const SubjectId& subject,
                                     std::string_view number);
    // The subject is verified by mobile number when the code is right. kDenied: it is wrong, old or
    // has been tried too often, with one message.
    Result<VerificationState> confirm_mobile(const TenantId& tenant, const SubjectId& subject,
                                             std::string_view number, std::string_view code);

    // Other subjects of the tenant that were verified by the same number as this one.
    Result<std::vector<SubjectId>> twins(const TenantId& tenant, const SubjectId& subject);
    // kInvalidArgument unless the guardian is a verified adult of the same tenant.
    Result<void> set_guardian(const TenantId& tenant, const SubjectId& subject,
                              const SubjectId& guardian);
    // For good: a verification that is on its way no longer counts.
    Result<void> close(const TenantId& tenant, const SubjectId& subject);
    // Closes it and removes what is known of the person: verifications, codes, the day of birth,
    // the guardian, and the way from the tenant's name to it. Whoever comes with that name
    // afterwards is a new subject. What is sealed elsewhere under the subject's key ends with the
    // key, which the caller destroys next. No error when it was done before.
    Result<void> erase(const TenantId& tenant, const SubjectId& subject);
    // In the order of ids, those above `after`; at most kSubjectPageMax.
    struct Listed {
        SubjectId id;
        SubjectKind kind = SubjectKind::kPerson;
        bool closed = false;
        Time created;
    };
    Result<std::vector<Listed>> list(const TenantId& tenant, const std::optional<SubjectId>& after);

private:
    struct Normalised;
    struct Ask;
    Result<Normalised> normalise(const Claim& claim) const;
    Result<std::optional<VerificationState>> begin(storage::Transaction& transaction,
                                                   const Ask& ask);
    Result<storage::Batch> prepare_record(const Ask& ask, std::string_view operation,
                                          std::string_view state, const VerificationAnswer* answer);
    Result<void> keep_answer(storage::Transaction& transaction, const Ask& ask,
                             const VerificationAnswer& answer);
    Result<void> keep_order(storage::Transaction& transaction, const Ask& ask,
                            const VerificationAnswer& answer);
    Result<Ask> ask_of(std::string_view order, std::string_view provider);
    Result<void> end_order(storage::Transaction& transaction, const Ask& ask);
    Result<VerificationState> finish(const Ask& ask, const VerificationAnswer& answer);
    Result<void> check_caps(storage::Snapshot& snapshot, const Ask& ask);
    Result<void> check_twins(storage::Snapshot& snapshot, const Ask& ask);
    Result<Buffer> sealed_number(const Ask& ask);
    Result<void> keep_birth(storage::Transaction& transaction, const Ask& ask);
    Result<AgeClass> age_of(const storage::Rows& subject);

    Parts parts_;
    SubjectKeys keys_;
    SubjectPolicy policy_;
};

}  // namespace colophon::identity
