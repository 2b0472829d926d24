// SPDX-License-Identifier: Apache-2.0
#pragma once

// Answers that are kept for a while under a key of the caller's, so that a call that is made again
// gets the answer that it had, on whichever node it arrives, and nothing is done twice.
//
//   claim() ──ours──> the call is served ──keep()────> answered: the same call gets the answer
//      │                                 └─release()─> free
//      └─busy, other, answered
//
// Who serves a call says that it still does (renew()); a claim that is not renewed for kClaimTime
// is free again, because its node has died. Answers are sealed under the key of the person that
// they are for, so that erasing the person makes them unreadable; keys and requests are kept as
// keyed digests only.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/random.h"
#include "core/result.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::storage {
class Sealer;
class Store;
struct Migration;
}  // namespace colophon::storage

namespace colophon::ledger {

std::span<const storage::Migration> answer_migrations();

inline constexpr std::chrono::milliseconds kClaimTime{20'000};
inline constexpr std::size_t kAnswerKeyBytesMax = 255;

struct KeptAnswer {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    // The answer was too large to be kept: there is no body, and it cannot be given again.
    bool too_large = false;
    RecordId record;  // of the call that made it
    std::optional<SubjectId> subject;
};

// The row of one key, and who holds it.
struct AnswerClaim {
    Digest256 row{};
    std::array<std::uint8_t, 16> token{};
};

enum class ClaimOutcome : std::uint8_t {
    kOurs,      // serve it, then keep() or release()
    kBusy,      // the same call is being served now
    kOther,     // the key was used for another request
    kAnswered,  // here is the answer
};
struct Claimed {
    ClaimOutcome outcome = ClaimOutcome::kOurs;
    AnswerClaim claim;  // for kOurs
    KeptAnswer answer;  // for kAnswered
};

// Threads: all methods may be called at once. They block.
class KeptAnswers {
public:
    struct Parts {
        storage::Store& store;
        storage::Sealer& sealer;
        Clock& clock;
        Random& random;
    };
    KeptAnswers(const Parts& parts, const Digest256& digest_key)
        : parts_(parts), digest_key_(digest_key) {}

    // `request`: digest of all that makes the call what it is. `kept_for`: how long its answer is
    // kept. kNotFound when the person whom the answer was for has been erased.
    Result<Claimed> claim(const TenantId& tenant, std::string_view key, const Digest256& request,
                          std::chrono::milliseconds kept_for);
    // kConflict when the claim was lost.
    Result<void> keep(const AnswerClaim& claim, const TenantId& tenant, const KeptAnswer& answer);
    Result<void> renew(const AnswerClaim& claim);
    // No error when it was lost.
    Result<void> release(const AnswerClaim& claim);

private:
    Digest256 keyed(std::string_view purpose, Bytes value) const;
    Result<void> tidy();

    Parts parts_;
    Digest256 digest_key_;
    std::atomic<std::int64_t> tidied_ms_{0};
};

}  // namespace colophon::ledger
