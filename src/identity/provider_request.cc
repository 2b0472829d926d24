// SPDX-License-Identifier: Apache-2.0
// From template and values to a signed request.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/http_exchange.h"
#include "core/json.h"
#include "core/result.h"
#include "identity/limits.h"
#include "identity/provider_template.h"
#include "identity/request_signature.h"
#include "identity/verification.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::identity {
namespace {

Placeholders values_of(const VerificationRequest& request, const AttemptContext& attempt) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(attempt.now);
    Placeholders values = request.fields;
    values.emplace_back("consent", request.consent_reference);
    values.emplace_back("idempotency_key", request.idempotency_key);
    values.emplace_back("order", request.order);
    values.emplace_back("nonce", attempt.nonce);
    values.emplace_back("timestamp", std::to_string(seconds.time_since_epoch().count()));
    values.emplace_back("timestamp_ms", std::to_string(attempt.now.time_since_epoch().count()));
    values.emplace_back("time", format_time(seconds));
    return values;
}

Result<Parameters> filled(const Parameters& patterns, const Placeholders& values) {
    Parameters out;
    for (const auto& [name, pattern] : patterns) {
        out.emplace_back(name, TRY(fill_placeholders(pattern, values)));
    }
    return out;
}

Result<json::Value> filled(const json::Value& pattern, const Placeholders& values) {
    if (const json::Object* object = pattern.if_object()) {
        json::Object out;
        for (const auto& [name, member] : *object) {
            out.emplace_back(name, TRY(filled(member, values)));
        }
        return json::Value(std::move(out));
    }
    if (const json::Array* array = pattern.if_array()) {
        json::Array out;
        for (const json::Value& element : *array) {
            out.push_back(TRY(filled(element, values)));
        }
        return json::Value(std::move(out));
    }
    if (const std::string* text = pattern.if_string()) {
        return json::Value(TRY(fill_placeholders(*text, values)));
    }
    return pattern;
}

Result<UnsignedRequest> compose(const ProviderTemplate& provider, const Placeholders& values) {
    UnsignedRequest request{.method = provider.method,
                            .scheme_and_host = provider.scheme_and_host,
                            .path = provider.path,
                            .query = TRY(filled(provider.query, values)),
                            .headers = {},
                            .body = {}};
    for (const HttpHeader& header : provider.headers) {
        request.headers.push_back(
            {.name = header.name, .value = TRY(fill_placeholders(header.value, values))});
    }
    const bool has_type = std::ranges::any_of(request.headers, [](const HttpHeader& header) {
        return header.name == "Content-Type" || header.name == "content-type";
    });
    if (provider.json) {
        request.body = json::write(TRY(filled(*provider.json, values)));
    } else if (!provider.form.empty()) {
        request.body = format_parameters(TRY(filled(provider.form, values)), false);
    }
    if (!request.body.empty() && !has_type) {
        request.headers.push_back({.name = "Content-Type",
                                   .value = provider.json ? "application/json; charset=utf-8"
                                                          : "application/x-www-form-urlencoded"});
    }
    return request;
}

// "faceid" of "faceid.tencentcloudapi.com" and of "faceid.ap-guangzhou.tencentcloudapi.com".
std::string_view first_label(std::string_view host) noexcept {
    return host.substr(0, host.find_first_of(".:"));
}

Result<std::vector<HttpHeader>> sign_plain(const UnsignedRequest& request,
                                           const SignatureTemplate& signature,
                                           Placeholders values) {
    values.emplace_back("method", request.method);
    values.emplace_back("host", host_of(request));
    values.emplace_back("path", request.path);
    values.emplace_back("query", format_parameters(request.query, true));
    values.emplace_back("body", request.body);
    values.emplace_back("body_sha256", to_hex(sha256(as_bytes(request.body))));
    values.emplace_back("key_id", signature.key.key_id);
    values.emplace_back("signature", "");
    const std::string message = TRY(fill_placeholders(signature.message, values));
    values.back().second =
        encoded_mac(signature.hash, signature.key.secret, message, signature.encoding);
    return std::vector<HttpHeader>{
        {.name = signature.header, .value = TRY(fill_placeholders(signature.value, values))}};
}

Result<std::vector<HttpHeader>> sign(const UnsignedRequest& request,
                                     const SignatureTemplate& signature, const Placeholders& values,
                                     const AttemptContext& attempt) {
    switch (signature.kind) {
        case SignatureKind::kNone:
            return std::vector<HttpHeader>();
        case SignatureKind::kAcs3:
            return sign_acs3(request, signature.key, attempt.now, attempt.nonce);
        case SignatureKind::kTc3:
            return sign_tc3(request, signature.key, attempt.now, first_label(host_of(request)));
        case SignatureKind::kHmac:
            return sign_plain(request, signature, values);
    }
    return std::vector<HttpHeader>();
}

}  // namespace

Result<std::string> fill_placeholders(std::string_view pattern, const Placeholders& values) {
    std::string out;
    std::size_t at = 0;
    while (at < pattern.size()) {
        const char c = pattern[at];
        if ((c == '{' || c == '}') && pattern.substr(at + 1).starts_with(c)) {
            out.push_back(c);
            at += 2;
            continue;
        }
        if (c == '}') {
            return Error{ErrorCode::kInvalidArgument,
                         "has a closing brace without an opening one; write it twice for one"};
        }
        if (c != '{') {
            out.push_back(c);
            ++at;
            continue;
        }
        const std::size_t end = pattern.find('}', at);
        const std::string_view name =
            pattern.substr(at + 1, end == std::string_view::npos ? 0 : end - at - 1);
        const auto found = std::ranges::find(
            values, name, [](const auto& each) { return std::string_view(each.first); });
        if (end == std::string_view::npos || found == values.end()) {
            return Error{
                ErrorCode::kInvalidArgument,
                fmt::format("mentions {{{}}}, for which there is no value", name.substr(0, 40))};
        }
        out += found->second;
        if (out.size() > kProviderRequestBytesMax) {
            return Error{ErrorCode::kLimit, "becomes too long"};
        }
        at = end + 1;
    }
    return out;
}

Result<ProviderRequest> compose_request(const ProviderTemplate& provider,
                                        const VerificationRequest& request,
                                        const AttemptContext& attempt) {
    const Placeholders values = values_of(request, attempt);
    UnsignedRequest composed = TRY(compose(provider, values));
    std::vector<HttpHeader> added = TRY(sign(composed, provider.signature, values, attempt));
    ProviderRequest out;
    out.body = std::move(composed.body);
    out.http.method = composed.method;
    out.http.url = composed.scheme_and_host + composed.path;
    if (!composed.query.empty()) {
        out.http.url += "?" + format_parameters(composed.query, true);
    }
    out.http.headers = std::move(composed.headers);
    out.http.headers.insert(out.http.headers.end(), added.begin(), added.end());
    out.http.total_max = provider.attempt_max;
    out.http.connect_max = provider.attempt_max;
    out.http.response_bytes_max = kProviderAnswerBytesMax;
    return out;
}

}  // namespace colophon::identity
