// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether a certificate was revoked, by the answers of its authority (OCSP, RFC 6960): the
// question, and what an answer is worth. Content Credentials carry such answers beside their
// signature and in later manifests (C2PA 2.4, 14.5.2 and 18.19).

#include "core/bytes.h"
#include "core/clock.h"
#include "label/provenance/certificate.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace colophon::label::provenance {

// As many are looked at for one signature.
inline constexpr std::size_t kOcspResponsesMax = 16;

// An OCSPRequest (DER) about one certificate.
Result<Buffer> make_ocsp_request(const Certificate& subject, const Certificate& issuer);

enum class OcspState : std::uint8_t {
    kUnusable,  // no answer, about others only, or by nobody whom the issuer authorised
    kGood,
    kRevoked,
    kUnknown,  // the responder does not know the certificate
};

struct OcspReading {
    OcspState state = OcspState::kUnusable;
    std::string problem;  // why it is kUnusable, in words
    // The rest only when it is not.
    Time produced_at;
    Time this_update;
    std::optional<Time> next_update;
    // When kRevoked: since when; the earlier one where the answer tells also since when the key is
    // not to be trusted (invalidityDate, RFC 5280, 5.3.2). Nothing where no reason is given: such a
    // revocation holds for all that was ever signed, as c2pa-rs has it.
    std::optional<Time> revoked_since;

    // Until when the answer holds: a day when it does not say.
    Time ends_at() const noexcept;
    // Whether it speaks for what was signed at that time (C2PA 2.4, 15.9.1): signed before the
    // answer was given, or while it holds.
    bool speaks_for(Time signed_at) const noexcept {
        return signed_at < this_update || signed_at <= ends_at();
    }
    // Whether it was revoked for what was signed at that time (C2PA 2.4, 15.9 and 15.9.2): then or
    // before. Nobody can have signed before the revocation whose time no authority attests.
    bool revoked_for(std::optional<Time> signed_at) const noexcept {
        return state == OcspState::kRevoked &&
               (!signed_at || !revoked_since || *revoked_since <= *signed_at);
    }
};

// What an OCSPResponse (DER) says of a certificate. Its signature is checked, and that its signer
// is the issuer or a responder whom the issuer authorised (RFC 6960, 4.2.2.2); of several answers
// about the certificate the worst counts. Whether it is recent enough is for the caller to ask. A
// revocation that was lifted (removeFromCRL) is none.
OcspReading read_ocsp_response(Bytes der, const Certificate& subject, const Certificate& issuer);

}  // namespace colophon::label::provenance
