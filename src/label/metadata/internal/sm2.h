// SPDX-License-Identifier: Apache-2.0
#pragma once

// Public keys and signatures of SecurityData, as thin and checked calls into OpenSSL 3. SM2 is
// GB/T 32918 with SM3 and the default user id 1234567812345678.

#include "core/bytes.h"
#include "core/result.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

// EVP_PKEY by its own name, so that this header does not bring OpenSSL along.
// NOLINTNEXTLINE(readability-identifier-naming): OpenSSL names it
struct evp_pkey_st;

namespace colophon::label::internal {

struct FreeKey {
    void operator()(evp_pkey_st* key) const noexcept;
};
using Key = std::unique_ptr<evp_pkey_st, FreeKey>;

inline constexpr std::string_view kSm2UserId = "1234567812345678";
inline constexpr std::string_view kSm2WithSm3 = "1.2.156.10197.1.501";
inline constexpr std::string_view kSha256WithRsa = "1.2.840.113549.1.1.11";

bool is_sm2(const evp_pkey_st* key) noexcept;
bool is_rsa(const evp_pkey_st* key) noexcept;  // at most 8192 bits

// A SubjectPublicKeyInfo or an X.509 certificate in DER; an SM2 point as 04||x||y, x||y, 02/03||x;
// or a bare x with or without a zero byte before it, which means the even y. Null when it is
// nothing of these or the point is not on the curve.
Key parse_public_key(Bytes bytes);

Buffer to_spki(const evp_pkey_st* key);  // DER; empty on failure
std::string key_id_of_spki(Bytes spki);  // first 16 hex digits of SM3

// The signature in DER; SM2 signatures of 64 bytes may also be raw r||s.
bool verify_sm2(evp_pkey_st* key, Bytes message, Bytes signature);
bool verify_rsa_sha256(evp_pkey_st* key, Bytes message, Bytes signature);
Result<Buffer> sign_sm2(evp_pkey_st* key, Bytes message);

}  // namespace colophon::label::internal
