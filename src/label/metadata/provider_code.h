// SPDX-License-Identifier: Apache-2.0
#pragma once

// The provider code of TC260-PG-20252A: 27 characters that name who generated or propagates
// content, with the unified social credit code (GB 32100-2015) inside.
//
//   00 | 1 | 1 | 18 characters credit code | 1 generation, 2 propagation | 4 of the provider's own

#include "core/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::label {

enum class ProviderService : std::uint8_t { kGeneration = 1, kPropagation = 2, kUnstated = 0 };

struct ProviderCode {
    std::string credit_code;  // 18 characters, check digit verified
    ProviderService service = ProviderService::kUnstated;
    std::string model;  // 4 characters, 0-9 A-Z
};

// Whether the text has the outer shape of a provider code (27 characters, starts with 00), so that
// a wrong check digit is an error in a code and not just another name.
bool looks_like_provider_code(std::string_view text) noexcept;
// Whether a text was meant to be a provider code, although it may not look like one: a code that
// lost or won a character, or whose start is wrong, or a bare credit code. Digits and upper-case
// letters, 24 to 30 of them with at least twelve digits; or anything that starts as codes do.
bool resembles_provider_code(std::string_view text) noexcept;
// kInvalidArgument says what is wrong; kUnsupported for kinds of codes that are not described.
Result<ProviderCode> parse_provider_code(std::string_view text);

}  // namespace colophon::label
