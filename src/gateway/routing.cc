// SPDX-License-Identifier: Apache-2.0
#include "gateway/routing.h"

#include "core/random.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/settings.h"
#include "http/upstream.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr double kRetriesMax = 10;
constexpr double kRetriesEarned = 0.1;
constexpr std::chrono::milliseconds kPause{100};

bool is_worth_another_try(int status) noexcept {
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
           status == 504 || status == 529;
}

Error unavailable(const std::string& model) {
    return Error{ErrorCode::kUnavailable,
                 fmt::format("no upstream of the model {} takes calls now", model)};
}

}  // namespace

Routing::Health& Routing::health(const Target& target) {
    const std::lock_guard lock(mutex_);
    auto& found = health_[target.upstream + "/" + target.model];
    if (!found) {
        found = std::make_unique<Health>(clock_);
    }
    return *found;
}

bool Routing::may_retry(Health& health) {
    const std::lock_guard lock(mutex_);
    if (health.retries < 1) {
        return false;
    }
    health.retries -= 1;
    return true;
}

void Routing::note_broken(const Target& target) {
    Health& each = health(target);
    if (each.breaker.may_call()) {
        each.breaker.record(false);
    }
}

// By weight among those that were not tried and do not rest; then any that was tried. Whoever is
// chosen must be recorded by its breaker.
const Target* Routing::choose(const Call& call, const std::vector<const Target*>& tried,
                              const Target* only) {
    std::vector<const Target*> candidates;
    for (const Target& each : call.model->targets) {
        const bool may = only == nullptr || only == &each;
        if (may && std::ranges::find(tried, &each) == tried.end()) {
            candidates.push_back(&each);
        }
    }
    if (candidates.empty()) {
        candidates = tried;
    }
    while (!candidates.empty()) {
        std::uint64_t total = 0;
        for (const Target* each : candidates) {
            total += each->weight;
        }
        const auto drawn = random_.next();
        std::uint64_t at = drawn.ok() && total > 0 ? *drawn % total : 0;
        auto chosen = candidates.begin();
        while (at >= (*chosen)->weight && chosen + 1 != candidates.end()) {
            at -= (*chosen)->weight;
            ++chosen;
        }
        if (health(**chosen).breaker.may_call()) {
            return *chosen;
        }
        candidates.erase(chosen);
    }
    return nullptr;
}

namespace {

// W3C trace context: whoever watches the upstream sees which call of the application it was.
void pass_trace(const Call& call, http::UpstreamRequest& request) {
    if (call.trace.empty()) {
        return;
    }
    for (const std::string_view name : {"traceparent", "tracestate"}) {
        const std::string_view value = call.exchange.request().header(name);
        if (!value.empty()) {
            request.headers.push_back({std::string(name), std::string(value)});
        }
    }
}

}  // namespace

Task<Result<Routing::Sent>> Routing::attempt(Call& call, Means means, const Target& target) {
    const UpstreamSettings& upstream = call.settings->upstreams.find(target.upstream)->second;
    Health& own = health(target);
    auto request = means.make(upstream, target);
    if (!request.ok()) {
        own.breaker.record(true);
        co_return request.error();
    }
    if (means.terms.before) {
        const auto may = co_await means.terms.before(upstream, target);
        if (!may.ok()) {
            own.breaker.record(true);
            co_return Error{ErrorCode::kDenied, may.error().what};
        }
    }
    pass_trace(call, *request);
    request->times = upstream.times;
    if (means.terms.is_slow && means.terms.is_slow(upstream, target)) {
        request->times.first_byte =
            std::max<std::chrono::milliseconds>(upstream.times.first_byte, upstream.task_time);
    }
    request->stop = call.exchange.gone();
    auto response = co_await means.client.send(std::move(*request));
    const bool given_up = call.exchange.gone().stop_requested();
    const bool good = response.ok() && (*response)->head().status < 500;
    // That our client left says nothing about the upstream.
    own.breaker.record(good || given_up);
    if (!response.ok()) {
        co_return response.error();
    }
    co_return Sent{.response = std::move(*response), .upstream = &upstream, .target = &target};
}

Task<Result<Routing::Sent>> Routing::send(Call& call, http::Upstream& client, MakeRequest make) {
    Terms none;
    co_return co_await send(call, client, std::move(make), std::move(none));
}

Task<Result<Routing::Sent>> Routing::send(Call& call, http::Upstream& client, MakeRequest make,
                                          Terms terms) {
    const Means means{.client = client, .make = make, .terms = terms};
    std::vector<const Target*> tried;
    std::optional<Error> last;
    const auto began = std::chrono::steady_clock::now();
    for (unsigned attempts = 1;; ++attempts) {
        const Target* target = choose(call, tried, terms.only);
        if (target == nullptr) {
            co_return last ? *last : unavailable(call.model->name);
        }
        auto sent = co_await attempt(call, means, *target);
        call.facts().durations.upstream_ms = milliseconds_since(began);
        const bool again = sent.ok() ? is_worth_another_try(sent->response->head().status)
                                     : sent.error().code != ErrorCode::kInvalidArgument &&
                                           sent.error().code != ErrorCode::kDenied;
        Health& own = health(*target);
        const bool gone = call.exchange.gone().stop_requested();
        if (!again || gone || attempts >= call.model->attempts || !may_retry(own)) {
            if (sent.ok()) {
                const std::lock_guard lock(mutex_);
                own.retries = std::min(kRetriesMax, own.retries + kRetriesEarned);
            }
            call.target = target;
            call.detail.emplace_back("upstream", target->upstream);
            if (attempts > 1) {
                call.detail.emplace_back("attempts", static_cast<std::int64_t>(attempts));
            }
            co_return sent;
        }
        if (!sent.ok()) {
            last = sent.error();
        }
        if (std::ranges::find(tried, target) == tried.end()) {
            tried.push_back(target);
        }
        co_await call.loop().sleep(kPause * attempts, call.exchange.gone());
    }
}

}  // namespace colophon::gateway
