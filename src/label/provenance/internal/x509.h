// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the sources that speak to OpenSSL share. Its headers stay out of ours.

#include "core/clock.h"
#include "label/provenance/certificate.h"

#include <optional>

// NOLINTBEGIN(readability-identifier-naming): OpenSSL's own names.
struct asn1_string_st;
struct x509_st;
// NOLINTEND(readability-identifier-naming)

namespace colophon::label::provenance::internal {

struct X509Access {
    // Lives as long as the certificate.
    static x509_st* get(const Certificate& certificate);
};

// UTCTime or GeneralizedTime; nothing when it is none, or nullptr.
std::optional<Time> time_of(const asn1_string_st* time);

// Whether C2PA allows signatures by that algorithm (OpenSSL's number) on certificates and on
// answers about them. Of RSASSA-PSS the digest is not known here.
bool allows_signature(int nid) noexcept;

}  // namespace colophon::label::provenance::internal
