// SPDX-License-Identifier: Apache-2.0
#pragma once

// The explicit label of a text [GB45438-5.1]: words at the start, the end or both, or the corner
// mark, in plain text, Markdown and HTML.

#include "core/bytes.h"
#include "label/explicit/reading.h"
#include "label/format.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::label {

enum class TextPlace : std::uint8_t { kStart, kEnd, kBoth, kCorner };

struct TextMark {
    std::string text;  // checked by check_wording()
    TextPlace place = TextPlace::kBoth;
};

// `format`: kPlainText, kMarkdown or kHtml. Never labels twice: where a conforming label already
// stands at a wanted place, nothing is added there. kCorrupt for bytes that are neither UTF-8 nor
// UTF-16 with a byte order mark; kLimit above limits::kTextFileBytesMax.
Result<MarkedFile> mark_text(Bytes file, Format format, const TextMark& mark);

// What mark_text() would put into UTF-8 text at one end, or in its corner; empty where a label
// stands there already. Not looked at again afterwards. kInvalidArgument as mark_text(), and for
// kBoth.
Result<std::string> label_words(std::string_view text, Format format, const TextMark& mark);

// Looks for both elements in the first and last 64 characters of the visible text, and for the
// corner mark.
Result<ExplicitReading> find_text_mark(Bytes file, Format format);

}  // namespace colophon::label
