// SPDX-License-Identifier: Apache-2.0
#pragma once

// Two-dimensional discrete Fourier transforms of single precision, not normalized: forward sums
// x * exp(-2 pi i k x / n), backward the same with +.

#include <complex>
#include <cstddef>
#include <vector>

namespace colophon::label::internal {

using Complex = std::complex<float>;

// The least number from `least` on that has no prime factors but 2, 3, 5 and is even: transforms of
// such sizes are fast.
int fast_size(int least);

// `real`: height rows of width. Result: height rows of width / 2 + 1, the half with kx >= 0.
std::vector<Complex> transform(const std::vector<float>& real, int width, int height);
// The inverse way; `half` is spoilt.
std::vector<float> transform_back(std::vector<Complex>& half, int width, int height);
// Complex, in place, backward: size rows of size.
void transform_back_square(std::vector<Complex>& values, int size);

}  // namespace colophon::label::internal
