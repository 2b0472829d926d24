// SPDX-License-Identifier: Apache-2.0
#pragma once

// Why a call ended without what it asked for, as the caller hears it (OpenAI's error object) and as
// the record keeps it.

#include "core/json.h"
#include "core/result.h"
#include "http/message.h"
#include "ledger/record.h"
#include "review/review.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::gateway {

// NOLINTBEGIN(readability-redundant-member-init): GCC warns of members without an initialiser in
// `{.status = ...}`.
struct Refusal {
    int status = 500;
    std::string type;     // "policy_refusal", "invalid_request_error", ...
    std::string code;     // "input_blocked", ...; goes into the record
    std::string message;  // English; shown in the caller's language
    std::string param = {};
    std::string category = {};  // of the rule
    std::string ticket = {};    // by which what was held can be had once a person has released it
    ledger::Outcome outcome = ledger::Outcome::kRefused;
    int retry_after = 0;  // seconds; 0: not said
};
// NOLINTEND(readability-redundant-member-init)

// The code of what waits for a person.
inline constexpr const char* kHeldForReview = "held_for_review";

Refusal invalid_request(std::string message, std::string param);
Refusal unauthorized();
Refusal not_permitted(std::string_view right);
Refusal policy_refusal(std::string code, std::string message);
Refusal blocked(const review::Verdict& verdict, std::string_view code);
Refusal too_many(std::string what, int retry_after);
// Something of ours failed: the store, the label worker.
Refusal own_failure(std::string code, std::string message);
// What came of a call to a model.
Refusal upstream_failure(const Error& error);
// The client's body could not be read.
Refusal body_failure(const Error& error);

// The language that an Accept-Language field asks for first, of those that we speak.
enum class Tongue : std::uint8_t { kEnglish, kChinese };
Tongue tongue_of(std::string_view accept_language);
std::string in_tongue(const std::string& message, Tongue tongue);

// Whose error object the caller reads.
enum class ErrorShape : std::uint8_t { kOpenai, kAnthropic };

// NOLINTBEGIN(readability-redundant-member-init): GCC warns of members without an initialiser in
// `{.tongue = ...}`.
struct ErrorContext {
    ErrorShape shape = ErrorShape::kOpenai;
    Tongue tongue = Tongue::kEnglish;
    std::string appeal = {};
    std::string record = {};  // id of the service record; empty when there is none
};
// NOLINTEND(readability-redundant-member-init)
// Where a ticket is asked about: /v1/tickets/ID.
std::string ticket_address(std::string_view ticket);
json::Value error_json(const Refusal& refusal, const ErrorContext& context);

}  // namespace colophon::gateway
