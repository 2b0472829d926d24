// SPDX-License-Identifier: Apache-2.0
#include "identity/provider.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/hmac.h"
#include "core/http_exchange.h"
#include "core/result.h"
#include "identity/answer_mapping.h"
#include "identity/provider_template.h"
#include "identity/verification.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace colophon::identity {
namespace {

Outcome outcome_of(const Error& error) noexcept {
    return error.code == ErrorCode::kLimit ? Outcome::kTimeout : Outcome::kProviderError;
}

}  // namespace

struct Provider::Attempt {
    MappedAnswer mapped;
    Buffer reply;
    bool connection_failed = false;
};

bool Provider::verifies(Means means) const noexcept {
    return std::ranges::find(template_.means, means) != template_.means.end();
}

// An Error only when the request cannot be composed.
Result<Provider::Attempt> Provider::attempt(const VerificationRequest& request,
                                            std::chrono::milliseconds left) {
    std::array<std::uint8_t, 16> nonce{};
    TRY(random_.fill(nonce));
    ProviderRequest composed =
        TRY(compose_request(template_, request, {.now = clock_.now(), .nonce = to_hex(nonce)}));
    composed.http.body = as_bytes(composed.body);
    composed.http.total_max = std::min(composed.http.total_max, left);
    auto response = exchange_(composed.http);
    Attempt out;
    if (!response.ok()) {
        out.mapped.outcome = outcome_of(response.error());
        out.connection_failed = response.error().code == ErrorCode::kUnavailable;
        return out;
    }
    out.mapped = map_answer(response->status, response->body, template_.answer);
    out.reply = std::move(response->body);
    return out;
}

VerificationAnswer Provider::verify(const VerificationRequest& request) {
    VerificationAnswer answer;
    answer.provider = template_.name;
    answer.assurance = template_.assurance;
    answer.checked_at = clock_.now();
    if (!verifies(request.means)) {
        answer.outcome = Outcome::kInvalidInput;
        return answer;
    }
    if (!breaker_.may_call()) {
        answer.outcome = Outcome::kProviderBusy;
        answer.provider_code = "circuit-open";
        return answer;
    }
    const Time deadline = answer.checked_at + request.total_max;
    Buffer reply;
    bool again = true;
    while (again) {
        const auto left = deadline - clock_.now();
        if (left.count() <= 0) {
            answer.outcome = Outcome::kTimeout;
            break;
        }
        ++answer.attempts;
        auto tried = attempt(request, left);
        if (!tried.ok()) {
            answer.outcome = tried.error().code == ErrorCode::kUnavailable ? Outcome::kProviderError
                                                                           : Outcome::kInvalidInput;
            answer.attempts = 0;
            breaker_.record(true);  // nobody was asked; the provider is not to blame
            return answer;
        }
        answer.outcome = tried->mapped.outcome;
        answer.provider_code = std::move(tried->mapped.code);
        answer.provider_reference = std::move(tried->mapped.reference);
        reply = std::move(tried->reply);
        again = tried->connection_failed && answer.attempts <= template_.retries;
    }
    breaker_.record(is_judgement(answer.outcome) || answer.outcome == Outcome::kPending);
    if (template_.callback) {
        answer.wait = template_.callback->wait;
    }
    answer.checked_at = clock_.now();
    answer.billable = std::ranges::find(template_.billed, answer.outcome) != template_.billed.end();
    if (!random_.fill(answer.reply_salt).ok()) {
        // Without a salt the commitment could be guessed, and a proof that cannot be kept is none.
        answer.outcome = Outcome::kProviderError;
        return answer;
    }
    answer.reply_commitment = hmac_sha256(answer.reply_salt, reply);
    return answer;
}

}  // namespace colophon::identity
