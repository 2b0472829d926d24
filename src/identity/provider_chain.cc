// SPDX-License-Identifier: Apache-2.0
#include "identity/provider_chain.h"

#include "core/clock.h"
#include "identity/provider.h"
#include "identity/verification.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::identity {

namespace {

// Another provider is not asked, and paid, for an answer that cannot come in what is left.
constexpr std::chrono::milliseconds kWorthAsking{50};

}  // namespace

bool ProviderChain::verifies(Means means) const noexcept {
    return std::ranges::any_of(providers_, [&](const auto& each) { return each->verifies(means); });
}

// [DSP-9]
VerificationAnswer ProviderChain::verify(const VerificationRequest& request) {
    VerificationAnswer last;
    last.outcome = Outcome::kInvalidInput;
    last.checked_at = clock_.now();
    const Time deadline = last.checked_at + request.total_max;
    std::vector<AskedEarlier> earlier;
    bool any = false;
    for (const auto& provider : providers_) {
        if (!provider->verifies(request.means)) {
            continue;
        }
        const auto left = deadline - clock_.now();
        if (any && left < kWorthAsking) {
            break;
        }
        if (any) {
            earlier.push_back({.provider = last.provider,
                               .outcome = last.outcome,
                               .reference = last.provider_reference,
                               .billable = last.billable});
        }
        VerificationRequest now = request;
        now.total_max = left;
        last = provider->verify(now);
        any = true;
        const bool doubt =
            last.outcome == Outcome::kTimeout || last.outcome == Outcome::kProviderError;
        const bool taken = is_judgement(last.outcome) || last.outcome == Outcome::kPending;
        if (taken || (doubt && after_doubt_ == AfterDoubt::kStop)) {
            break;
        }
    }
    last.earlier = std::move(earlier);
    return last;
}

const Provider* ProviderChain::find(std::string_view name) const noexcept {
    const auto found =
        std::ranges::find_if(providers_, [&](const auto& each) { return each->name() == name; });
    return found == providers_.end() ? nullptr : found->get();
}

}  // namespace colophon::identity
