// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/carrier.h"

#include "core/assert.h"
#include "label/watermark/internal/bins.h"
#include "label/watermark/internal/fft.h"
#include "label/watermark/internal/polar.h"
#include "label/watermark/key.h"
#include "label/watermark/payload.h"

#include <fmt/format.h>

#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr std::size_t kPilotShare = 5;  // one degree of freedom in so many is the pilot's

std::vector<Bin> ring() {
    constexpr int kReach = static_cast<int>(kBandHigh * kTile);
    std::vector<Bin> bins;
    for (int v = -kReach; v <= kReach; ++v) {
        for (int u = 0; u <= kReach; ++u) {
            const double radius = std::hypot(u, v) / kTile;
            const bool chosen_half = u > 0 || v > 0;
            if (chosen_half && radius >= kBandLow && radius <= kBandHigh) {
                bins.push_back({u, v});
            }
        }
    }
    return bins;
}

}  // namespace

std::span<const Bin> tile_bins() {
    static const std::vector<Bin> kBins = ring();
    return kBins;
}

const PolarCode& payload_code(PayloadForm form) {
    static const PolarCode kStandard(kCodeLength,
                                     payload_bits(PayloadForm::kStandard) + kChecksumBits);
    static const PolarCode kShort(kCodeLength, payload_bits(PayloadForm::kShort) + kChecksumBits);
    static const PolarCode kSegment(kCodeLength,
                                    payload_bits(PayloadForm::kSegment) + kChecksumBits);
    static const PolarCode kLong(kCodeLength, payload_bits(PayloadForm::kLong) + kChecksumBits);
    switch (form) {
        case PayloadForm::kLong:
            return kLong;
        case PayloadForm::kShort:
            return kShort;
        case PayloadForm::kSegment:
            return kSegment;
        case PayloadForm::kStandard:
            break;
    }
    return kStandard;
}

Carrier::Carrier(const WatermarkKey& key) : key_(key), pilot_(tile_bins().size()) {
    KeyStream stream(key, "places");
    const std::vector<std::uint32_t> order = stream.permutation(2 * pilot_.size());
    const std::size_t pilots = order.size() / kPilotShare;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const Place place{.bin = order[i] / 2,
                          .imaginary = order[i] % 2 != 0,
                          .sign = stream.bit() ? 1.0F : -1.0F};
        if (i >= pilots) {
            data_.push_back(place);
        } else if (place.imaginary) {
            pilot_[place.bin].imag(place.sign);
        } else {
            pilot_[place.bin].real(place.sign);
        }
    }
    COLOPHON_ASSERT(data_.size() >= kCodeLength);
    for (const PayloadForm form : kPayloadForms) {
        interleaver_[static_cast<std::size_t>(form)] =
            KeyStream(key, fmt::format("order, {}", payload_form_name(form)))
                .permutation(kCodeLength);
    }
}

// Place by place through the whole word, then from its beginning again: a bit has one place or two.
std::size_t Carrier::coded_bit(std::size_t place, PayloadForm form) const {
    return interleaver_[static_cast<std::size_t>(form)][place % kCodeLength];
}

std::vector<Complex> Carrier::modulate(const WatermarkPayload& payload) const {
    return modulate(pack_payload(payload, key_), payload.form);
}

std::vector<Complex> Carrier::modulate(std::span<const std::uint8_t> bits, PayloadForm form) const {
    const std::vector<std::uint8_t> word = payload_code(form).encode(bits);
    std::vector<Complex> coefficients = pilot_;
    for (std::size_t i = 0; i < data_.size(); ++i) {
        const Place& place = data_[i];
        const float value = word[coded_bit(i, form)] != 0 ? -place.sign : place.sign;
        if (place.imaginary) {
            coefficients[place.bin].imag(value);
        } else {
            coefficients[place.bin].real(value);
        }
    }
    return coefficients;
}

std::vector<float> Carrier::demodulate(std::span<const Complex> received,
                                       std::span<const float> weight, PayloadForm form) const {
    COLOPHON_ASSERT(received.size() == pilot_.size() && weight.size() == pilot_.size());
    std::vector<float> sums(kCodeLength);
    for (std::size_t i = 0; i < data_.size(); ++i) {
        const Place& place = data_[i];
        const Complex& value = received[place.bin];
        sums[coded_bit(i, form)] +=
            weight[place.bin] * place.sign * (place.imaginary ? value.imag() : value.real());
    }
    return sums;
}

std::vector<float> render_tile(std::span<const Complex> coefficients, int size) {
    const std::span<const Bin> bins = tile_bins();
    COLOPHON_ASSERT(bins.size() == coefficients.size() && size > 2 * kBandHigh * kTile);
    const std::size_t stride = static_cast<std::size_t>(size) / 2 + 1;
    std::vector<Complex> half(stride * static_cast<std::size_t>(size));
    const auto put = [&](int u, int v, Complex value) {
        const int row = v < 0 ? v + size : v;
        half[static_cast<std::size_t>(row) * stride + static_cast<std::size_t>(u)] = value;
    };
    for (std::size_t i = 0; i < bins.size(); ++i) {
        put(bins[i].u, bins[i].v, coefficients[i]);
        // The column kx = 0 holds both halves of itself.
        if (bins[i].u == 0) {
            put(0, -bins[i].v, std::conj(coefficients[i]));
        }
    }
    std::vector<float> tile = transform_back(half, size, size);
    const float energy = std::inner_product(tile.begin(), tile.end(), tile.begin(), 0.0F);
    const float scale = 1 / std::sqrt(energy / static_cast<float>(tile.size()));
    for (float& value : tile) {
        value *= scale;
    }
    return tile;
}

}  // namespace colophon::label::internal
