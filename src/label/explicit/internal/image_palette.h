// SPDX-License-Identifier: Apache-2.0
#pragma once

// The mark in a picture with a palette: the plate is opaque, so that a few greys are enough for it.
// They are taken from entries that no pixel uses, then appended up to 256; where there is no room
// the nearest colours serve. Only when those do not give the contrast is the picture promoted to
// 8-bit RGB or RGBA. In every case no pixel outside the plate changes its colour.

#include "label/explicit/internal/image_draw.h"
#include "media/image.h"

#include <cstdint>
#include <vector>

namespace colophon::label::internal {

struct PaletteDrawn {
    double contrast = 0;
    bool promoted = false;
};

PaletteDrawn draw_palette(media::Image& image, const Overlay& overlay);

// The greys of an anti-aliased mark, from the plate's colour to the text's (0xAARRGGBB).
std::vector<std::uint32_t> mark_greys(bool white_text);

// The entry of `palette` nearest to `colour`; `skip` is never chosen (-1: none).
std::size_t nearest_entry(const std::vector<std::uint32_t>& palette, std::uint32_t colour,
                          int skip);

}  // namespace colophon::label::internal
