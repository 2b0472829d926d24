// SPDX-License-Identifier: Apache-2.0
#include "gateway/gateway.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/executor.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/course.h"
#include "gateway/idempotency.h"
#include "gateway/parts.h"
#include "gateway/quotas.h"
#include "gateway/refusal.h"
#include "gateway/settings.h"
#include "gateway/shared_quotas.h"
#include "gateway/unlabelled.h"
#include "http/exchange.h"
#include "http/loop.h"
#include "http/message.h"
#include "http/router.h"
#include "http/tls.h"
#include "http/upstream.h"
#include "identity/api_key.h"
#include "identity/tenants.h"
#include "ledger/record.h"
#include "ledger/record_contents.h"
#include "ledger/records.h"
#include "worker/spool.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr std::uint64_t kFilePieceBytes = 256U << 10U;  // of a file that goes out, at a time

constexpr std::array<std::pair<std::string_view, identity::Scope>, 5> kScopes{
    {{"generate", identity::Scope::kGenerate},
     {"label", identity::Scope::kLabel},
     {"moderate", identity::Scope::kModerate},
     {"subjects", identity::Scope::kSubjects},
     {"records", identity::Scope::kRecords}}};

bool has_right(const identity::Caller& caller, std::string_view right) {
    const auto* row = std::ranges::find(kScopes, right, &decltype(kScopes)::value_type::first);
    return row != kScopes.end() && identity::has_scope(caller.scopes, row->second);
}

// "Bearer KEY", or the header of Anthropic's clients; empty when there is none.
std::string_view key_of(const http::Request& request) {
    const std::string_view value = request.header("authorization");
    constexpr std::string_view kBearer = "Bearer ";
    if (value.size() > kBearer.size() &&
        std::ranges::equal(value.substr(0, kBearer.size()), kBearer,
                           [](char a, char b) { return (a | 0x20) == (b | 0x20); })) {
        return value.substr(kBearer.size());
    }
    return request.header("x-api-key");
}

// The trace id of a W3C traceparent: 00-TRACE-SPAN-FLAGS; empty when it is none.
std::string trace_of(std::string_view parent) {
    constexpr std::size_t kSize = 55;
    const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    const bool good = parent.size() == kSize && parent.starts_with("00-") && parent[35] == '-' &&
                      parent[52] == '-' && std::ranges::all_of(parent.substr(3, 32), hex) &&
                      parent.substr(3, 32).find_first_not_of('0') != std::string_view::npos;
    return good ? std::string(parent.substr(3, 32)) : std::string();
}

}  // namespace

Gateway::Gateway(const Parts& parts, std::shared_ptr<const Settings> settings,
                 const std::vector<http::Loop*>& loops,
                 const std::shared_ptr<http::TlsContext>& upstream_tls)
    : parts_(parts),
      settings_(std::move(settings)),
      shared_quotas_(parts.budgets == nullptr ? nullptr
                                              : std::make_unique<SharedQuotas>(*parts.budgets)),
      ids_(parts.content_ids, parts.blocking),
      stages_{.parts = parts_,
              .quotas = quotas_,
              .shared_quotas = shared_quotas_.get(),
              .ids = ids_,
              .recording = recording_},
      meters_(parts.metrics),
      routing_(parts.clock, parts.random),
      webhooks_(parts_) {
    for (http::Loop* loop : loops) {
        upstreams_[loop] =
            std::make_unique<http::Upstream>(*loop, http::Upstream::Options{.tls = upstream_tls});
    }
    add_text_routes(*this);
    add_speech_routes(*this);
    add_image_routes(*this);
    add_video_routes(*this);
    add_file_routes(*this);
    add_moderation_routes(*this);
    add_model_routes(*this);
    add_ticket_routes(*this);
}

Gateway::~Gateway() = default;

void Gateway::replace_settings(std::shared_ptr<const Settings> settings) {
    const std::lock_guard lock(mutex_);
    settings_ = std::move(settings);
}

std::shared_ptr<const Settings> Gateway::settings() const {
    const std::lock_guard lock(mutex_);
    return settings_;
}

http::Upstream& Gateway::upstream(http::Loop& loop) {
    return *upstreams_.find(&loop)->second;
}

std::string Gateway::refusal_body(int status, const Error& why) {
    Refusal refusal = invalid_request(why.what, "");
    refusal.status = status;
    if (status >= 500) {
        refusal.type = "server_error";
        refusal.code = "internal_error";
    }
    return json::write(error_json(refusal, {}));
}

Task<void> Gateway::serve(http::Exchange& exchange) {
    const SteadyTime began = std::chrono::steady_clock::now();
    const http::Request& request = exchange.request();
    http::Router::Match match = router_.find(request.method, request.path);
    if (match.route == nullptr) {
        co_await not_found(exchange, match.allowed);
        log(exchange, "none", nullptr, "not_found", began);
        co_return;
    }
    co_await match.route->handle(exchange, *match.route, std::move(match.values));
    if (!calls_.contains(match.route->operation)) {
        log(exchange, match.route->operation, nullptr, "", began);
    }
}

Task<void> Gateway::not_found(http::Exchange& exchange, const std::string& allowed) {
    Refusal refusal = invalid_request("there is nothing at this address", "");
    refusal.status = allowed.empty() ? 404 : 405;
    refusal.code = "not_found";
    http::Headers headers;
    headers.push_back({"content-type", "application/json"});
    if (!allowed.empty()) {
        refusal.message = "this address has no such method";
        refusal.code = "method_not_allowed";
        headers.push_back({"allow", allowed});
    }
    const Tongue tongue = tongue_of(exchange.request().header("accept-language"));
    std::string body = json::write(error_json(refusal, {.tongue = tongue}));
    (void)co_await exchange.answer(refusal.status, std::move(headers), std::move(body));
}

void Gateway::add_call(http::Route route, CallHandler handler) {
    calls_.insert(route.operation);
    route.handle = [this, handler = std::move(handler)](http::Exchange& exchange,
                                                        const http::Route& own,
                                                        http::PathValues values) -> Task<void> {
        return serve_call(exchange, own, std::move(values), handler);
    };
    router_.add(std::move(route));
}

Task<std::optional<Refusal>> Gateway::authenticate(Call& call, std::string_view right) {
    const std::string key(key_of(call.exchange.request()));
    const auto known = parts_.keys.find(key);
    if (!known.ok()) {
        co_return unauthorized();
    }
    if (*known) {
        call.caller = **known;
    } else {
        const auto load = [&] { return parts_.keys.load(key); };
        const auto loaded = co_await parts_.blocking.run(call.loop(), load);
        if (!loaded.ok() && loaded.error().code == ErrorCode::kDenied) {
            co_return unauthorized();
        }
        if (!loaded.ok()) {
            co_return own_failure("identity_unavailable", "API keys cannot be looked up now");
        }
        call.caller = *loaded;
    }
    if (!has_right(call.caller, right)) {
        co_return not_permitted(right);
    }
    co_return std::nullopt;
}

// A throw anywhere in a stage is the failure of one call.
Task<std::optional<Refusal>> Gateway::guarded(Call& call, const CallHandler& handler) {
    std::optional<Refusal> refusal;
    try {
        refusal = co_await handler(*this, call);
    } catch (const std::exception&) {
        refusal = own_failure("internal_error", "a part of the gateway failed");
    }
    co_return refusal;
}

Task<void> Gateway::serve_call(http::Exchange& exchange, const http::Route& route,
                               http::PathValues values, const CallHandler& handler) {
    const std::unique_ptr<KeepingExchange> keeping = keeping_exchange(exchange);
    http::Exchange& own = keeping ? static_cast<http::Exchange&>(*keeping) : exchange;
    Call call(own, settings());
    call.path = std::move(values);
    call.keeping = keeping.get();
    call.errors.tongue = tongue_of(exchange.request().header("accept-language"));
    call.errors.appeal = call.settings->appeal;
    if (route.operation == "messages") {
        call.errors.shape = ErrorShape::kAnthropic;
    }
    call.trace = trace_of(exchange.request().header("traceparent"));
    std::optional<Refusal> refusal = co_await authenticate(call, route.right);
    std::string code;
    if (call.caller.scopes != 0) {
        auto unready = begin_record(call, route);
        if (!refusal) {
            refusal = std::move(unready);
        }
    }
    if (!refusal && keeping) {
        refusal = co_await claim_key(stages_, call);
    }
    if (!refusal && !call.recorded) {
        refusal = co_await guarded(call, handler);
    }
    if (refusal) {
        code = refusal->code;
        co_await end_refused(call, std::move(*refusal));
    } else {
        code = call.facts().outcome_code;
    }
    leave_quotas(call);
    if (keeping) {
        co_await end_key(stages_, call);
    }
    count(call, route.operation, code);
    const auto took = std::chrono::steady_clock::now() - call.began;
    meters_.observe_overhead(
        std::max(0.0, std::chrono::duration<double>(took - call.waited).count()));
    log(exchange, route.operation, &call, code, call.began);
}

std::optional<Refusal> Gateway::begin_record(Call& call, const http::Route& route) {
    ledger::Facts& facts = call.facts();
    facts.at = parts_.clock.now();
    facts.tenant = call.caller.tenant;
    facts.operation = route.operation;
    facts.policy_version = policy_version(*call.settings);
    const auto id = ledger::make_record_id(facts.at, parts_.random);
    if (!id.ok()) {
        return own_failure("internal_error", "no number for a record can be made now");
    }
    facts.id = *id;
    if (owed_.load() > 0) {
        return own_failure("record_unavailable",
                           "the call cannot be recorded now, so it is not answered");
    }
    return std::nullopt;
}

// The record of a call that ends without what it asked for, then the answer.
Task<void> Gateway::end_refused(Call& call, Refusal refusal) {
    if (call.caller.scopes != 0 && !call.recorded) {
        call.facts().outcome = refusal.outcome;
        call.facts().outcome_code = refusal.code;
        if (call.exchange.gone().stop_requested()) {
            call.facts().outcome = ledger::Outcome::kCutOff;
            call.facts().outcome_code = "client_gone";
        }
        const auto kept = co_await append_record(stages_, call);
        if (!kept.ok()) {
            refusal = own_failure("record_unavailable",
                                  "the call cannot be recorded now, so it is not answered");
        } else {
            call.errors.record = to_string(call.facts().id);
        }
    }
    if (call.exchange.has_begun() || call.exchange.gone().stop_requested()) {
        co_return;
    }
    http::Headers headers = answer_headers(call, "application/json");
    if (refusal.status == 401) {
        headers.push_back({"www-authenticate", "Bearer"});
    }
    if (refusal.retry_after > 0) {
        headers.push_back({"retry-after", std::to_string(refusal.retry_after)});
    }
    std::string body = json::write(error_json(refusal, call.errors));
    if (call.keeping != nullptr) {
        keep_refusal_of_answer(call);
    }
    (void)co_await call.exchange.answer(refusal.status, std::move(headers), std::move(body));
}

void Gateway::owe_record(const Call& call) {
    ++owed_;
    call.loop().spawn(pay_record(call.loop(), call.record, call.prints));
}

Task<void> Gateway::pay_record(http::Loop& loop, ledger::ServiceRecord record,
                               std::vector<ledger::Print> prints) {
    constexpr std::chrono::seconds kPause{1};
    for (;;) {
        co_await loop.sleep(kPause);
        if (ledger::has_large_content(record)) {
            const auto move = [&] { return parts_.move_out(record); };
            const auto moved = co_await parts_.blocking.run(loop, move);
            if (!moved.ok()) {
                continue;
            }
        }
        const auto kept = co_await when_done<Result<void>>(
            loop, [&](const auto& done) { parts_.records.append(record, prints, done); });
        // A conflict says that it was kept after all.
        if (kept.ok() || kept.error().code == ErrorCode::kConflict) {
            --owed_;
            co_return;
        }
    }
}

void Gateway::leave_quotas(Call& call) {
    const std::int64_t tokens = call.facts().input_tokens + call.facts().output_tokens;
    const auto leave = [&](const Quotas::Key& key, const Quota& quota) {
        if (shared_quotas_) {
            shared_quotas_->leave(key, quota, tokens);
        } else {
            quotas_.leave(key, quota, tokens);
        }
    };
    if (call.in_tenant_quota) {
        leave(call.caller.tenant.bytes, call.settings->tenant_quota);
    }
    if (call.in_subject_quota) {
        leave(call.facts().subject->bytes, call.settings->subject_quota);
    }
}

void Gateway::log(http::Exchange& exchange, std::string_view operation, const Call* call,
                  const std::string& code, SteadyTime began) {
    if (!parts_.access_log) {
        return;
    }
    json::Object line{
        {"time", format_time(parts_.clock.now())}, {"method", exchange.request().method},
        {"operation", std::string(operation)},     {"status", exchange.status()},
        {"bytes", exchange.bytes_out()},           {"duration_ms", milliseconds_since(began)}};
    if (!code.empty()) {
        line.emplace_back("code", code);
    }
    if (call != nullptr && call->caller.scopes != 0) {
        line.emplace_back("tenant", to_string(call->caller.tenant));
        if (call->record.facts.id != RecordId{}) {
            line.emplace_back("record", to_string(call->record.facts.id));
        }
        if (call->record.facts.content_id) {
            line.emplace_back("content_id", to_string(*call->record.facts.content_id));
        }
        if (call->model != nullptr) {
            line.emplace_back("model", call->model->name);
        }
    }
    if (call != nullptr && !call->trace.empty()) {
        line.emplace_back("trace_id", call->trace);
    }
    parts_.access_log(json::write(line));
}

namespace {

// [AILM-9] What was agreed when the call came may be over when its content is there. Then the
// record; a refusal when nothing may go out.
Task<std::optional<Refusal>> record_answered(Gateway& gateway, Call& call) {
    if (call.unlabelled) {
        auto uncovered = co_await check_agreement(gateway.stages(), call);
        if (uncovered) {
            call.unlabelled = false;
            call.facts().label.clear();
            co_return uncovered;
        }
    }
    call.facts().outcome = ledger::Outcome::kAnswered;
    const auto kept = co_await append_record(gateway.stages(), call);
    if (!kept.ok()) {
        co_return own_failure("record_unavailable",
                              "the call cannot be recorded now, so it is not answered");
    }
    co_return std::nullopt;
}

// As much of the file from there on as fits into `piece`, which becomes as long as that.
Task<Result<void>> read_piece(Gateway& gateway, Call& call, const worker::SpooledFile& file,
                              std::uint64_t at, Buffer& piece) {
    piece.resize(
        static_cast<std::size_t>(std::min<std::uint64_t>(file.size() - at, kFilePieceBytes)));
    const auto read = [&]() -> Result<void> {
        const std::size_t count = TRY(file.read(at, piece));
        return count == piece.size()
                   ? Result<void>()
                   : Error{ErrorCode::kUnavailable, "a file on its way became shorter"};
    };
    co_return co_await gateway.parts().blocking.run(call.loop(), read);
}

}  // namespace

Task<std::optional<Refusal>> record_and_answer(Gateway& gateway, Call& call, http::Headers headers,
                                               std::string body) {
    auto refusal = co_await record_answered(gateway, call);
    if (!refusal) {
        (void)co_await call.exchange.answer(200, std::move(headers), std::move(body));
    }
    co_return refusal;
}

Task<std::optional<Refusal>> record_and_answer_file(Gateway& gateway, Call& call,
                                                    http::Headers headers,
                                                    const worker::SpooledFile& file) {
    Buffer piece;
    const auto first = co_await read_piece(gateway, call, file, 0, piece);
    if (!first.ok()) {
        co_return own_failure("file_unavailable", first.error().what);
    }
    auto refusal = co_await record_answered(gateway, call);
    if (refusal) {
        co_return refusal;
    }
    http::Exchange& exchange = call.exchange;
    const auto begun = co_await exchange.begin_sized(200, std::move(headers), file.size());
    bool good = begun.ok();
    for (std::uint64_t at = 0; good && at < file.size();) {
        const auto sent = co_await exchange.write(as_text(piece));
        at += piece.size();
        good = sent.ok();
        if (good && at < file.size()) {
            const auto next = co_await read_piece(gateway, call, file, at, piece);
            good = next.ok();
        }
    }
    if (good) {  // otherwise the answer is cut
        (void)co_await exchange.end();
    }
    co_return std::nullopt;
}

}  // namespace colophon::gateway
