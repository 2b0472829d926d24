// SPDX-License-Identifier: Apache-2.0
#pragma once

// A picture at the size in which it is searched.

#include "label/watermark/internal/carrier.h"
#include "label/watermark/luma.h"

namespace colophon::label::internal {

struct Working {
    Luma luma;
    double scale_x = 1;  // its pixels in one of the picture
    double scale_y = 1;
    double period = kTile;  // of a mark that nobody touched, pixels of the picture
};

// How wide a tile is in a picture of that shortest side, in its pixels: kTile in pictures of up to
// `canonical_side`, and in proportion in larger ones.
int tile_period(int shortest_side, int canonical_side);

// Shrunk so that an untouched tile has kTile pixels.
Working working_copy(const Luma& picture, int canonical_side);

}  // namespace colophon::label::internal
