// SPDX-License-Identifier: Apache-2.0
#pragma once

// The whitened spectrum of a picture, readable at any frequency.
//
// A watermark is a faint pattern under a picture whose own energy is huge at low frequencies and
// uneven everywhere. Two steps make the picture look like white noise to a correlator: each pixel
// is taken relative to the mean and the deviation around it, and each frequency relative to the
// mean magnitude around it. What still stands out afterwards (straight edges, grids of the
// picture's own) is cut down to a limit.
//
// A pattern that repeats under an arbitrary affine map has its energy at arbitrary frequencies, so
// the spectrum is that of a non-uniform transform: the picture is divided by the transform of a
// Kaiser-Bessel window and padded to 1.5 times its size; a value between grid points is the sum of
// the 5 x 5 around it weighted by the window (Beatty, Nishimura and Pauly 2005). Error below 1 %.

#include "label/watermark/internal/bins.h"
#include "label/watermark/internal/fft.h"
#include "label/watermark/internal/kernels.h"
#include "label/watermark/luma.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace colophon::label::internal {

class Spectrum {
public:
    // kNone leaves the picture as it is, for comparison with its plain transform; kFrequencies is
    // for sums of pictures whose pixels are taken relative to what is around them already.
    enum class Whitening : std::uint8_t { kNone, kFrequencies, kFull };
    static constexpr double kFrequencyMax = 0.48;

    // `reach`: the frequencies that can be asked for, in x and in y, up to kFrequencyMax; half of
    // them cost half as much.
    explicit Spectrum(const Luma& picture, Whitening whitening = Whitening::kFull,
                      double reach = kFrequencyMax);

    double reach() const noexcept { return reach_; }
    // Up to kFrequencyMax from now on.
    void widen();

    // At fx, fy cycles per pixel; the phase is relative to pixel (centre_x(), centre_y()). Zero
    // from reach() on.
    Complex at(double fx, double fy) const;
    // At the frequencies of the coefficients of a tile; as many as there are bins (asserted).
    void read(const FrequencyMap& map, std::span<const Bin> bins, std::span<Complex> out) const;
    // The sum of their squared magnitudes there, to one or two in a thousand.
    double energy(const FrequencyMap& map, std::span<const Bin> bins) const;
    // By how much whitening has multiplied there: the amplitude of a signal that was flat before.
    float gain(double fx, double fy) const;

    int centre_x() const noexcept { return width_ / 2; }
    int centre_y() const noexcept { return height_ / 2; }
    int width() const noexcept { return width_; }
    int height() const noexcept { return height_; }

private:
    friend class Autocorrelation;
    struct Places;
    Places places(const FrequencyMap& map, std::span<const Bin> bins) const;
    void make(double reach);
    void make_columns();
    void whiten_lines(int first, int last);
    int frequency_of_line(int line) const noexcept { return line <= upper_ ? line : line - lines_; }
    Complex* line(int index) {
        return half_.data() + static_cast<std::size_t>(index) * stride_ + kMargin;
    }
    const Complex* line(int index) const {
        return half_.data() + static_cast<std::size_t>(index) * stride_ + kMargin;
    }

    static constexpr int kMargin = 3;  // columns left of zero, so that no sum looks there

    int width_;
    int height_;
    Whitening whitening_;
    double reach_ = 0;
    int grid_width_;
    int grid_height_;
    std::vector<Complex> rows_;  // the picture's own, transformed; until widened
    // What is there: columns 0 .. columns_ - 1, lines of 0 .. upper_ and then of the frequencies
    // below zero, the last of them -1.
    int columns_ = 0;
    int upper_ = 0;
    int lines_ = 0;
    std::size_t stride_ = 0;
    std::vector<Complex> half_;        // lines of kMargin + columns_ and a little more
    std::vector<float> gain_;          // lines of columns_
    std::vector<std::int8_t> coarse_;  // as half_, for comparing; when all frequencies are there
    float coarse_step_ = 1;
};

// Each pixel relative to the mean and the deviation around it: the first step of whitening.
Luma relative_to_surroundings(const Luma& picture);

// How alike the whitened picture is to itself moved by (x, y) pixels, in standard deviations of
// what white noise would give.
class Autocorrelation {
public:
    // Of all frequencies of `spectrum`, which must reach them (asserted).
    explicit Autocorrelation(const Spectrum& spectrum);

    // Between pixels by bilinear interpolation. |x| <= reach_x(), |y| <= reach_y() (asserted).
    float at(double x, double y) const;
    // At a pixel within the same reach.
    float at_pixel(int x, int y) const noexcept {
        const int right = y < 0 ? -x : x;
        const auto column = static_cast<std::size_t>(right < 0 ? right + width_ : right);
        const auto row = static_cast<std::size_t>(y < 0 ? -y : y);
        return values_[row * static_cast<std::size_t>(width_) + column];
    }
    // What lies there, for x and y within the reach.
    HalfPlane plane() const noexcept { return {.values = values_.data(), .width = width_}; }
    double reach_x() const noexcept { return reach_x_; }
    double reach_y() const noexcept { return reach_y_; }

private:
    void normalize();

    int width_;
    double reach_x_;
    double reach_y_;
    std::vector<float> values_;  // y >= 0: the rest is the same, seen from the other side
};

}  // namespace colophon::label::internal
