// SPDX-License-Identifier: Apache-2.0
#pragma once

// COSE_Sign1 (RFC 9052) as the claim signature of Content Credentials (C2PA 2.4, 13.2):
//
//   tag 18 [ protected: bstr { 1: algorithm, 33: certificates }, unprotected: { ... }, null, bstr ]
//
// The payload is the claim, which lies apart. What is signed is Sig_structure:
// ["Signature1", protected, h'', claim].

#include "core/bytes.h"
#include "core/clock.h"
#include "label/provenance/cbor.h"
#include "label/provenance/certificate.h"
#include "label/provenance/signature_algorithm.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace colophon::label::provenance {

struct CoseSign1 {
    Buffer protected_bytes;  // as they are signed
    cbor::Value protected_header;
    cbor::Value unprotected_header;
    Buffer signature;
    std::int64_t algorithm = 0;  // as written; may be none that is known
    // DER, the leaf first; empty when the signature names none.
    std::vector<Buffer> chain;

    // A header of either bucket; the protected one wins.
    const cbor::Value* header(std::string_view name) const noexcept;
    // When the signer says that it signed (C2PA 2.4, 13.2.4): "iat" of the protected bucket, to the
    // second. Nothing where it does not say, or says no time between 1970 and 9999.
    std::optional<Time> claimed_at() const noexcept;
};

// kCorrupt for anything but the structure above: another tag, a payload inside, an algorithm that
// is no number, a `pad` that is not all zeros.
Result<CoseSign1> parse_cose(Bytes box);

Buffer cose_protected_header(SignatureAlgorithm algorithm, const std::vector<Certificate>& chain);
// What is signed.
Buffer cose_signed_bytes(Bytes protected_bytes, Bytes claim);
// What a time stamp covers: ["CounterSignature", protected, h'', signature as a CBOR string] (C2PA
// 2.4, 10.3.2.5.2, version 2).
Buffer cose_time_stamp_input(Bytes protected_bytes, Bytes signature);

struct CoseExtras {
    Buffer time_stamp;                   // a DER TimeStampToken; empty: none
    std::vector<Buffer> ocsp_responses;  // DER
};

// The whole structure, `total` bytes long: `pad` in the unprotected header fills it up. kLimit when
// it does not fit.
Result<Buffer> encode_cose(Bytes protected_bytes, const CoseExtras& extras, Bytes signature,
                           std::size_t total);

// Zeros that nobody signs, in the unprotected header.
struct CosePadding {
    std::size_t pad = 0;
    std::optional<std::size_t> pad2;
    bool open = false;  // `pad` is written without its length before it (RFC 8949, 3.2.3)
};
// The same structure with other padding. kCorrupt when `cose` is none.
Result<Buffer> repad_cose(Bytes cose, const CosePadding& padding);

}  // namespace colophon::label::provenance
