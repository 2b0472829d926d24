// SPDX-License-Identifier: Apache-2.0
#pragma once

// The reference of kernels.h: the same loops in plain C++, which say what each of them computes and
// in which order. They also do the ends of rows that fill no vector.

#include "label/watermark/internal/bins.h"
#include "label/watermark/internal/fft.h"
#include "label/watermark/internal/kernels.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace colophon::label::internal::scalar {

void luma_of_rgb(const std::uint8_t* samples, int channels, float* luma, std::size_t count);
void to_steps(const float* luma, float one, std::int16_t* steps, std::size_t count);
void slide_columns(const std::int16_t* entering, const std::int16_t* leaving,
                   const Columns& columns, std::size_t count);
void deviations(const Boxes& boxes, float most, float* out, std::size_t count);
void relative_to_boxes(const Boxes& boxes, const float* luma, float least, float* out,
                       std::size_t count);
void shape_pattern(const std::array<const float*, 5>& activity, float slope, const float* pattern,
                   float* out, std::size_t count);
void add_energies(const float* values, std::size_t count, Energies& sums);
void round_rows(const std::array<const float*, kRowsRounded>& rows, Rounding& rounding,
                const std::array<std::int16_t*, kRowsRounded>& levels, std::size_t count);
void add_levels(const std::int16_t* levels, int channels, std::uint8_t* samples, std::size_t count);
void magnitudes(const Complex* values, float* out, std::size_t count);
void whiten(const Whitening& how, Complex* values, float* gain, std::size_t count);
void interpolate(const Grid& grid, const float* x, const float* y, Complex* out, std::size_t count);
float coarse_energy(const CoarseGrid& grid, const float* x, const float* y, std::size_t count);
void grid_places(const FrequencyMap& map, const GridSize& grid, std::span<const Bin> bins, float* x,
                 float* y);
void coarsen(const Complex* values, float scale, std::int8_t* out, std::size_t count);
void sum_points(const HalfPlane& plane, std::span<const LatticePoint> points, const Steps& steps,
                float* out, std::size_t count);
void sum_points_within(const PlaneWithin& within, std::span<const LatticePoint> points,
                       const Steps& steps, const PointSums& out, std::size_t count);
void slide_means(const SlidingRows& rows, double* sums, float* out, std::size_t count);
void draw_ramps(const float* nodes, std::size_t intervals, int block, std::int16_t* out);
void change_row(const RowChange& row, std::uint8_t* samples, std::size_t count);
void change_row(const RowChange& row, std::uint16_t* samples, std::size_t count);

}  // namespace colophon::label::internal::scalar
