// SPDX-License-Identifier: Apache-2.0
#pragma once

// Time stamps (RFC 3161): the question to an authority, its answer, and what a token in a signature
// is worth.

#include "core/bytes.h"
#include "core/clock.h"
#include "label/provenance/certificate.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace colophon::label::provenance {

// A TimeStampReq (DER) over SHA-256 of the message that asks for the authority's certificates.
// `nonce` not 0.
Result<Buffer> make_time_stamp_request(Bytes message, std::uint64_t nonce);

// The token (DER) of a TimeStampResp. kDenied with the authority's reason when it refused; kCorrupt
// when the answer is not one to this request.
Result<Buffer> read_time_stamp_response(Bytes response, Bytes message, std::uint64_t nonce);

enum class TimeStampState : std::uint8_t {
    kValid,  // well formed, signed, over this message, by a trusted authority
    kMalformed,
    kMismatch,           // over something else, or its signature is wrong
    kUntrusted,          // no way to a trusted authority
    kOutsideValidity,    // the authority's certificate was not valid then
    kCredentialInvalid,  // the authority's certificate is not made for time stamps
};

struct TimeStampReading {
    TimeStampState state = TimeStampState::kMalformed;
    Time time;              // set when the token could be read
    std::string authority;  // common name; may be empty
    // kUntrusted, but the chain in the token is whole up to an authority of its own and was valid
    // then.
    bool self_consistent = false;
};

// A TimeStampToken (version 2 of the header) or a whole TimeStampResp (version 1).
enum class TimeStampForm : std::uint8_t { kToken, kResponse };
TimeStampReading read_time_stamp(Bytes der, TimeStampForm form, Bytes message,
                                 const std::vector<Certificate>& anchors);

// What a time stamp says, whoever gave it: nothing of this is checked. Nothing when it cannot be
// read.
struct TimeStampDescription {
    Time time;
    std::optional<Certificate> signer;  // of the authority, when it came along
};
std::optional<TimeStampDescription> describe_time_stamp(Bytes der, TimeStampForm form);

}  // namespace colophon::label::provenance
