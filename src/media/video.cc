// SPDX-License-Identifier: Apache-2.0
#include "media/video.h"

#include "core/bytes.h"
#include "core/result.h"
#include "media/codecs.h"
#include "media/internal/av.h"
#include "media/internal/video_input.h"
#include "media/plane.h"

#include <fmt/format.h>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/packet.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/error.h>
#include <libavutil/frame.h>
#include <libavutil/mathematics.h>
#include <libavutil/pixdesc.h>
#include <libavutil/pixfmt.h>
#include <libavutil/rational.h>
}

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace colophon::media {
namespace {

using internal::av_error;
using internal::AvPtr;

constexpr unsigned kFailuresMax = 64;
constexpr AVRational kMilliseconds{1, 1000};

// How the samples of the luma lie in memory, and what they mean.
class LumaSamples {
public:
    static Result<LumaSamples> create(const AVFrame& frame) {
        const auto format = static_cast<AVPixelFormat>(frame.format);
        const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
        constexpr std::uint64_t kForeign = AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL |
                                           AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BITSTREAM |
                                           AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_BE |
                                           AV_PIX_FMT_FLAG_BAYER;
        if (description == nullptr || (description->flags & kForeign) != 0 ||
            description->comp[0].depth < 8) {
            return Error{ErrorCode::kUnsupported,
                         fmt::format("video in pixels of the kind {} is not supported",
                                     description == nullptr ? "?" : description->name)};
        }
        const bool full = frame.color_range == AVCOL_RANGE_JPEG || description->nb_components < 3 ||
                          format == AV_PIX_FMT_YUVJ420P || format == AV_PIX_FMT_YUVJ422P ||
                          format == AV_PIX_FMT_YUVJ444P;
        return LumaSamples(frame, description->comp[0], full);
    }

    Plane copy() const {
        Plane plane({0, 0, frame_.width, frame_.height});
        for (int y = 0; y < frame_.height; ++y) {
            const std::uint8_t* row =
                frame_.data[where_.plane] +
                static_cast<std::ptrdiff_t>(y) * frame_.linesize[where_.plane] + where_.offset;
            for (int x = 0; x < frame_.width; ++x) {
                plane.at(x, y) = level(row + static_cast<std::ptrdiff_t>(x) * where_.step);
            }
        }
        return plane;
    }

private:
    LumaSamples(const AVFrame& frame, const AVComponentDescriptor& where, bool full)
        : frame_(frame), where_(where), full_(full) {}

    std::uint8_t level(const std::uint8_t* sample) const {
        unsigned value = *sample;
        if (where_.depth + where_.shift > 8) {
            value |= static_cast<unsigned>(sample[1]) << 8U;
        }
        value = (value >> static_cast<unsigned>(where_.shift)) >>
                static_cast<unsigned>(where_.depth - 8);
        if (full_) {
            return static_cast<std::uint8_t>(value);
        }
        // "Limited" range: 16 is black, 235 is white.
        const int stretched = (static_cast<int>(value & 0xffU) - 16) * 255 / 219;
        return static_cast<std::uint8_t>(std::clamp(stretched, 0, 255));
    }

    const AVFrame& frame_;
    AVComponentDescriptor where_;
    bool full_;
};

}  // namespace

struct VideoFrames::State {
    explicit State(Bytes file) : input(file) {}

    Result<void> feed();
    Result<bool> receive();

    internal::VideoInput input;
    AvPtr<AVFrame> frame;
    std::optional<std::int64_t> first_ms;
    std::int64_t last_ms = 0;
    std::uint64_t decoded = 0;
    unsigned failures = 0;  // in a row
    bool drained = false;
};

Result<void> VideoFrames::State::feed() {
    AVPacket* packet = input.next_packet();
    while (packet != nullptr && packet->stream_index != input.stream()->index) {
        packet = input.next_packet();
    }
    drained = packet == nullptr;
    const int status = avcodec_send_packet(input.decoder(), packet);
    if (status < 0 && status != AVERROR_EOF && ++failures > kFailuresMax) {
        return av_error(ErrorCode::kCorrupt, "cannot decode the video", status);
    }
    return {};
}

// The next decoded frame; false at the end.
Result<bool> VideoFrames::State::receive() {
    for (;;) {
        const int status = avcodec_receive_frame(input.decoder(), frame.get());
        if (status >= 0) {
            failures = 0;
            return true;
        }
        if (status == AVERROR_EOF || (status == AVERROR(EAGAIN) && drained)) {
            return false;
        }
        if (status == AVERROR(EAGAIN)) {
            TRY(feed());
        } else if (++failures > kFailuresMax) {
            return av_error(ErrorCode::kCorrupt, "cannot decode the video", status);
        }
    }
}

VideoFrames::VideoFrames(std::unique_ptr<State> state) : state_(std::move(state)) {}
VideoFrames::VideoFrames(VideoFrames&&) noexcept = default;
VideoFrames& VideoFrames::operator=(VideoFrames&&) noexcept = default;
VideoFrames::~VideoFrames() = default;

int VideoFrames::orientation() const noexcept {
    return state_->input.orientation();
}

Result<VideoFrames> VideoFrames::open(Bytes file, VideoContainer container) {
    TRY(load({Codec::kSound}));
    auto state = std::make_unique<State>(file);
    TRY(state->input.open(container, internal::VideoInput::Others::kDiscard, 1));
    state->frame = internal::new_frame();
    return VideoFrames(std::move(state));
}

Result<std::optional<VideoFrame>> VideoFrames::next(std::int64_t not_before_ms) {
    State& state = *state_;
    for (;;) {
        const bool more = TRY(state.receive());
        if (!more) {
            return std::optional<VideoFrame>();
        }
        const AVFrame& frame = *state.frame;
        // A frame without a time shows after the one before it.
        std::int64_t time_ms = state.last_ms + 1;
        if (frame.best_effort_timestamp != AV_NOPTS_VALUE) {
            time_ms = av_rescale_q(frame.best_effort_timestamp, state.input.stream()->time_base,
                                   kMilliseconds);
        }
        state.last_ms = time_ms;
        time_ms -= state.first_ms ? *state.first_ms : *(state.first_ms = time_ms);
        const std::uint64_t number = state.decoded++;
        if (time_ms > kVideoSecondsMax * 1000 || number >= kVideoFramesMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("the video is longer than {} seconds or {} pictures",
                                     kVideoSecondsMax, kVideoFramesMax)};
        }
        if (time_ms >= not_before_ms) {
            const LumaSamples samples = TRY(LumaSamples::create(frame));
            return std::optional<VideoFrame>(
                {.time_ms = time_ms, .number = number, .luma = samples.copy()});
        }
    }
}

}  // namespace colophon::media
