// SPDX-License-Identifier: Apache-2.0
#pragma once

// Identifiers that cross modules. Each is a type of its own, so that the compiler refuses a swap.

#include "core/result.h"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon {

// The number of one piece of content: 48 bits, unique and not guessable. Written as ten characters
// of Crockford base32 (the first one stands for three bits, so it is at most '7').
struct ContentId {
    static constexpr std::uint64_t kMax = (1ULL << 48U) - 1;
    std::uint64_t value = 0;
    auto operator<=>(const ContentId&) const = default;
};

// Who gave the number: 16 bits of the 64-bit watermark payload.
struct IssuerId {
    std::uint16_t value = 0;
    auto operator<=>(const IssuerId&) const = default;
};

std::string to_string(ContentId id);

// Accepts lower case, and o for 0, i and l for 1, as Crockford's alphabet intends. Any other
// character, another length or a value of 2^48 and above is Error{kInvalidArgument}.
Result<ContentId> parse_content_id(std::string_view text);

}  // namespace colophon
