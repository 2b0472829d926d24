// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a classifier sees of a text.

#include <cstdint>
#include <string_view>
#include <vector>

namespace colophon::review::internal {

// The buckets of all n-grams of 1 to 3 characters of the text, folded to the level "plain", runs of
// separators as one; each bucket once, in order. At most kClassifierTextMax characters count.
std::vector<std::uint32_t> ngram_buckets(std::string_view text);

}  // namespace colophon::review::internal
