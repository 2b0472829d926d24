// SPDX-License-Identifier: Apache-2.0
#pragma once

// What only others can tell of a credential: authorities whether they revoked a certificate
// (C2PA 2.4, 15.9.2), and servers what an assertion keeps there (15.10.4). Validation asks nobody;
// where it is told that somebody may be asked it says what it would ask, and whoever called asks
// and validates again, with the answers.

#include "core/bytes.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace colophon::label::provenance {

inline constexpr std::size_t kQuestionsMax = 8;                    // about one file
inline constexpr std::uint64_t kOcspAnswerBytesMax = 64U << 10U;   // of each
inline constexpr std::uint64_t kExternalDataBytesMax = 2U << 20U;  // of all together

struct Question {
    std::string url;  // as the certificate or the assertion has it; not checked
    Buffer request;  // an OCSPRequest (DER) that is posted there; empty: what lies there is fetched

    bool operator==(const Question&) const = default;
};

struct Answer {
    Question question;
    std::string failure;     // why there is none, in words; empty: there is
    std::string media_type;  // as the server says, in lower case and without parameters
    Buffer bytes;
};

// Whom a caller will ask, and what came of it.
struct Inquiry {
    bool revocation = false;     // the responders that certificates of signers name
    bool external_data = false;  // where cloud data and external references lie
    std::vector<Answer> answers;

    // nullptr: not asked yet.
    const Answer* find(const Question& question) const noexcept;
};

}  // namespace colophon::label::provenance
