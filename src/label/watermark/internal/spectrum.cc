// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/spectrum.h"

#include "core/assert.h"
#include "label/watermark/internal/box.h"
#include "label/watermark/internal/fft.h"
#include "label/watermark/luma.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstddef>
#include <numbers>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr int kMeanRadius = 7;         // pixels around each that its level is compared with
constexpr float kDeviationFloor = 2;   // levels: flat parts are not blown up to noise
constexpr double kPadding = 1.5;       // grid over picture
constexpr int kTaps = 5;               // of the interpolation window, in each direction
constexpr int kTableSteps = 1024;      // of the window, for each grid cell
constexpr int kSmoothing = 10;         // grid cells around each that its magnitude is compared with
constexpr float kMagnitudeMax = 2.5F;  // of what is left after whitening, in means
constexpr double kFrequencyMin = 0.02;  // cycles per pixel: below lies nothing but the picture

// Kaiser-Bessel: I0(beta * sqrt(1 - (2 t / taps)^2)).
double window_shape() {
    const double ratio = kTaps / kPadding;
    return kPi * std::sqrt(ratio * ratio * (kPadding - 0.5) * (kPadding - 0.5) - 0.8);
}

double bessel_i0(double x) {
    double sum = 1;
    double term = 1;
    for (int k = 1; k < 64 && term > sum * 1e-12; ++k) {
        term *= (x / (2 * k)) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

const std::vector<float>& window_table() {
    static const std::vector<float> kTable = [] {
        const int steps = kTaps * kTableSteps / 2 + 2;
        std::vector<float> table(static_cast<std::size_t>(steps));
        const double scale = 1 / bessel_i0(window_shape());
        for (int i = 0; i < steps; ++i) {
            const double t = 2.0 * i / kTableSteps / kTaps;
            const double inside = std::max(0.0, 1 - t * t);
            table[static_cast<std::size_t>(i)] =
                static_cast<float>(scale * bessel_i0(window_shape() * std::sqrt(inside)));
        }
        return table;
    }();
    return kTable;
}

// The weights of kTaps grid points, the first of them `distance` cells below.
std::array<float, kTaps> window_at(float distance) {
    static const float* const kTable = window_table().data();
    std::array<float, kTaps> weights{};
    for (int i = 0; i < kTaps; ++i) {
        const float t = std::fabs(distance - static_cast<float>(i));
        weights[static_cast<std::size_t>(i)] =
            kTable[std::lrint(t * static_cast<float>(kTableSteps))];
    }
    return weights;
}

// One over the transform of the window at pixel `x` from the centre, on a grid of `grid` cells.
std::vector<float> undo_window(int length, int grid) {
    std::vector<float> factors(static_cast<std::size_t>(length));
    const double shape = window_shape();
    for (int i = 0; i < length; ++i) {
        const int from_centre = i - length / 2;
        const double x = kPi * kTaps * from_centre / grid;
        const double inside = shape * shape - x * x;
        const double root = std::sqrt(std::fabs(inside));
        const double value = root < 1e-6  ? 1
                             : inside > 0 ? std::sinh(root) / root
                                          : std::sin(root) / root;
        factors[static_cast<std::size_t>(i)] =
            static_cast<float>(bessel_i0(shape) / (kTaps * value));
    }
    return factors;
}

}  // namespace

Luma relative_to_surroundings(const Luma& picture) {
    const Moments moments = box_moments(picture, kMeanRadius);
    Luma result(picture.width, picture.height);
    for (std::size_t i = 0; i < result.values.size(); ++i) {
        const float deviation = std::sqrt(moments.variance.values[i]) + kDeviationFloor;
        result.values[i] = (picture.values[i] - moments.mean.values[i]) / deviation;
    }
    return result;
}

Spectrum::Spectrum(const Luma& picture, Whitening whitening)
    : width_(picture.width),
      height_(picture.height),
      grid_width_(fast_size(static_cast<int>(std::ceil(kPadding * picture.width)))),
      grid_height_(fast_size(static_cast<int>(std::ceil(kPadding * picture.height)))) {
    const Luma flat = whitening == Whitening::kFull ? relative_to_surroundings(picture) : picture;
    const std::vector<float> across = undo_window(width_, grid_width_);
    const std::vector<float> down = undo_window(height_, grid_height_);
    const auto stride = static_cast<std::size_t>(grid_width_);
    std::vector<float> padded(stride * static_cast<std::size_t>(grid_height_));
    // The centre goes to the corner, so that phases turn slowly from one frequency to the next.
    for (int y = 0; y < height_; ++y) {
        const int row = (y - centre_y() + grid_height_) % grid_height_;
        float* to = padded.data() + static_cast<std::size_t>(row) * stride;
        const float* from = flat.row(y);
        const float factor = down[static_cast<std::size_t>(y)];
        for (int x = 0; x < width_; ++x) {
            const int column = x < centre_x() ? x - centre_x() + grid_width_ : x - centre_x();
            to[column] = from[x] * factor * across[static_cast<std::size_t>(x)];
        }
    }
    keep(transform(padded, grid_width_, grid_height_), whitening);
}

void Spectrum::keep(const std::vector<Complex>& raw, Whitening whitening) {
    const int columns = grid_width_ / 2 + 1;
    const auto row_values = static_cast<std::size_t>(columns);
    Luma magnitude(columns, grid_height_);
    for (std::size_t i = 0; i < raw.size(); ++i) {
        magnitude.values[i] = std::sqrt(std::norm(raw[i]));
    }
    const Luma mean = box_mean(magnitude, kSmoothing);
    stride_ = row_values + kMargin;
    half_.resize(stride_ * static_cast<std::size_t>(grid_height_));
    gain_.resize(raw.size());
    for (int y = 0; y < grid_height_; ++y) {
        const double fy =
            static_cast<double>(y <= grid_height_ / 2 ? y : y - grid_height_) / grid_height_;
        const std::size_t begin = static_cast<std::size_t>(y) * row_values;
        Complex* out = half_.data() + static_cast<std::size_t>(y) * stride_ + kMargin;
        const double inside = kFrequencyMin * kFrequencyMin - fy * fy;
        const int first = inside > 0 && whitening != Whitening::kNone
                              ? static_cast<int>(std::sqrt(inside) * grid_width_) + 1
                              : 0;
        for (int x = first; x < columns; ++x) {
            const std::size_t i = begin + static_cast<std::size_t>(x);
            if (whitening == Whitening::kNone) {
                out[x] = raw[i];
                gain_[i] = 1;
                continue;
            }
            const float gain = mean.values[i] > 0 ? 1 / mean.values[i] : 0;
            const float relative = std::max(magnitude.values[i] * gain, kMagnitudeMax);
            gain_[i] = gain;
            out[x] = raw[i] * (gain * kMagnitudeMax / relative);
        }
    }
    // The columns left of zero are those right of it, seen from the other side.
    for (int y = 0; y < grid_height_; ++y) {
        const int other = y == 0 ? 0 : grid_height_ - y;
        Complex* out = half_.data() + static_cast<std::size_t>(y) * stride_ + kMargin;
        const Complex* from = half_.data() + static_cast<std::size_t>(other) * stride_ + kMargin;
        for (int x = 1; x <= kMargin; ++x) {
            out[-x] = std::conj(from[x]);
        }
    }
}

Complex Spectrum::at(double fx, double fy) const {
    if (std::fabs(fx) >= kFrequencyMax || std::fabs(fy) >= kFrequencyMax) {
        return 0;
    }
    const bool other_half = fx < 0;
    const auto gx = static_cast<float>((other_half ? -fx : fx) * grid_width_);
    const auto gy = static_cast<float>((other_half ? -fy : fy) * grid_height_);
    const int left = static_cast<int>(std::ceil(gx - kTaps / 2.0F));
    const int top = static_cast<int>(std::ceil(gy - kTaps / 2.0F));
    const std::array<float, kTaps> across = window_at(gx - static_cast<float>(left));
    const std::array<float, kTaps> down = window_at(gy - static_cast<float>(top));
    constexpr std::size_t kParts = 2 * std::size_t{kTaps};
    std::array<float, kParts> columns{};
    for (int j = 0; j < kTaps; ++j) {
        const int ky = top + j;
        const auto row = static_cast<std::size_t>(ky < 0 ? ky + grid_height_ : ky);
        const Complex* line = half_.data() + row * stride_ + (left + kMargin);
        const auto* parts = reinterpret_cast<const float*>(line);
        const float weight = down[static_cast<std::size_t>(j)];
        for (std::size_t i = 0; i < columns.size(); ++i) {
            columns[i] += weight * parts[i];
        }
    }
    float real = 0;
    float imaginary = 0;
    for (std::size_t i = 0; i < kTaps; ++i) {
        real += across[i] * columns[2 * i];
        imaginary += across[i] * columns[2 * i + 1];
    }
    return {real, other_half ? -imaginary : imaginary};
}

float Spectrum::gain(double fx, double fy) const {
    if (std::fabs(fx) >= kFrequencyMax || std::fabs(fy) >= kFrequencyMax) {
        return 0;
    }
    const double sign = fx < 0 ? -1 : 1;
    const auto kx = static_cast<std::size_t>(std::lround(sign * fx * grid_width_));
    const auto ky = static_cast<int>(std::lround(sign * fy * grid_height_));
    const auto row = static_cast<std::size_t>(ky < 0 ? ky + grid_height_ : ky);
    return gain_[row * static_cast<std::size_t>(grid_width_ / 2 + 1) + kx];
}

Autocorrelation::Autocorrelation(const Spectrum& spectrum)
    : width_(spectrum.grid_width_),
      height_(spectrum.grid_height_),
      // Farther than that a padded picture meets itself from the other side.
      reach_x_(std::min(spectrum.grid_width_ - spectrum.width_, spectrum.width_ * 6 / 10) - 2),
      reach_y_(std::min(spectrum.grid_height_ - spectrum.height_, spectrum.height_ * 6 / 10) - 2) {
    const std::size_t columns = spectrum.stride_ - Spectrum::kMargin;
    std::vector<Complex> power;
    power.reserve(columns * static_cast<std::size_t>(height_));
    for (std::size_t y = 0; y < static_cast<std::size_t>(height_); ++y) {
        const Complex* row = spectrum.half_.data() + y * spectrum.stride_ + Spectrum::kMargin;
        for (std::size_t x = 0; x < columns; ++x) {
            power.emplace_back(std::norm(row[x]));
        }
    }
    values_ = transform_back(power, width_, height_);
    double sum = 0;
    std::size_t count = 0;
    const int near = 20;
    for (int y = near; y < static_cast<int>(reach_y_); ++y) {
        const float* row =
            values_.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width_);
        for (int x = near; x < static_cast<int>(reach_x_); ++x) {
            sum += static_cast<double>(row[x]) * row[x];
            ++count;
        }
    }
    const float scale =
        sum > 0 ? static_cast<float>(1 / std::sqrt(sum / static_cast<double>(count))) : 0;
    for (float& value : values_) {
        value *= scale;
    }
}

float Autocorrelation::at(double x, double y) const {
    COLOPHON_ASSERT(std::fabs(x) <= reach_x_ && std::fabs(y) <= reach_y_);
    const double gx = x < 0 ? x + width_ : x;
    const double gy = y < 0 ? y + height_ : y;
    const int left = static_cast<int>(gx);
    const int top = static_cast<int>(gy);
    const auto fx = static_cast<float>(gx - left);
    const auto fy = static_cast<float>(gy - top);
    const int right = left + 1 == width_ ? 0 : left + 1;
    const int bottom = top + 1 == height_ ? 0 : top + 1;
    const float* upper =
        values_.data() + static_cast<std::size_t>(top) * static_cast<std::size_t>(width_);
    const float* lower =
        values_.data() + static_cast<std::size_t>(bottom) * static_cast<std::size_t>(width_);
    const float above = upper[left] + fx * (upper[right] - upper[left]);
    const float below = lower[left] + fx * (lower[right] - lower[left]);
    return above + fy * (below - above);
}

}  // namespace colophon::label::internal
