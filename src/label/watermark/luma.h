// SPDX-License-Identifier: Apache-2.0
#pragma once

// The luma of a picture, 0 (black) to 255 (white) whatever the depth of its samples: the plane that
// carries a watermark. Row-major, without padding.

#include <cstddef>
#include <vector>

namespace colophon::label {

struct Luma {
    int width = 0;
    int height = 0;
    std::vector<float> values;

    Luma() = default;
    Luma(int columns, int rows)
        : width(columns),
          height(rows),
          values(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows)) {}

    float* row(int y) { return values.data() + offset(y); }
    const float* row(int y) const { return values.data() + offset(y); }
    float at(int x, int y) const { return row(y)[x]; }
    int shortest_side() const noexcept { return width < height ? width : height; }

private:
    std::size_t offset(int y) const noexcept {
        return static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
    }
};

}  // namespace colophon::label
