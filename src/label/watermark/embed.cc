// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/embed.h"

#include "core/assert.h"
#include "core/result.h"
#include "label/watermark/internal/bands.h"
#include "label/watermark/internal/box.h"
#include "label/watermark/internal/carrier.h"
#include "label/watermark/internal/kernels.h"
#include "label/watermark/internal/likeness.h"
#include "label/watermark/luma.h"
#include "label/watermark/payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
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
// side counts, because the mark would be seen there. Activities are made as rows are asked for,
// and kept as long as they are needed.
class ActivityRows {
public:
    ActivityRows(const Luma& picture, int radius, int first)
        : picture_(picture),
          radius_(radius),
          boxes_(picture, radius, std::max(0, first - radius)),
          made_(std::max(0, first - radius)),
          stride_(static_cast<std::size_t>(picture.width + 2 * radius)),
          ring_(stride_ * static_cast<std::size_t>(2 * radius + 1)) {}

    // Of row y, from that of the call before on: here, left, right, above, below.
    std::array<const float*, 5> around(int y) {
        const int last = picture_.height - 1;
        for (; made_ <= std::min(y + radius_, last); ++made_) {
            make();
        }
        const float* here = row(y);
        return {here, here - radius_, here + radius_, row(std::max(0, y - radius_)),
                row(std::min(last, y + radius_))};
    }

private:
    float* row(int y) {
        const auto slot = static_cast<std::size_t>(y % (2 * radius_ + 1));
        return ring_.data() + slot * stride_ + radius_;
    }
    void make() {
        float* values = row(made_);
        const int width = picture_.width;
        internal::deviations(boxes_.next(), kActivityCap, values, static_cast<std::size_t>(width));
        // Beyond the edge it goes on as it is there.
        std::fill(values - radius_, values, values[0]);
        std::fill(values + width, values + width + radius_, values[width - 1]);
    }

    const Luma& picture_;
    int radius_;
    internal::BoxRows boxes_;
    int made_;  // rows before it are
    std::size_t stride_;
    std::vector<float> ring_;
};

// A tile over and over, under the mask of a picture.
struct Shape {
    const Luma& picture;
    const std::vector<float>& tile;
    int side;
    int radius;
};

// Rows first to last - 1 of the pattern, and the sum of squares of each.
void shape_rows(const Shape& shape, int first, int last, Luma& pattern,
                std::vector<double>& squares) {
    ActivityRows activity(shape.picture, shape.radius, first);
    const auto width = static_cast<std::size_t>(shape.picture.width);
    const auto side = static_cast<std::size_t>(shape.side);
    std::vector<float> tiles(width);
    for (int y = first; y < last; ++y) {
        const float* tile = shape.tile.data() + static_cast<std::size_t>(y % shape.side) * side;
        for (std::size_t left = 0; left < width; left += side) {
            std::copy_n(tile, std::min(side, width - left), tiles.data() + left);
        }
        float* out = pattern.row(y);
        internal::shape_pattern(activity.around(y), kActivitySlope, tiles.data(), out, width);
        internal::Energies energies{};
        internal::add_energies(out, width, energies);
        squares[static_cast<std::size_t>(y)] =
            std::accumulate(energies.begin(), energies.end(), 0.0);
    }
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
    const Shape shape{.picture = picture,
                      .tile = tile,
                      .side = side,
                      .radius = static_cast<int>(std::lround(kActivityRadius * scale))};
    Luma pattern(picture.width, picture.height);
    std::vector<double> squares(static_cast<std::size_t>(picture.height));
    internal::for_bands(
        picture, [&](int first, int last) { shape_rows(shape, first, last, pattern, squares); });
    const double energy = std::accumulate(squares.begin(), squares.end(), 0.0);
    // Rounding to whole levels adds a twelfth of a squared level, and handing on the rest another.
    const double squared = 255.0 * 255.0 / std::pow(10, options.psnr_db / 10);
    const double wanted = std::sqrt(squared - 1.0 / 6);
    const double rms = std::sqrt(energy / static_cast<double>(pattern.values.size()));
    auto gain = static_cast<float>(std::min(kFlatAmplitudeMax, wanted / rms));
    if (options.ssim_min > 0) {
        gain = internal::gain_of_ssim(picture, pattern, options.ssim_min, gain);
    }
    internal::for_bands(picture, [&](int first, int last) {
        float* const end = pattern.row(last);
        for (float* value = pattern.row(first); value < end; ++value) {
            *value *= gain;
        }
    });
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
