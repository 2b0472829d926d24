// SPDX-License-Identifier: Apache-2.0
#pragma once

// Secrets that people see or type: characters of an alphabet, each equally likely.

#include "core/random.h"
#include "core/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace colophon::identity::internal {

inline constexpr std::string_view kBase62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
// Crockford's base32: no I, L, O, U.
inline constexpr std::string_view kBase32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// Bytes that would favour the front of the alphabet are thrown away. At most 64 characters in it.
Result<std::string> random_text(Random& random, std::string_view alphabet, std::size_t characters);

}  // namespace colophon::identity::internal
