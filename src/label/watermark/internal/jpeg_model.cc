// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/jpeg_model.h"

#include "core/assert.h"
#include "label/watermark/luma.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace colophon::label::internal {
namespace {

constexpr std::size_t kSide = 8;
using Block = std::array<std::array<float, kSide>, kSide>;

constexpr std::array<std::array<int, kSide>, kSide> kTable{{{16, 11, 10, 16, 24, 40, 51, 61},
                                                            {12, 12, 14, 19, 26, 58, 60, 55},
                                                            {14, 13, 16, 24, 40, 57, 69, 56},
                                                            {14, 17, 22, 29, 51, 87, 80, 62},
                                                            {18, 22, 37, 56, 68, 109, 103, 77},
                                                            {24, 35, 55, 64, 81, 104, 113, 92},
                                                            {49, 64, 78, 87, 103, 121, 120, 101},
                                                            {72, 92, 95, 98, 112, 100, 103, 99}}};

Block steps_of(int quality) {
    const int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
    Block steps{};
    for (std::size_t v = 0; v < kSide; ++v) {
        for (std::size_t u = 0; u < kSide; ++u) {
            steps[v][u] = static_cast<float>(std::clamp((kTable[v][u] * scale + 50) / 100, 1, 255));
        }
    }
    return steps;
}

// The orthonormal cosine transform of length 8: row u, sample x.
const Block& basis() {
    static const Block kBasis = [] {
        Block rows{};
        for (std::size_t u = 0; u < kSide; ++u) {
            const double norm = u == 0 ? std::sqrt(0.125) : 0.5;
            for (std::size_t x = 0; x < kSide; ++x) {
                const double turns = static_cast<double>((2 * x + 1) * u) / 32;
                rows[u][x] = static_cast<float>(norm * std::cos(2 * std::numbers::pi * turns));
            }
        }
        return rows;
    }();
    return kBasis;
}

// out = rows * in * transposed rows, or the inverse of that.
Block transform(const Block& in, bool inverse) {
    const Block& rows = basis();
    const auto factor = [&](std::size_t i, std::size_t j) {
        return inverse ? rows[j][i] : rows[i][j];
    };
    Block half{};
    Block out{};
    for (std::size_t i = 0; i < kSide; ++i) {
        for (std::size_t k = 0; k < kSide; ++k) {
            for (std::size_t j = 0; j < kSide; ++j) {
                half[i][j] += factor(i, k) * in[k][j];
            }
        }
    }
    for (std::size_t i = 0; i < kSide; ++i) {
        for (std::size_t j = 0; j < kSide; ++j) {
            for (std::size_t k = 0; k < kSide; ++k) {
                out[i][j] += half[i][k] * factor(j, k);
            }
        }
    }
    return out;
}

}  // namespace

Luma as_after_jpeg(const Luma& picture, int quality) {
    COLOPHON_ASSERT(quality >= 1 && quality <= 100);
    const Block steps = steps_of(quality);
    Luma result = picture;
    constexpr int kPixels = kSide;
    for (int top = 0; top + kPixels <= picture.height; top += kPixels) {
        for (int left = 0; left + kPixels <= picture.width; left += kPixels) {
            Block block{};
            for (int y = 0; y < kPixels; ++y) {
                std::copy_n(picture.row(top + y) + left, kPixels,
                            block[static_cast<std::size_t>(y)].begin());
            }
            block = transform(block, false);
            for (std::size_t v = 0; v < kSide; ++v) {
                for (std::size_t u = 0; u < kSide; ++u) {
                    block[v][u] = std::nearbyint(block[v][u] / steps[v][u]) * steps[v][u];
                }
            }
            block = transform(block, true);
            for (int y = 0; y < kPixels; ++y) {
                std::copy_n(block[static_cast<std::size_t>(y)].begin(), kPixels,
                            result.row(top + y) + left);
            }
        }
    }
    return result;
}

}  // namespace colophon::label::internal
