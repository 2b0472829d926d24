// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/internal/loudness.h"

#include "media/audio.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <optional>
#include <vector>

namespace colophon::label::internal {
namespace {

// A second-order section in direct form II transposed.
struct Biquad {
    double b0 = 1, b1 = 0, b2 = 0, a1 = 0, a2 = 0;
    double z1 = 0, z2 = 0;

    double step(double x) {
        const double y = b0 * x + z1;
        z1 = b1 * x - a1 * y + z2;
        z2 = b2 * x - a2 * y;
        return y;
    }
};

// BS.1770 prints the coefficients for 48 kHz only; these analogue parameters give them there, and
// the same curve at any other rate (the bilinear transform of De Man, 2014).
Biquad shelf_at(double rate) {
    constexpr double kFrequency = 1681.974450955533;
    constexpr double kGainDb = 3.999843853973347;
    constexpr double kQ = 0.7071752369554196;
    const double k = std::tan(std::numbers::pi * std::min(kFrequency, 0.45 * rate) / rate);
    const double vh = std::pow(10.0, kGainDb / 20.0);
    const double vb = std::pow(vh, 0.4996667741545416);
    const double a0 = 1.0 + k / kQ + k * k;
    return {.b0 = (vh + vb * k / kQ + k * k) / a0,
            .b1 = 2.0 * (k * k - vh) / a0,
            .b2 = (vh - vb * k / kQ + k * k) / a0,
            .a1 = 2.0 * (k * k - 1.0) / a0,
            .a2 = (1.0 - k / kQ + k * k) / a0};
}

Biquad high_pass_at(double rate) {
    constexpr double kFrequency = 38.13547087602444;
    constexpr double kQ = 0.5003270373238773;
    const double k = std::tan(std::numbers::pi * std::min(kFrequency, 0.45 * rate) / rate);
    const double a0 = 1.0 + k / kQ + k * k;
    return {.b0 = 1.0,
            .b1 = -2.0,
            .b2 = 1.0,
            .a1 = 2.0 * (k * k - 1.0) / a0,
            .a2 = (1.0 - k / kQ + k * k) / a0};
}

// Surround channels count 1.41, the low-frequency channel nothing (BS.1770-4, table 3).
double channel_weight(std::uint64_t bit) {
    constexpr std::uint64_t kSurround = 0x10 | 0x20 | 0x200 | 0x400;  // back and side, left, right
    constexpr std::uint64_t kWithoutWeight = media::kLowFrequency | 0x800000000ULL;
    if ((bit & kWithoutWeight) != 0) {
        return 0.0;
    }
    return (bit & kSurround) != 0 ? 1.41 : 1.0;
}

// Adds the K-weighted energy of one channel to the quarters (100 ms) of the blocks.
void add_channel(const std::vector<float>& plane, double rate, double weight,
                 std::vector<double>& quarters) {
    Biquad shelf = shelf_at(rate);
    Biquad high_pass = high_pass_at(rate);
    const auto hop = static_cast<std::size_t>(rate / 10.0);
    for (std::size_t q = 0; q < quarters.size(); ++q) {
        double energy = 0;
        for (std::size_t i = q * hop; i < (q + 1) * hop; ++i) {
            const double y = high_pass.step(shelf.step(static_cast<double>(plane[i])));
            energy += y * y;
        }
        quarters[q] += weight * energy / static_cast<double>(hop);
    }
}

// Mean squares of the 400 ms blocks.
void append_blocks(const media::Pcm& pcm, std::vector<double>& blocks) {
    const std::size_t hop = pcm.rate / 10;
    if (hop == 0) {
        return;
    }
    std::vector<double> quarters(pcm.samples() / hop);
    std::uint64_t mask = pcm.channel_mask;
    for (const std::vector<float>& plane : pcm.planes) {
        const std::uint64_t bit = mask & (~mask + 1);
        mask &= mask - 1;
        const double weight = channel_weight(bit);
        if (weight > 0) {
            add_channel(plane, static_cast<double>(pcm.rate), weight, quarters);
        }
    }
    for (std::size_t q = 0; q + 4 <= quarters.size(); ++q) {
        blocks.push_back((quarters[q] + quarters[q + 1] + quarters[q + 2] + quarters[q + 3]) / 4.0);
    }
}

double loudness_of(double mean_square) {
    return -0.691 + 10.0 * std::log10(mean_square);
}
double mean_square_of(double loudness) {
    return std::pow(10.0, (loudness + 0.691) / 10.0);
}

std::optional<double> gated_mean(const std::vector<double>& blocks, double gate) {
    double sum = 0;
    std::size_t count = 0;
    for (const double block : blocks) {
        if (block > gate) {
            sum += block;
            ++count;
        }
    }
    return count == 0 ? std::nullopt : std::optional(sum / static_cast<double>(count));
}

}  // namespace

std::optional<double> integrated_loudness(const std::vector<media::Pcm>& pieces) {
    std::vector<double> blocks;
    for (const media::Pcm& piece : pieces) {
        append_blocks(piece, blocks);
    }
    const double absolute = mean_square_of(-70.0);
    const auto ungated = gated_mean(blocks, absolute);
    if (!ungated) {
        return std::nullopt;
    }
    const auto gated = gated_mean(blocks, std::max(absolute, *ungated / 10.0));
    return gated ? std::optional(loudness_of(*gated)) : std::nullopt;
}

float peak(const media::Pcm& pcm) {
    float largest = 0;
    for (const std::vector<float>& plane : pcm.planes) {
        for (const float sample : plane) {
            largest = std::max(largest, std::abs(sample));
        }
    }
    return largest;
}

void amplify_within(media::Pcm& pcm, float gain, float ceiling) {
    const std::size_t size = pcm.samples();
    // What each moment may be multiplied with, the same for all channels.
    std::vector<float> allowed(size, gain);
    for (const std::vector<float>& plane : pcm.planes) {
        for (std::size_t i = 0; i < size; ++i) {
            const float level = std::abs(plane[i]);
            if (level * allowed[i] > ceiling) {
                allowed[i] = ceiling / level;
            }
        }
    }
    // From the end backwards the gain may rise by one ramp of 5 ms, forwards by one of 50 ms: both
    // passes only lower it, so that the ceiling holds.
    const float ahead = std::pow(10.0F, 1.2F / (0.005F * static_cast<float>(pcm.rate)));
    const float back = std::pow(10.0F, 0.3F / (0.05F * static_cast<float>(pcm.rate)));
    for (std::size_t i = size; i-- > 1;) {
        allowed[i - 1] = std::min(allowed[i - 1], allowed[i] * ahead);
    }
    for (std::size_t i = 1; i < size; ++i) {
        allowed[i] = std::min(allowed[i], allowed[i - 1] * back);
    }
    for (std::vector<float>& plane : pcm.planes) {
        for (std::size_t i = 0; i < size; ++i) {
            plane[i] *= allowed[i];
        }
    }
}

}  // namespace colophon::label::internal
