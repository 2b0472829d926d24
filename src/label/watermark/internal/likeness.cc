// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/likeness.h"

#include "core/assert.h"
#include "label/watermark/luma.h"

#include <array>
#include <cstddef>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr int kWindow = 8;
constexpr float kPixels = kWindow * kWindow;
// (0.01 * 255)^2 and (0.03 * 255)^2, as everybody has them.
constexpr double kMeans = 6.5025;
constexpr double kDeviations = 58.5225;
// Of rounding, which hands on what it takes (add_pattern).
constexpr double kRoundingVariance = 1.0 / 6;

// Of a window, in levels and squared levels.
struct Window {
    float mean;
    float variance;
    float pattern_mean;
    float pattern_variance;
    float covariance;
};

// Sums of a window, a lane for each of its columns.
struct Sums {
    using Lanes = std::array<float, kWindow>;
    Lanes picture{};
    Lanes pattern{};
    Lanes pictures{};
    Lanes patterns{};
    Lanes products{};

    void add(const float* a, const float* b) {
        for (std::size_t i = 0; i < kWindow; ++i) {
            picture[i] += a[i];
            pattern[i] += b[i];
            pictures[i] += a[i] * a[i];
            patterns[i] += b[i] * b[i];
            products[i] += a[i] * b[i];
        }
    }
    static float mean(const Lanes& lanes) {
        float sum = 0;
        for (const float lane : lanes) {
            sum += lane;
        }
        return sum / kPixels;
    }
    Window window() const {
        const float a = mean(picture);
        const float b = mean(pattern);
        return {.mean = a,
                .variance = mean(pictures) - a * a,
                .pattern_mean = b,
                .pattern_variance = mean(patterns) - b * b,
                .covariance = mean(products) - a * b};
    }
};

double ssim_of(const Window& w, double gain) {
    const double mean = w.mean + gain * w.pattern_mean;
    const double covariance = w.variance + gain * w.covariance;
    const double variance =
        w.variance + 2 * gain * w.covariance + gain * gain * w.pattern_variance + kRoundingVariance;
    return (2 * w.mean * mean + kMeans) * (2 * covariance + kDeviations) /
           ((w.mean * w.mean + mean * mean + kMeans) * (w.variance + variance + kDeviations));
}

}  // namespace

float gain_of_ssim(const Luma& picture, const Luma& pattern, double ssim, float most) {
    COLOPHON_ASSERT(picture.width == pattern.width && picture.height == pattern.height);
    std::vector<Window> windows;
    for (int y = 0; y + kWindow <= picture.height; y += kWindow) {
        for (int x = 0; x + kWindow <= picture.width; x += kWindow) {
            Sums sums;
            for (int row = y; row < y + kWindow; ++row) {
                sums.add(picture.row(row) + x, pattern.row(row) + x);
            }
            windows.push_back(sums.window());
        }
    }
    const auto alike = [&](double gain) {
        double sum = 0;
        for (const Window& window : windows) {
            sum += ssim_of(window, gain);
        }
        return sum >= ssim * static_cast<double>(windows.size());
    };
    if (alike(most)) {
        return most;
    }
    constexpr int kHalvings = 10;
    double low = 0;
    double high = most;
    for (int i = 0; i < kHalvings; ++i) {
        const double middle = (low + high) / 2;
        (alike(middle) ? low : high) = middle;
    }
    return static_cast<float>(low);
}

}  // namespace colophon::label::internal
