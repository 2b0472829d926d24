// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inner loops of the watermark, done with the widest instructions that the processor has
// (Highway, chosen while the program runs). Each does to `count` values what the function of the
// same name in kernels_scalar.h does one by one, to the last bit: a mark does not depend on the
// machine that made it. Pointers need no alignment; nothing is read or written beyond `count`
// unless it says so; what is written overlaps nothing that is read.

#include "label/watermark/internal/bins.h"
#include "label/watermark/internal/fft.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace colophon::label::internal {

inline constexpr std::array<float, 3> kLumaWeights{0.299F, 0.587F, 0.114F};  // ITU-R BT.601
inline constexpr float kMiddle = 128;

// Luma of samples of 8 bits, `channels` (3 or 4) to a pixel, red, green and blue first.
void luma_of_rgb(const std::uint8_t* samples, int channels, float* luma, std::size_t count);

// Levels relative to the middle, 128, cut to 0 .. 255, with `one` (1 .. 64) steps to a level.
void to_steps(const float* luma, float one, std::int16_t* steps, std::size_t count);

// One row enters sums of rows and of their squares, another leaves.
struct Columns {
    std::int32_t* sums;
    std::int32_t* squares;
};
void slide_columns(const std::int16_t* entering, const std::int16_t* leaving,
                   const Columns& columns, std::size_t count);

// Sums over the boxes around the values of a row. One over how many values a box has is a factor
// by column times one by row.
struct Boxes {
    const std::int32_t* sums;
    const std::int32_t* squares;
    const float* across;
    float down;
    float level;  // of a step: 1 / one
};
// Deviations in levels, no more than `most`.
void deviations(const Boxes& boxes, float most, float* out, std::size_t count);
// (luma - mean) / (deviation + least), in levels.
void relative_to_boxes(const Boxes& boxes, const float* luma, float least, float* out,
                       std::size_t count);

// (1 + slope * the least of five) * pattern.
void shape_pattern(const std::array<const float*, 5>& activity, float slope, const float* pattern,
                   float* out, std::size_t count);
// Adds the square of value i to sum i % 16.
using Energies = std::array<float, 16>;
void add_energies(const float* values, std::size_t count, Energies& sums);

// Eight rows, each scaled and rounded to whole levels; what rounding takes from one value it gives
// to the next in its row, and from the last to `carried`. |values * scale| below 30,000.
inline constexpr std::size_t kRowsRounded = 8;
struct Rounding {
    float scale = 1;
    std::array<float, kRowsRounded> carried{};
};
void round_rows(const std::array<const float*, kRowsRounded>& rows, Rounding& rounding,
                const std::array<std::int16_t*, kRowsRounded>& levels, std::size_t count);
// Adds to samples of 8 bits, `channels` (1, 3 or 4) to a pixel of which a fourth stays as it is;
// the sums are cut to 0 .. 255.
void add_levels(const std::int16_t* levels, int channels, std::uint8_t* samples, std::size_t count);

// Magnitudes.
void magnitudes(const Complex* values, float* out, std::size_t count);
// values *= gain, but with magnitudes cut to `most`; gain is one over mean, zero where that is
// zero.
struct Whitening {
    const float* magnitudes;
    const float* means;
    float most;
};
void whiten(const Whitening& how, Complex* values, float* gain, std::size_t count);

// Values between the points of a grid of which `values` is point (0, 0): the sum of the 5 x 5
// around each, weighted by a window. x >= 0; rows before the first are the last. Up to three
// columns left of zero and three right of the last that has weight are read.
inline constexpr int kWindowTaps = 5;
inline constexpr int kWindowSteps = 1024;  // between two points
struct Grid {
    const Complex* values;
    std::size_t stride;
    int lines;
    // kWindowSteps + 1 rows of eight: the weights of the taps at distances 1.5 - i + step /
    // kWindowSteps, then zeros.
    const float* window;
};
void interpolate(const Grid& grid, const float* x, const float* y, Complex* out, std::size_t count);

// The same sums, of a grid in steps of 1/127 of the largest part: the sum of their squared
// magnitudes, in squared steps. A quarter of the memory to go through, and sums down the columns in
// 16 bits; good for comparing.
inline constexpr float kCoarseOne = 16384;  // a weight of 1
inline constexpr float kCoarseStep = 64;    // what a step counts in a sum
struct CoarseGrid {
    const std::int8_t* values;  // real and imaginary parts in turn, of point (0, 0)
    std::size_t stride;         // points
    int lines;
    const float* window;
    // The same rows times kCoarseOne, rounded; no row sums to more than 4.
    const std::int16_t* down;
};
float coarse_energy(const CoarseGrid& grid, const float* x, const float* y, std::size_t count);
// Where frequencies lie on a grid of `width` x `height` points: with x >= 0, their other half if
// need be; at zero those that reach `reach` cycles per pixel in x or y.
struct GridSize {
    float width;
    float height;
    float reach;
};
void grid_places(const FrequencyMap& map, const GridSize& grid, std::span<const Bin> bins, float* x,
                 float* y);
// Real and imaginary parts times `scale`, which leaves them within -127 .. 127, rounded.
void coarsen(const Complex* values, float scale, std::int8_t* out, std::size_t count);

// Values between pixels of a plane that is symmetric about (0, 0), of which the rows y >= 0 are
// there; columns before the first are the last.
struct HalfPlane {
    const float* values;
    int width;
};
// Of square lattices with steps (x, y) and (-y, x): the sum of the values at some of their points,
// each `first` steps along one and `second` along the other, and each no more than kPointMax.
struct LatticePoint {
    float first;
    float second;
};
struct Steps {
    const float* x;
    const float* y;
};
inline constexpr float kPointMax = 12;  // no single peak of the picture's own makes a lattice
void sum_points(const HalfPlane& plane, std::span<const LatticePoint> points, const Steps& steps,
                float* out, std::size_t count);
// The same of those points that lie within the reach, and how many do.
struct PlaneWithin {
    HalfPlane plane;
    float reach_x;
    float reach_y;
};
struct PointSums {
    float* sums;
    float* counts;
};
void sum_points_within(const PlaneWithin& within, std::span<const LatticePoint> points,
                       const Steps& steps, const PointSums& out, std::size_t count);

// Sums down the columns, of which one row enters and another leaves; out = sums * across * down.
struct SlidingRows {
    const float* entering;
    const float* leaving;
    const float* across;
    float down;
};
void slide_means(const SlidingRows& rows, double* sums, float* out, std::size_t count);

// Between each two of `intervals` + 1 nodes a straight line, as whole numbers towards zero at the
// middles of `block` (a multiple of 8) parts.
void draw_ramps(const float* nodes, std::size_t intervals, int block, std::int16_t* out);

// samples += (pattern * amplitude + half) >> shift, cut to 0 .. most; shift 17 .. 22, most up to
// 32,767, of bytes always 255.
struct RowChange {
    const std::int16_t* pattern;
    const std::int16_t* amplitude;
    int shift;
    int most;
};
void change_row(const RowChange& row, std::uint8_t* samples, std::size_t count);
void change_row(const RowChange& row, std::uint16_t* samples, std::size_t count);

}  // namespace colophon::label::internal
