// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/spectrum.h"

#include "label/watermark/internal/fft.h"
#include "label/watermark/luma.h"
#include "support/natural_picture.h"

#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <random>

namespace colophon::label::internal {
namespace {

// The sum that the transform is, with phases relative to the centre.
std::complex<double> direct(const Luma& picture, double fx, double fy) {
    std::complex<double> sum = 0;
    for (int y = 0; y < picture.height; ++y) {
        for (int x = 0; x < picture.width; ++x) {
            const double turns = fx * (x - picture.width / 2) + fy * (y - picture.height / 2);
            sum += static_cast<double>(picture.at(x, y)) *
                   std::polar(1.0, -2 * std::numbers::pi * turns);
        }
    }
    return sum;
}

}  // namespace

TEST_CASE("the spectrum between grid points is the direct sum, with an error below one percent") {
    std::mt19937_64 random(11);
    std::normal_distribution<double> level(0, 10);
    std::uniform_real_distribution<double> frequency(-0.47, 0.47);
    for (const auto& [width, height] : {std::pair(96, 80), std::pair(71, 133)}) {
        Luma noise(width, height);
        for (float& value : noise.values) {
            value = static_cast<float>(level(random));
        }
        const Spectrum spectrum(noise, Spectrum::Whitening::kNone);
        double error = 0;
        double energy = 0;
        for (int i = 0; i < 200; ++i) {
            const double fx = frequency(random);
            const double fy = frequency(random);
            const std::complex<double> exact = direct(noise, fx, fy);
            error += std::norm(std::complex<double>(spectrum.at(fx, fy)) - exact);
            energy += std::norm(exact);
        }
        CHECK(std::sqrt(error / energy) < 0.01);
    }
}

TEST_CASE("whitening makes all frequencies of a picture about as strong") {
    const Spectrum spectrum(test::natural_picture(300, 280, 4));
    for (const double radius : {0.05, 0.1, 0.2, 0.3, 0.4}) {
        double sum = 0;
        for (int i = 0; i < 200; ++i) {
            const double angle = 0.01 + i * std::numbers::pi / 200;
            sum += static_cast<double>(
                std::abs(spectrum.at(radius * std::cos(angle), radius * std::sin(angle))));
        }
        CHECK(sum / 200 > 0.7);
        CHECK(sum / 200 < 1.5);
    }
    CHECK(spectrum.at(0.49, 0) == Complex(0));
    CHECK(spectrum.at(0, 0.005) == Complex(0));
}

TEST_CASE("a picture that repeats resembles itself at its period, and white noise at none") {
    std::mt19937_64 random(2);
    std::normal_distribution<float> level(128, 20);
    Luma noise(240, 240);
    for (float& value : noise.values) {
        value = level(random);
    }
    Luma repeated(240, 240);
    for (int y = 0; y < 240; ++y) {
        for (int x = 0; x < 240; ++x) {
            repeated.row(y)[x] = noise.at(x % 50, y % 40);
        }
    }
    const Autocorrelation likeness((Spectrum(repeated)));
    CHECK(likeness.at(50, 0) > 5);
    CHECK(likeness.at(-50, 40) > 5);
    CHECK(likeness.at(25, 17) < 0.5F * likeness.at(50, 0));
    const Autocorrelation nothing((Spectrum(noise)));
    CHECK(std::fabs(nothing.at(50, 0)) < 5);
}

TEST_CASE("sizes of transforms are even and have small factors only") {
    CHECK(fast_size(1) == 2);
    CHECK(fast_size(97) == 100);
    CHECK(fast_size(768) == 768);
    CHECK(fast_size(1153) == 1200);
}

}  // namespace colophon::label::internal
