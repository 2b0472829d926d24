// SPDX-License-Identifier: Apache-2.0
#pragma once

// Means over squares of pixels, at a cost per pixel that does not depend on their size.

#include "label/watermark/internal/kernels.h"
#include "label/watermark/luma.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace colophon::label::internal {

// Sums over the (2 * radius + 1)^2 pixels around each of a row, as far as they lie inside, and of
// their squares; row by row. Levels are counted in whole steps, as fine as the sums stay exact: no
// rounding depends on where one begins, so that bands of a picture can be done apart.
class BoxRows {
public:
    static constexpr int kRadiusMax = 180;

    // `plane` must outlive the object; `radius` 0 .. kRadiusMax (asserted). Begins at row `first`.
    BoxRows(const Luma& plane, int radius, int first = 0);

    // Of the next row; valid until the next call. No more calls than there are rows (asserted).
    Boxes next();

private:
    void enter(int y);
    void slide(int entering, int leaving);

    const Luma& plane_;
    int radius_;
    float one_;  // steps of a level
    int next_;
    std::vector<std::int16_t> ring_;  // rows in steps
    std::vector<std::int16_t> nothing_;
    std::vector<std::int32_t> columns_;  // sums down the columns: of steps, then of their squares
    std::vector<std::int32_t> boxes_;    // the same over boxes
    std::vector<float> across_;
};

// The mean over the (2 * radius + 1)^2 values around each, as far as they lie inside.
Luma box_mean(const Luma& plane, int radius);

// The mean over the part of each new pixel's own rectangle that it covers: for making a picture
// smaller. Both sides at least 1 and not larger than the plane's (asserted).
Luma shrink(const Luma& plane, int width, int height);

}  // namespace colophon::label::internal
