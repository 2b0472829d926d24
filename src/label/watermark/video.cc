// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/video.h"

#include "core/assert.h"
#include "core/parallel.h"
#include "core/result.h"
#include "label/watermark/internal/bands.h"
#include "label/watermark/internal/carrier.h"
#include "label/watermark/internal/kernels.h"
#include "label/watermark/internal/video_mask.h"
#include "label/watermark/internal/working.h"
#include "label/watermark/payload.h"
#include "media/video_transcode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

constexpr double kPsnrMin = 30;
constexpr double kPsnrMax = 60;
constexpr double kFlatAmplitudeMax = 1.3;  // levels, as for pictures
constexpr std::int64_t kFadeMicroseconds = 250'000;
constexpr std::int64_t kSegmentMicroseconds = kSegmentMilliseconds * 1000;

// Numbers with binary points: a tile has variance 1 and stays below 8, an amplitude below 32.
constexpr float kTileOne = 2048;
constexpr float kAmplitudeOne = 512;
constexpr int kProductBits = 20;  // 2048 * 512

std::int16_t fixed(float value, float one) {
    constexpr float kMost = std::numeric_limits<std::int16_t>::max();
    return static_cast<std::int16_t>(std::lrint(std::clamp(value * one, -kMost, kMost)));
}

}  // namespace

struct VideoMarker::State {
    State(const media::VideoFacts& facts, const VideoMarkOptions& wanted)
        : options(wanted),
          carrier(wanted.key),
          mask(facts.width, facts.height),
          width(facts.width),
          height(facts.height),
          period(internal::tile_period(std::min(width, height), kVideoCanonicalSide)) {}

    std::vector<float> tile_of(std::int64_t segment) const;
    void draw_tiles(std::int64_t time_us);
    void mark_rows(media::VideoPicture& picture, int first, int last, float gain) const;

    VideoMarkOptions options;
    internal::Carrier carrier;
    internal::VideoMask mask;
    int width;
    int height;
    int period;
    // `period` rows as wide as the picture: the tile over and over.
    std::vector<std::int16_t> tiles;
    std::int64_t drawn_segment = -1;
    int drawn_fade = -1;  // of the segment before, in steps
    std::vector<float> tile;
    std::vector<float> tile_before;
    double squared = 0;  // of what was added
    double samples = 0;
};

std::vector<float> VideoMarker::State::tile_of(std::int64_t segment) const {
    WatermarkPayload payload{.form = PayloadForm::kSegment,
                             .issuer = options.issuer,
                             .content_id = options.content_id,
                             .segment = static_cast<std::uint16_t>(segment & kSegmentMax)};
    std::vector<float> made = internal::render_tile(carrier.modulate(payload), period);
    if (options.replaces) {
        payload.content_id = *options.replaces;
        const std::vector<float> old = internal::render_tile(carrier.modulate(payload), period);
        for (std::size_t i = 0; i < made.size(); ++i) {
            made[i] -= old[i];
        }
    }
    return made;
}

// The pattern at that time: the tile of the segment, at first with a rest of the one before.
void VideoMarker::State::draw_tiles(std::int64_t time_us) {
    constexpr int kFadeSteps = 16;
    const std::int64_t segment = std::max<std::int64_t>(time_us, 0) / kSegmentMicroseconds;
    const std::int64_t into = std::max<std::int64_t>(time_us, 0) % kSegmentMicroseconds;
    const int fade = segment == 0 || into >= kFadeMicroseconds
                         ? 0
                         : kFadeSteps - static_cast<int>(into * kFadeSteps / kFadeMicroseconds);
    if (segment == drawn_segment && fade == drawn_fade) {
        return;
    }
    if (segment != drawn_segment) {
        tile_before = segment == drawn_segment + 1 && !tile.empty() ? std::move(tile)
                      : segment > 0                                 ? tile_of(segment - 1)
                                                                    : std::vector<float>();
        tile = tile_of(segment);
    }
    drawn_segment = segment;
    drawn_fade = fade;
    const float before = static_cast<float>(fade) / kFadeSteps;
    const auto side = static_cast<std::size_t>(period);
    const auto columns = static_cast<std::size_t>(width);
    tiles.resize(side * columns);
    for (std::size_t y = 0; y < side; ++y) {
        for (std::size_t x = 0; x < columns; ++x) {
            const std::size_t from = y * side + x % side;
            const float mixed =
                fade == 0 ? tile[from] : (1 - before) * tile[from] + before * tile_before[from];
            tiles[y * columns + x] = fixed(mixed, kTileOne);
        }
    }
}

namespace {

// The amplitudes of one row of pixels: between the middles of the blocks, in both directions.
class Amplitudes {
public:
    explicit Amplitudes(const internal::VideoMask& mask)
        : mask_(mask),
          nodes_(static_cast<std::size_t>(mask.columns()) + 2),
          row_((nodes_.size() - 1) * static_cast<std::size_t>(mask.block())) {}

    // Valid until the next call.
    const std::int16_t* of_row(int y, float gain) {
        const auto block = static_cast<float>(mask_.block());
        const auto columns = static_cast<std::size_t>(mask_.columns());
        const auto last_row = static_cast<float>(mask_.rows() - 1);
        const float at = std::clamp((static_cast<float>(y) + 0.5F) / block - 0.5F, 0.0F, last_row);
        const auto above = static_cast<std::size_t>(at);
        const std::size_t below = std::min(above + 1, static_cast<std::size_t>(mask_.rows() - 1));
        const float down = at - static_cast<float>(above);
        const float* upper = mask_.amplitudes().data() + above * columns;
        const float* lower = mask_.amplitudes().data() + below * columns;
        for (std::size_t x = 0; x < columns; ++x) {
            nodes_[x + 1] = gain * kAmplitudeOne * (upper[x] + down * (lower[x] - upper[x]));
        }
        nodes_.front() = nodes_[1];
        nodes_.back() = nodes_[columns];
        internal::draw_ramps(nodes_.data(), nodes_.size() - 1, mask_.block(), row_.data());
        return row_.data() + mask_.block() / 2;
    }

private:
    const internal::VideoMask& mask_;
    std::vector<float> nodes_;       // the middles of the blocks, and what lies beyond the edges
    std::vector<std::int16_t> row_;  // from half a block left of the picture on
};

}  // namespace

void VideoMarker::State::mark_rows(media::VideoPicture& picture, int first, int last,
                                   float gain) const {
    const media::VideoSamples& luma = picture.planes[0];
    const auto columns = static_cast<std::size_t>(width);
    Amplitudes amplitudes(mask);
    for (int y = first; y < last; ++y) {
        const auto line = static_cast<std::size_t>(y % period);
        const internal::RowChange row{.pattern = tiles.data() + line * columns,
                                      .amplitude = amplitudes.of_row(y, gain),
                                      .shift = kProductBits - (picture.depth - 8),
                                      .most = (1 << picture.depth) - 1};
        if (picture.depth > 8) {
            internal::change_row(row, reinterpret_cast<std::uint16_t*>(luma.row(y)), columns);
        } else {
            internal::change_row(row, luma.row(y), columns);
        }
    }
}

VideoMarker::VideoMarker(std::unique_ptr<State> state) : state_(std::move(state)) {}
VideoMarker::VideoMarker(VideoMarker&&) noexcept = default;
VideoMarker& VideoMarker::operator=(VideoMarker&&) noexcept = default;
VideoMarker::~VideoMarker() = default;

Result<VideoMarker> VideoMarker::create(const media::VideoFacts& facts,
                                        const VideoMarkOptions& options) {
    if (std::min(facts.width, facts.height) < kVideoWatermarkSideMin) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("a watermark needs a video of at least {} x {} pixels",
                                 kVideoWatermarkSideMin, kVideoWatermarkSideMin)};
    }
    if (!(options.psnr_db >= kPsnrMin && options.psnr_db <= kPsnrMax)) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("the strength of a watermark lies between {} and {} dB", kPsnrMin,
                                 kPsnrMax)};
    }
    return VideoMarker(std::make_unique<State>(facts, options));
}

void VideoMarker::mark(media::VideoPicture& picture) {
    State& state = *state_;
    const media::VideoSamples& luma = picture.planes[0];
    COLOPHON_ASSERT(luma.width == state.width && luma.height == state.height);
    state.mask.follow(luma, picture.depth);
    state.draw_tiles(picture.time_us);
    // Rounding to whole levels adds a twelfth of a squared level.
    const double squared = 255.0 * 255.0 / std::pow(10, state.options.psnr_db / 10) - 1.0 / 12;
    const double gain = std::min(kFlatAmplitudeMax, std::sqrt(squared / state.mask.mean_square()));
    const internal::Bands bands(state.width, state.height);
    parallel_for(bands.count(), bands.count(), [&](std::size_t band) {
        state.mark_rows(picture, bands.first_row(band), bands.first_row(band + 1),
                        static_cast<float>(gain));
    });
    state.squared += gain * gain * state.mask.mean_square() + 1.0 / 12;
    state.samples += 1;
}

double VideoMarker::psnr_db() const noexcept {
    const State& state = *state_;
    return state.samples > 0 ? 10 * std::log10(255.0 * 255.0 * state.samples / state.squared)
                             : std::numeric_limits<double>::infinity();
}

}  // namespace colophon::label
