// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/kernels_scalar.h"

#include "label/watermark/internal/bins.h"
#include "label/watermark/internal/fft.h"
#include "label/watermark/internal/kernels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace colophon::label::internal::scalar {

void luma_of_rgb(const std::uint8_t* samples, int channels, float* luma, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i, samples += channels) {
        luma[i] = kLumaWeights[0] * static_cast<float>(samples[0]) +
                  kLumaWeights[1] * static_cast<float>(samples[1]) +
                  kLumaWeights[2] * static_cast<float>(samples[2]);
    }
}

void to_steps(const float* luma, float one, std::int16_t* steps, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const float level = std::min(std::max(luma[i], 0.0F), 255.0F) - kMiddle;
        steps[i] = static_cast<std::int16_t>(std::lrint(level * one));
    }
}

void slide_columns(const std::int16_t* entering, const std::int16_t* leaving,
                   const Columns& columns, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const int difference = entering[i] - leaving[i];
        columns.sums[i] += difference;
        columns.squares[i] += difference * (entering[i] + leaving[i]);
    }
}

namespace {

struct Moments {
    float mean;
    float deviation;
};

Moments moments_at(const Boxes& boxes, std::size_t i) {
    const float inverse = boxes.across[i] * boxes.down;
    const float mean = static_cast<float>(boxes.sums[i]) * inverse;
    const float square = static_cast<float>(boxes.squares[i]) * inverse;
    const float variance = std::max(square - mean * mean, 0.0F);
    return {.mean = mean * boxes.level, .deviation = std::sqrt(variance) * boxes.level};
}

}  // namespace

void deviations(const Boxes& boxes, float most, float* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = std::min(moments_at(boxes, i).deviation, most);
    }
}

void relative_to_boxes(const Boxes& boxes, const float* luma, float least, float* out,
                       std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const Moments moments = moments_at(boxes, i);
        out[i] = (luma[i] - kMiddle - moments.mean) / (moments.deviation + least);
    }
}

void shape_pattern(const std::array<const float*, 5>& activity, float slope, const float* pattern,
                   float* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        float least = activity[0][i];
        for (const float* row : activity) {
            least = std::min(least, row[i]);
        }
        out[i] = (1 + slope * least) * pattern[i];
    }
}

void add_energies(const float* values, std::size_t count, Energies& sums) {
    for (std::size_t i = 0; i < count; ++i) {
        sums[i % sums.size()] += values[i] * values[i];
    }
}

void round_rows(const std::array<const float*, kRowsRounded>& rows, Rounding& rounding,
                const std::array<std::int16_t*, kRowsRounded>& levels, std::size_t count) {
    for (std::size_t row = 0; row < kRowsRounded; ++row) {
        float carried = rounding.carried[row];
        for (std::size_t i = 0; i < count; ++i) {
            const float wanted = rounding.scale * rows[row][i] + carried;
            const auto given = static_cast<std::int16_t>(std::lrint(wanted));
            carried = wanted - static_cast<float>(given);
            levels[row][i] = given;
        }
        rounding.carried[row] = carried;
    }
}

void add_levels(const std::int16_t* levels, int channels, std::uint8_t* samples,
                std::size_t count) {
    const int colours = std::min(channels, 3);
    for (std::size_t i = 0; i < count; ++i, samples += channels) {
        for (int c = 0; c < colours; ++c) {
            samples[c] = static_cast<std::uint8_t>(std::clamp(samples[c] + levels[i], 0, 255));
        }
    }
}

void magnitudes(const Complex* values, float* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const float real = values[i].real();
        const float imaginary = values[i].imag();
        out[i] = std::sqrt(real * real + imaginary * imaginary);
    }
}

void whiten(const Whitening& how, Complex* values, float* gain, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        gain[i] = how.means[i] > 0 ? 1 / how.means[i] : 0;
        const float relative = std::max(how.magnitudes[i] * gain[i], how.most);
        const float factor = gain[i] * how.most / relative;
        values[i] = {values[i].real() * factor, values[i].imag() * factor};
    }
}

namespace {

constexpr float kReach = kWindowTaps / 2.0F;
constexpr std::size_t kParts = 12;  // real and imaginary, of a row of taps and one more

int first_tap(float at) {
    return static_cast<int>(std::ceil(at - kReach));
}

// The row of a table of weights, eight to a row.
template <class Weight>
const Weight* weights(const Weight* table, float at) {
    const float step = (at - static_cast<float>(first_tap(at)) - (kReach - 1)) * kWindowSteps;
    return table + 8 * std::lrint(step);
}

Complex fold(std::array<float, kParts> sums, const float* across) {
    for (std::size_t k = 0; k < kParts; ++k) {
        sums[k] *= across[k / 2];
    }
    std::array<float, 4> folded{};
    for (std::size_t k = 0; k < folded.size(); ++k) {
        folded[k] = sums[k] + sums[k + 4] + sums[k + 8];
    }
    return {folded[0] + folded[2], folded[1] + folded[3]};
}

Complex between(const Grid& grid, const float* parts, float x, float y) {
    const int left = first_tap(x);
    const int top = first_tap(y);
    const float* down = weights(grid.window, y);
    std::array<float, kParts> sums{};
    for (int j = 0; j < kWindowTaps; ++j) {
        const int row = top + j < 0 ? top + j + grid.lines : top + j;
        const float* from = parts + (static_cast<std::ptrdiff_t>(grid.stride) * row + left) * 2;
        for (std::size_t k = 0; k < kParts; ++k) {
            sums[k] += down[j] * from[k];
        }
    }
    return fold(sums, weights(grid.window, x));
}

// Each sum in kCoarseStep parts of a step. Products lose what is below one of them.
Complex coarsely_between(const CoarseGrid& grid, float x, float y) {
    const int left = first_tap(x);
    const int top = first_tap(y);
    const std::int16_t* down = weights(grid.down, y);
    std::array<int, kParts> sums{};
    for (int j = 0; j < kWindowTaps; ++j) {
        const int row = top + j < 0 ? top + j + grid.lines : top + j;
        const std::int8_t* from =
            grid.values + (static_cast<std::ptrdiff_t>(grid.stride) * row + left) * 2;
        for (std::size_t k = 0; k < kParts; ++k) {
            sums[k] += (from[k] * 256 * down[j]) >> 16;
        }
    }
    std::array<float, kParts> floats{};
    std::ranges::transform(sums, floats.begin(), [](int sum) { return static_cast<float>(sum); });
    return fold(floats, weights(grid.window, x));
}

}  // namespace

void interpolate(const Grid& grid, const float* x, const float* y, Complex* out,
                 std::size_t count) {
    const auto* parts = reinterpret_cast<const float*>(grid.values);
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = between(grid, parts, x[i], y[i]);
    }
}

float coarse_energy(const CoarseGrid& grid, const float* x, const float* y, std::size_t count) {
    float real = 0;
    float imaginary = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const Complex value = coarsely_between(grid, x[i], y[i]);
        real += value.real() * value.real();
        imaginary += value.imag() * value.imag();
    }
    return (real + imaginary) / (kCoarseStep * kCoarseStep);
}

void grid_places(const FrequencyMap& map, const GridSize& grid, std::span<const Bin> bins, float* x,
                 float* y) {
    const auto xu = static_cast<float>(map.xu);
    const auto xv = static_cast<float>(map.xv);
    const auto yu = static_cast<float>(map.yu);
    const auto yv = static_cast<float>(map.yv);
    for (std::size_t i = 0; i < bins.size(); ++i) {
        const auto u = static_cast<float>(bins[i].u);
        const auto v = static_cast<float>(bins[i].v);
        const float fx = xu * u + xv * v;
        const float fy = yu * u + yv * v;
        const bool inside = std::fabs(fx) < grid.reach && std::fabs(fy) < grid.reach;
        x[i] = inside ? (fx < 0 ? -fx : fx) * grid.width : 0;
        y[i] = inside ? (fx < 0 ? -fy : fy) * grid.height : 0;
    }
}

void coarsen(const Complex* values, float scale, std::int8_t* out, std::size_t count) {
    const auto* parts = reinterpret_cast<const float*>(values);
    for (std::size_t i = 0; i < 2 * count; ++i) {
        out[i] = static_cast<std::int8_t>(std::lrint(parts[i] * scale));
    }
}

namespace {

float between(const HalfPlane& plane, float x, float y) {
    const float sign = y < 0 ? -1.0F : 1.0F;
    const float right = x * sign;
    const float down = y * sign;
    const float left = std::floor(right);
    const float top = std::floor(down);
    const int column = static_cast<int>(left);
    const int first = column < 0 ? column + plane.width : column;
    const int second = column + 1 < 0 ? column + 1 + plane.width : column + 1;
    const float* upper = plane.values + static_cast<std::ptrdiff_t>(top) * plane.width;
    const float* lower = upper + plane.width;
    const float across = right - left;
    const float above = upper[first] + across * (upper[second] - upper[first]);
    const float below = lower[first] + across * (lower[second] - lower[first]);
    return above + (down - top) * (below - above);
}

}  // namespace

void sum_points(const HalfPlane& plane, std::span<const LatticePoint> points, const Steps& steps,
                float* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const float x = steps.x[i];
        const float y = steps.y[i];
        float sum = 0;
        for (const LatticePoint& point : points) {
            const float px = point.first * x - point.second * y;
            const float py = point.first * y + point.second * x;
            sum += std::min(between(plane, px, py), kPointMax);
        }
        out[i] = sum;
    }
}

void sum_points_within(const PlaneWithin& within, std::span<const LatticePoint> points,
                       const Steps& steps, const PointSums& out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const float x = steps.x[i];
        const float y = steps.y[i];
        float sum = 0;
        float seen = 0;
        for (const LatticePoint& point : points) {
            const float px = point.first * x - point.second * y;
            const float py = point.first * y + point.second * x;
            if (std::fabs(px) <= within.reach_x && std::fabs(py) <= within.reach_y) {
                sum += std::min(between(within.plane, px, py), kPointMax);
                seen += 1;
            }
        }
        out.sums[i] = sum;
        out.counts[i] = seen;
    }
}

void slide_means(const SlidingRows& rows, double* sums, float* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        sums[i] += static_cast<double>(rows.entering[i]) - static_cast<double>(rows.leaving[i]);
        out[i] = static_cast<float>(sums[i]) * rows.across[i] * rows.down;
    }
}

void draw_ramps(const float* nodes, std::size_t intervals, int block, std::int16_t* out) {
    for (std::size_t i = 0; i < intervals; ++i) {
        const float step = (nodes[i + 1] - nodes[i]) / static_cast<float>(block);
        for (int k = 0; k < block; ++k, ++out) {
            *out = static_cast<std::int16_t>(nodes[i] + step * (static_cast<float>(k) + 0.5F));
        }
    }
}

namespace {

template <class Sample>
void change(const RowChange& row, Sample* samples, std::size_t count) {
    const int half = 1 << (row.shift - 1);
    for (std::size_t i = 0; i < count; ++i) {
        const int levels = (row.pattern[i] * row.amplitude[i] + half) >> row.shift;
        samples[i] = static_cast<Sample>(std::clamp(samples[i] + levels, 0, row.most));
    }
}

}  // namespace

void change_row(const RowChange& row, std::uint8_t* samples, std::size_t count) {
    change(row, samples, count);
}

void change_row(const RowChange& row, std::uint16_t* samples, std::size_t count) {
    change(row, samples, count);
}

}  // namespace colophon::label::internal::scalar
