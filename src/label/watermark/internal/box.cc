// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/box.h"

#include "core/assert.h"
#include "label/watermark/internal/kernels.h"
#include "label/watermark/luma.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace colophon::label::internal {
namespace {

// out[i] = in[i - radius] + ... + in[i + radius], as far as they lie inside, of two rows at once:
// each is a chain of sums, which the processor waits for.
struct Pair {
    const std::int32_t* in;
    std::int32_t* out;
};

void sum_rows(const Pair& a, const Pair& b, int width, int radius) {
    std::int32_t sum_a = 0;
    std::int32_t sum_b = 0;
    for (int x = 0; x < std::min(radius, width); ++x) {
        sum_a += a.in[x];
        sum_b += b.in[x];
    }
    const auto step = [&](int x, bool enters, bool leaves) {
        const int in = x + radius;
        const int out = x - radius - 1;
        sum_a += (enters ? a.in[in] : 0) - (leaves ? a.in[out] : 0);
        sum_b += (enters ? b.in[in] : 0) - (leaves ? b.in[out] : 0);
        a.out[x] = sum_a;
        b.out[x] = sum_b;
    };
    const int begun = std::min(radius + 1, width);
    const int full = std::max(begun, width - radius);
    int x = 0;
    for (; x < begun; ++x) {
        step(x, x + radius < width, false);
    }
    for (; x < full; ++x) {
        step(x, true, true);
    }
    for (; x < width; ++x) {
        step(x, false, true);
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

// Sums over `window` values from each of the first `count` on. `values` holds count + window of
// them and is spoilt: sums of 1, 2, 4, ... are made of it, no one a difference of large numbers.
void sum_windows(std::vector<float>& values, std::size_t window, std::vector<float>& out,
                 std::size_t count) {
    std::fill(out.begin(), out.end(), 0.0F);
    std::size_t begin = 0;
    float* sums = values.data();
    for (std::size_t size = 1; size <= window; size *= 2) {
        if ((window & size) != 0) {
            const float* from = sums + begin;
            for (std::size_t i = 0; i < count; ++i) {
                out[i] += from[i];
            }
            begin += size;
        }
        const std::size_t left = count + window - std::min(count + window, 2 * size);
        for (std::size_t i = 0; i < left; ++i) {
            sums[i] += sums[i + size];
        }
    }
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

// As many steps of a level as leave the sums of squares below 2^31.
float finest_steps(int radius) {
    constexpr double kStepsMax = 32;
    const double side = 2.0 * radius + 1;
    double one = kStepsMax;
    while (one > 1 && side * side * (kMiddle * one) * (kMiddle * one) >= 2147483648.0) {
        one /= 2;
    }
    return static_cast<float>(one);
}

}  // namespace

BoxRows::BoxRows(const Luma& plane, int radius, int first)
    : plane_(plane),
      radius_(radius),
      one_(finest_steps(radius)),
      next_(first),
      across_(counts(plane.width, radius)) {
    COLOPHON_ASSERT(radius >= 0 && radius <= kRadiusMax && first >= 0);
    const auto width = static_cast<std::size_t>(plane.width);
    ring_.resize(width * static_cast<std::size_t>(2 * radius + 2));
    nothing_.resize(width);
    columns_.resize(2 * width);
    boxes_.resize(2 * width);
    // With the row that leaves as the first one is reached.
    for (int y = std::max(0, first - radius - 1); y < std::min(first + radius, plane.height); ++y) {
        enter(y);
        slide(y, -1);
    }
}

void BoxRows::enter(int y) {
    const auto width = static_cast<std::size_t>(plane_.width);
    const auto slot = static_cast<std::size_t>(y % (2 * radius_ + 2));
    to_steps(plane_.row(y), one_, ring_.data() + slot * width, width);
}

// Rows outside of the picture are nothing.
void BoxRows::slide(int entering, int leaving) {
    const auto width = static_cast<std::size_t>(plane_.width);
    const auto row = [&](int y) {
        const auto slot = static_cast<std::size_t>(y % (2 * radius_ + 2));
        return y < 0 || y >= plane_.height ? nothing_.data() : ring_.data() + slot * width;
    };
    slide_columns(row(entering), row(leaving),
                  {.sums = columns_.data(), .squares = columns_.data() + width}, width);
}

Boxes BoxRows::next() {
    const int y = next_++;
    COLOPHON_ASSERT(y < plane_.height);
    if (y + radius_ < plane_.height) {
        enter(y + radius_);
    }
    slide(y + radius_, y - radius_ - 1);
    const auto width = static_cast<std::size_t>(plane_.width);
    sum_rows({.in = columns_.data(), .out = boxes_.data()},
             {.in = columns_.data() + width, .out = boxes_.data() + width}, plane_.width, radius_);
    const int rows = std::min(y + radius_, plane_.height - 1) - std::max(y - radius_, 0) + 1;
    return {.sums = boxes_.data(),
            .squares = boxes_.data() + width,
            .across = across_.data(),
            .down = 1.0F / static_cast<float>(rows),
            .level = 1.0F / one_};
}

Luma box_mean(const Luma& plane, int radius) {
    Luma result(plane.width, plane.height);
    const std::vector<float> across = counts(plane.width, radius);
    const std::vector<float> down = counts(plane.height, radius);
    const auto width = static_cast<std::size_t>(plane.width);
    const auto margin = static_cast<std::size_t>(radius);
    const std::size_t window = 2 * margin + 1;
    // Row sums of as many rows as a box has and one more, and their sum down the columns.
    std::vector<std::vector<float>> ring(window + 1, std::vector<float>(width));
    const std::vector<float> nothing(width);
    std::vector<float> padded(width + window);
    std::vector<double> columns(width);
    const auto sums = [&](int y) -> std::vector<float>& {
        return ring[static_cast<std::size_t>(y) % ring.size()];
    };
    for (int y = -radius; y < plane.height; ++y) {
        const int entering = y + radius;
        const int leaving = y - radius - 1;
        if (entering < plane.height) {
            std::fill(padded.begin(), padded.end(), 0.0F);
            std::copy_n(plane.row(entering), width, padded.data() + margin);
            sum_windows(padded, window, sums(entering), width);
        }
        // Before the first row there is only what enters.
        const auto row = static_cast<std::size_t>(std::max(y, 0));
        slide_means({.entering = (entering < plane.height ? sums(entering) : nothing).data(),
                     .leaving = (leaving >= 0 ? sums(leaving) : nothing).data(),
                     .across = across.data(),
                     .down = down[row]},
                    columns.data(), result.row(std::max(y, 0)), width);
    }
    return result;
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
