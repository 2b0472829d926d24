// SPDX-License-Identifier: Apache-2.0
#pragma once

// Labels inside text of general use (a comment, a description), so that readers report objects and
// not prose that mentions AIGC, and writers know what "exactly one label" [GB45438-6.1] takes away
// and what stays. Judging what a label says is the task of label/metadata/aigc.h.

#include "core/bytes.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::internal {

enum class TextLabelKind : std::uint8_t {
    kTc260,       // names one of the TC260 fields
    kDisclosure,  // another schema: Tencent Cloud's ServiceProvider, ByteDance's aigc_label_type
};

struct TextLabel {
    TextLabelKind kind = TextLabelKind::kTc260;
    std::size_t offset = 0;  // in the text
    std::size_t size = 0;
    bool nested = false;  // a member of a larger object
};

// The JSON objects in a text that are labels: bare, wrapped in {"AIGC":...} (the wrapper belongs to
// it), as a blob AIGC{...}, alone or inside other text. Names count in any case of letters. An
// object that does not end reaches to the end of the text. Ascending, apart from each other.
// Cost: linear in the text.
std::vector<TextLabel> find_text_labels(std::string_view text);

// Of these only the TC260 labels.
std::vector<TextLabel> find_tc260_labels(std::string_view text);

// The text without its TC260 labels; a nested one leaves {}. Empty when only white space and zeros
// would be left. The text itself when it has none.
std::string without_tc260_labels(std::string_view text);

// As many bytes as the label has that say nothing: spaces, and {} first where it is nested.
Buffer blank_label(const TextLabel& label);

}  // namespace colophon::label::internal
