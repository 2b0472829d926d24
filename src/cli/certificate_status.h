// SPDX-License-Identifier: Apache-2.0
#pragma once

// What goes beside signatures of Content Credentials to show that the signer's certificate was not
// revoked: an OCSP response, out of a file or from the responder that the certificate names.

#include "core/result.h"
#include "label/provenance/certificate.h"
#include "label/provenance/signer.h"

#include <string>

namespace colophon::cli {

// `source`: a file (DER), which is read for each signature and may be replaced at any time;
// "responder", which is asked now and again when half of its answer's time is over; "none" or
// empty: nothing. An answer that the certificate is revoked or not known, that is over, or that is
// about another certificate is an error now and for each signature, as is none. kInvalidArgument
// also when the certificate's issuer is not among those that were given.
Result<label::provenance::Stapling> open_certificate_status(
    const std::string& source, const label::provenance::SigningCredential& credential);

}  // namespace colophon::cli
