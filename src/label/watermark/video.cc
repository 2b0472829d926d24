// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/video.h"

#include "core/assert.h"
#include "core/result.h"
#include "label/watermark/internal/carrier.h"
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

// One row of a picture: samples += pattern * amplitude.
struct RowChange {
    const std::int16_t* pattern;
    const std::int16_t* amplitude;
    int width;
    int shift;  // from products to levels of the picture's depth
    int most;   // level that there is
};

template <class Sample>
void add_row(Sample* samples, const RowChange& row) {
    const int half = 1 << (row.shift - 1);
    for (int x = 0; x < row.width; ++x) {
        const int change = (row.pattern[x] * row.amplitude[x] + half) >> row.shift;
        samples[x] = static_cast<Sample>(std::clamp(samples[x] + change, 0, row.most));
    }
}

}  // namespace

struct VideoMarker::State {
    State(const media::VideoFacts& facts, const VideoMarkOptions& wanted)
        : options(wanted),
          carrier(wanted.key),
          mask(facts.width, facts.height),
          width(facts.width),
          height(facts.height),
          period(internal::tile_period(std::min(width, height), kVideoCanonicalSide)),
          amplitude(static_cast<std::size_t>(width)) {}

    std::vector<float> tile_of(std::int64_t segment) const;
    const std::vector<std::int16_t>& tiles_at(std::int64_t time_us);
    void spread_amplitudes(int y, float gain);

    VideoMarkOptions options;
    internal::Carrier carrier;
    internal::VideoMask mask;
    int width;
    int height;
    int period;
    std::vector<std::int16_t> amplitude;  // of one row of pixels
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
const std::vector<std::int16_t>& VideoMarker::State::tiles_at(std::int64_t time_us) {
    constexpr int kFadeSteps = 16;
    const std::int64_t segment = std::max<std::int64_t>(time_us, 0) / kSegmentMicroseconds;
    const std::int64_t into = std::max<std::int64_t>(time_us, 0) % kSegmentMicroseconds;
    const int fade = segment == 0 || into >= kFadeMicroseconds
                         ? 0
                         : kFadeSteps - static_cast<int>(into * kFadeSteps / kFadeMicroseconds);
    if (segment == drawn_segment && fade == drawn_fade) {
        return tiles;
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
    return tiles;
}

// Between the middles of the blocks, in both directions.
void VideoMarker::State::spread_amplitudes(int y, float gain) {
    const int block = mask.block();
    const auto columns = static_cast<std::size_t>(mask.columns());
    const auto last_row = static_cast<float>(mask.rows() - 1);
    const float at = std::clamp((static_cast<float>(y) + 0.5F) / static_cast<float>(block) - 0.5F,
                                0.0F, last_row);
    const auto above = static_cast<std::size_t>(at);
    const std::size_t below = std::min(above + 1, static_cast<std::size_t>(mask.rows() - 1));
    const float down = at - static_cast<float>(above);
    const float* upper = mask.amplitudes().data() + above * columns;
    const float* lower = mask.amplitudes().data() + below * columns;
    const auto value = [&](std::size_t x) {
        return gain * kAmplitudeOne * (upper[x] + down * (lower[x] - upper[x]));
    };
    const int half = block / 2;
    float left = value(0);
    for (std::size_t i = 0; i <= columns; ++i) {
        const float right = value(std::min(i, columns - 1));
        const float step = (right - left) / static_cast<float>(block);
        const int begin = static_cast<int>(i) * block - half;
        const int first = std::max(begin, 0);
        const int end = std::min(begin + block, width);
        for (int x = first; x < end; ++x) {
            const float mixed = left + step * (static_cast<float>(x - begin) + 0.5F);
            amplitude[static_cast<std::size_t>(x)] = static_cast<std::int16_t>(mixed);
        }
        left = right;
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
    const std::vector<std::int16_t>& tiles = state.tiles_at(picture.time_us);
    // Rounding to whole levels adds a twelfth of a squared level.
    const double squared = 255.0 * 255.0 / std::pow(10, state.options.psnr_db / 10) - 1.0 / 12;
    const double gain = std::min(kFlatAmplitudeMax, std::sqrt(squared / state.mask.mean_square()));
    for (int y = 0; y < state.height; ++y) {
        state.spread_amplitudes(y, static_cast<float>(gain));
        const auto line = static_cast<std::size_t>(y % state.period);
        const RowChange row{.pattern = tiles.data() + line * static_cast<std::size_t>(state.width),
                            .amplitude = state.amplitude.data(),
                            .width = state.width,
                            .shift = kProductBits - (picture.depth - 8),
                            .most = (1 << picture.depth) - 1};
        if (picture.depth > 8) {
            add_row(reinterpret_cast<std::uint16_t*>(luma.row(y)), row);
        } else {
            add_row(luma.row(y), row);
        }
    }
    state.squared += gain * gain * state.mask.mean_square() + 1.0 / 12;
    state.samples += 1;
}

double VideoMarker::psnr_db() const noexcept {
    const State& state = *state_;
    return state.samples > 0 ? 10 * std::log10(255.0 * 255.0 * state.samples / state.squared)
                             : std::numeric_limits<double>::infinity();
}

}  // namespace colophon::label
