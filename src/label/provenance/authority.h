// SPDX-License-Identifier: Apache-2.0
#pragma once

// A certification authority of one's own, for trials and for services that verify their own files:
// a root, and certificates below it that keep to the profile of C2PA 2.4, 14.5. Whoever does not
// trust the root sees files signed so as intact and from somebody unknown; the public trust list
// asks for a certificate from one of its authorities.

#include "core/clock.h"
#include "core/result.h"
#include "label/provenance/certificate.h"
#include "label/provenance/signature_algorithm.h"

#include <chrono>
#include <string>

namespace colophon::label::provenance {

struct IssuedKey {
    std::string key_pem;          // PKCS#8, unencrypted
    std::string certificate_pem;  // the certificate alone
};

struct CertificateRequest {
    std::string organization;  // 1 to 64 characters
    std::string common_name;   // 1 to 64 characters
    SignatureAlgorithm algorithm = SignatureAlgorithm::kEs256;
    Time not_before;
    std::chrono::days lifetime{365};
    // Address at which the authority tells whether the certificate was revoked (OCSP); may be
    // empty.
    std::string ocsp_responder;
};

// A root that signs itself, and names no responder. kInvalidArgument: a name or an address that
// does not fit.
Result<IssuedKey> make_root(const CertificateRequest& request);

// A certificate below `issuer` for a new key.
Result<IssuedKey> issue(const IssuedKey& issuer, const CertificateRequest& request,
                        Purpose purpose);

}  // namespace colophon::label::provenance
