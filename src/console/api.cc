// SPDX-License-Identifier: Apache-2.0
#include "console/api.h"

#include "console/internal/rows.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "http/exchange.h"
#include "http/json_body.h"
#include "http/message.h"
#include "http/router.h"
#include "identity/api_key.h"
#include "identity/caches.h"
#include "identity/staff.h"
#include "identity/tenants.h"
#include "ledger/conduct.h"
#include "messages/messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::console {
namespace {

struct Failure {
    int status = 500;
    std::string type;
    std::string code;
    std::string message;
};

Failure failure_of(const Error& error) {
    struct Row {
        ErrorCode code;
        int status;
        const char* type;
    };
    constexpr std::array kRows{
        Row{.code = ErrorCode::kInvalidArgument, .status = 400, .type = "invalid_request_error"},
        Row{.code = ErrorCode::kNotFound, .status = 404, .type = "invalid_request_error"},
        Row{.code = ErrorCode::kConflict, .status = 409, .type = "invalid_request_error"},
        Row{.code = ErrorCode::kDenied, .status = 403, .type = "permission_error"},
        Row{.code = ErrorCode::kUnsupported, .status = 422, .type = "invalid_request_error"},
        Row{.code = ErrorCode::kLimit, .status = 429, .type = "rate_limit_error"},
        Row{.code = ErrorCode::kCorrupt, .status = 500, .type = "server_error"},
        Row{.code = ErrorCode::kUnavailable, .status = 503, .type = "server_error"}};
    const auto* row = std::ranges::find(kRows, error.code, &Row::code);
    return {.status = row == kRows.end() ? 500 : row->status,
            .type = row == kRows.end() ? "server_error" : row->type,
            .code = error_code_name(error.code),
            .message = error.what};
}

Failure unauthenticated() {
    return {.status = 401,
            .type = "authentication_error",
            .code = "unauthenticated",
            .message =
                "an API key or a session is needed, and this is none that is valid; send it as "
                "Authorization: Bearer"};
}

Failure forbidden(const ApiRow& row, const ApiCaller& caller) {
    Failure failure{
        .status = 403, .type = "permission_error", .code = "insufficient_scope", .message = {}};
    if (caller.key) {
        failure.message = *row.scope == '\0'
                              ? std::string("this address is for staff, not for API keys")
                              : fmt::format("this API key has no scope \"{}\"", row.scope);
    } else {
        failure.code = "insufficient_role";
        failure.message = "none of your roles may do this";
    }
    return failure;
}

bool prefers_chinese(const http::Request& request) {
    const std::string_view accepted = request.header("accept-language");
    const std::size_t chinese = accepted.find("zh");
    return chinese != std::string_view::npos && chinese < accepted.find("en");
}

std::string failure_body(const Failure& failure, const http::Request& request) {
    return json::write(json::Object{
        {"error",
         json::Object{{"message", prefers_chinese(request) ? messages::in_chinese(failure.message)
                                                           : failure.message},
                      {"type", failure.type},
                      {"param", json::Value()},
                      {"code", failure.code}}}});
}

std::string_view bearer_of(const http::Request& request) {
    constexpr std::string_view kBearer = "bearer ";
    const std::string_view value = request.header("authorization");
    const bool is_bearer =
        value.size() > kBearer.size() &&
        std::ranges::equal(value.substr(0, kBearer.size()), kBearer,
                           [](char a, char b) { return (a | 0x20) == (b | 0x20); });
    return is_bearer ? value.substr(kBearer.size()) : request.header("x-api-key");
}

Result<void> find_caller(const ApiParts& parts, const http::Request& request, ApiCaller& caller) {
    const std::string token(bearer_of(request));
    if (token.empty()) {
        return Error{ErrorCode::kDenied, ""};
    }
    if (identity::parse_api_key(token).ok()) {
        const auto known = parts.keys.find(token);
        caller.key = known.ok() && *known ? **known : TRY(parts.keys.load(token));
        return {};
    }
    caller.session = TRY(parts.staff({}).session(token));
    caller.token = token;
    return {};
}

bool has_scope_of(const identity::Caller& caller, std::string_view scope) {
    const auto wanted = identity::parse_scopes(scope);
    return wanted.ok() && (caller.scopes & *wanted) != 0;
}

std::optional<Failure> authorize(const ApiRow& row, const ApiCaller& caller) {
    const std::string_view roles = row.roles;
    if (caller.key) {
        const bool allowed = *row.scope != '\0' && has_scope_of(*caller.key, row.scope);
        return allowed ? std::nullopt : std::optional(forbidden(row, caller));
    }
    if (roles == kAnySession) {
        return std::nullopt;
    }
    if (caller.session->must_change) {
        return Failure{.status = 403,
                       .type = "permission_error",
                       .code = "password_change_required",
                       .message = "the password must be changed first"};
    }
    const auto wanted = identity::parse_roles(roles);
    const bool allowed = wanted.ok() && (caller.session->roles & *wanted) != 0;
    return allowed ? std::nullopt : std::optional(forbidden(row, caller));
}

ledger::Actor actor_of(const ApiCaller& caller, const http::Exchange& exchange) {
    ledger::Actor actor;
    if (caller.key) {
        actor.account = "API key " + to_string(caller.key->key);
    } else if (caller.session) {
        actor.account = "staff " + caller.session->name;
    }
    actor.source_address = exchange.peer_address();
    actor.source_port = exchange.peer_port();
    actor.client = std::string(exchange.request().header("user-agent").substr(0, 200));
    return actor;
}

// What is answered, without the words of the protocol.
// NOLINTBEGIN(readability-redundant-member-init): GCC warns of members without an initialiser in
// `{.status = ...}`.
struct Outcome {
    int status = 200;
    std::string body;
    http::Headers headers = {};
};
// NOLINTEND(readability-redundant-member-init)

class Endpoint {
public:
    Endpoint(const ApiParts& parts, ApiRow row) : parts_(parts), row_(std::move(row)) {}

    Task<void> serve(http::Exchange& exchange, http::PathValues values) const {
        const auto body = co_await exchange.read_body(row_.body_bytes_max);
        Outcome outcome;
        if (body.ok()) {
            const auto work = [&]() -> Result<Outcome> { return answer(exchange, values, *body); };
            ThreadPool& pool = row_.looks ? parts_.looking : parts_.blocking;
            auto done = co_await pool.run(exchange.loop(), work);
            outcome = done.ok()
                          ? std::move(*done)
                          : refused(failure_of(Error{ErrorCode::kUnavailable, done.error().what}),
                                    exchange.request());
        } else {
            Failure failure = failure_of(body.error());
            if (body.error().code == ErrorCode::kLimit) {
                failure.status = 413;
                failure.code = "request_too_large";
            }
            outcome = refused(failure, exchange.request());
        }
        http::Headers headers = std::move(outcome.headers);
        headers.push_back({"content-type", "application/json"});
        headers.push_back({"cache-control", "no-store"});
        if (outcome.status == 401) {
            headers.push_back({"www-authenticate", "Bearer"});
        }
        (void)co_await exchange.answer(outcome.status, std::move(headers), std::move(outcome.body));
    }

private:
    static Outcome refused(const Failure& failure, const http::Request& request) {
        return {.status = failure.status, .body = failure_body(failure, request)};
    }

    bool is_public() const { return *row_.scope == '\0' && *row_.roles == '\0'; }

    Outcome answer(const http::Exchange& exchange, const http::PathValues& values,
                   const std::string& text) const {
        const http::Request& request = exchange.request();
        ApiCaller caller;
        if (!is_public()) {
            const auto found = find_caller(parts_, request, caller);
            if (!found.ok() && found.error().code == ErrorCode::kUnavailable) {
                return refused(failure_of(found.error()), request);
            }
            if (!found.ok()) {
                return refused(unauthenticated(), request);
            }
            if (const auto denied = authorize(row_, caller)) {
                return refused(*denied, request);
            }
        }
        json::Value body{json::Object{}};
        if (!text.empty()) {
            auto parsed = http::read_json_object(text);
            if (!parsed.ok()) {
                return refused(failure_of(parsed.error()), request);
            }
            body = std::move(*parsed);
        }
        const ledger::Actor actor = actor_of(caller, exchange);
        http::Headers headers;
        return handle({.parts = parts_,
                       .request = request,
                       .values = values,
                       .body = body,
                       .caller = caller,
                       .actor = actor,
                       .headers = headers});
    }

    // A throw is the failure of one call.
    Outcome handle(const ApiCall& call) const {
        try {
            auto done = row_.handle(call);
            if (done.ok()) {
                return {.status = row_.status,
                        .body = json::write(*done),
                        .headers = std::move(call.headers)};
            }
            Failure failure = failure_of(done.error());
            // Who signs in is not refused for a lack of rights.
            if (is_public() && done.error().code == ErrorCode::kDenied) {
                failure.status = 401;
                failure.type = "authentication_error";
            }
            return refused(failure, call.request);
        } catch (const std::exception&) {
            return refused(failure_of(Error{ErrorCode::kCorrupt, "a part of the server failed"}),
                           call.request);
        }
    }

    const ApiParts& parts_;
    ApiRow row_;
};

}  // namespace

Result<std::string> required_text(const ApiCall& call, std::string_view name) {
    const json::Value* found = call.body.find(name);
    const std::string* text = found == nullptr ? nullptr : found->if_string();
    if (text == nullptr) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("the field \"{}\" is missing or is no text", name)};
    }
    return *text;
}

Result<std::string> optional_text(const ApiCall& call, std::string_view name,
                                  std::string_view otherwise) {
    const json::Value* found = call.body.find(name);
    return found == nullptr || found->is_null() ? Result<std::string>(std::string(otherwise))
                                                : required_text(call, name);
}

Result<std::vector<std::string>> optional_texts(const ApiCall& call, std::string_view name) {
    std::vector<std::string> texts;
    const json::Value* found = call.body.find(name);
    if (found == nullptr || found->is_null()) {
        return texts;
    }
    const Error wrong{ErrorCode::kInvalidArgument,
                      fmt::format("the field \"{}\" must be a list of texts", name)};
    if (found->if_array() == nullptr) {
        return wrong;
    }
    for (const json::Value& each : *found->if_array()) {
        if (each.if_string() == nullptr) {
            return wrong;
        }
        texts.push_back(*each.if_string());
    }
    return texts;
}

Result<bool> optional_flag(const ApiCall& call, std::string_view name) {
    const json::Value* found = call.body.find(name);
    if (found == nullptr) {
        return false;
    }
    if (found->if_bool() == nullptr) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("the field \"{}\" must be true or false", name)};
    }
    return *found->if_bool();
}

Result<std::int64_t> optional_number(const ApiCall& call, std::string_view name,
                                     std::int64_t otherwise, std::int64_t most) {
    const json::Value* found = call.body.find(name);
    if (found == nullptr) {
        return otherwise;
    }
    const auto number = found->as_int();
    if (!number.ok() || *number < 0 || *number > most) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("the field \"{}\" must be a number from 0 to {}", name, most)};
    }
    return *number;
}

std::string in_callers_language(const ApiCall& call, std::string_view message) {
    return prefers_chinese(call.request) ? messages::in_chinese(std::string(message))
                                         : std::string(message);
}

std::optional<std::string> asked(const ApiCall& call, std::string_view name) {
    auto value = http::query_field(call.request.query, name);
    return value && !value->empty() ? std::move(value) : std::nullopt;
}

Result<identity::Tenant> find_tenant(const ApiCall& call, const std::string& text) {
    const bool self = text == "self" && call.caller.key;
    for (const identity::Tenant& each : TRY(call.parts.tenants({}).list())) {
        const bool meant = self ? each.id == call.caller.key->tenant
                                : to_string(each.id) == text || each.name == text;
        // A program sees no tenant but its own.
        if (meant && (!call.caller.key || each.id == call.caller.key->tenant)) {
            return each;
        }
    }
    return Error{ErrorCode::kNotFound, "there is no tenant of that id or name"};
}

Result<identity::Tenant> tenant_of_path(const ApiCall& call) {
    return find_tenant(call, call.values.front());
}

Result<Page> page_of(const ApiCall& call) {
    Page page{.limit = kApiPageUsual, .after = asked(call, "after")};
    if (const auto limit = asked(call, "limit")) {
        page.limit = 0;
        if (limit->size() <= 4 && limit->find_first_not_of("0123456789") == std::string::npos) {
            page.limit = std::stoul(*limit);
        }
        if (page.limit < 1 || page.limit > kApiPageMax) {
            return Error{ErrorCode::kInvalidArgument, "limit must be a number from 1 to 1000"};
        }
    }
    return page;
}

Result<json::Value> page_list(const Page& page, json::Array all, std::string_view id) {
    auto first = all.begin();
    if (page.after) {
        first = std::ranges::find_if(
            all, [&](const json::Value& each) { return each.string_or(id, "") == *page.after; });
        if (first == all.end()) {
            return Error{ErrorCode::kNotFound, "the page that this one follows is not there"};
        }
        ++first;
    }
    json::Array data;
    const bool more = static_cast<std::size_t>(std::distance(first, all.end())) > page.limit;
    const auto last = more ? first + static_cast<std::ptrdiff_t>(page.limit) : all.end();
    std::move(first, last, std::back_inserter(data));
    json::Value next = more ? json::Value(data.back().string_or(id, "")) : json::Value();
    return json::Value(json::Object{{"data", std::move(data)}, {"next", std::move(next)}});
}

void add_api_routes(http::Router& router, const ApiParts& parts) {
    for (auto rows : {session_rows, provider_rows, tenant_rows, key_rows, subject_rows, staff_rows,
                      ledger_rows, settings_rows, library_rows, review_rows, agreement_rows}) {
        for (ApiRow& row : rows()) {
            http::Route route{.method = row.method,
                              .pattern = row.pattern,
                              .operation = row.operation,
                              .right = row.scope,
                              .summary = row.summary,
                              .request_schema = row.request_schema,
                              .response_schema = R"({"type":"object"})",
                              .roles = row.roles,
                              .query = row.query,
                              .status = row.status,
                              .handle = {}};
            route.handle = [endpoint = Endpoint(parts, std::move(row))](
                               http::Exchange& exchange, const http::Route&,
                               http::PathValues values) -> Task<void> {
                return endpoint.serve(exchange, std::move(values));
            };
            router.add(std::move(route));
        }
    }
}

}  // namespace colophon::console
