// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is asked of a verification provider and what it may answer [DSP-9]. Only kMatch proves
// anything; whatever went wrong on the way is an outcome of its own and never counts as a pass, nor
// against the person.

#include "core/clock.h"
#include "core/digest.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::identity {

// The four means that article 9 names.
enum class Means : std::uint8_t {
    kMobile,      // mobile number, proven by a one-time code; providers compare name and number
    kResidentId,  // resident identity number and name
    kCreditCode,  // unified social credit code and name of an organisation
    kNetworkIdentity,  // the national network identity service
};
std::string_view means_name(Means means) noexcept;  // "mobile", "resident_id", ...
Result<Means> parse_means(std::string_view name);

enum class Outcome : std::uint8_t {
    kMatch,
    kMismatch,       // the source knows the number, and it belongs to somebody else
    kNoRecord,       // the source does not know the number
    kInvalidInput,   // the provider takes the values for malformed
    kProviderBusy,   // asked too often, or known to be down; nothing was judged
    kProviderError,  // an answer that makes no sense, or none
    kTimeout,
    kPending,  // the provider took the request and will say later what came of it
};
std::string_view outcome_name(Outcome outcome) noexcept;  // "match", "no_record", ...
Result<Outcome> parse_outcome(std::string_view name);

// Whether the source itself spoke: then asking again would get the same.
constexpr bool is_judgement(Outcome outcome) noexcept {
    return outcome == Outcome::kMatch || outcome == Outcome::kMismatch ||
           outcome == Outcome::kNoRecord || outcome == Outcome::kInvalidInput;
}

struct VerificationRequest {
    Means means = Means::kResidentId;
    // "name", "number", "mobile", "code", "token": what the template of the provider mentions.
    std::vector<std::pair<std::string, std::string>> fields;
    std::string consent_reference;
    std::string idempotency_key;  // the same for every attempt, so that nobody is billed twice
    std::string order;            // of this ask alone, by which a provider speaks of it later
    std::chrono::milliseconds total_max{15'000};
};

// One who was asked before the provider of the answer, and judged nothing.
struct AskedEarlier {
    std::string provider;
    Outcome outcome = Outcome::kProviderBusy;
    std::string reference;
    bool billable = false;
};

struct VerificationAnswer {
    Outcome outcome = Outcome::kProviderError;
    std::string provider;
    std::string provider_reference;  // the provider's number of the call, or empty
    std::string provider_code;       // its own code, [A-Za-z0-9._-] only, at most 64
    std::string assurance;           // what a match of this provider proves, from its template
    Time checked_at;
    std::chrono::minutes wait{0};  // with kPending: so long the provider may take
    bool billable = false;
    int attempts = 0;
    // A commitment to the bytes of the answer: HMAC-SHA256 under the salt. The bytes are not kept.
    Digest256 reply_salt{};
    Digest256 reply_commitment{};
    std::vector<AskedEarlier> earlier;  // of a chain of providers
};

}  // namespace colophon::identity
