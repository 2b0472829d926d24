// SPDX-License-Identifier: Apache-2.0
#pragma once

// The status codes of validation (C2PA 2.4, 15.2.2), all of them. docs/reference/status-codes.md
// says of each what makes it appear; tests hold the two against each other, and every code that is
// given against a file that deserves it.

#include "label/provenance/credential.h"

#include <optional>
#include <span>
#include <string_view>

namespace colophon::label::provenance {

struct StatusCode {
    std::string_view code;
    StatusKind kind = StatusKind::kFailure;  // by the tables of 15.2.2
    // What it counts as here; nothing: this validator never gives it.
    std::optional<StatusKind> given;
};

// Sorted by their bytes.
std::span<const StatusCode> all_status_codes() noexcept;
// nullptr for what is no code of the specification.
const StatusCode* find_status_code(std::string_view code) noexcept;

}  // namespace colophon::label::provenance
