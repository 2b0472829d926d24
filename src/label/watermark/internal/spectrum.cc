// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/spectrum.h"

#include "core/assert.h"
#include "label/watermark/internal/bands.h"
#include "label/watermark/internal/bins.h"
#include "label/watermark/internal/box.h"
#include "label/watermark/internal/fft.h"
#include "label/watermark/internal/kernels.h"
#include "label/watermark/luma.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr int kMeanRadius = 7;         // pixels around each that its level is compared with
constexpr float kDeviationFloor = 2;   // levels: flat parts are not blown up to noise
constexpr double kPadding = 1.5;       // grid over picture
constexpr int kSmoothing = 10;         // grid cells around each that its magnitude is compared with
constexpr float kMagnitudeMax = 2.5F;  // of what is left after whitening, in means
constexpr double kFrequencyMin = 0.02;  // cycles per pixel: below lies nothing but the picture

// Kaiser-Bessel: I0(beta * sqrt(1 - (2 t / taps)^2)).
double window_shape() {
    const double ratio = kWindowTaps / kPadding;
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

// The weights of the grid points around a place, for each place between two of them: see
// kernels.h.
const std::vector<float>& window_table() {
    static const std::vector<float> kTable = [] {
        constexpr std::size_t kRow = 8;
        std::vector<float> table((kWindowSteps + 1) * kRow);
        const double scale = 1 / bessel_i0(window_shape());
        for (int step = 0; step <= kWindowSteps; ++step) {
            for (int tap = 0; tap < kWindowTaps; ++tap) {
                const double distance = kWindowTaps / 2.0 - 1 + 1.0 * step / kWindowSteps - tap;
                const double t = 2 * distance / kWindowTaps;
                const double inside = std::max(0.0, 1 - t * t);
                table[static_cast<std::size_t>(step) * kRow + static_cast<std::size_t>(tap)] =
                    static_cast<float>(scale * bessel_i0(window_shape() * std::sqrt(inside)));
            }
        }
        return table;
    }();
    return kTable;
}

// The same in 16 bits. No row sums to more than 2.4.
const std::vector<std::int16_t>& coarse_window_table() {
    static const std::vector<std::int16_t> kTable = [] {
        std::vector<std::int16_t> table;
        table.reserve(window_table().size());
        for (const float weight : window_table()) {
            table.push_back(static_cast<std::int16_t>(std::lrint(weight * kCoarseOne)));
        }
        return table;
    }();
    return kTable;
}

// Nearly always as many as a transform takes at once: then without a call.
void copy_columns(const Complex* from, std::size_t count, Complex* to) {
    if (count == kColumnsAtOnce) {
        std::copy_n(from, std::size_t{kColumnsAtOnce}, to);
    } else {
        std::copy_n(from, count, to);
    }
}

// One over the transform of the window at pixel `x` from the centre, on a grid of `grid` cells.
std::vector<float> undo_window(int length, int grid) {
    std::vector<float> factors(static_cast<std::size_t>(length));
    const double shape = window_shape();
    for (int i = 0; i < length; ++i) {
        const int from_centre = i - length / 2;
        const double x = kPi * kWindowTaps * from_centre / grid;
        const double inside = shape * shape - x * x;
        const double root = std::sqrt(std::fabs(inside));
        const double value = root < 1e-6  ? 1
                             : inside > 0 ? std::sinh(root) / root
                                          : std::sin(root) / root;
        factors[static_cast<std::size_t>(i)] =
            static_cast<float>(bessel_i0(shape) / (kWindowTaps * value));
    }
    return factors;
}

}  // namespace

Luma relative_to_surroundings(const Luma& picture) {
    Luma result(picture.width, picture.height);
    const auto width = static_cast<std::size_t>(picture.width);
    for_bands(picture, [&](int first, int last) {
        BoxRows boxes(picture, kMeanRadius, first);
        for (int y = first; y < last; ++y) {
            relative_to_boxes(boxes.next(), picture.row(y), kDeviationFloor, result.row(y), width);
        }
    });
    return result;
}

Spectrum::Spectrum(const Luma& picture, Whitening whitening, double reach)
    : width_(picture.width),
      height_(picture.height),
      whitening_(whitening),
      grid_width_(fast_size(static_cast<int>(std::ceil(kPadding * picture.width)))),
      grid_height_(fast_size(static_cast<int>(std::ceil(kPadding * picture.height)))) {
    COLOPHON_ASSERT(reach > 0 && reach <= kFrequencyMax);
    Luma relative;
    if (whitening == Whitening::kFull) {
        relative = relative_to_surroundings(picture);
    }
    const Luma& flat = whitening == Whitening::kFull ? relative : picture;
    const std::vector<float> across = undo_window(width_, grid_width_);
    const std::vector<float> down = undo_window(height_, grid_height_);
    const std::size_t all = static_cast<std::size_t>(grid_width_) / 2 + 1;
    rows_.resize(static_cast<std::size_t>(height_) * all);
    transform_rows(
        grid_width_, height_,
        [&](int y, float* to) {
            // The centre goes to the corner, so that phases turn slowly from one frequency to the
            // next.
            const float* from = flat.row(y);
            const float factor = down[static_cast<std::size_t>(y)];
            const auto weighted = [&](int x) {
                return from[x] * factor * across[static_cast<std::size_t>(x)];
            };
            const int centre = centre_x();
            std::fill(to, to + grid_width_, 0.0F);
            for (int x = 0; x < centre; ++x) {
                to[grid_width_ - centre + x] = weighted(x);
            }
            for (int x = centre; x < width_; ++x) {
                to[x - centre] = weighted(x);
            }
        },
        [&](int y, const Complex* half) {
            std::copy_n(half, all, rows_.data() + static_cast<std::size_t>(y) * all);
        });
    make(reach);
}

void Spectrum::widen() {
    if (reach_ < kFrequencyMax) {
        make(kFrequencyMax);
    }
}

void Spectrum::make(double reach) {
    // What whitening compares with, and what interpolation looks at, lies beyond the reach.
    constexpr int kBeyond = kSmoothing + kWindowTaps;
    const auto cells = [&](int grid) {
        return reach < kFrequencyMax
                   ? std::min(grid / 2, static_cast<int>(std::ceil(reach * grid)) + kBeyond)
                   : grid / 2;
    };
    reach_ = reach;
    columns_ = cells(grid_width_) + 1;
    upper_ = cells(grid_height_);
    lines_ = std::min(grid_height_, 2 * upper_ + 1);
    const int stored = columns_ + 2 * kMargin;
    stride_ = static_cast<std::size_t>(stored);
    half_.assign(stride_ * static_cast<std::size_t>(lines_), Complex(0));
    make_columns();
    if (reach >= kFrequencyMax) {
        rows_ = {};
    }
    gain_.assign(static_cast<std::size_t>(columns_) * static_cast<std::size_t>(lines_), 1.0F);
    if (whitening_ != Whitening::kNone) {
        if (lines_ == grid_height_) {
            whiten_lines(0, lines_);
        } else {
            whiten_lines(0, upper_ + 1);
            whiten_lines(upper_ + 1, lines_);
        }
    }
    // The columns left of zero are those right of it, seen from the other side.
    for (int y = 0; y < lines_; ++y) {
        Complex* out = line(y);
        const Complex* from = line(y == 0 ? 0 : lines_ - y);
        for (int x = 1; x <= kMargin; ++x) {
            out[-x] = std::conj(from[x]);
        }
    }
    if (reach >= kFrequencyMax && whitening_ != Whitening::kNone) {
        constexpr float kSteps = 126.5F;  // no part is larger than the magnitude that it is cut to
        coarse_step_ = kMagnitudeMax / kSteps;
        constexpr std::size_t kReadBeyond = 16;
        coarse_.resize(2 * half_.size() + kReadBeyond);
        coarsen(half_.data(), 1 / coarse_step_, coarse_.data(), half_.size());
    }
}

void Spectrum::make_columns() {
    const std::size_t all = static_cast<std::size_t>(grid_width_) / 2 + 1;
    const auto count = [&](int first) {
        return static_cast<std::size_t>(std::min(kColumnsAtOnce, columns_ - first));
    };
    const auto place = [](Complex* values, int row) {
        return values + static_cast<std::ptrdiff_t>(row) * kColumnsAtOnce;
    };
    const int below = height_ - centre_y();
    transform_columns(
        grid_height_, columns_,
        [&](int first, Complex* values) {
            const auto copy = [&](int y, int row) {
                copy_columns(rows_.data() + static_cast<std::size_t>(y) * all +
                                 static_cast<std::size_t>(first),
                             count(first), place(values, row));
            };
            for (int y = centre_y(); y < height_; ++y) {
                copy(y, y - centre_y());
            }
            std::fill(place(values, below), place(values, grid_height_ - centre_y()), Complex(0));
            for (int y = 0; y < centre_y(); ++y) {
                copy(y, grid_height_ - centre_y() + y);
            }
        },
        [&](int first, const Complex* values) {
            for (int y = 0; y < lines_; ++y) {
                const int frequency = frequency_of_line(y);
                const int row = frequency < 0 ? frequency + grid_height_ : frequency;
                copy_columns(values + static_cast<std::ptrdiff_t>(row) * kColumnsAtOnce,
                             count(first), line(y) + first);
            }
        });
}

void Spectrum::whiten_lines(int first, int last) {
    const auto columns = static_cast<std::size_t>(columns_);
    Luma magnitude(columns_, last - first);
    for (int y = first; y < last; ++y) {
        magnitudes(line(y), magnitude.row(y - first), columns);
    }
    const Luma mean = box_mean(magnitude, kSmoothing);
    for (int y = first; y < last; ++y) {
        const double fy = static_cast<double>(frequency_of_line(y)) / grid_height_;
        const double inside = kFrequencyMin * kFrequencyMin - fy * fy;
        const int low = inside > 0 ? static_cast<int>(std::sqrt(inside) * grid_width_) + 1 : 0;
        const auto begin = static_cast<std::size_t>(std::min(low, columns_));
        float* gain = gain_.data() + static_cast<std::size_t>(y) * columns;
        std::fill_n(line(y), begin, Complex(0));
        std::fill_n(gain, begin, 0.0F);
        whiten({.magnitudes = magnitude.row(y - first) + begin,
                .means = mean.row(y - first) + begin,
                .most = kMagnitudeMax},
               line(y) + begin, gain + begin, columns - begin);
    }
}

Complex Spectrum::at(double fx, double fy) const {
    const std::array bins{Bin{.u = 1, .v = 1}};
    std::array<Complex, 1> value;
    read({.xu = fx, .xv = 0, .yu = 0, .yv = fy}, bins, value);
    return value[0];
}

// Up to kAtOnce frequencies in points of the grid, all with x >= 0.
struct Spectrum::Places {
    static constexpr std::size_t kAtOnce = 64;
    std::array<float, kAtOnce> x;
    std::array<float, kAtOnce> y;
    std::array<float, kAtOnce> sign;  // 0: beyond the reach; -1: of the other half
};

Spectrum::Places Spectrum::places(const FrequencyMap& map, std::span<const Bin> bins) const {
    Places places{};
    for (std::size_t i = 0; i < bins.size(); ++i) {
        const double fx = map.xu * bins[i].u + map.xv * bins[i].v;
        const double fy = map.yu * bins[i].u + map.yv * bins[i].v;
        if (std::fabs(fx) < reach_ && std::fabs(fy) < reach_) {
            const double sign = fx < 0 ? -1 : 1;
            places.sign[i] = static_cast<float>(sign);
            places.x[i] = static_cast<float>(sign * fx * grid_width_);
            places.y[i] = static_cast<float>(sign * fy * grid_height_);
        }
    }
    return places;
}

void Spectrum::read(const FrequencyMap& map, std::span<const Bin> bins,
                    std::span<Complex> out) const {
    COLOPHON_ASSERT(bins.size() == out.size());
    static const float* const kWindow = window_table().data();
    const Grid grid{.values = line(0), .stride = stride_, .lines = lines_, .window = kWindow};
    for (std::size_t first = 0; first < bins.size(); first += Places::kAtOnce) {
        const std::size_t count = std::min(Places::kAtOnce, bins.size() - first);
        const Places at = places(map, bins.subspan(first, count));
        interpolate(grid, at.x.data(), at.y.data(), out.data() + first, count);
        for (std::size_t i = 0; i < count; ++i) {
            Complex& value = out[first + i];
            value = {at.sign[i] == 0 ? 0 : value.real(), at.sign[i] * value.imag()};
        }
    }
}

double Spectrum::energy(const FrequencyMap& map, std::span<const Bin> bins) const {
    COLOPHON_ASSERT(reach_ == kFrequencyMax);
    static const float* const kWindow = window_table().data();
    static const std::int16_t* const kDown = coarse_window_table().data();
    const CoarseGrid grid{.values = coarse_.data() + std::ptrdiff_t{2} * kMargin,
                          .stride = stride_,
                          .lines = lines_,
                          .window = kWindow,
                          .down = kDown};
    const GridSize size{.width = static_cast<float>(grid_width_),
                        .height = static_cast<float>(grid_height_),
                        .reach = static_cast<float>(reach_)};
    float sum = 0;
    std::array<float, Places::kAtOnce> x;
    std::array<float, Places::kAtOnce> y;
    for (std::size_t first = 0; first < bins.size(); first += Places::kAtOnce) {
        const std::size_t count = std::min(Places::kAtOnce, bins.size() - first);
        // Those beyond the reach lie at zero, where whitening leaves nothing.
        grid_places(map, size, bins.subspan(first, count), x.data(), y.data());
        sum += coarse_energy(grid, x.data(), y.data(), count);
    }
    return static_cast<double>(sum * coarse_step_ * coarse_step_);
}

float Spectrum::gain(double fx, double fy) const {
    if (std::fabs(fx) >= reach_ || std::fabs(fy) >= reach_) {
        return 0;
    }
    const double sign = fx < 0 ? -1 : 1;
    const auto kx = static_cast<std::size_t>(std::lround(sign * fx * grid_width_));
    const auto ky = static_cast<int>(std::lround(sign * fy * grid_height_));
    const auto row = static_cast<std::size_t>(ky < 0 ? ky + lines_ : ky);
    return gain_[row * static_cast<std::size_t>(columns_) + kx];
}

Autocorrelation::Autocorrelation(const Spectrum& spectrum)
    : width_(spectrum.grid_width_),
      // Farther than that a padded picture meets itself from the other side.
      reach_x_(std::min(spectrum.grid_width_ - spectrum.width_, spectrum.width_ * 6 / 10) - 2),
      reach_y_(std::min(spectrum.grid_height_ - spectrum.height_, spectrum.height_ * 6 / 10) - 2) {
    COLOPHON_ASSERT(spectrum.reach_ == Spectrum::kFrequencyMax);
    const int columns = spectrum.columns_;
    const auto all = static_cast<std::size_t>(columns);
    const int rows = static_cast<int>(reach_y_) + 2;
    // Powers are real, so that half of their transform down the columns is enough.
    std::vector<Complex> columns_done(static_cast<std::size_t>(rows) * all);
    const auto count = [&](int first) { return std::min(kColumnsAtOnce, columns - first); };
    transform_real_columns(
        spectrum.grid_height_, columns,
        [&](int first, float* values) {
            for (int y = 0; y < spectrum.grid_height_; ++y, values += kColumnsAtOnce) {
                const Complex* from = spectrum.line(y) + first;
                for (int i = 0; i < count(first); ++i) {
                    values[i] = std::norm(from[i]);
                }
            }
        },
        [&](int first, const Complex* half) {
            for (int y = 0; y < rows; ++y, half += kColumnsAtOnce) {
                Complex* to = columns_done.data() + static_cast<std::size_t>(y) * all + first;
                for (int i = 0; i < count(first); ++i) {
                    to[i] = std::conj(half[i]);
                }
            }
        });
    const auto width = static_cast<std::size_t>(width_);
    values_.resize(static_cast<std::size_t>(rows) * width);
    transform_rows_back(
        width_, rows,
        [&](int y, Complex* half) {
            std::copy_n(columns_done.data() + static_cast<std::size_t>(y) * all, all, half);
        },
        [&](int y, const float* row) {
            std::copy_n(row, width, values_.data() + static_cast<std::size_t>(y) * width);
        });
    normalize();
}

// In deviations of what lies farther than the picture's own likeness to itself nearby.
void Autocorrelation::normalize() {
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
    const double sign = y < 0 ? -1 : 1;
    const double gx = sign * x < 0 ? sign * x + width_ : sign * x;
    const double gy = sign * y;
    const int left = static_cast<int>(gx);
    const int top = static_cast<int>(gy);
    const auto fx = static_cast<float>(gx - left);
    const auto fy = static_cast<float>(gy - top);
    const int right = left + 1 == width_ ? 0 : left + 1;
    const float* upper =
        values_.data() + static_cast<std::size_t>(top) * static_cast<std::size_t>(width_);
    const float* lower = upper + width_;
    const float above = upper[left] + fx * (upper[right] - upper[left]);
    const float below = lower[left] + fx * (lower[right] - lower[left]);
    return above + fy * (below - above);
}

}  // namespace colophon::label::internal
