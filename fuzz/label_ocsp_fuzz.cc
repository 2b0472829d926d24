// SPDX-License-Identifier: Apache-2.0
#include "core/assert.h"
#include "core/bytes.h"
#include "label/provenance/certificate.h"
#include "label/provenance/ocsp.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace {

// Whose answers the corpus holds: an authority and a signer below it, made for this target.
constexpr std::string_view kCertificates = R"(-----BEGIN CERTIFICATE-----
MIIBozCCAUmgAwIBAgIUFe8RIM1yw5F4YIcaOuqI7ss7hCcwCgYIKoZIzj0EAwIw
HjENMAsGA1UECgwERnV6ejENMAsGA1UEAwwEUm9vdDAgFw0yNjExMjcwNjUzMDda
GA8yMTI2MTEwMzA2NTMwN1owHjENMAsGA1UECgwERnV6ejENMAsGA1UEAwwEUm9v
dDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKPd1tcvIUm6ishrIRX2d9sNsUKh
Kk+9p+6ayUXbw60hEiy0+WadrndDiCRfiI1mxhdt+DN3fmuPEGzikdGTDaKjYzBh
MB0GA1UdDgQWBBQiaBBh0dYgY+qrBNwlEz0JBXiqkjAfBgNVHSMEGDAWgBQiaBBh
0dYgY+qrBNwlEz0JBXiqkjAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIB
BjAKBggqhkjOPQQDAgNIADBFAiEAv4ZLCCBKikZYGvSzVwQUQ44dICpBrE5j5Ynt
F8V2KqoCIGKxUZttE6V6LMBN+xXO8x0EiV/vY9/Iz8AWUgCnruem
-----END CERTIFICATE-----
-----BEGIN CERTIFICATE-----
MIIBtzCCAV2gAwIBAgIUbeyZDOEIuY/MZUtMO7zsK1+Y/BkwCgYIKoZIzj0EAwIw
HjENMAsGA1UECgwERnV6ejENMAsGA1UEAwwEUm9vdDAgFw0yNjExMjcwNjUzMDha
GA8yMTI2MTEwMzA2NTMwOFowIDENMAsGA1UECgwERnV6ejEPMA0GA1UEAwwGc2ln
bmVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEnUdsSTmzkAfs4IUp+pNVFRHP
GpOLzBRm8h9zqm98lrV1mPyNTVSE1HWSI0bvghkpEqBtDkpm8oKY/syDj17EAqN1
MHMwDAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwEwYDVR0lBAwwCgYIKwYB
BQUHAwQwHQYDVR0OBBYEFFTZ6VL0VP5n0+gMt4Z8hdPiA3OaMB8GA1UdIwQYMBaA
FCJoEGHR1iBj6qsE3CUTPQkFeKqSMAoGCCqGSM49BAMCA0gAMEUCIAc6hV1wkJ5W
E/vrInIJz5wSLDD0XALXwuPBN5Sqd+h3AiEAmDOTrXOM0zTVKaMQ/kic2Zi1kJHs
V4ZYrLI8/at0ahg=
-----END CERTIFICATE-----
)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace provenance = colophon::label::provenance;
    static const std::vector<provenance::Certificate> kPair =
        provenance::certificates_from_pem(kCertificates, 2).value();
    const auto reading = provenance::read_ocsp_response({data, size}, kPair[1], kPair[0]);
    COLOPHON_ASSERT(reading.problem.empty() == (reading.state != provenance::OcspState::kUnusable));
    static_cast<void>(reading.speaks_for(reading.this_update));
    // Who signed at no time that is known signed after every revocation.
    COLOPHON_ASSERT(reading.revoked_for({}) == (reading.state == provenance::OcspState::kRevoked));
    return 0;
}
