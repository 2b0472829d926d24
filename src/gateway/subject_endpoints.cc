// SPDX-License-Identifier: Apache-2.0
#include "gateway/subject_endpoints.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/refusal.h"
#include "gateway/request_body.h"
#include "http/exchange.h"
#include "http/message.h"
#include "http/router.h"
#include "identity/provider.h"
#include "identity/subjects.h"
#include "identity/verification.h"
#include "ledger/conduct.h"
#include "ledger/record.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

constexpr std::uint64_t kBodyBytesMax = 64U << 10U;
// A callback may be quicker than the commit of the order that it is about.
constexpr int kOrderLooks = 5;
constexpr std::chrono::milliseconds kOrderPause{300};

// What identity says is a finding about the request; it never holds a number or a name.
Refusal refusal_of(const Error& error) {
    switch (error.code) {
        case ErrorCode::kLimit:
            return too_many(error.what, 3'600);
        case ErrorCode::kUnavailable:
        case ErrorCode::kCorrupt:
            return own_failure("identity_unavailable", error.what);
        default:
            break;
    }
    Refusal refusal = invalid_request(error.what, "");
    refusal.code = error_code_name(error.code);
    refusal.status = error.code == ErrorCode::kNotFound   ? 404
                     : error.code == ErrorCode::kConflict ? 409
                     : error.code == ErrorCode::kDenied   ? 403
                                                          : 400;
    return refusal;
}

struct Body {
    json::Value root;
    std::string account;  // the tenant's own name for its user
};

// The field "subject", or the header.
std::optional<Refusal> find_account(Call& call, Body& body) {
    body.account = body.root.string_or("subject", "");
    if (body.account.empty()) {
        body.account = std::string(call.exchange.request().header("colophon-subject"));
    }
    if (body.account.empty()) {
        return invalid_request(
            "the call names no end user; send it as the field \"subject\" or the header "
            "Colophon-Subject",
            "subject");
    }
    call.record.personal.account = body.account.substr(0, ledger::kRecordNameBytesMax);
    return std::nullopt;
}

Task<std::optional<Refusal>> read_object(Call& call, Body& body) {
    note_source(call);
    const auto text = co_await call.exchange.read_body(kBodyBytesMax);
    if (!text.ok()) {
        co_return body_failure(text.error());
    }
    if (auto refusal = read_json_body(*text, body.root)) {
        co_return refusal;
    }
    co_return find_account(call, body);
}

ledger::Actor actor_of(const Call& call) {
    return {.account = call.record.personal.account,
            .source_address = call.record.personal.source_address,
            .source_port = call.record.personal.source_port,
            .client = call.record.personal.client};
}

std::string_view age_name(identity::AgeClass age) {
    switch (age) {
        case identity::AgeClass::kUnder14:
            return "under_14";
        case identity::AgeClass::kMinor:
            return "minor";
        case identity::AgeClass::kAdult:
            return "adult";
        case identity::AgeClass::kUnknown:
            break;
    }
    return "unknown";
}

// Numbers masked, as identity shows them.
json::Object standing_json(const SubjectId& subject, const identity::Standing& standing) {
    json::Array means;
    for (const identity::VerificationEntry& each : standing.verifications) {
        json::Object entry{{"means", identity::means_name(each.means)},
                           {"state", identity::state_name(each.state)},
                           {"shown", each.shown}};
        if (each.expires) {
            entry.emplace_back("expires", format_time(*each.expires));
        }
        means.emplace_back(std::move(entry));
    }
    return {{"subject", to_string(subject)},
            {"kind", standing.kind == identity::SubjectKind::kPerson ? "person" : "organisation"},
            {"verified", standing.verified},
            {"closed", standing.closed},
            {"age", age_name(standing.age)},
            {"needs_guardian", standing.needs_guardian},
            {"verifications", std::move(means)}};
}

// One call: `work` runs in a thread that may wait, then the record and the answer.
template <class Work>
Task<std::optional<Refusal>> finish(Gateway& gateway, Call& call, ThreadPool& pool, Work work) {
    auto done = co_await pool.run(call.loop(), work);
    if (!done.ok()) {
        co_return refusal_of(done.error());
    }
    std::string out = json::write(json::Value(std::move(*done)));
    http::Headers headers = answer_headers(call, "application/json");
    co_return co_await record_and_answer(gateway, call, std::move(headers), std::move(out));
}

Result<SubjectId> known_subject(identity::Subjects& subjects, Call& call,
                                const std::string& account) {
    const auto found = TRY(subjects.find(call.caller.tenant, account));
    if (!found) {
        return Error{ErrorCode::kNotFound, "there is no such subject"};
    }
    call.facts().subject = *found;
    return *found;
}

Task<std::optional<Refusal>> serve_enrolment(const SubjectParts& parts, Gateway& gateway,
                                             Call& call) {
    Body body;
    auto refusal = co_await read_object(call, body);
    if (refusal) {
        co_return refusal;
    }
    const std::string kind = body.root.string_or("kind", "person");
    if (kind != "person" && kind != "organisation") {
        co_return invalid_request("kind is person or organisation", "kind");
    }
    const auto work = [&]() -> Result<json::Object> {
        identity::Subjects subjects = parts.subjects(actor_of(call));
        const SubjectId id =
            TRY(subjects.enrol(call.caller.tenant, body.account,
                               kind == "person" ? identity::SubjectKind::kPerson
                                                : identity::SubjectKind::kOrganisation));
        call.facts().subject = id;
        return standing_json(id, TRY(subjects.standing(call.caller.tenant, id)));
    };
    co_return co_await finish(gateway, call, gateway.parts().blocking, work);
}

Task<std::optional<Refusal>> serve_standing(const SubjectParts& parts, Gateway& gateway,
                                            Call& call) {
    note_source(call);
    Body body;
    if (auto refusal = find_account(call, body)) {
        co_return refusal;
    }
    const auto work = [&]() -> Result<json::Object> {
        identity::Subjects subjects = parts.subjects(actor_of(call));
        const SubjectId id = TRY(known_subject(subjects, call, body.account));
        return standing_json(id, TRY(subjects.standing(call.caller.tenant, id)));
    };
    co_return co_await finish(gateway, call, gateway.parts().blocking, work);
}

// Whatever the provider does, the answer is a state; that nobody could judge is one, too.
Result<json::Object> verify(const SubjectParts& parts, Call& call, const Body& body,
                            const identity::Claim& claim) {
    identity::Subjects subjects = parts.subjects(actor_of(call));
    const SubjectId id = TRY(known_subject(subjects, call, body.account));
    std::optional<identity::Outcome> outcome;
    const identity::VerificationState state = TRY(subjects.verify(
        call.caller.tenant, id, claim, [&](const identity::VerificationRequest& request) {
            auto answer = parts.providers.verify(request);
            outcome = answer.outcome;
            return answer;
        }));
    call.detail.emplace_back("state", identity::state_name(state));
    json::Object out{{"subject", to_string(id)},
                     {"means", identity::means_name(claim.means)},
                     {"state", identity::state_name(state)},
                     {"verified", state == identity::VerificationState::kVerified}};
    if (outcome) {
        out.emplace_back("outcome", identity::outcome_name(*outcome));
    }
    return out;
}

Task<std::optional<Refusal>> serve_verification(const SubjectParts& parts, Gateway& gateway,
                                                Call& call) {
    Body body;
    auto refusal = co_await read_object(call, body);
    if (refusal) {
        co_return refusal;
    }
    identity::Claim claim;
    const auto means = identity::parse_means(body.root.string_or("means", "resident_id"));
    if (!means.ok()) {
        co_return invalid_request(means.error().what, "means");
    }
    claim.means = *means;
    if (!parts.providers.verifies(claim.means)) {
        co_return invalid_request("no provider of this service verifies by these means", "means");
    }
    claim.name = body.root.string_or("name", "");
    claim.number = body.root.string_or("number", "");
    claim.consent_reference = body.root.string_or("consent", "");
    claim.idempotency_key = body.root.string_or("idempotency_key", to_string(call.facts().id));
    const auto work = [&] { return verify(parts, call, body, claim); };
    co_return co_await finish(gateway, call, parts.waiting, work);
}

Task<std::optional<Refusal>> serve_code(const SubjectParts& parts, Gateway& gateway, Call& call) {
    Body body;
    auto refusal = co_await read_object(call, body);
    if (refusal) {
        co_return refusal;
    }
    const auto work = [&]() -> Result<json::Object> {
        identity::Subjects subjects = parts.subjects(actor_of(call));
        const SubjectId id = TRY(known_subject(subjects, call, body.account));
        std::string code =
            TRY(subjects.begin_mobile(call.caller.tenant, id, body.root.string_or("number", "")));
        return json::Object{{"subject", to_string(id)}, {"code", std::move(code)}};
    };
    co_return co_await finish(gateway, call, gateway.parts().blocking, work);
}

Task<std::optional<Refusal>> serve_confirmation(const SubjectParts& parts, Gateway& gateway,
                                                Call& call) {
    Body body;
    auto refusal = co_await read_object(call, body);
    if (refusal) {
        co_return refusal;
    }
    const auto work = [&]() -> Result<json::Object> {
        identity::Subjects subjects = parts.subjects(actor_of(call));
        const SubjectId id = TRY(known_subject(subjects, call, body.account));
        const auto state =
            TRY(subjects.confirm_mobile(call.caller.tenant, id, body.root.string_or("number", ""),
                                        body.root.string_or("code", "")));
        return json::Object{{"subject", to_string(id)},
                            {"means", "mobile"},
                            {"state", identity::state_name(state)},
                            {"verified", state == identity::VerificationState::kVerified}};
    };
    co_return co_await finish(gateway, call, gateway.parts().blocking, work);
}

// --- Callbacks

Task<void> say(http::Exchange& exchange, std::string text) {
    http::Headers headers;
    headers.push_back({"content-type", "application/json"});
    headers.push_back({"cache-control", "no-store"});
    (void)co_await exchange.answer(200, std::move(headers), std::move(text));
}

Task<void> refuse(http::Exchange& exchange, const Refusal& refusal) {
    const Tongue tongue = tongue_of(exchange.request().header("accept-language"));
    http::Headers headers;
    headers.push_back({"content-type", "application/json"});
    std::string text = json::write(error_json(refusal, {.tongue = tongue}));
    (void)co_await exchange.answer(refusal.status, std::move(headers), std::move(text));
}

Refusal nobody() {
    Refusal refusal = invalid_request("there is nothing at this address", "");
    refusal.status = 404;
    refusal.code = "not_found";
    return refusal;
}

Task<Result<identity::VerificationState>> take(const SubjectParts& parts, http::Exchange& exchange,
                                               ThreadPool& pool,
                                               const identity::Provider::CallbackAnswer& said) {
    const auto work = [&] {
        identity::Subjects subjects = parts.subjects({.account = "provider " + said.answer.provider,
                                                      .source_address = exchange.peer_address(),
                                                      .source_port = exchange.peer_port(),
                                                      .client = "callback"});
        return subjects.take_callback(said.order, said.answer);
    };
    for (int look = 1;; ++look) {
        auto state = co_await pool.run(exchange.loop(), work);
        if (state.ok() || state.error().code != ErrorCode::kNotFound || look == kOrderLooks) {
            co_return state;
        }
        co_await exchange.loop().sleep(kOrderPause);
    }
}

Task<void> serve_callback(const SubjectParts& parts, Gateway& gateway, http::Exchange& exchange,
                          std::string name) {
    const auto body = co_await exchange.read_body(kBodyBytesMax);
    if (!body.ok()) {
        const Refusal refusal = body_failure(body.error());
        co_await refuse(exchange, refusal);
        co_return;
    }
    const identity::Provider* provider = parts.providers.find(name);
    if (provider == nullptr) {
        const Refusal refusal = nobody();
        co_await refuse(exchange, refusal);
        co_return;
    }
    const http::Request& request = exchange.request();
    const identity::Provider::Callback callback{
        .method = request.method,
        .path = request.path,
        .header = [&request](std::string_view field) { return request.header(field); },
        .body = as_bytes(*body)};
    const auto said = provider->read_callback(callback);
    if (!said.ok()) {
        const Refusal refusal = refusal_of(said.error());
        co_await refuse(exchange, refusal);
        co_return;
    }
    const auto state = co_await take(parts, exchange, gateway.parts().blocking, *said);
    if (!state.ok()) {
        const Refusal refusal = refusal_of(state.error());
        co_await refuse(exchange, refusal);
        co_return;
    }
    json::Object kept{{"order", said->order}, {"state", identity::state_name(*state)}};
    std::string text = json::write(json::Value(std::move(kept)));
    co_await say(exchange, std::move(text));
}

constexpr const char* kSubjectSchema =
    R"({"type":"object","required":["subject"],"properties":{)"
    R"("subject":{"type":"string"},"kind":{"enum":["person","organisation"]}}})";
constexpr const char* kVerificationSchema =
    R"({"type":"object","required":["subject","number"],"properties":{)"
    R"("subject":{"type":"string"},)"
    R"("means":{"enum":["mobile","resident_id","credit_code","network_identity"]},)"
    R"("name":{"type":"string"},"number":{"type":"string"},"consent":{"type":"string"},)"
    R"("idempotency_key":{"type":"string"}}})";
constexpr const char* kCodeSchema =
    R"({"type":"object","required":["subject","number"],"properties":{)"
    R"("subject":{"type":"string"},"number":{"type":"string"},"code":{"type":"string"}}})";

using Serve = Task<std::optional<Refusal>> (*)(const SubjectParts&, Gateway&, Call&);

void add(Gateway& gateway, const SubjectParts& parts, http::Route route, Serve serve) {
    route.right = "subjects";
    route.response_schema = R"({"type":"object"})";
    gateway.add_call(std::move(route), [parts, serve](Gateway& within, Call& call) {
        return serve(parts, within, call);
    });
}

}  // namespace

void add_subject_routes(Gateway& gateway, const SubjectParts& parts) {
    add(gateway, parts,
        {.method = "POST",
         .pattern = "/api/subjects",
         .operation = "subjects.create",
         .right = {},
         .summary = "an end user, registered unless it is already",
         .request_schema = kSubjectSchema,
         .handle = {}},
        serve_enrolment);
    add(gateway, parts,
        {.method = "GET",
         .pattern = "/api/subjects/standing",
         .operation = "subjects.standing",
         .right = {},
         .summary = "what is known of an end user's identity",
         .handle = {}},
        serve_standing);
    add(gateway, parts,
        {.method = "POST",
         .pattern = "/api/subjects/verifications",
         .operation = "subjects.ask",
         .right = {},
         .summary = "an end user's real identity, asked of the providers",
         .request_schema = kVerificationSchema,
         .handle = {}},
        serve_verification);
    add(gateway, parts,
        {.method = "POST",
         .pattern = "/api/subjects/codes",
         .operation = "subjects.code",
         .right = {},
         .summary = "a one-time code that is to be sent to a mobile number",
         .request_schema = kCodeSchema,
         .handle = {}},
        serve_code);
    add(gateway, parts,
        {.method = "POST",
         .pattern = "/api/subjects/codes/confirmations",
         .operation = "subjects.confirm",
         .right = {},
         .summary = "an end user verified by the code that was sent to its number",
         .request_schema = kCodeSchema,
         .handle = {}},
        serve_confirmation);
    gateway.router().add({.method = "POST",
                          .pattern = "/api/providers/{name}/callbacks",
                          .operation = "providers.callback",
                          .right = {},
                          .summary = "what a provider of verification says later, signed by it",
                          .handle = [parts, &gateway](http::Exchange& exchange, const http::Route&,
                                                      http::PathValues values) -> Task<void> {
                              return serve_callback(parts, gateway, exchange,
                                                    std::move(values.front()));
                          }});
}

}  // namespace colophon::gateway
