// SPDX-License-Identifier: Apache-2.0
#pragma once

// A picture of our own that is like a photograph where it matters for a watermark: energy that
// falls with frequency, edges, a flat sky, busy ground, and never the same for two seeds.

#include "label/watermark/luma.h"

#include <cstdint>

namespace colophon::test {

label::Luma natural_picture(int width, int height, std::uint64_t seed);

// `picture` seen through x' = centre + matrix * (x - centre): turned clockwise as displayed by
// `degrees`, then scaled, then cut to the part of `keep` (0 .. 1 of each side) around the centre
// that has no empty corners. Bilinear over a picture that was averaged first when it shrinks.
label::Luma turned_and_scaled(const label::Luma& picture, double degrees, double scale,
                              double keep);

}  // namespace colophon::test
