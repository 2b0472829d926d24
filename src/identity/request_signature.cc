// SPDX-License-Identifier: Apache-2.0
#include "identity/request_signature.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/hmac.h"
#include "core/http_exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::identity {
namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

std::string sha256_hex(std::string_view text) {
    return to_hex(sha256(as_bytes(text)));
}

// The headers to be signed, by their names in lower case, in order of them.
using Canonical = std::map<std::string, std::string>;

std::string lines_of(const Canonical& headers) {
    std::string lines;
    for (const auto& [name, value] : headers) {
        lines += fmt::format("{}:{}\n", name, value);
    }
    return lines;
}

std::string names_of(const Canonical& headers) {
    std::string names;
    for (const auto& [name, value] : headers) {
        names += names.empty() ? name : ";" + name;
    }
    return names;
}

// The form that both clouds sign; they differ in which headers stand in it.
std::string canonical_request(const UnsignedRequest& request, const Canonical& headers,
                              std::string_view body_digest) {
    return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.path,
                       format_parameters(request.query, true), lines_of(headers), names_of(headers),
                       body_digest);
}

std::string seconds_text(Time now) {
    return format_time(std::chrono::floor<std::chrono::seconds>(now));
}

Buffer chained(Bytes key, std::string_view text) {
    return hmac(HmacHash::kSha256, key, as_bytes(text));
}

}  // namespace

std::string escape_component(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        out += plain ? std::string(1, c)
                     : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return out;
}

std::string format_parameters(Parameters parameters, bool sorted) {
    for (auto& [name, value] : parameters) {
        name = escape_component(name);
        value = escape_component(value);
    }
    if (sorted) {
        std::ranges::sort(parameters);
    }
    std::string out;
    for (const auto& [name, value] : parameters) {
        out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
    }
    return out;
}

std::string_view host_of(const UnsignedRequest& request) noexcept {
    const std::string_view text = request.scheme_and_host;
    const std::size_t slashes = text.find("//");
    return slashes == std::string_view::npos ? text : text.substr(slashes + 2);
}

std::vector<HttpHeader> sign_acs3(const UnsignedRequest& request, const SigningKey& key, Time now,
                                  std::string_view nonce) {
    const std::string digest = sha256_hex(request.body);
    std::vector<HttpHeader> added{{.name = "x-acs-date", .value = seconds_text(now)},
                                  {.name = "x-acs-signature-nonce", .value = std::string(nonce)},
                                  {.name = "x-acs-content-sha256", .value = digest}};
    Canonical headers{{"host", std::string(host_of(request))}};
    for (const auto* list : {&request.headers, &std::as_const(added)}) {
        for (const HttpHeader& header : *list) {
            const std::string name = lower(header.name);
            if (name.starts_with("x-acs-") || name == "content-type") {
                headers[name] = header.value;
            }
        }
    }
    const std::string to_sign =
        "ACS3-HMAC-SHA256\n" + sha256_hex(canonical_request(request, headers, digest));
    const std::string signature =
        encoded_mac(HmacHash::kSha256, key.secret, to_sign, MacEncoding::kHex);
    added.push_back({.name = "Authorization",
                     .value = fmt::format("ACS3-HMAC-SHA256 Credential={},SignedHeaders={},"
                                          "Signature={}",
                                          key.key_id, names_of(headers), signature)});
    return added;
}

std::vector<HttpHeader> sign_tc3(const UnsignedRequest& request, const SigningKey& key, Time now,
                                 std::string_view service) {
    Canonical headers{{"host", std::string(host_of(request))}};
    for (const HttpHeader& header : request.headers) {
        if (lower(header.name) == "content-type") {
            headers["content-type"] = header.value;
        }
    }
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
    const std::string timestamp = std::to_string(seconds.time_since_epoch().count());
    const std::string day = format_time(seconds).substr(0, 10);
    const std::string scope = fmt::format("{}/{}/tc3_request", day, service);
    const std::string to_sign =
        fmt::format("TC3-HMAC-SHA256\n{}\n{}\n{}", timestamp, scope,
                    sha256_hex(canonical_request(request, headers, sha256_hex(request.body))));
    Buffer chain = chained(as_bytes("TC3" + key.secret), day);
    chain = chained(chain, service);
    chain = chained(chain, "tc3_request");
    return {{.name = "X-TC-Timestamp", .value = timestamp},
            {.name = "Authorization",
             .value = fmt::format(
                 "TC3-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", key.key_id,
                 scope, names_of(headers), to_hex(chained(chain, to_sign)))}};
}

std::string encoded_mac(HmacHash hash, std::string_view secret, std::string_view message,
                        MacEncoding encoding) {
    const Buffer mac = hmac(hash, as_bytes(secret), as_bytes(message));
    if (encoding == MacEncoding::kHex) {
        return to_hex(mac);
    }
    return to_base64(mac);
}

}  // namespace colophon::identity
