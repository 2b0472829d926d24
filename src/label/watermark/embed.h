// SPDX-License-Identifier: Apache-2.0
#pragma once

// Puts a watermark into the luma of a picture: the carrier's tile over and over, stronger where the
// picture is busy and hides it, scaled to a set distance from the original.

#include "core/result.h"
#include "label/watermark/luma.h"
#include "label/watermark/payload.h"

namespace colophon::label {

namespace internal {
class Carrier;
}

inline constexpr int kWatermarkSideMin = 96;  // shortest side of a picture that holds a mark
inline constexpr int kWatermarkStandardSideMin = 192;  // and of one that holds the standard form
inline constexpr int kWatermarkLongSideMin = 512;      // and the long one

struct EmbedOptions {
    double psnr_db = 42;  // of the luma, 30 .. 60: how far the marked picture is from the original
};

// What to add to the luma of each pixel; the same number is added to its red, green and blue.
// kInvalidArgument for pictures below kWatermarkSideMin and strengths out of range.
Result<Luma> watermark_pattern(const Luma& picture, const internal::Carrier& carrier,
                               const WatermarkPayload& payload, const EmbedOptions& options);

// Adds a pattern and rounds to whole levels. What rounding takes from one pixel it gives to the
// next in its row, so that less than half a level in flat parts is not lost.
void add_pattern(Luma& picture, const Luma& pattern);

// 10 log10(255^2 / mean squared difference); infinite for equal ones.
double psnr(const Luma& a, const Luma& b);

}  // namespace colophon::label
