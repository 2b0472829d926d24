// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who signs claims. The engine prepares a claim and asks; where the key is (in this process, behind
// the worker's channel, in a device) is the business of the one who answers.

#include "core/bytes.h"
#include "label/provenance/certificate.h"
#include "label/provenance/cose.h"

#include <cstddef>
#include <functional>
#include <string>

namespace colophon::label::provenance {

class ClaimSigner {
public:
    virtual ~ClaimSigner() = default;
    // How long every answer of sign() is: the place for it is made before the claim is known.
    virtual std::size_t signature_bytes() const = 0;
    // The COSE_Sign1 over this claim, signature_bytes() long.
    virtual Result<Buffer> sign(Bytes claim) = 0;
};

// Asks a time-stamp authority: the token (DER) over these bytes.
using TimeStamper = std::function<Result<Buffer>(Bytes message)>;

// What goes beside each signature to show that the signer's certificate was not revoked then
// (C2PA 2.4, 14.5.2).
struct Stapling {
    std::function<Result<Buffer>()> response;  // an OCSPResponse (DER); may be empty: none
    std::size_t response_bytes_max = 0;        // room that is kept for it
};

// Signs with a key that this process holds.
class CredentialSigner final : public ClaimSigner {
public:
    // `time_stamper` may be empty.
    CredentialSigner(SigningCredential credential, TimeStamper time_stamper,
                     Stapling stapling = {});

    std::size_t signature_bytes() const override { return signature_bytes_; }
    Result<Buffer> sign(Bytes claim) override;

private:
    SigningCredential credential_;
    TimeStamper time_stamper_;
    Stapling stapling_;
    Buffer protected_header_;
    std::size_t signature_bytes_ = 0;
};

}  // namespace colophon::label::provenance
