// SPDX-License-Identifier: Apache-2.0
#pragma once

// Discrete Fourier transforms of single precision, not normalized: forward sums
// x * exp(-2 pi i k x / n), backward the same with +. Those of two dimensions are made of those of
// their rows and of their columns, so that neither rows nor columns that are known to be nothing,
// or that nobody asks for, are transformed. The caller hands in and takes out line by line.

#include <complex>
#include <cstddef>
#include <functional>
#include <vector>

namespace colophon::label::internal {

using Complex = std::complex<float>;

// The least number from `least` on that has no prime factors but 2, 3, 5 and is even: transforms of
// such sizes are fast.
int fast_size(int least);

// Backward: from height rows of width / 2 + 1 coefficients, the half with kx >= 0, to height rows
// of width. `half` is spoilt.
std::vector<float> transform_back(std::vector<Complex>& half, int width, int height);

// Rows 0 .. rows - 1 of `length` values: `fill` writes one, `drain` reads the length / 2 + 1
// coefficients with k >= 0.
void transform_rows(int length, int rows, const std::function<void(int row, float* values)>& fill,
                    const std::function<void(int row, const Complex* half)>& drain);
// The same backward: from length / 2 + 1 coefficients, all of which `fill` must write, to values.
void transform_rows_back(int length, int rows,
                         const std::function<void(int row, Complex* half)>& fill,
                         const std::function<void(int row, const float* values)>& drain);

// Columns are transformed kColumnsAtOnce at a time: value y of column `first` + i lies at
// y * kColumnsAtOnce + i. What columns beyond the last hold does not matter.
inline constexpr int kColumnsAtOnce = 16;
void transform_columns(int length, int columns,
                       const std::function<void(int first, Complex* values)>& fill,
                       const std::function<void(int first, const Complex* values)>& drain);
// Of real values; drained are the length / 2 + 1 coefficients with k >= 0.
void transform_real_columns(int length, int columns,
                            const std::function<void(int first, float* values)>& fill,
                            const std::function<void(int first, const Complex* half)>& drain);

}  // namespace colophon::label::internal
