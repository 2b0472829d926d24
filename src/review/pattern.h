// SPDX-License-Identifier: Apache-2.0
#pragma once

// Prompt patterns [DSP-10]: phrases that come one after the other with anything between them, each
// near the one before, as in "ignore/disregard ... previous/above ... instructions/rules".

#include "core/result.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {

inline constexpr std::size_t kPatternBytesMax = 2000;
inline constexpr std::size_t kPatternPartsMax = 8;
inline constexpr std::size_t kPatternWaysMax = 32;  // for one part

// For each part the phrases of which one is to come. "..." or "…" stands between parts, "/" between
// phrases. kInvalidArgument: fewer than two parts, an empty phrase, too many of either.
Result<std::vector<std::vector<std::string>>> parse_pattern(std::string_view pattern);

}  // namespace colophon::review
