// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the words of a label go in a text, and what is written there so that nothing around it
// changes its meaning.

#include "core/result.h"
#include "label/format.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::label::internal {

enum class TextSpot : std::uint8_t { kStart, kEnd, kCorner };

struct TextInsert {
    std::size_t at = 0;
    std::string text;
    std::string core;  // the part that, when it stands there already, makes the insertion needless
};

Result<TextInsert> place_mark(std::string_view text, Format format, std::string_view words,
                              TextSpot spot);

// kUnsupported for a page of frames, kCorrupt when the end of the page lies inside a script, a
// style or a comment that is never closed.
Result<TextInsert> html_insert(std::string_view text, std::string_view words, TextSpot spot);

}  // namespace colophon::label::internal
