// SPDX-License-Identifier: Apache-2.0
#pragma once

// A verification provider that can be asked [DSP-9]: its template, the way out, and a circuit
// breaker.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/http_exchange.h"
#include "core/random.h"
#include "identity/circuit_breaker.h"
#include "identity/provider_template.h"
#include "identity/verification.h"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::identity {

// Threads: verify() may be called at once. Clock and random live longer than the provider.
class Provider {
public:
    Provider(ProviderTemplate description, HttpExchange exchange, Clock& clock, Random& random)
        : template_(std::move(description)),
          exchange_(std::move(exchange)),
          clock_(clock),
          random_(random),
          breaker_(clock) {}

    const std::string& name() const noexcept { return template_.name; }
    bool verifies(Means means) const noexcept;

    // Never an Error: what goes wrong is an outcome, and no outcome but kMatch proves anything. A
    // connection that failed is tried again `retries` times within the time of the request, always
    // with the same idempotency key; an answer that came, or time that passed, is not. Values that
    // the template needs and that are missing are kInvalidInput.
    VerificationAnswer verify(const VerificationRequest& request);

    // What it says later of an order that was kPending. Nothing in it is believed before its
    // signature and its time are right: kDenied, with one message for all that can be wrong with
    // them, and for a provider that has no callbacks; kInvalidArgument when no order is named.
    // Whether the order is still open is the caller's to look: an order ends once.
    struct Callback {
        std::string_view method;
        std::string_view path;
        std::function<std::string_view(std::string_view name)> header;
        Bytes body;
    };
    struct CallbackAnswer {
        std::string order;
        VerificationAnswer answer;
    };
    Result<CallbackAnswer> read_callback(const Callback& callback) const;

private:
    struct Attempt;
    Result<Attempt> attempt(const VerificationRequest& request, std::chrono::milliseconds left);

    const ProviderTemplate template_;
    const HttpExchange exchange_;
    Clock& clock_;
    Random& random_;
    CircuitBreaker breaker_;
};

}  // namespace colophon::identity
