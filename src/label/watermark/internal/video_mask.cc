// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/video_mask.h"

#include "label/watermark/internal/carrier.h"
#include "media/video_transcode.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace colophon::label::internal {
namespace {

// As for pictures (embed.cc).
// video.
constexpr float kActivitySlope = 0.3F;
constexpr float kActivityCap = 13.5F;
// A block that becomes flat shows its mark sooner than one that becomes busy hides it.
constexpr float kFollowDown = 0.5F;
constexpr float kFollowUp = 0.15F;
constexpr float kCutShare = 0.4F;  // so large a change of the mean activity is another scene
constexpr int kRowStep = 2;        // every second row of a block tells enough

}  // namespace

VideoMask::VideoMask(int width, int height)
    : width_(width),
      height_(height),
      block_(std::min(width, height) > kCanonicalSide * 5 / 4 ? 16 : 8),
      columns_((width + block_ - 1) / block_),
      rows_((height + block_ - 1) / block_),
      deviations_(static_cast<std::size_t>(columns_) * static_cast<std::size_t>(rows_)),
      activity_(deviations_.size()),
      amplitudes_(deviations_.size()),
      sums_(static_cast<std::size_t>(width)),
      squares_(static_cast<std::size_t>(width)) {}

template <class Sample>
void VideoMask::measure(const media::VideoSamples& luma, float scale) {
    float* out = deviations_.data();
    for (int top = 0; top < height_; top += block_) {
        std::fill(sums_.begin(), sums_.end(), 0U);
        std::fill(squares_.begin(), squares_.end(), 0U);
        const int bottom = std::min(top + block_, height_);
        std::uint32_t lines = 0;
        for (int y = top; y < bottom; y += kRowStep, ++lines) {
            const auto* row = reinterpret_cast<const Sample*>(luma.row(y));
            for (int x = 0; x < width_; ++x) {
                const std::uint32_t value = row[x];
                const auto at = static_cast<std::size_t>(x);
                sums_[at] += value;
                squares_[at] += value * value;
            }
        }
        for (int left = 0; left < width_; left += block_) {
            const int right = std::min(left + block_, width_);
            std::uint64_t sum = 0;
            std::uint64_t square = 0;
            for (auto x = static_cast<std::size_t>(left); x < static_cast<std::size_t>(right);
                 ++x) {
                sum += sums_[x];
                square += squares_[x];
            }
            const auto count = static_cast<float>(lines) * static_cast<float>(right - left);
            const float mean = static_cast<float>(sum) / count;
            const float variance = static_cast<float>(square) / count - mean * mean;
            *out++ = std::min(std::sqrt(std::max(variance, 0.0F)) * scale, kActivityCap);
        }
    }
}

void VideoMask::follow(const media::VideoSamples& luma, int depth) {
    if (depth > 8) {
        measure<std::uint16_t>(luma, 1.0F / static_cast<float>(1 << (depth - 8)));
    } else {
        measure<std::uint8_t>(luma, 1);
    }
    const auto columns = static_cast<std::size_t>(columns_);
    float change = 0;
    float level = 0;
    for (std::size_t i = 0; i < activity_.size(); ++i) {
        const std::size_t x = i % columns;
        const float left = deviations_[x > 0 ? i - 1 : i];
        const float right = deviations_[x + 1 < columns ? i + 1 : i];
        const float above = deviations_[i >= columns ? i - columns : i];
        const float below = deviations_[i + columns < deviations_.size() ? i + columns : i];
        // The amplitudes hold it until it is known whether this is another scene.
        amplitudes_[i] = std::min({deviations_[i], left, right, above, below});
        change += std::fabs(amplitudes_[i] - activity_[i]);
        level += amplitudes_[i] + activity_[i];
    }
    const bool anew = first_ || change > kCutShare * level;
    first_ = false;
    double square = 0;
    for (std::size_t i = 0; i < activity_.size(); ++i) {
        const float step = amplitudes_[i] - activity_[i];
        activity_[i] += anew ? step : step * (step < 0 ? kFollowDown : kFollowUp);
        amplitudes_[i] = 1 + kActivitySlope * activity_[i];
        square += static_cast<double>(amplitudes_[i]) * static_cast<double>(amplitudes_[i]);
    }
    mean_square_ = square / static_cast<double>(activity_.size());
}

}  // namespace colophon::label::internal
