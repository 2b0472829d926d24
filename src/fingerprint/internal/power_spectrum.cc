// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/internal/power_spectrum.h"

#include "core/assert.h"

#include <bit>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>

namespace colophon::fingerprint::internal {

PowerSpectrum::PowerSpectrum(std::size_t size)
    : window_(size),
      turns_(size / 2),
      positions_(size / 2),
      values_(size / 2),
      power_(size / 2 + 1) {
    COLOPHON_ASSERT(std::has_single_bit(size) && size >= 4);
    constexpr double kScale = 1.0 / 32767;
    const double turn = 2 * std::numbers::pi;
    for (std::size_t i = 0; i < size; ++i) {
        const double place = static_cast<double>(i) / static_cast<double>(size - 1);
        window_[i] = kScale * (0.54 - 0.46 * std::cos(turn * place));
    }
    for (std::size_t k = 0; k < size / 2; ++k) {
        turns_[k] = std::polar(1.0, -turn * static_cast<double>(k) / static_cast<double>(size));
    }
    const int bits = std::countr_zero(size / 2);
    for (std::size_t i = 0; i < size / 2; ++i) {
        std::size_t reversed = 0;
        for (int bit = 0; bit < bits; ++bit) {
            reversed = (reversed << 1U) | ((i >> static_cast<unsigned>(bit)) & 1U);
        }
        positions_[i] = static_cast<std::uint32_t>(reversed);
    }
}

// Cooley and Tukey's transform in place; the values already lie in the order of reversed bits.
void PowerSpectrum::transform() {
    const std::size_t size = values_.size();
    for (std::size_t half = 1; half < size; half *= 2) {
        const std::size_t step = size / half;  // through the turns of a whole frame
        for (std::size_t begin = 0; begin < size; begin += 2 * half) {
            for (std::size_t k = 0; k < half; ++k) {
                const Complex turn = turns_[k * step];
                const Complex a = values_[begin + k];
                const Complex b = values_[begin + k + half];
                // Without the look at infinities that operator* takes.
                const Complex turned(b.real() * turn.real() - b.imag() * turn.imag(),
                                     b.real() * turn.imag() + b.imag() * turn.real());
                values_[begin + k] = a + turned;
                values_[begin + k + half] = a - turned;
            }
        }
    }
}

// The even samples as real, the odd ones as imaginary parts: one transform of half the size, from
// whose symmetric and antisymmetric parts the spectra of both are told.
std::span<const double> PowerSpectrum::of(std::span<const std::int16_t> frame) {
    COLOPHON_ASSERT(frame.size() == window_.size());
    const std::size_t half = values_.size();
    for (std::size_t i = 0; i < half; ++i) {
        values_[positions_[i]] =
            Complex(frame[2 * i] * window_[2 * i], frame[2 * i + 1] * window_[2 * i + 1]);
    }
    transform();
    for (std::size_t k = 0; k <= half; ++k) {
        const Complex a = values_[k % half];
        const Complex b = std::conj(values_[(half - k) % half]);
        const Complex even = 0.5 * (a + b);
        const Complex odd = Complex(0, -0.5) * (a - b);
        const Complex turn = k == half ? Complex(-1, 0) : turns_[k];
        power_[k] = std::norm(even + turn * odd);
    }
    return power_;
}

}  // namespace colophon::fingerprint::internal
