// SPDX-License-Identifier: Apache-2.0
#include "gateway/refusal.h"

#include "core/json.h"
#include "core/result.h"
#include "ledger/record.h"
#include "messages/messages.h"
#include "review/entry.h"
#include "review/review.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {

Refusal invalid_request(std::string message, std::string param) {
    return {.status = 400,
            .type = "invalid_request_error",
            .code = "invalid_request",
            .message = std::move(message),
            .param = std::move(param)};
}

Refusal unauthorized() {
    return {.status = 401,
            .type = "authentication_error",
            .code = "invalid_api_key",
            .message =
                "the API key is missing, not known, has ended or was revoked; send it as "
                "Authorization: Bearer KEY"};
}

Refusal not_permitted(std::string_view right) {
    return {.status = 403,
            .type = "permission_error",
            .code = "insufficient_scope",
            .message = fmt::format("this API key has no scope \"{}\"", right)};
}

Refusal policy_refusal(std::string code, std::string message) {
    return {.status = 403,
            .type = "policy_refusal",
            .code = std::move(code),
            .message = std::move(message)};
}

Refusal blocked(const review::Verdict& verdict, std::string_view code) {
    Refusal refusal = policy_refusal(
        std::string(code), code == "input_blocked"
                               ? "the request has content that the rules of this service do not "
                                 "allow"
                               : "the model's answer has content that the rules of this service "
                                 "do not allow");
    if (verdict.decision == review::Decision::kHold) {
        refusal.code = kHeldForReview;
        refusal.message = code == "input_blocked"
                              ? "the request has content that a person must look at first"
                              : "the model's answer has content that a person must look at first";
    }
    refusal.category = verdict.category;
    if (!verdict.reply.empty()) {
        refusal.message = verdict.reply;
    }
    return refusal;
}

Refusal too_many(std::string what, int retry_after) {
    return {.status = 429,
            .type = "rate_limit_error",
            .code = "rate_limit_exceeded",
            .message = std::move(what),
            .retry_after = retry_after};
}

Refusal own_failure(std::string code, std::string message) {
    return {.status = 503,
            .type = "server_error",
            .code = std::move(code),
            .message = std::move(message),
            .outcome = ledger::Outcome::kFailed,
            .retry_after = 1};
}

Refusal upstream_failure(const Error& error) {
    const bool late = error.code == ErrorCode::kLimit;
    return {.status = late ? 504 : 502,
            .type = "upstream_error",
            .code = late ? "upstream_timeout" : "upstream_failed",
            .message = error.what,
            .outcome = ledger::Outcome::kFailed};
}

Refusal body_failure(const Error& error) {
    Refusal refusal = invalid_request(error.what, "");
    if (error.code == ErrorCode::kLimit) {
        refusal.status = 413;
        refusal.code = "request_too_large";
    } else if (error.code == ErrorCode::kUnavailable) {
        refusal.code = "client_gone";
        refusal.outcome = ledger::Outcome::kCutOff;
    }
    return refusal;
}

Tongue tongue_of(std::string_view accept_language) {
    const std::size_t chinese = accept_language.find("zh");
    const std::size_t english = accept_language.find("en");
    const bool first = chinese != std::string_view::npos &&
                       (english == std::string_view::npos || chinese < english);
    return first ? Tongue::kChinese : Tongue::kEnglish;
}

std::string in_tongue(const std::string& message, Tongue tongue) {
    return tongue == Tongue::kChinese ? messages::in_chinese(message) : message;
}

namespace {

// Anthropic's clients know errors by these words.
std::string_view anthropic_type(int status) {
    switch (status) {
        case 401:
            return "authentication_error";
        case 403:
            return "permission_error";
        case 404:
            return "not_found_error";
        case 413:
            return "request_too_large";
        case 429:
            return "rate_limit_error";
        case 503:
            return "overloaded_error";
        case 504:
            return "timeout_error";
        default:
            return status >= 500 ? "api_error" : "invalid_request_error";
    }
}

}  // namespace

std::string ticket_address(std::string_view ticket) {
    return fmt::format("/v1/tickets/{}", ticket);
}

json::Value error_json(const Refusal& refusal, const ErrorContext& context) {
    json::Object error{{"message", in_tongue(refusal.message, context.tongue)},
                       {"type", context.shape == ErrorShape::kOpenai
                                    ? refusal.type
                                    : std::string(anthropic_type(refusal.status))}};
    error.emplace_back("param", refusal.param.empty() ? json::Value() : json::Value(refusal.param));
    error.emplace_back("code", refusal.code);
    if (!refusal.category.empty()) {
        error.emplace_back("category", refusal.category);
    }
    if (!refusal.ticket.empty()) {
        error.emplace_back("ticket", refusal.ticket);
        error.emplace_back("ticket_url", ticket_address(refusal.ticket));
    }
    if (refusal.type == "policy_refusal" && !context.appeal.empty()) {
        error.emplace_back("appeal", context.appeal);
    }
    if (!context.record.empty()) {
        error.emplace_back("record", context.record);
    }
    if (context.shape == ErrorShape::kAnthropic) {
        return json::Object{{"type", "error"}, {"error", std::move(error)}};
    }
    return json::Object{{"error", std::move(error)}};
}

}  // namespace colophon::gateway
