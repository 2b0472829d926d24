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
                                   std::vector<Buffer> ocsp_responses)
    : credential_(std::move(credential)),
      time_stamper_(std::move(time_stamper)),
      ocsp_responses_(std::move(ocsp_responses)),
      protected_header_(cose_protected_header(credential_.algorithm(), credential_.chain())) {
    signature_bytes_ = protected_header_.size() + kSignatureBytesMax + kHeadBytes;
    if (time_stamper_) {
        signature_bytes_ += kTimeStampBytesMax;
    }
    for (const Buffer& each : ocsp_responses_) {
        signature_bytes_ += each.size() + kHeadBytes;
    }
}

Result<Buffer> CredentialSigner::sign(Bytes claim) {
    const Buffer signature = TRY(credential_.sign(cose_signed_bytes(protected_header_, claim)));
    CoseExtras extras{.time_stamp = {}, .ocsp_responses = ocsp_responses_};
    if (time_stamper_) {
        extras.time_stamp = TRY(time_stamper_(cose_time_stamp_input(protected_header_, signature)));
    }
    return encode_cose(protected_header_, extras, signature, signature_bytes_);
}

}  // namespace colophon::label::provenance
