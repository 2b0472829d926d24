// SPDX-License-Identifier: Apache-2.0
#pragma once

// A text as a reader sees it: decoded, with its markup taken away, and only its first and last
// characters, which is where the explicit label has to stand [GB45438-5.1].

#include "core/bytes.h"
#include "core/result.h"
#include "label/explicit/reading.h"
#include "label/format.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::internal {

inline constexpr std::size_t kTextWindowChars = 64;

enum class TextEncoding : std::uint8_t { kUtf8, kUtf16Le, kUtf16Be };

// The characters of a file as UTF-8, without the byte order mark.
struct DecodedText {
    TextEncoding encoding = TextEncoding::kUtf8;
    std::size_t mark_bytes = 0;  // of the byte order mark
    std::string held;            // the text when it had to be converted
    Bytes file;
    std::string_view text() const noexcept {
        return encoding == TextEncoding::kUtf8 ? as_text(file.subspan(mark_bytes)) : held;
    }
};

Result<DecodedText> decode_text(Bytes file);
// The place in the file of text()[at], and a text in the encoding of the file.
std::uint64_t file_offset(const DecodedText& decoded, std::size_t at);
Buffer encode_text(TextEncoding encoding, std::string_view text);

// The first and the last kTextWindowChars visible characters; white space is one space or, between
// lines and blocks, one line break, and is not counted.
struct TextWindows {
    std::u32string head;
    std::u32string tail;
};
// Of an end that is not needed the window may stay empty.
enum class TextEnd : std::uint8_t { kHead, kTail, kBoth };
TextWindows view_text(std::string_view text, Format format, TextEnd needed = TextEnd::kBoth);

// Where a plain text ends for its reader: before the characters that nobody sees of Content
// Credentials at its end (C2PA 2.4, A.8).
std::size_t visible_end(std::string_view text) noexcept;

// The wording of a label in a window, whole line. `expected` counts whatever it says.
std::optional<std::string> find_label(const std::u32string& window, std::string_view expected);
bool has_corner_mark(const std::u32string& head);

// Markdown: the front matter at the start ends here; 0 when there is none.
std::size_t front_matter_end(std::string_view text);

}  // namespace colophon::label::internal
