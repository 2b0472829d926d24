// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "label/provenance/certificate.h"
#include "label/provenance/cose.h"
#include "label/provenance/time_stamp.h"

#include <cstddef>
#include <cstdint>

// A claim signature with whatever certificates and time stamps it brings.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace provenance = colophon::label::provenance;
    const colophon::Bytes bytes(data, size);
    const auto cose = provenance::parse_cose(bytes);
    if (cose.ok()) {
        for (const colophon::Buffer& der : cose->chain) {
            const auto certificate = provenance::Certificate::create(der);
            if (certificate.ok()) {
                static_cast<void>(certificate->profile_problem(provenance::Purpose::kClaim));
                static_cast<void>(certificate->subject_parts());
                static_cast<void>(provenance::chain_state(*certificate, {}, {}, {}));
            }
        }
    }
    static_cast<void>(
        provenance::read_time_stamp(bytes, provenance::TimeStampForm::kToken, {}, {}));
    static_cast<void>(
        provenance::read_time_stamp(bytes, provenance::TimeStampForm::kResponse, {}, {}));
    return 0;
}
