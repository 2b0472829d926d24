// SPDX-License-Identifier: Apache-2.0
#pragma once

// A verification provider described by a file, so that a new one needs no new program
// (docs/reference/configuration.md, "Verification providers"). TOML:
//
//   name = "example"                       means = ["resident_id"]       assurance = "name and
//   number" [request]    method, url, timeout_ms, retries [request.headers] [request.query]
//   [request.form] or [request.json]: values with {placeholders} [signature]  kind, key_id, secret,
//   and for hmac kinds: message, header, value, encoding [answer]     outcome, error, reference:
//   paths; billed [answer.required] [answer.outcomes] [answer.errors]
//   [callback] kind, secret, message, signature, timestamp, nonce: how it is signed; order; and as
//   [answer]

#include "core/clock.h"
#include "core/hmac.h"
#include "core/http_exchange.h"
#include "core/json.h"
#include "identity/answer_mapping.h"
#include "identity/request_signature.h"
#include "identity/verification.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::identity {

enum class SignatureKind : std::uint8_t { kNone, kAcs3, kTc3, kHmac };

struct SignatureTemplate {
    SignatureKind kind = SignatureKind::kNone;
    SigningKey key;
    // kHmac only.
    HmacHash hash = HmacHash::kSha256;
    MacEncoding encoding = MacEncoding::kHex;
    std::string message;  // with placeholders
    std::string header;
    std::string value;  // with placeholders, {signature} among them
};

// What a provider sends later, where it does not answer at once: signed by a secret of its own and
// fresh. Names of
// headers are kept in small letters.
struct CallbackTemplate {
    HmacHash hash = HmacHash::kSha256;
    MacEncoding encoding = MacEncoding::kHex;
    std::string secret;
    std::string message;           // covers the time and the body
    std::string signature_header;  // the code alone
    std::string timestamp_header;  // seconds or milliseconds since 1970
    std::string nonce_header;      // may be empty
    std::chrono::seconds within{300};
    std::chrono::minutes wait{30};  // so long an order stays open
    JsonPath order;
    AnswerMapping answer;
};

struct ProviderTemplate {
    std::string name;
    std::vector<Means> means;
    std::string assurance;

    std::string method;
    std::string scheme_and_host;
    std::string path;
    std::vector<HttpHeader> headers;
    Parameters query;
    Parameters form;
    std::optional<json::Value> json;
    std::chrono::milliseconds attempt_max{5'000};
    int retries = 1;  // after connections that failed, within the time of the call

    SignatureTemplate signature;
    AnswerMapping answer;
    std::vector<Outcome> billed{Outcome::kMatch, Outcome::kMismatch};
    std::optional<CallbackTemplate> callback;
};

// Turns "env:NAME" and "file:PATH" into the secret; who has files and an environment gives it.
using SecretSource = std::function<Result<std::string>(std::string_view reference)>;

// kInvalidArgument says which key is wrong and why; an unknown key is wrong. A secret that stands
// in the file itself is refused. Only https is accepted, or http to a loopback address.
Result<ProviderTemplate> parse_provider_template(std::string_view text,
                                                 const SecretSource& secrets);

// What stands for {name}, {timestamp}, ... in one attempt.
using Placeholders = std::vector<std::pair<std::string, std::string>>;

// "{{" and "}}" stand for braces. kInvalidArgument names a placeholder that has no value.
Result<std::string> fill_placeholders(std::string_view pattern, const Placeholders& values);

// The request of one attempt, signed; the body is in `body`, to which the request refers.
struct ProviderRequest {
    HttpRequest http;
    std::string body;
};

struct AttemptContext {
    Time now;
    std::string nonce;
};

// kInvalidArgument: a field that the template mentions was not given.
Result<ProviderRequest> compose_request(const ProviderTemplate& provider,
                                        const VerificationRequest& request,
                                        const AttemptContext& attempt);

}  // namespace colophon::identity
