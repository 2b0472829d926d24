// SPDX-License-Identifier: Apache-2.0
#pragma once

// Signing in staff by an OpenID Connect provider: the authorization code flow with PKCE (RFC 7636),
// state, nonce, and the issuer of the answer (RFC 9207). Tokens stay here; the browser gets a
// random value that ties the answer to where the sign-in began.
//
//   begin()   -> address of the provider, and the browser's value for a cookie
//   finish()  <- code and state of the redirect, and the cookie: who it is, for this issuer
//
// Who that is here is Staff's matter: an account is linked by hand, none is made by signing in.

#include "core/clock.h"
#include "core/http_exchange.h"
#include "core/random.h"
#include "identity/external_identity.h"  // IWYU pragma: export
#include "identity/id_token.h"
#include "storage/store.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::identity {

struct OidcSettings {
    std::string issuer;  // https, or http to this machine
    std::string client_id;
    std::string client_secret;
    std::string redirect_url;
    std::string required_method;  // one of the token's "amr", such as "mfa"; empty: none asked
};

// How long somebody may take at the provider.
inline constexpr std::chrono::minutes kOidcFlowLife{10};

// Threads: all methods may be called at once.
class Oidc {
public:
    struct Parts {
        storage::Store& store;
        HttpExchange exchange;
        Clock& clock;
        Random& random;
    };
    // kInvalidArgument says which setting is wrong.
    static Result<void> check(const OidcSettings& settings);
    // The same. Nobody is asked yet.
    static Result<std::unique_ptr<Oidc>> create(const Parts& parts, const OidcSettings& settings);

    struct Begun {
        std::string url;      // to send the browser to
        std::string browser;  // for a cookie of this browser alone
    };
    // kUnavailable when the provider's description cannot be had, kCorrupt when it is not one of
    // this issuer.
    Result<Begun> begin();

    struct Returned {
        std::string state;
        std::string code;
        std::string issuer;   // the parameter "iss", empty when there was none
        std::string browser;  // the cookie
    };
    // A flow ends here, whatever comes of it. kDenied: it is not known, over, or another browser's;
    // the provider refused the code; the token is not good (identity/id_token.h).
    Result<ExternalIdentity> finish(const Returned& returned);

    // Whether the browser comes back over TLS.
    bool returns_by_tls() const { return settings_.redirect_url.starts_with("https://"); }

    Oidc(const Parts& parts, const OidcSettings& settings) : parts_(parts), settings_(settings) {}

private:
    struct Description {
        std::string authorization_endpoint;
        std::string token_endpoint;
        std::string keys_url;
        bool names_issuer = false;
        Time fetched;
    };
    struct Flow {
        std::string nonce;
        std::string verifier;
    };
    Result<std::string> get(const std::string& url);
    Result<Description> description();
    Result<Description> fetch_description();
    Result<Flow> take_flow(const Returned& returned);
    Result<std::string> redeem(const Description& provider, const Flow& flow,
                               const std::string& code);
    Result<IdTokenClaims> read_token(const Description& provider, const std::string& token,
                                     const std::string& nonce);

    Parts parts_;
    OidcSettings settings_;
    std::mutex mutex_;
    std::optional<Description> description_;  // guarded by mutex_
    TokenKeys keys_;                          // guarded by mutex_
    std::optional<Time> keys_fetched_;        // guarded by mutex_
};

}  // namespace colophon::identity
