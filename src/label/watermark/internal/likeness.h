// SPDX-License-Identifier: Apache-2.0
#pragma once

// How strong a pattern may be so that the marked picture stays alike (SSIM, Wang and others 2004).
// Smooth pictures lose most by a pattern of the same energy, and need less of it to be read.

#include "label/watermark/luma.h"

namespace colophon::label::internal {

// The largest factor up to `most` at which the picture with the pattern, rounded to whole levels,
// has an SSIM of `ssim` (0 .. 1). Windows have 8 x 8 pixels and lie side by side; within 0.0005 of
// what overlapping ones measure on pictures of 0.3 megapixel and more. Both have the same size
// (asserted); those without a whole window get `most`.
float gain_of_ssim(const Luma& picture, const Luma& pattern, double ssim, float most);

}  // namespace colophon::label::internal
