// SPDX-License-Identifier: Apache-2.0
#include "identity/id_token.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/hmac.h"
#include "core/json.h"
#include "core/result.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/types.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::identity {
namespace {

constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 8192;
constexpr std::size_t kCoordinateBytes = 32;
constexpr std::size_t kSubjectBytesMax = 255;
constexpr json::ParseLimits kTokenJson{.depth_max = 16, .bytes_max = kIdTokenBytesMax};

struct Free {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
    void operator()(BIGNUM* number) const noexcept { BN_free(number); }
    void operator()(OSSL_PARAM_BLD* builder) const noexcept { OSSL_PARAM_BLD_free(builder); }
    void operator()(OSSL_PARAM* parameters) const noexcept { OSSL_PARAM_free(parameters); }
    void operator()(ECDSA_SIG* signature) const noexcept { ECDSA_SIG_free(signature); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;
using Key = Owned<EVP_PKEY>;

Error denied(const char* why) {
    return {ErrorCode::kDenied, why};
}

Owned<BIGNUM> number_of(Bytes bytes) {
    return Owned<BIGNUM>(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

Key key_from(const char* kind, OSSL_PARAM_BLD* builder) {
    const Owned<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(builder));
    const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
    EVP_PKEY* key = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
        ERR_clear_error();
        return nullptr;
    }
    return Key(key);
}

Key rsa_key(Bytes modulus, Bytes exponent) {
    const Owned<BIGNUM> n = number_of(modulus);
    const Owned<BIGNUM> e = number_of(exponent);
    const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
    if (!n || !e || !builder || BN_num_bits(n.get()) < kRsaBitsMin ||
        BN_num_bits(n.get()) > kRsaBitsMax || BN_num_bits(e.get()) > 32 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
        ERR_clear_error();
        return nullptr;
    }
    return key_from("RSA", builder.get());
}

Key p256_key(Bytes x, Bytes y) {
    if (x.size() != kCoordinateBytes || y.size() != kCoordinateBytes) {
        return nullptr;
    }
    Buffer point{0x04};
    append(point, x);
    append(point, y);
    const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
    if (!builder ||
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1",
                                        0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1) {
        ERR_clear_error();
        return nullptr;
    }
    return key_from("EC", builder.get());
}

// r||s of a JSON Web Signature as the DER that OpenSSL wants.
Buffer ecdsa_der(Bytes raw) {
    if (raw.size() != 2 * kCoordinateBytes) {
        return {};
    }
    const Owned<ECDSA_SIG> signature(ECDSA_SIG_new());
    Owned<BIGNUM> r = number_of(raw.first(kCoordinateBytes));
    Owned<BIGNUM> s = number_of(raw.subspan(kCoordinateBytes));
    if (!signature || !r || !s || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) {
        return {};
    }
    // The signature owns them now.
    // NOLINTBEGIN(bugprone-unused-return-value)
    (void)r.release();
    (void)s.release();
    // NOLINTEND(bugprone-unused-return-value)
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(signature.get(), &der);
    if (size <= 0) {
        return {};
    }
    const std::unique_ptr<unsigned char, void (*)(void*)> owner(
        der, [](void* bytes) { OPENSSL_free(bytes); });
    return {der, der + size};
}

bool verifies(EVP_PKEY* key, Bytes message, Bytes signature) {
    const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
    const bool good =
        context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
        EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                         message.size()) == 1;
    ERR_clear_error();
    return good;
}

Result<Buffer> member_bytes(const json::Value& object, std::string_view name) {
    return from_base64url(object.string_or(name, ""));
}

struct Parts {
    json::Value header;
    json::Value payload;
    std::string_view signed_part;
    Buffer signature;
};

Result<json::Value> parse_part(std::string_view text) {
    const auto bytes = from_base64url(text);
    if (!bytes.ok()) {
        return Error{ErrorCode::kCorrupt, "the ID token is not base64"};
    }
    auto value = json::parse(as_text(*bytes), kTokenJson);
    if (!value.ok() || value->if_object() == nullptr) {
        return Error{ErrorCode::kCorrupt, "the ID token is not made of JSON objects"};
    }
    // Of two members with one name readers choose differently.
    std::vector<std::string_view> names;
    for (const json::Member& member : *value->if_object()) {
        names.push_back(member.first);
    }
    std::ranges::sort(names);
    if (std::ranges::adjacent_find(names) != names.end()) {
        return Error{ErrorCode::kCorrupt, "the ID token says something twice"};
    }
    return value;
}

Result<Parts> parse_token(std::string_view token) {
    const std::size_t first = token.find('.');
    const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (token.size() > kIdTokenBytesMax || second == std::string_view::npos ||
        token.find('.', second + 1) != std::string_view::npos) {
        return Error{ErrorCode::kCorrupt, "the ID token has not the form of one"};
    }
    Parts parts;
    parts.header = TRY(parse_part(token.substr(0, first)));
    parts.payload = TRY(parse_part(token.substr(first + 1, second - first - 1)));
    parts.signed_part = token.substr(0, second);
    auto signature = from_base64url(token.substr(second + 1));
    if (!signature.ok()) {
        return Error{ErrorCode::kCorrupt, "the ID token is not base64"};
    }
    parts.signature = std::move(signature).value();
    return parts;
}

// Seconds since 1970, possibly with a fraction.
std::optional<Time> time_member(const json::Value& payload, std::string_view name) {
    constexpr double kLatest = 253'402'300'799.0;  // year 9999
    const json::Value* value = payload.find(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    const auto seconds = value->as_double();
    if (!seconds.ok() || !(*seconds >= 0 && *seconds <= kLatest)) {
        return std::nullopt;
    }
    return Time(std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1000)));
}

bool is_for(const json::Value& payload, const std::string& client_id) {
    const json::Value* audience = payload.find("aud");
    if (audience == nullptr) {
        return false;
    }
    const std::string party = payload.string_or("azp", "");
    if (!party.empty() && party != client_id) {
        return false;
    }
    if (const std::string* one = audience->if_string()) {
        return *one == client_id;
    }
    const json::Array* many = audience->if_array();
    if (many == nullptr) {
        return false;
    }
    const bool named = std::ranges::any_of(*many, [&](const json::Value& each) {
        const std::string* text = each.if_string();
        return text != nullptr && *text == client_id;
    });
    return named && (many->size() == 1 || party == client_id);
}

Result<IdTokenClaims> judge_claims(const json::Value& payload, const IdTokenRules& rules) {
    if (payload.string_or("iss", "") != rules.issuer) {
        return denied("the ID token is by another issuer");
    }
    if (!is_for(payload, rules.client_id)) {
        return denied("the ID token is for somebody else");
    }
    const auto expires = time_member(payload, "exp");
    const auto issued = time_member(payload, "iat");
    if (!expires || rules.now >= *expires + kTokenSkewMax) {
        return denied("the ID token has expired");
    }
    if (!issued || *issued > rules.now + kTokenSkewMax || *issued + kTokenAgeMax < rules.now) {
        return denied("the ID token was not made just now");
    }
    const std::string nonce = payload.string_or("nonce", "");
    if (rules.nonce.empty() || !equal_in_constant_time(as_bytes(nonce), as_bytes(rules.nonce))) {
        return denied("the ID token belongs to another sign-in");
    }
    IdTokenClaims claims;
    claims.subject = payload.string_or("sub", "");
    if (claims.subject.empty() || claims.subject.size() > kSubjectBytesMax) {
        return denied("the ID token does not say who it is");
    }
    const json::Value* methods = payload.find("amr");
    if (const json::Array* list = methods == nullptr ? nullptr : methods->if_array()) {
        for (const json::Value& each : *list) {
            if (const std::string* text = each.if_string()) {
                claims.methods.push_back(*text);
            }
        }
    }
    return claims;
}

}  // namespace

struct TokenKeys::Entry {
    std::string id;
    std::string algorithm;  // "RS256" or "ES256"
    Key key;
};

TokenKeys::TokenKeys() = default;
TokenKeys::~TokenKeys() = default;
TokenKeys::TokenKeys(TokenKeys&&) noexcept = default;
TokenKeys& TokenKeys::operator=(TokenKeys&&) noexcept = default;

// May look at the keys.
class TokenReader {
public:
    static std::optional<TokenKeys::Entry> entry_of(const json::Value& key) {
        const std::string use = key.string_or("use", "sig");
        TokenKeys::Entry entry{.id = key.string_or("kid", ""), .algorithm = {}, .key = nullptr};
        const std::string kind = key.string_or("kty", "");
        if (kind == "RSA") {
            const auto n = member_bytes(key, "n");
            const auto e = member_bytes(key, "e");
            entry.algorithm = "RS256";
            entry.key = n.ok() && e.ok() ? rsa_key(*n, *e) : nullptr;
        } else if (kind == "EC" && key.string_or("crv", "") == "P-256") {
            const auto x = member_bytes(key, "x");
            const auto y = member_bytes(key, "y");
            entry.algorithm = "ES256";
            entry.key = x.ok() && y.ok() ? p256_key(*x, *y) : nullptr;
        }
        if (!entry.key || use != "sig" ||
            key.string_or("alg", entry.algorithm) != entry.algorithm) {
            return std::nullopt;
        }
        return entry;
    }

    static bool signed_by(const TokenKeys& keys, const Parts& parts) {
        const std::string algorithm = parts.header.string_or("alg", "");
        const std::string id = parts.header.string_or("kid", "");
        const auto fits = [&](const TokenKeys::Entry& each) {
            return each.algorithm == algorithm && (id.empty() || each.id == id);
        };
        // A token that names no key is only as good as a set in which there is no choice.
        if (id.empty() && std::ranges::count_if(keys.entries_, fits) != 1) {
            return false;
        }
        const Buffer signature =
            algorithm == "ES256" ? ecdsa_der(parts.signature) : parts.signature;
        return !signature.empty() &&
               std::ranges::any_of(keys.entries_, [&](const TokenKeys::Entry& each) {
                   return fits(each) &&
                          verifies(each.key.get(), as_bytes(parts.signed_part), signature);
               });
    }
};

Result<TokenKeys> TokenKeys::parse(std::string_view text) {
    const auto value = json::parse(text, {.depth_max = 16, .bytes_max = 256U << 10U});
    const json::Value* list = value.ok() ? value->find("keys") : nullptr;
    const json::Array* keys = list == nullptr ? nullptr : list->if_array();
    if (keys == nullptr) {
        return Error{ErrorCode::kCorrupt, "the key set of the provider is none"};
    }
    if (keys->size() > kTokenKeysMax) {
        return Error{ErrorCode::kLimit, "the key set of the provider has more than 64 keys"};
    }
    TokenKeys set;
    for (const json::Value& each : *keys) {
        if (auto entry = TokenReader::entry_of(each)) {
            set.entries_.push_back(std::move(*entry));
        }
    }
    return set;
}

bool TokenKeys::has(std::string_view key_id) const noexcept {
    return std::ranges::any_of(entries_, [&](const Entry& each) { return each.id == key_id; });
}

Result<std::string> id_token_key(std::string_view token) {
    const Parts parts = TRY(parse_token(token));
    return parts.header.string_or("kid", "");
}

Result<IdTokenClaims> verify_id_token(std::string_view token, const TokenKeys& keys,
                                      const IdTokenRules& rules) {
    const Parts parts = TRY(parse_token(token));
    const std::string algorithm = parts.header.string_or("alg", "");
    if (algorithm != "RS256" && algorithm != "ES256") {
        return denied("the ID token is not signed by RS256 or ES256");
    }
    // What must be understood and is not.
    if (parts.header.find("crit") != nullptr) {
        return denied("the ID token asks for an extension that is not known");
    }
    if (!TokenReader::signed_by(keys, parts)) {
        return denied("the signature of the ID token is not by a key of the provider");
    }
    return judge_claims(parts.payload, rules);
}

std::string to_base64url(Bytes bytes) {
    std::string text = to_base64(bytes);
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    text.erase(std::min(text.find('='), text.size()));
    return text;
}

Result<Buffer> from_base64url(std::string_view text) {
    if (text.find_first_of("+/=") != std::string_view::npos) {
        return Error{ErrorCode::kInvalidArgument, "not base64 in the alphabet of URLs"};
    }
    std::string standard(text);
    std::ranges::replace(standard, '-', '+');
    std::ranges::replace(standard, '_', '/');
    standard.append((4 - standard.size() % 4) % 4, '=');
    return from_base64(standard);
}

}  // namespace colophon::identity
