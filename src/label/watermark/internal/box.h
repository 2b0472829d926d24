// SPDX-License-Identifier: Apache-2.0
#pragma once

// Means over squares of pixels, at a cost per pixel that does not depend on their size.

#include "label/watermark/luma.h"

namespace colophon::label::internal {

// The mean over the (2 * radius + 1)^2 pixels around each, as far as they lie inside.
Luma box_mean(const Luma& plane, int radius);

// Mean and variance at once; no variance is below zero.
struct Moments {
    Luma mean;
    Luma variance;
};
Moments box_moments(const Luma& plane, int radius);

// The mean over the part of each new pixel's own rectangle that it covers: for making a picture
// smaller. Both sides at least 1 and not larger than the plane's (asserted).
Luma shrink(const Luma& plane, int width, int height);

}  // namespace colophon::label::internal
