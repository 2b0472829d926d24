// SPDX-License-Identifier: Apache-2.0
#pragma once

// For each status code a file that deserves it. In several sources, which status_codes_test.cc puts
// together.

#include "core/bytes.h"
#include "label/format.h"
#include "label/provenance/forge.h"
#include "label/provenance/validate.h"

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::test {

struct StatusCase {
    Buffer file;
    Format format = Format::kPng;
    CredentialReading reading;
};

struct StatusRow {
    std::string_view code;
    std::function<StatusCase()> make;
};

inline StatusCase judged(Buffer file, Format format,
                         const Trust& trust = forge_authority().trust()) {
    auto reading = read_credential(file, format, trust);
    REQUIRE_MESSAGE(reading.ok(), (reading.ok() ? std::string() : reading.error().what));
    return {.file = std::move(file), .format = format, .reading = std::move(reading).value()};
}
inline StatusCase judged(const Forge& forge) {
    return judged(forge.make(), forge.format);
}

std::vector<StatusRow> claim_rows();
std::vector<StatusRow> assertion_rows();
std::vector<StatusRow> binding_rows();
std::vector<StatusRow> signature_rows();

}  // namespace colophon::label::provenance::test
