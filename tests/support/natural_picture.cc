// SPDX-License-Identifier: Apache-2.0
#include "support/natural_picture.h"

#include "label/watermark/luma.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <vector>

namespace colophon::test {
namespace {

// Smooth noise: random values on a grid of `cell` pixels, joined by cosines.
void add_noise(label::Luma& picture, double cell, double amplitude, std::mt19937_64& random) {
    const int columns = static_cast<int>(picture.width / cell) + 2;
    const int rows = static_cast<int>(picture.height / cell) + 2;
    std::uniform_real_distribution<double> level(-amplitude, amplitude);
    std::vector<double> grid(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows));
    for (double& value : grid) {
        value = level(random);
    }
    const auto node = [&](int x, int y) {
        return grid[static_cast<std::size_t>(y) * static_cast<std::size_t>(columns) +
                    static_cast<std::size_t>(x)];
    };
    const auto blend = [](double t) { return 0.5 - 0.5 * std::cos(t * std::numbers::pi); };
    for (int y = 0; y < picture.height; ++y) {
        const int gy = static_cast<int>(y / cell);
        const double ty = blend(y / cell - gy);
        float* row = picture.row(y);
        for (int x = 0; x < picture.width; ++x) {
            const int gx = static_cast<int>(x / cell);
            const double tx = blend(x / cell - gx);
            const double above = node(gx, gy) + tx * (node(gx + 1, gy) - node(gx, gy));
            const double below = node(gx, gy + 1) + tx * (node(gx + 1, gy + 1) - node(gx, gy + 1));
            row[x] += static_cast<float>(above + ty * (below - above));
        }
    }
}

void add_boxes(label::Luma& picture, int count, std::mt19937_64& random) {
    std::uniform_int_distribution<int> column(0, picture.width - 1);
    std::uniform_int_distribution<int> line(picture.height / 3, picture.height - 1);
    std::uniform_int_distribution<int> level(-40, 40);
    for (int i = 0; i < count; ++i) {
        const int left = column(random);
        const int top = line(random);
        const int right = std::min(picture.width, left + picture.width / 6);
        const int bottom = std::min(picture.height, top + picture.height / 5);
        const auto lift = static_cast<float>(level(random));
        for (int y = top; y < bottom; ++y) {
            for (int x = left; x < right; ++x) {
                picture.row(y)[x] += lift;
            }
        }
    }
}

float bilinear(const label::Luma& picture, double x, double y) {
    const int left = std::clamp(static_cast<int>(std::floor(x)), 0, picture.width - 2);
    const int top = std::clamp(static_cast<int>(std::floor(y)), 0, picture.height - 2);
    const auto fx = static_cast<float>(x - left);
    const auto fy = static_cast<float>(y - top);
    const float above = picture.at(left, top) * (1 - fx) + picture.at(left + 1, top) * fx;
    const float below = picture.at(left, top + 1) * (1 - fx) + picture.at(left + 1, top + 1) * fx;
    return above * (1 - fy) + below * fy;
}

}  // namespace

label::Luma natural_picture(int width, int height, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    label::Luma picture(width, height);
    std::fill(picture.values.begin(), picture.values.end(), 128.0F);
    // The sky stays smooth: the fine layers lie below.
    for (double cell = 200; cell > 40; cell /= 2) {
        add_noise(picture, cell, cell / 6, random);
    }
    label::Luma ground(width, height);
    for (double cell = 24; cell > 1.4; cell /= 2) {
        add_noise(ground, cell, 5 + cell / 2, random);
    }
    for (int y = 0; y < height; ++y) {
        const double depth = std::clamp((y - height * 0.3) / (height * 0.2), 0.05, 1.0);
        for (int x = 0; x < width; ++x) {
            picture.row(y)[x] += static_cast<float>(depth) * ground.row(y)[x];
        }
    }
    add_boxes(picture, 14, random);
    for (float& value : picture.values) {
        value = std::clamp(std::nearbyint(value), 0.0F, 255.0F);
    }
    return picture;
}

label::Luma turned_and_scaled(const label::Luma& picture, double degrees, double scale,
                              double keep) {
    const double angle = degrees * std::numbers::pi / 180;
    const double cosine = std::cos(angle);
    const double sine = std::sin(angle);
    label::Luma result(static_cast<int>(picture.width * scale * keep),
                       static_cast<int>(picture.height * scale * keep));
    for (int y = 0; y < result.height; ++y) {
        for (int x = 0; x < result.width; ++x) {
            const double dx = (x - (result.width - 1) / 2.0) / scale;
            const double dy = (y - (result.height - 1) / 2.0) / scale;
            const double sx = (picture.width - 1) / 2.0 + cosine * dx + sine * dy;
            const double sy = (picture.height - 1) / 2.0 - sine * dx + cosine * dy;
            result.row(y)[x] = std::nearbyint(bilinear(picture, sx, sy));
        }
    }
    return result;
}

}  // namespace colophon::test
