// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keys of OpenSSL in the algorithms of C2PA 2.4, 13.2.

#include "core/bytes.h"
#include "label/provenance/signature_algorithm.h"

#include <optional>

// NOLINTBEGIN(readability-identifier-naming): OpenSSL's own names.
struct evp_md_st;
struct evp_pkey_ctx_st;
struct evp_pkey_st;
// NOLINTEND(readability-identifier-naming)

namespace colophon::label::provenance::internal {

inline constexpr int kRsaBitsMin = 2048;

// Whether a key of that kind and size signs by the algorithm.
bool suits(evp_pkey_st* key, const SignatureAlgorithmFacts& row);
// By which algorithm the key signs; nothing for keys of other kinds.
std::optional<SignatureAlgorithm> algorithm_of_key(evp_pkey_st* key);
// nullptr for EdDSA.
const evp_md_st* digest_of(const SignatureAlgorithmFacts& row);
// PSS as RFC 8230 has it: MGF1 with the same digest, a salt as long as the digest. Nothing to do
// for other algorithms.
bool set_padding(evp_pkey_ctx_st* context, const SignatureAlgorithmFacts& row);

// Whether the signature, r || s for ECDSA, is by that key over the message. False also when the
// algorithm does not suit the key.
bool verify_signature(evp_pkey_st* key, SignatureAlgorithm algorithm, Bytes message,
                      Bytes signature);

// DER to r || s; nothing when it is none, or its numbers are too long.
std::optional<Buffer> raw_ecdsa(Bytes der, unsigned coordinate_bytes);
// r || s to DER; nothing when it has another length.
std::optional<Buffer> der_ecdsa(Bytes raw, unsigned coordinate_bytes);

}  // namespace colophon::label::provenance::internal
