// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which text in a place of general use (a comment, a description) is a TC260 label, so that the
// writers know what "exactly one label" [GB45438-6.1] takes away and what stays. Judging what a
// label says is the task of label/metadata/aigc.h.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {

struct LabelSpan {
    std::size_t offset = 0;  // in the text
    std::size_t size = 0;
};

// The TC260 labels in a text: each an object, or a blob AIGC{...}, that names one of the TC260
// fields (letters in any case), alone or inside other text. None for prose that only mentions AIGC
// and for the disclosures of other schemas (Tencent Cloud's ServiceProvider, ByteDance's
// aigc_label_type). Ascending, apart from each other. Cost: linear.
std::vector<LabelSpan> find_tc260_labels(std::string_view text);

// What is left of a text when its TC260 labels are cut out: nothing at all when only white space
// and zeros would be left. The text itself when it has none.
std::string without_tc260_labels(std::string_view text);

}  // namespace colophon::label
