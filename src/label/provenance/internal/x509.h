// SPDX-License-Identifier: Apache-2.0
#pragma once

// The certificate behind a Certificate, for the sources that speak to OpenSSL, whose headers stay
// out of ours.

#include "label/provenance/certificate.h"

// NOLINTBEGIN(readability-identifier-naming): OpenSSL's own name.
struct x509_st;
// NOLINTEND(readability-identifier-naming)

namespace colophon::label::provenance::internal {

struct X509Access {
    // Lives as long as the certificate.
    static x509_st* get(const Certificate& certificate);
};

}  // namespace colophon::label::provenance::internal
