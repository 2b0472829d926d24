// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/embed.h"

#include "core/assert.h"
#include "core/result.h"
#include "label/watermark/internal/box.h"
#include "label/watermark/internal/carrier.h"
#include "label/watermark/luma.h"
#include "label/watermark/payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace colophon::label {
namespace {

constexpr double kPsnrMin = 30;
constexpr double kPsnrMax = 60;
// How much more a busy part hides than a flat one: amplitude 1 + slope * standard deviation, up to
// the cap.
constexpr float kActivitySlope = 0.3F;
constexpr float kActivityCap = 13.5F;
constexpr int kActivityRadius = 4;  // canonical pixels
// Levels in flat parts, where the eye sees most: never more, whatever strength that leaves.
constexpr double kFlatAmplitudeMax = 1.3;

// Canonical pixels are this many times as wide as those of the picture.
double canonical_scale(const Luma& picture) {
    return std::max(1.0, static_cast<double>(picture.shortest_side()) / internal::kCanonicalSide);
}

// The least activity of a pixel and four neighbours in one direction each: beside an edge the flat
// side counts, because the mark would be seen there.
Luma amplitude_mask(const Luma& picture, int radius) {
    Luma activity = internal::box_moments(picture, radius).variance;
    for (float& value : activity.values) {
        value = std::min(std::sqrt(value), kActivityCap);
    }
    Luma mask(picture.width, picture.height);
    for (int y = 0; y < picture.height; ++y) {
        const float* here = activity.row(y);
        const float* above = activity.row(std::max(0, y - radius));
        const float* below = activity.row(std::min(picture.height - 1, y + radius));
        float* out = mask.row(y);
        for (int x = 0; x < picture.width; ++x) {
            const float sides = std::min(here[std::max(0, x - radius)],
                                         here[std::min(picture.width - 1, x + radius)]);
            const float least = std::min({here[x], sides, above[x], below[x]});
            out[x] = 1 + kActivitySlope * least;
        }
    }
    return mask;
}

}  // namespace

Result<Luma> watermark_pattern(const Luma& picture, const internal::Carrier& carrier,
                               const WatermarkPayload& payload, const EmbedOptions& options) {
    if (picture.shortest_side() < kWatermarkSideMin) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("a watermark needs a picture of at least {} x {} pixels",
                                 kWatermarkSideMin, kWatermarkSideMin)};
    }
    if (!(options.psnr_db >= kPsnrMin && options.psnr_db <= kPsnrMax)) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("the strength of a watermark lies between {} and {} dB", kPsnrMin,
                                 kPsnrMax)};
    }
    const double scale = canonical_scale(picture);
    const int side = static_cast<int>(std::lround(internal::kTile * scale));
    const std::vector<float> tile = internal::render_tile(carrier.modulate(payload), side);
    Luma pattern = amplitude_mask(picture, static_cast<int>(std::lround(kActivityRadius * scale)));
    double energy = 0;
    for (int y = 0; y < picture.height; ++y) {
        const float* from =
            tile.data() + static_cast<std::size_t>(y % side) * static_cast<std::size_t>(side);
        float* to = pattern.row(y);
        float row_energy = 0;
        for (int left = 0; left < picture.width; left += side) {
            const int count = std::min(side, picture.width - left);
            for (int i = 0; i < count; ++i) {
                to[left + i] *= from[i];
                row_energy += to[left + i] * to[left + i];
            }
        }
        energy += row_energy;
    }
    // Rounding to whole levels adds a twelfth of a squared level, and handing on the rest another.
    const double squared = 255.0 * 255.0 / std::pow(10, options.psnr_db / 10);
    const double wanted = std::sqrt(squared - 1.0 / 6);
    const double rms = std::sqrt(energy / static_cast<double>(pattern.values.size()));
    const auto gain = static_cast<float>(std::min(kFlatAmplitudeMax, wanted / rms));
    for (float& value : pattern.values) {
        value *= gain;
    }
    return pattern;
}

void add_pattern(Luma& picture, const Luma& pattern) {
    COLOPHON_ASSERT(picture.values.size() == pattern.values.size());
    for (int y = 0; y < picture.height; ++y) {
        float* to = picture.row(y);
        const float* from = pattern.row(y);
        float carried = 0;
        for (int x = 0; x < picture.width; ++x) {
            const float wanted = to[x] + from[x] + carried;
            const float given = std::clamp(std::nearbyint(wanted), 0.0F, 255.0F);
            carried = std::clamp(wanted - given, -0.5F, 0.5F);
            to[x] = given;
        }
    }
}

double psnr(const Luma& a, const Luma& b) {
    COLOPHON_ASSERT(a.values.size() == b.values.size());
    double sum = 0;
    for (std::size_t i = 0; i < a.values.size(); ++i) {
        const double difference = a.values[i] - b.values[i];
        sum += difference * difference;
    }
    if (sum == 0) {
        return std::numeric_limits<double>::infinity();
    }
    return 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.values.size()) / sum);
}

}  // namespace colophon::label
