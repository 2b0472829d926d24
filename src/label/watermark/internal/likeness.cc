// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/likeness.h"

#include "core/assert.h"
#include "label/watermark/luma.h"

#include <algorithm>
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

// Of a window, in levels and squared levels; the change is what the whole pattern does to it.
struct Window {
    float mean;
    float variance;
    float change_mean;
    float change_variance;
    float covariance;
};

// Sums of a window, a lane for each of its columns.
struct Sums {
    using Lanes = std::array<float, kWindow>;
    Lanes picture{};
    Lanes change{};
    Lanes pictures{};
    Lanes changes{};
    Lanes products{};

    void add(const float* before, const float* after) {
        for (std::size_t i = 0; i < kWindow; ++i) {
            const float a = before[i];
            const float b = after[i] - a;
            picture[i] += a;
            change[i] += b;
            pictures[i] += a * a;
            changes[i] += b * b;
            products[i] += a * b;
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
        const float b = mean(change);
        return {.mean = a,
                .variance = mean(pictures) - a * a,
                .change_mean = b,
                .change_variance = mean(changes) - b * b,
                .covariance = mean(products) - a * b};
    }
};

// With a share of the change.
double ssim_of(const Window& w, double share) {
    const double mean = w.mean + share * w.change_mean;
    const double covariance = w.variance + share * w.covariance;
    const double variance = w.variance + 2 * share * w.covariance +
                            share * share * w.change_variance + kRoundingVariance;
    return (2 * w.mean * mean + kMeans) * (2 * covariance + kDeviations) /
           ((w.mean * w.mean + mean * mean + kMeans) * (w.variance + variance + kDeviations));
}

std::vector<Window> windows_of(const Luma& picture, const Luma& pattern, float gain) {
    const auto across = static_cast<std::size_t>(picture.width / kWindow);
    std::vector<float> after(across * kWindow);
    std::vector<Sums> sums;
    std::vector<Window> windows;
    windows.reserve(across * static_cast<std::size_t>(picture.height / kWindow));
    for (int top = 0; top + kWindow <= picture.height; top += kWindow) {
        sums.assign(across, {});
        for (int y = top; y < top + kWindow; ++y) {
            const float* before = picture.row(y);
            const float* added = pattern.row(y);
            // Black and white take half of a pattern, and become less so: their mean changes.
            for (std::size_t x = 0; x < after.size(); ++x) {
                after[x] = std::clamp(before[x] + gain * added[x], 0.0F, 255.0F);
            }
            for (std::size_t i = 0; i < across; ++i) {
                sums[i].add(before + i * kWindow, after.data() + i * kWindow);
            }
        }
        for (const Sums& all : sums) {
            windows.push_back(all.window());
        }
    }
    return windows;
}

}  // namespace

float gain_of_ssim(const Luma& picture, const Luma& pattern, double ssim, float most) {
    COLOPHON_ASSERT(picture.width == pattern.width && picture.height == pattern.height);
    const std::vector<Window> windows = windows_of(picture, pattern, most);
    const auto alike = [&](double share) {
        double sum = 0;
        for (const Window& window : windows) {
            sum += ssim_of(window, share);
        }
        return sum >= ssim * static_cast<double>(windows.size());
    };
    if (alike(1)) {
        return most;
    }
    constexpr int kHalvings = 10;
    double low = 0;
    double high = 1;
    for (int i = 0; i < kHalvings; ++i) {
        const double middle = (low + high) / 2;
        (alike(middle) ? low : high) = middle;
    }
    return most * static_cast<float>(low);
}

}  // namespace colophon::label::internal
