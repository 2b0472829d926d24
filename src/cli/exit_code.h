// SPDX-License-Identifier: Apache-2.0
#pragma once

// What every verb says to the shell. docs/reference/cli.md explains them to users.

#include "core/result.h"
#include "label/verify.h"

#include <cstdint>

namespace colophon::cli {

enum class ExitCode : std::uint8_t {
    kGood = 0,
    kError = 1,        // could not be done; the reason is on standard error
    kBad = 2,          // judged bad: altered, forged, stripped
    kAbsent = 3,       // no label found
    kUnsupported = 4,  // a kind or format that is not supported
    kUsage = 64,       // wrong usage
};

// Of several files the worst counts, in the order 64, 1, 2, 4, 3, 0.
ExitCode worse(ExitCode a, ExitCode b) noexcept;
ExitCode exit_code_of(label::Verdict verdict) noexcept;
// Of a failure that one file is to blame for.
ExitCode exit_code_of(const Error& error) noexcept;
// Of a failure that the command line or the configuration is to blame for.
ExitCode usage_code_of(const Error& error) noexcept;

}  // namespace colophon::cli
