// SPDX-License-Identifier: Apache-2.0
#pragma once

// Several verification providers, in the order in which they are asked [DSP-9]. The first that
// judges decides; a mismatch is a judgement, and nobody is asked until somebody says yes.
//
// A provider that is busy has not been paid, and the next one is asked. One that took the request
// and gave no sense or no answer may send a bill for it: by default the chain ends there, so that
// nobody pays twice without having said so. Who was asked stands in the answer either way.

#include "identity/provider.h"
#include "identity/verification.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::identity {

// Whether the next provider is asked after one that may have been paid for nothing.
enum class AfterDoubt : std::uint8_t { kStop, kGoOn };

// Threads: verify() may be called at once.
class ProviderChain {
public:
    ProviderChain(std::vector<std::unique_ptr<Provider>> providers, AfterDoubt after_doubt,
                  Clock& clock)
        : providers_(std::move(providers)), after_doubt_(after_doubt), clock_(clock) {}

    bool verifies(Means means) const noexcept;
    // Nothing when there is none of that name.
    const Provider* find(std::string_view name) const noexcept;

    // The answer of the last one that was asked, with the earlier ones in `earlier`; all within the
    // request's total time. kInvalidInput when no provider knows these means.
    VerificationAnswer verify(const VerificationRequest& request);

private:
    std::vector<std::unique_ptr<Provider>> providers_;
    AfterDoubt after_doubt_;
    Clock& clock_;
};

}  // namespace colophon::identity
