// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/box.h"

#include "core/assert.h"
#include "label/watermark/luma.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace colophon::label::internal {
namespace {

// Sums over 2 * radius + 1 columns of one row, and one over how many there were.
void sum_row(const float* in, float* out, int width, int radius) {
    float sum = 0;
    for (int x = 0; x < std::min(radius, width); ++x) {
        sum += in[x];
    }
    for (int x = 0; x < width; ++x) {
        if (x + radius < width) {
            sum += in[x + radius];
        }
        if (x - radius > 0) {
            sum -= in[x - radius - 1];
        }
        out[x] = sum;
    }
}

std::vector<float> counts(int length, int radius) {
    std::vector<float> inverse(static_cast<std::size_t>(length));
    for (int i = 0; i < length; ++i) {
        const int first = std::max(0, i - radius);
        const int last = std::min(length - 1, i + radius);
        inverse[static_cast<std::size_t>(i)] = 1.0F / static_cast<float>(last - first + 1);
    }
    return inverse;
}

// The share of old pixel i that new pixel j covers, for one axis.
struct Cover {
    int first = 0;
    std::vector<float> weights;
};

std::vector<Cover> covers(int from, int to) {
    std::vector<Cover> result(static_cast<std::size_t>(to));
    const double step = static_cast<double>(from) / to;
    for (int j = 0; j < to; ++j) {
        const double begin = j * step;
        const double end = std::min<double>(from, (j + 1) * step);
        Cover& cover = result[static_cast<std::size_t>(j)];
        cover.first = static_cast<int>(begin);
        for (int i = cover.first; i < end; ++i) {
            const double share = std::min<double>(end, i + 1) - std::max<double>(begin, i);
            cover.weights.push_back(static_cast<float>(share / step));
        }
    }
    return result;
}

}  // namespace

Luma box_mean(const Luma& plane, int radius) {
    Luma result(plane.width, plane.height);
    const std::vector<float> across = counts(plane.width, radius);
    const std::vector<float> down = counts(plane.height, radius);
    const auto width = static_cast<std::size_t>(plane.width);
    // Row sums in a ring of 2 * radius + 1 rows, and their sum down the columns.
    const int rows = 2 * radius + 1;
    std::vector<float> ring(width * static_cast<std::size_t>(rows));
    std::vector<double> column(width);
    const auto slot = [&](int y) {
        return ring.data() + static_cast<std::size_t>(y % rows) * width;
    };
    const auto enter = [&](int y) {
        float* sums = slot(y);
        sum_row(plane.row(y), sums, plane.width, radius);
        for (std::size_t x = 0; x < width; ++x) {
            column[x] += sums[x];
        }
    };
    for (int y = 0; y < std::min(radius, plane.height); ++y) {
        enter(y);
    }
    for (int y = 0; y < plane.height; ++y) {
        if (y - radius > 0) {
            const float* old = slot(y - radius - 1);
            for (std::size_t x = 0; x < width; ++x) {
                column[x] -= old[x];
            }
        }
        if (y + radius < plane.height) {
            enter(y + radius);
        }
        float* out = result.row(y);
        const float inverse = down[static_cast<std::size_t>(y)];
        for (std::size_t x = 0; x < width; ++x) {
            out[x] = static_cast<float>(column[x]) * across[x] * inverse;
        }
    }
    return result;
}

Moments box_moments(const Luma& plane, int radius) {
    Moments moments{.mean = box_mean(plane, radius), .variance = {}};
    Luma squares(plane.width, plane.height);
    std::transform(plane.values.begin(), plane.values.end(), squares.values.begin(),
                   [](float value) { return value * value; });
    moments.variance = box_mean(squares, radius);
    for (std::size_t i = 0; i < moments.mean.values.size(); ++i) {
        const float mean = moments.mean.values[i];
        moments.variance.values[i] = std::max(0.0F, moments.variance.values[i] - mean * mean);
    }
    return moments;
}

Luma shrink(const Luma& plane, int width, int height) {
    COLOPHON_ASSERT(width >= 1 && height >= 1 && width <= plane.width && height <= plane.height);
    const std::vector<Cover> columns = covers(plane.width, width);
    const std::vector<Cover> rows = covers(plane.height, height);
    Luma result(width, height);
    std::vector<float> line(static_cast<std::size_t>(plane.width));
    for (int y = 0; y < height; ++y) {
        const Cover& row = rows[static_cast<std::size_t>(y)];
        std::fill(line.begin(), line.end(), 0.0F);
        for (std::size_t i = 0; i < row.weights.size(); ++i) {
            const float* from = plane.row(row.first + static_cast<int>(i));
            const float weight = row.weights[i];
            for (std::size_t x = 0; x < line.size(); ++x) {
                line[x] += weight * from[x];
            }
        }
        float* out = result.row(y);
        for (int x = 0; x < width; ++x) {
            const Cover& column = columns[static_cast<std::size_t>(x)];
            const float* from = line.data() + column.first;
            float sum = 0;
            for (std::size_t i = 0; i < column.weights.size(); ++i) {
                sum += column.weights[i] * from[i];
            }
            out[x] = sum;
        }
    }
    return result;
}

}  // namespace colophon::label::internal
