// SPDX-License-Identifier: Apache-2.0
#pragma once

// The gateway: the endpoints between an application and its models, each of them the same line of
// stages (gateway/call.h). It adds its routes to a table and answers every call of the server.

#include "gateway/call.h"
#include "gateway/call_meters.h"
#include "gateway/id_reserve.h"
#include "gateway/parts.h"
#include "gateway/quotas.h"
#include "gateway/recording.h"
#include "gateway/refusal.h"
#include "gateway/routing.h"
#include "gateway/settings.h"
#include "gateway/shared_quotas.h"
#include "gateway/webhooks.h"
#include "http/exchange.h"
#include "http/loop.h"
#include "http/router.h"
#include "http/tls.h"
#include "http/upstream.h"
#include "ledger/record.h"
#include "ledger/records.h"

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::gateway {

class Gateway {
public:
    // `loops`: those of the server. `upstream_tls`: for upstreams that speak https.
    Gateway(const Parts& parts, std::shared_ptr<const Settings> settings,
            const std::vector<http::Loop*>& loops,
            const std::shared_ptr<http::TlsContext>& upstream_tls);
    ~Gateway();
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;
    Gateway(Gateway&&) = delete;
    Gateway& operator=(Gateway&&) = delete;

    // From any thread; calls that began before go on with what they had.
    void replace_settings(std::shared_ptr<const Settings> settings);
    std::shared_ptr<const Settings> settings() const;

    // The routes of the gateway. Others may be added to the same table before serve() is called.
    http::Router& router() noexcept { return router_; }
    // The handler of the server.
    Task<void> serve(http::Exchange& exchange);
    // The body of an answer to what is no HTTP.
    static std::string refusal_body(int status, const Error& why);

    // A handler says how its call ended: nothing when it was answered and recorded, otherwise why
    // it was not; then the record is written and the refusal sent.
    using CallHandler = std::function<Task<std::optional<Refusal>>(Gateway&, Call&)>;
    // A route of a generating or labelling call, with a record. The right is a scope's name.
    void add_call(http::Route route, CallHandler handler);

    // A stream had gone out in part when its record could not be kept: it is tried again until it
    // is, and no call is served before that.
    void owe_record(const Call& call);

    // Whether calls can be recorded now, as far as is known; without that none is served.
    bool can_record() const noexcept { return owed_.load() == 0 && recording_.works(); }

    // For the metrics: how a call, or a job, ended; `code` is empty when it was answered.
    void count(const Call& call, const std::string& operation, const std::string& code) {
        meters_.count(call, operation, code);
    }

    const Parts& parts() const noexcept { return parts_; }
    const Stages& stages() const noexcept { return stages_; }
    Routing& routing() noexcept { return routing_; }
    Webhooks& webhooks() noexcept { return webhooks_; }
    http::Upstream& upstream(http::Loop& loop);

private:
    Task<void> serve_call(http::Exchange& exchange, const http::Route& route,
                          http::PathValues values, const CallHandler& handler);
    Task<std::optional<Refusal>> authenticate(Call& call, std::string_view right);
    // The call's own number and what is known of it already.
    std::optional<Refusal> begin_record(Call& call, const http::Route& route);
    Task<std::optional<Refusal>> guarded(Call& call, const CallHandler& handler);
    Task<void> end_refused(Call& call, Refusal refusal);
    void leave_quotas(Call& call);
    void log(http::Exchange& exchange, std::string_view operation, const Call* call,
             const std::string& code, SteadyTime began);
    Task<void> pay_record(http::Loop& loop, ledger::ServiceRecord record,
                          std::vector<ledger::Print> prints);
    Task<void> not_found(http::Exchange& exchange, const std::string& allowed);

    Parts parts_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Settings> settings_;  // guarded by mutex_
    Quotas quotas_;
    std::unique_ptr<SharedQuotas> shared_quotas_;
    IdReserve ids_;
    Recording recording_;
    Stages stages_;
    CallMeters meters_;
    Routing routing_;
    Webhooks webhooks_;
    http::Router router_;
    std::set<std::string, std::less<>> calls_;  // operations that log for themselves
    std::map<http::Loop*, std::unique_ptr<http::Upstream>> upstreams_;
    // Records of streams that had begun to go out when the store failed.
    std::atomic<std::size_t> owed_{0};
};

// The end of a call that a handler answers itself: the record first, then `body`. A record that
// cannot be kept is the refusal of the call: nothing goes out.
Task<std::optional<Refusal>> record_and_answer(Gateway& gateway, Call& call, http::Headers headers,
                                               std::string body);

// The same with a file, which outlives the task.
Task<std::optional<Refusal>> record_and_answer_file(Gateway& gateway, Call& call,
                                                    http::Headers headers,
                                                    const worker::SpooledFile& file);

// What is asked, by the own rules where they come first, and by all where nobody else is asked; the
// rest is guard_request()'s (gateway/webhook_texts.h).
Task<std::optional<Refusal>> review_asked(Gateway& gateway, Call& call, const std::string& text);

// How every call for content begins: its body is read and understood, the caller admitted, the kind
// of model looked at, what is asked reviewed. `read` fills the request from the body.
struct Wanted {
    ModelKind kind;
    const char* otherwise;  // what to say when the model is of another kind
};
template <class Request>
Task<std::optional<Refusal>> take_request(Gateway& gateway, Call& call, Wanted wanted,
                                          std::optional<Refusal> (*read)(const Call& call,
                                                                         const std::string& body,
                                                                         Request& request),
                                          Request& request) {
    const auto body = co_await call.exchange.read_body(call.settings->body_bytes_max);
    if (!body.ok()) {
        co_return body_failure(body.error());
    }
    if (auto refusal = read(call, *body, request)) {
        co_return refusal;
    }
    call.record.personal.input = request.ask.text;
    auto denied = co_await admit(gateway.stages(), call, request.ask);
    if (denied) {
        co_return denied;
    }
    if (call.model->kind != wanted.kind) {
        co_return invalid_request(wanted.otherwise, "model");
    }
    co_return co_await review_asked(gateway, call, request.ask.text);
}

void add_text_routes(Gateway& gateway);
void add_speech_routes(Gateway& gateway);
void add_image_routes(Gateway& gateway);
void add_video_routes(Gateway& gateway);
void add_file_routes(Gateway& gateway);
void add_moderation_routes(Gateway& gateway);
void add_model_routes(Gateway& gateway);
void add_ticket_routes(Gateway& gateway);

}  // namespace colophon::gateway
