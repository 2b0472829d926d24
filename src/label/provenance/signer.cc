// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/signer.h"

#include "core/bytes.h"
#include "core/result.h"
#include "label/provenance/certificate.h"
#include "label/provenance/cose.h"

#include <cstddef>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

constexpr std::size_t kSignatureBytesMax = 1024;   // RSA of 8192 bits
constexpr std::size_t kTimeStampBytesMax = 10240;  // a token with its certificates
constexpr std::size_t kHeadBytes = 64;             // CBOR around the parts

}  // namespace

CredentialSigner::CredentialSigner(SigningCredential credential, TimeStamper time_stamper,
                                   Stapling stapling)
    : credential_(std::move(credential)),
      time_stamper_(std::move(time_stamper)),
      stapling_(std::move(stapling)),
      protected_header_(cose_protected_header(credential_.algorithm(), credential_.chain())) {
    signature_bytes_ = protected_header_.size() + kSignatureBytesMax + kHeadBytes;
    if (time_stamper_) {
        signature_bytes_ += kTimeStampBytesMax;
    }
    if (stapling_.response) {
        signature_bytes_ += stapling_.response_bytes_max + kHeadBytes;
    }
}

Result<Buffer> CredentialSigner::sign(Bytes claim) {
    CoseExtras extras;
    // Before the signature, so that the time stamp after it is not older than the answer.
    if (stapling_.response) {
        extras.ocsp_responses.push_back(TRY(stapling_.response()));
    }
    const Buffer signature = TRY(credential_.sign(cose_signed_bytes(protected_header_, claim)));
    if (time_stamper_) {
        extras.time_stamp = TRY(time_stamper_(cose_time_stamp_input(protected_header_, signature)));
    }
    return encode_cose(protected_header_, extras, signature, signature_bytes_);
}

}  // namespace colophon::label::provenance
