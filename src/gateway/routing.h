// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which upstream answers a call, and what is done when it does not: another one, or the same again
// after a pause, as long as the budget of retries lasts. A model of an upstream that fails too
// often rests (identity/circuit_breaker.h).

#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "gateway/call.h"
#include "gateway/settings.h"
#include "http/upstream.h"
#include "identity/circuit_breaker.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace colophon::gateway {

class Routing {
public:
    Routing(Clock& clock, Random& random) : clock_(clock), random_(random) {}

    using MakeRequest =
        std::function<Result<http::UpstreamRequest>(const UpstreamSettings&, const Target&)>;
    struct Sent {
        std::unique_ptr<http::UpstreamResponse> response;
        const UpstreamSettings* upstream = nullptr;
        const Target* target = nullptr;
    };
    // What only jobs want.
    struct Terms {
        // The only target that may be asked.
        const Target* only = nullptr;
        // Before each attempt, once its request is made; an error ends the call without one.
        std::function<Task<Result<void>>(const UpstreamSettings&, const Target&)> before;
        // Whether this upstream may take as long for its first byte as for a task.
        std::function<bool(const UpstreamSettings&, const Target&)> is_slow;
    };
    // The first answer that is worth reading: good, or an error that another try would not mend.
    // Nothing of it has gone to the client, so that a retry is invisible.
    Task<Result<Sent>> send(Call& call, http::Upstream& client, MakeRequest make, Terms terms);
    Task<Result<Sent>> send(Call& call, http::Upstream& client, MakeRequest make);
    // An answer that broke off after it was chosen counts against its upstream too.
    void note_broken(const Target& target);

private:
    struct Health {
        explicit Health(Clock& clock) : breaker(clock) {}
        identity::CircuitBreaker breaker;
        // One retry is earned by ten calls; a storm of failures is not doubled.
        double retries = 10;
    };
    Health& health(const Target& target);
    const Target* choose(const Call& call, const std::vector<const Target*>& tried,
                         const Target* only);
    bool may_retry(Health& health);
    // How one attempt is made.
    struct Means {
        http::Upstream& client;
        const MakeRequest& make;
        const Terms& terms;
    };
    Task<Result<Sent>> attempt(Call& call, Means means, const Target& target);

    Clock& clock_;
    Random& random_;
    std::mutex mutex_;
    std::map<std::string, std::unique_ptr<Health>, std::less<>> health_;  // guarded by mutex_
};

}  // namespace colophon::gateway
