// SPDX-License-Identifier: Apache-2.0
#pragma once

// The pattern that carries a watermark: a square tile, kTile canonical pixels wide, that repeats
// over the picture. Its energy lies in one band of spatial frequencies, the same in each of the
// tile's Fourier coefficients there; each coefficient has two degrees of freedom, its real and its
// imaginary part.
//
//          v
//      . . | . .        half of the ring holds all there is to know (the pattern is real):
//    . o o | o o .      about 450 coefficients, 900 degrees of freedom. The key deals them out:
//    . o . + . o .--u   a fifth is the pilot, known to whoever has the key, by which scale, turn,
//    . o o | o o .      shift and flips are found; the rest carries the code word, some of its bits
//      . . | . .        twice. The key also gives each its sign.
//
// 70 is no multiple of 8: what block codecs leave behind at multiples of 1/8 cycles per pixel falls
// between the coefficients.

#include "label/watermark/internal/bins.h"
#include "label/watermark/internal/fft.h"
#include "label/watermark/key.h"
#include "label/watermark/payload.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace colophon::label::internal {

inline constexpr int kTile = 70;            // canonical pixels
inline constexpr int kCanonicalSide = 768;  // shortest side of a picture in canonical pixels
inline constexpr double kBandLow = 0.06;    // cycles per canonical pixel
inline constexpr double kBandHigh = 0.25;
inline constexpr std::size_t kCodeLength = 512;

// The coefficients that carry something, whatever the key.
std::span<const Bin> tile_bins();

class Carrier {
public:
    explicit Carrier(const WatermarkKey& key);

    const WatermarkKey& key() const noexcept { return key_; }
    // Of bin i: what the pilot has there, in units of one degree of freedom; zero in parts that
    // carry data.
    std::span<const Complex> pilot() const noexcept { return pilot_; }

    // The coefficients with the pilot and this payload; every degree of freedom is +1 or -1.
    std::vector<Complex> modulate(const WatermarkPayload& payload) const;
    // The same with these information bits, whatever their checksum says.
    std::vector<Complex> modulate(std::span<const std::uint8_t> bits, PayloadForm form) const;

    // Soft values of a received tile, one for each coded bit: `received` are its coefficients,
    // `weight` says how much of a unit signal each shows (>= 0). The sums are such that, with noise
    // of variance 1 in each degree of freedom, their log-likelihoods are twice the sum times the
    // amplitude.
    std::vector<float> demodulate(std::span<const Complex> received, std::span<const float> weight,
                                  PayloadForm form) const;

private:
    struct Place {
        std::uint32_t bin;
        bool imaginary;
        float sign;
    };
    std::size_t coded_bit(std::size_t place, PayloadForm form) const;

    WatermarkKey key_;
    std::vector<Complex> pilot_;
    std::vector<Place> data_;
    std::array<std::vector<std::uint32_t>, kPayloadForms.size()> interleaver_;
};

// The code of a form; information bits are payload and checksum.
const class PolarCode& payload_code(PayloadForm form);

// The tile of these coefficients (of tile_bins()) at `size` x `size` pixels, row-major, with
// variance 1. `size` at least 2 * kTile * kBandHigh + 1 (asserted).
std::vector<float> render_tile(std::span<const Complex> coefficients, int size);

}  // namespace colophon::label::internal
