// SPDX-License-Identifier: Apache-2.0
#pragma once

// The power spectrum of one frame of sound.

#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace colophon::fingerprint::internal {

// Of frames of `size` samples, a power of two from 4 on, under a Hamming window whose sum of
// products is taken over samples divided by 32767.
class PowerSpectrum {
public:
    explicit PowerSpectrum(std::size_t size);

    // |X(k)|^2 for k = 0 .. size / 2, X not normalized; relative error below 1e-12. The result is
    // valid until the next call. 30 us for 4096 samples.
    std::span<const double> of(std::span<const std::int16_t> frame);

private:
    using Complex = std::complex<double>;
    void transform();

    std::vector<double> window_;
    std::vector<Complex> turns_;            // exp(-2 pi i k / size), k < size / 2
    std::vector<std::uint32_t> positions_;  // of half a frame of pairs, bits reversed
    std::vector<Complex> values_;           // size / 2 pairs of samples
    std::vector<double> power_;
};

}  // namespace colophon::fingerprint::internal
