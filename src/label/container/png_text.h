// SPDX-License-Identifier: Apache-2.0
#pragma once

// The three text chunks of PNG (ISO/IEC 15948 clause 11.3.3): tEXt, zTXt, iTXt, with a bound on
// what compressed ones may become.

#include "core/bytes.h"
#include "label/container/png_chunks.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::label {

inline constexpr std::string_view kPngXmpKeyword = "XML:com.adobe.xmp";

// The parts of a text chunk as stored; views of the file.
struct PngText {
    std::string_view keyword;
    Bytes stored;  // the text, compressed or not
    bool compressed = false;
    bool utf8 = false;  // iTXt; the others are Latin-1 by the standard, and often UTF-8
};

bool is_png_text(const PngChunk& chunk) noexcept;

// kCorrupt when a part is missing or the compression is not zlib. `chunk` must be a text chunk.
Result<PngText> parse_png_text(const PngChunk& chunk);

// Inflates a zlib stream. kCorrupt when it is broken or does not end; kLimit above `bytes_max`.
Result<std::string> inflate_text(Bytes compressed, std::uint64_t bytes_max);

// An uncompressed iTXt chunk without language and translated keyword: keyword and UTF-8 text.
Buffer make_png_itxt(std::string_view keyword, std::string_view text);

}  // namespace colophon::label
