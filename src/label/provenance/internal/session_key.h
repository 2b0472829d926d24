// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keys by which the segments of a live video are signed (C2PA 2.4, 18.25): public keys in the form
// of COSE_Key (RFC 9052, 7), each bound to the signer of the manifest that brings them.

#include "core/bytes.h"
#include "core/clock.h"
#include "label/provenance/cbor.h"
#include "label/provenance/internal/validation.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

// NOLINTBEGIN(readability-identifier-naming): OpenSSL's own name.
struct evp_pkey_st;
// NOLINTEND(readability-identifier-naming)

namespace colophon::label::provenance::internal {

inline constexpr std::string_view kSessionKeys = "c2pa.session-keys";

// A COSE_Sign1 with its payload in it.
struct SignedPayload {
    Buffer protected_bytes;
    std::int64_t algorithm = 0;
    cbor::Value unprotected;
    cbor::Value protected_header;
    std::optional<Buffer> payload;  // nothing: it lies elsewhere
    Buffer signature;
};
// Nothing for what is no COSE_Sign1, tagged or not.
std::optional<SignedPayload> read_signed_payload(const cbor::Value& value);

struct SessionKey {
    Buffer id;
    std::shared_ptr<evp_pkey_st> key;
    std::uint64_t sequence_min = 0;
    Time from;
    Time until;

    // Whether the signature over that payload is by this key.
    bool signed_this(const SignedPayload& made, Bytes payload) const;
};

// The keys of an assertion; nothing when one of them is malformed or not bound to that certificate
// (DER), the signer's.
std::optional<std::vector<SessionKey>> read_session_keys(const cbor::Value& assertion,
                                                         Bytes certificate);

// 15.10.3.2.5, for every manifest that has them.
void check_session_keys(const std::vector<Assertion>& assertions, Bytes certificate,
                        Report& report);

}  // namespace colophon::label::provenance::internal
