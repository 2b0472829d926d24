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

#include "label/watermark/internal/fft.h"
#include "label/watermark/luma.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace colophon::label::internal {

class Spectrum {
public:
    // kNone leaves the picture as it is, for comparison with its plain transform; kFrequencies is
    // for sums of pictures whose pixels are taken relative to what is around them already.
    enum class Whitening : std::uint8_t { kNone, kFrequencies, kFull };
    explicit Spectrum(const Luma& picture, Whitening whitening = Whitening::kFull);

    // At fx, fy cycles per pixel; the phase is relative to pixel (centre_x(), centre_y()). Zero
    // from kFrequencyMax on.
    Complex at(double fx, double fy) const;
    // By how much whitening has multiplied there: the amplitude of a signal that was flat before.
    float gain(double fx, double fy) const;

    int centre_x() const noexcept { return width_ / 2; }
    int centre_y() const noexcept { return height_ / 2; }
    int width() const noexcept { return width_; }
    int height() const noexcept { return height_; }

    static constexpr double kFrequencyMax = 0.48;

private:
    friend class Autocorrelation;
    void keep(const std::vector<Complex>& raw, Whitening whitening);

    static constexpr int kMargin = 3;  // columns left of zero, so that no sum looks there

    int width_;
    int height_;
    int grid_width_;
    int grid_height_;
    std::size_t stride_ = 0;
    std::vector<Complex> half_;  // grid_height_ rows of kMargin + grid_width_ / 2 + 1
    std::vector<float> gain_;    // grid_height_ rows of grid_width_ / 2 + 1
};

// Each pixel relative to the mean and the deviation around it: the first step of whitening.
Luma relative_to_surroundings(const Luma& picture);

// How alike the whitened picture is to itself moved by (x, y) pixels, in standard deviations of
// what white noise would give.
class Autocorrelation {
public:
    explicit Autocorrelation(const Spectrum& spectrum);

    // Between pixels by bilinear interpolation. |x| <= reach_x(), |y| <= reach_y() (asserted).
    float at(double x, double y) const;
    double reach_x() const noexcept { return reach_x_; }
    double reach_y() const noexcept { return reach_y_; }

private:
    int width_;
    int height_;
    double reach_x_;
    double reach_y_;
    std::vector<float> values_;
};

}  // namespace colophon::label::internal
