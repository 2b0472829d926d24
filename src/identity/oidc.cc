// SPDX-License-Identifier: Apache-2.0
#include "identity/oidc.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/hmac.h"
#include "core/http_exchange.h"
#include "core/json.h"
#include "core/random.h"
#include "core/result.h"
#include "identity/id_token.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::identity {
namespace {

using storage::Statement;

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kReplyBytesMax = 256U << 10U;
constexpr std::size_t kValueBytesMax = 4096;
constexpr std::chrono::hours kDescriptionLife{1};
// A token may name a key that we do not have; whoever sends such tokens does not make us ask for
// the keys each time.
constexpr std::chrono::minutes kKeysAgainAfter{1};

constexpr Statement kBegin{
    "INSERT INTO oidc_flows (state, browser, nonce, verifier, begun_at) VALUES ($1, $2, $3, $4, "
    "$5)"};
constexpr Statement kFlow{
    "SELECT browser, nonce, verifier, begun_at FROM oidc_flows WHERE state = $1"};
constexpr Statement kEnd{"DELETE FROM oidc_flows WHERE state = $1"};
constexpr Statement kForget{"DELETE FROM oidc_flows WHERE begun_at <= $1"};

Error denied(const char* why) {
    return {ErrorCode::kDenied, why};
}

Result<std::string> random_text(Random& random) {
    std::array<std::uint8_t, kSecretBytes> bytes{};
    TRY(random.fill(bytes));
    return to_base64url(bytes);
}

// RFC 3986: everything but the unreserved characters.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
    }
    return out;
}

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

std::string form(const Fields& fields) {
    std::string out;
    for (const auto& [name, value] : fields) {
        out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, escaped(value));
    }
    return out;
}

// Secrets go over TLS; only this machine may be spoken to in the clear.
bool is_safe_url(std::string_view url) {
    if (url.starts_with("https://")) {
        return url.size() > 8 && url[8] != '/';
    }
    for (const std::string_view host : {"http://127.0.0.1", "http://localhost", "http://[::1]"}) {
        if (url.starts_with(host) &&
            (url.size() == host.size() || url[host.size()] == ':' || url[host.size()] == '/')) {
            return true;
        }
    }
    return false;
}

}  // namespace

Result<void> Oidc::check(const OidcSettings& settings) {
    for (const auto& [name, value] : {std::pair("issuer", &settings.issuer),
                                      std::pair("redirect_url", &settings.redirect_url)}) {
        if (!is_safe_url(*value)) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("{} must be an https address, or http to this machine", name)};
        }
    }
    for (const auto& [name, value] : {std::pair("client_id", &settings.client_id),
                                      std::pair("client_secret", &settings.client_secret)}) {
        if (value->empty()) {
            return Error{ErrorCode::kInvalidArgument, fmt::format("{} is missing", name)};
        }
    }
    return {};
}

Result<std::unique_ptr<Oidc>> Oidc::create(const Parts& parts, const OidcSettings& settings) {
    TRY(check(settings));
    return std::make_unique<Oidc>(parts, settings);
}

Result<std::string> Oidc::get(const std::string& url) {
    HttpRequest request;
    request.url = url;
    request.response_bytes_max = kReplyBytesMax;
    const HttpResponse response = TRY(parts_.exchange(request));
    if (response.status != 200) {
        return Error{ErrorCode::kUnavailable,
                     fmt::format("the sign-in provider answered with status {}", response.status)};
    }
    return std::string(as_text(response.body));
}

Result<Oidc::Description> Oidc::fetch_description() {
    std::string base = settings_.issuer;
    if (base.ends_with('/')) {
        base.pop_back();
    }
    const std::string text = TRY(get(base + "/.well-known/openid-configuration"));
    const auto value = json::parse(text, {.depth_max = 16, .bytes_max = kReplyBytesMax});
    if (!value.ok() || value->string_or("issuer", "") != settings_.issuer) {
        return Error{ErrorCode::kCorrupt,
                     "the description of the sign-in provider is not one of this issuer"};
    }
    Description found;
    found.authorization_endpoint = value->string_or("authorization_endpoint", "");
    found.token_endpoint = value->string_or("token_endpoint", "");
    found.keys_url = value->string_or("jwks_uri", "");
    for (const std::string* url :
         {&found.authorization_endpoint, &found.token_endpoint, &found.keys_url}) {
        if (!is_safe_url(*url)) {
            return Error{ErrorCode::kCorrupt,
                         "the description of the sign-in provider lacks a safe address"};
        }
    }
    const json::Value* names = value->find("authorization_response_iss_parameter_supported");
    found.names_issuer = names != nullptr && names->if_bool() != nullptr && *names->if_bool();
    found.fetched = parts_.clock.now();
    return found;
}

Result<Oidc::Description> Oidc::description() {
    const std::lock_guard lock(mutex_);
    if (!description_ || parts_.clock.now() >= description_->fetched + kDescriptionLife) {
        description_ = TRY(fetch_description());
    }
    return *description_;
}

Result<Oidc::Begun> Oidc::begin() {
    const Description provider = TRY(description());
    const std::string state = TRY(random_text(parts_.random));
    const std::string browser = TRY(random_text(parts_.random));
    const std::string nonce = TRY(random_text(parts_.random));
    const std::string verifier = TRY(random_text(parts_.random));
    const Time now = parts_.clock.now();
    storage::Batch batch;
    batch.operations.push_back({kForget, {storage::time_value(now - kOidcFlowLife)}});
    batch.operations.push_back(
        {kBegin,
         {storage::bytes(sha256(as_bytes(state))), storage::bytes(sha256(as_bytes(browser))),
          storage::text(nonce), storage::text(verifier), storage::time_value(now)}});
    TRY(parts_.store.apply(std::move(batch)));
    const std::string challenge = to_base64url(sha256(as_bytes(verifier)));
    const bool more = provider.authorization_endpoint.find('?') != std::string::npos;
    return Begun{.url = provider.authorization_endpoint + (more ? "&" : "?") +
                        form({{"response_type", "code"},
                              {"client_id", settings_.client_id},
                              {"redirect_uri", settings_.redirect_url},
                              {"scope", "openid"},
                              {"state", state},
                              {"nonce", nonce},
                              {"code_challenge", challenge},
                              {"code_challenge_method", "S256"}}),
                 .browser = browser};
}

// The flow of this state, which nobody can use again.
Result<Oidc::Flow> Oidc::take_flow(const Returned& returned) {
    if (returned.state.size() > kValueBytesMax || returned.browser.size() > kValueBytesMax) {
        return denied("this sign-in is not known or over");
    }
    const storage::Value state = storage::bytes(sha256(as_bytes(returned.state)));
    storage::Rows rows;
    std::int64_t ended = 0;
    const auto body = [&](storage::Transaction& transaction) -> Result<void> {
        rows = TRY(transaction.query(kFlow, {state}));
        ended = TRY(transaction.execute(kEnd, {state}));
        return {};
    };
    TRY(parts_.store.transact(body));
    if (rows.empty() || ended != 1) {
        return denied("this sign-in is not known or over");
    }
    const Digest256 browser = TRY(storage::digest_at(rows, 0, 0));
    const Time begun = TRY(storage::time_at(rows, 0, 3));
    if (!equal_in_constant_time(browser, sha256(as_bytes(returned.browser))) ||
        parts_.clock.now() >= begun + kOidcFlowLife) {
        return denied("this sign-in is not known or over");
    }
    Flow flow;
    flow.nonce = TRY(rows.text(0, 1));
    flow.verifier = TRY(rows.text(0, 2));
    return flow;
}

Result<std::string> Oidc::redeem(const Description& provider, const Flow& flow,
                                 const std::string& code) {
    const std::string body = form({{"grant_type", "authorization_code"},
                                   {"code", code},
                                   {"redirect_uri", settings_.redirect_url},
                                   {"code_verifier", flow.verifier}});
    const std::string account =
        escaped(settings_.client_id) + ":" + escaped(settings_.client_secret);
    HttpRequest request;
    request.method = "POST";
    request.url = provider.token_endpoint;
    request.headers = {{"content-type", "application/x-www-form-urlencoded"},
                       {"authorization", "Basic " + to_base64(as_bytes(account))}};
    request.body = as_bytes(body);
    request.response_bytes_max = kReplyBytesMax;
    const HttpResponse response = TRY(parts_.exchange(request));
    if (response.status >= 500) {
        return Error{ErrorCode::kUnavailable,
                     fmt::format("the sign-in provider answered with status {}", response.status)};
    }
    const auto value =
        json::parse(as_text(response.body), {.depth_max = 16, .bytes_max = kReplyBytesMax});
    std::string token = value.ok() ? value->string_or("id_token", "") : std::string();
    if (response.status != 200 || token.empty()) {
        return denied("the sign-in provider did not accept the sign-in");
    }
    return token;
}

Result<IdTokenClaims> Oidc::read_token(const Description& provider, const std::string& token,
                                       const std::string& nonce) {
    const std::string key = TRY(id_token_key(token));
    const Time now = parts_.clock.now();
    const std::lock_guard lock(mutex_);
    if (!keys_fetched_ || (!keys_.has(key) && now >= *keys_fetched_ + kKeysAgainAfter)) {
        const std::string text = TRY(get(provider.keys_url));
        keys_ = TRY(TokenKeys::parse(text));
        keys_fetched_ = now;
    }
    return verify_id_token(
        token, keys_,
        {.issuer = settings_.issuer, .client_id = settings_.client_id, .nonce = nonce, .now = now});
}

Result<ExternalIdentity> Oidc::finish(const Returned& returned) {
    const Flow flow = TRY(take_flow(returned));
    const Description provider = TRY(description());
    if ((returned.issuer.empty() && provider.names_issuer) ||
        (!returned.issuer.empty() && returned.issuer != settings_.issuer)) {
        return denied("the answer is by another sign-in provider");
    }
    if (returned.code.empty() || returned.code.size() > kValueBytesMax) {
        return denied("the sign-in provider did not accept the sign-in");
    }
    const std::string token = TRY(redeem(provider, flow, returned.code));
    IdTokenClaims claims = TRY(read_token(provider, token, flow.nonce));
    if (!settings_.required_method.empty() &&
        std::ranges::find(claims.methods, settings_.required_method) == claims.methods.end()) {
        return denied("the sign-in provider did not ask for a second factor");
    }
    return ExternalIdentity{.issuer = settings_.issuer, .subject = std::move(claims.subject)};
}

}  // namespace colophon::identity
