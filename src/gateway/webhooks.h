// SPDX-License-Identifier: Apache-2.0
#pragma once

// Checks of others, asked before an input goes to a model and before an output goes out. What they
// speak stands in gateway/check_exchange.h.
//
// Whoever does not answer properly in time did not agree: the call is refused, unless the
// configuration says that this check may be missed. What a check changes is applied as a whole or
// not at all.

#include "core/clock.h"
#include "core/digest.h"
#include "core/result.h"
#include "gateway/call.h"
#include "gateway/check_exchange.h"
#include "gateway/refusal.h"
#include "gateway/webhook_settings.h"
#include "http/upstream.h"
#include "identity/circuit_breaker.h"
#include "review/scope.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::gateway {

// Answers of classifiers, which say the same of the same, are kept for a while.
inline constexpr std::size_t kAnswersKeptMax = 10'000;
inline constexpr std::chrono::minutes kAnswersKept{10};

class Webhooks {
public:
    explicit Webhooks(const Parts& parts) : parts_(parts) {}

    // Whether anybody is to be asked about this call at that stage.
    static bool wanted(const Call& call, review::Stage stage);
    // Whether what cannot be shown to them may go on nevertheless.
    static bool can_pass_unseen(const Call& call, review::Stage stage);
    // Asks all of them, one after the other, each about what the one before left. Every verdict
    // goes into the record.
    Task<std::optional<Refusal>> ask(const Stages& stages, Call& call, http::Upstream& client,
                                     WebhookView& view);

private:
    Task<Result<WebhookAnswer>> ask_one(Call& call, http::Upstream& client,
                                        const WebhookSettings& webhook, const WebhookView& view);
    Task<Result<WebhookAnswer>> ask_each(Call& call, http::Upstream& client,
                                         const WebhookSettings& webhook, const WebhookView& view);
    std::optional<WebhookAnswer> known(const Digest256& question);
    void remember(const Digest256& question, const WebhookAnswer& answer);
    std::optional<Refusal> judge(Call& call, const WebhookSettings& webhook,
                                 Result<WebhookAnswer> answer, WebhookView& view);
    void count(const WebhookSettings& webhook, const WebhookView& view, std::string_view outcome,
               double seconds);
    identity::CircuitBreaker& breaker(const std::string& name);

    const Parts& parts_;
    std::mutex mutex_;
    // Guarded by mutex_; what it points to is not.
    std::map<std::string, std::unique_ptr<identity::CircuitBreaker>, std::less<>> breakers_;
    // What classifiers said of late, guarded by mutex_ too.
    struct Remembered {
        WebhookAnswer answer;
        Time until;
    };
    std::map<Digest256, Remembered> answers_;
    std::deque<Digest256> questions_;  // the oldest first
};

}  // namespace colophon::gateway
