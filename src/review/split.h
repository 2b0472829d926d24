// SPDX-License-Identifier: Apache-2.0
#pragma once

// Characters written as their halves side by side, 弓长 for 张, a way around lists of words.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {

inline constexpr std::size_t kSplitVariantsMax = 64;

// The other ways to write a phrase, each character that has halves whole or split; at most
// kSplitVariantsMax, without the phrase itself. Simplified characters only.
std::vector<std::u32string> split_variants(std::u32string_view phrase);

}  // namespace colophon::review
