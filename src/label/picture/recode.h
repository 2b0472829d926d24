// SPDX-License-Identifier: Apache-2.0
#pragma once

// Puts changed pixels back into a picture file. Everything that is no coded picture (EXIF, XMP,
// ICC, text, foreign chunks) stays byte for byte.

#include "core/bytes.h"
#include "core/splice.h"
#include "media/image.h"

#include <cstdint>
#include <string>

namespace colophon::label {

struct Recoded {
    Splice splice;
    std::string loss;  // what coding again has cost; empty when nothing
};

// `coded`: what media::JpegBlocks::write() gave. All APPn and COM segments in their order, then
// that, then whatever followed EOI.
Result<Splice> exchange_jpeg_picture(Bytes file, Bytes coded);

// kGone: the picture had a palette and comes as RGB or RGBA now; chunks that speak of palette
// entries are left out.
enum class PngPalette : std::uint8_t { kAsBefore, kGone };
Result<Splice> exchange_png_picture(Bytes file, const media::PngImage& png, PngPalette palette);

// All frames of a WebP, as decode_webp(WebpFrames::kAll) gave them.
Result<Recoded> recode_webp(Bytes file, const media::Image& image);

// The primary picture of a HEIC or AVIF, as decode_vips() gave it.
Result<Recoded> recode_heif(Bytes file, const media::Image& image);

// `after`, a file made from `before`, told as copies where the same bytes stand at the same place.
Splice splice_what_changed(Bytes before, Bytes after);

}  // namespace colophon::label
