// SPDX-License-Identifier: Apache-2.0
#pragma once

// ID tokens of OpenID Connect Core 1.0: a JSON Web Token (RFC 7519) signed by RS256 or ES256
// (RFC 7515, 7518) under a key of the provider's set (RFC 7517). Everything else is refused, "none"
// and HMAC first of all. Pure: the keys come from the caller.

#include "core/bytes.h"
#include "core/clock.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::identity {

inline constexpr std::size_t kIdTokenBytesMax = 64U << 10U;
inline constexpr std::size_t kTokenKeysMax = 64;
inline constexpr std::chrono::seconds kTokenSkewMax{60};
// How old a token may be: it was made for this sign-in.
inline constexpr std::chrono::minutes kTokenAgeMax{10};

// Public keys of a provider.
class TokenKeys {
public:
    TokenKeys();
    ~TokenKeys();
    TokenKeys(TokenKeys&&) noexcept;
    TokenKeys& operator=(TokenKeys&&) noexcept;
    TokenKeys(const TokenKeys&) = delete;
    TokenKeys& operator=(const TokenKeys&) = delete;

    // A JSON Web Key Set. Keys for other uses, of other kinds, or too weak (RSA below 2048 bits)
    // are passed over; kCorrupt when the text is no set, kLimit above kTokenKeysMax keys.
    static Result<TokenKeys> parse(std::string_view text);

    bool has(std::string_view key_id) const noexcept;

private:
    friend class TokenReader;
    struct Entry;
    std::vector<Entry> entries_;
};

struct IdTokenRules {
    std::string issuer;
    std::string client_id;
    std::string nonce;  // of this sign-in
    Time now;
};

struct IdTokenClaims {
    std::string subject;               // who it is, for this issuer
    std::vector<std::string> methods;  // "amr": how the provider made sure
};

// The id of the key that is said to have signed; nothing is verified. kCorrupt for what is no
// token.
Result<std::string> id_token_key(std::string_view token);

// kDenied with the reason when the token is not by these keys or breaks a rule; kCorrupt when it is
// none. No message repeats anything of the token.
Result<IdTokenClaims> verify_id_token(std::string_view token, const TokenKeys& keys,
                                      const IdTokenRules& rules);

// Base64 with the alphabet of URLs and no padding, as JOSE has it.
std::string to_base64url(Bytes bytes);
Result<Buffer> from_base64url(std::string_view text);

}  // namespace colophon::identity
