// SPDX-License-Identifier: Apache-2.0
#pragma once

// Texts with what somebody said of them, as a table: what a classifier learns from.

#include "core/result.h"
#include "review/classifier.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {

inline constexpr std::size_t kLabelledBytesMax = 512U << 20U;

struct LabelledColumns {
    std::string text;  // names in the first row; case does not matter
    std::string label;
    std::string positive;  // the label of texts that are meant; every other is of the rest
};

// RFC 4180. kInvalidArgument, kCorrupt and kLimit name the line, or the column that is missing.
Result<std::vector<Sample>> read_labelled_texts(std::string_view table,
                                                const LabelledColumns& columns);

// One row of such a table, with its line end.
std::string write_labelled_row(std::string_view text, std::string_view label);

}  // namespace colophon::review
