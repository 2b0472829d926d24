// SPDX-License-Identifier: Apache-2.0
#pragma once

// A plain list of words that may not pass, the smallest library there is.

#include "core/result.h"
#include "review/entry.h"

#include <string_view>
#include <vector>

namespace colophon::review {

// One word a line, or CATEGORY, a tabulator and a word; empty lines and those that begin with "#"
// are left out. Entries that block, at the level kLoose, called "words/LINE". kInvalidArgument and
// kLimit name the line.
Result<std::vector<Entry>> parse_word_list(std::string_view text);

}  // namespace colophon::review
