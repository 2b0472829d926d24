// SPDX-License-Identifier: Apache-2.0
#include "media/video.h"

#include "core/bytes.h"
#include "core/result.h"
#include "media/codecs.h"
#include "media/image.h"
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

// How the samples lie in memory, and what they mean.
class Samples {
public:
    static Result<Samples> create(const AVFrame& frame) {
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
        return Samples(frame, *description, full);
    }

    Plane luma() const {
        const AVComponentDescriptor& where = description_.comp[0];
        Plane plane({0, 0, frame_.width, frame_.height});
        for (int y = 0; y < frame_.height; ++y) {
            const std::uint8_t* row =
                frame_.data[where.plane] +
                static_cast<std::ptrdiff_t>(y) * frame_.linesize[where.plane] + where.offset;
            for (int x = 0; x < frame_.width; ++x) {
                const unsigned value =
                    level(where, row + static_cast<std::ptrdiff_t>(x) * where.step);
                plane.at(x, y) = full_ ? static_cast<std::uint8_t>(value) : stretched(value);
            }
        }
        return plane;
    }

    Image picture(int side_max) const {
        const int longer = std::max(frame_.width, frame_.height);
        const auto scaled = [&](int side) {
            return longer <= side_max
                       ? side
                       : std::max<int>(1, static_cast<int>(std::int64_t{side} * side_max / longer));
        };
        Image image;
        image.width = scaled(frame_.width);
        image.height = scaled(frame_.height);
        image.channels = 3;
        image.pixels.resize(image.row_bytes() * static_cast<std::size_t>(image.height));
        const auto edge = [](int at, int of, int all) {
            return static_cast<int>(std::int64_t{at} * all / of);
        };
        std::uint8_t* to = image.pixels.data();
        for (int y = 0; y < image.height; ++y) {
            for (int x = 0; x < image.width; ++x) {
                const Box box{.left = edge(x, image.width, frame_.width),
                              .top = edge(y, image.height, frame_.height),
                              .right = edge(x + 1, image.width, frame_.width),
                              .bottom = edge(y + 1, image.height, frame_.height)};
                write_colour(box, to);
                to += 3;
            }
        }
        return image;
    }

private:
    // Of samples of the luma: at least one.
    struct Box {
        int left;
        int top;
        int right;
        int bottom;
    };

    Samples(const AVFrame& frame, const AVPixFmtDescriptor& description, bool full)
        : frame_(frame), description_(description), full_(full) {
        // How much red and blue weigh in the luma (ITU-R BT.601, BT.709, BT.2020).
        const bool unsaid = frame.colorspace == AVCOL_SPC_UNSPECIFIED;
        constexpr int kHighDefinition = 720;
        if (frame.colorspace == AVCOL_SPC_BT2020_NCL || frame.colorspace == AVCOL_SPC_BT2020_CL) {
            red_ = 0.2627F;
            blue_ = 0.0593F;
        } else if (frame.colorspace == AVCOL_SPC_BT709 ||
                   (unsaid && frame.height >= kHighDefinition)) {
            red_ = 0.2126F;
            blue_ = 0.0722F;
        }
    }

    // 0 .. 255, as stored.
    static unsigned level(const AVComponentDescriptor& where, const std::uint8_t* sample) {
        unsigned value = *sample;
        if (where.depth + where.shift > 8) {
            value |= static_cast<unsigned>(sample[1]) << 8U;
        }
        value =
            (value >> static_cast<unsigned>(where.shift)) >> static_cast<unsigned>(where.depth - 8);
        return value & 0xffU;
    }

    // "Limited" range: 16 is black, 235 is white.
    static std::uint8_t stretched(unsigned value) {
        const int all = (static_cast<int>(value) - 16) * 255 / 219;
        return static_cast<std::uint8_t>(std::clamp(all, 0, 255));
    }

    float mean(int component, const Box& box) const {
        const AVComponentDescriptor& where = description_.comp[component];
        const unsigned right = component == 0 ? 0U : description_.log2_chroma_w;
        const unsigned down = component == 0 ? 0U : description_.log2_chroma_h;
        const int x_end = std::max(box.right - 1, box.left) >> right;
        const int y_end = std::max(box.bottom - 1, box.top) >> down;
        std::uint64_t sum = 0;
        std::uint64_t count = 0;
        for (int y = box.top >> down; y <= y_end; ++y) {
            const std::uint8_t* row =
                frame_.data[where.plane] +
                static_cast<std::ptrdiff_t>(y) * frame_.linesize[where.plane] + where.offset;
            for (int x = box.left >> right; x <= x_end; ++x) {
                sum += level(where, row + static_cast<std::ptrdiff_t>(x) * where.step);
                ++count;
            }
        }
        return static_cast<float>(sum) / static_cast<float>(count);
    }

    void write_colour(const Box& box, std::uint8_t* to) const {
        constexpr float kMiddle = 128;
        constexpr float kMost = 255;
        const float luma = full_ ? mean(0, box) : (mean(0, box) - 16) * kMost / 219;
        float red = luma;
        float green = luma;
        float blue = luma;
        if (description_.nb_components >= 3) {
            const float stretch = full_ ? 1.0F : kMost / 224;
            const float to_blue = (mean(1, box) - kMiddle) * stretch;
            const float to_red = (mean(2, box) - kMiddle) * stretch;
            red = luma + 2 * (1 - red_) * to_red;
            blue = luma + 2 * (1 - blue_) * to_blue;
            green = (luma - red_ * red - blue_ * blue) / (1 - red_ - blue_);
        }
        for (const float value : {red, green, blue}) {
            *to++ = static_cast<std::uint8_t>(std::clamp(value + 0.5F, 0.0F, kMost));
        }
    }

    const AVFrame& frame_;
    const AVPixFmtDescriptor& description_;
    bool full_;
    float red_ = 0.299F;
    float blue_ = 0.114F;
};

}  // namespace

struct VideoFrames::State {
    explicit State(Bytes file) : input(file) {}

    Result<void> feed();
    Result<bool> receive();
    // The time of the next frame at or after that one, which then is in `frame`.
    Result<std::optional<std::int64_t>> seek(std::int64_t not_before_ms);

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

Result<std::optional<std::int64_t>> VideoFrames::State::seek(std::int64_t not_before_ms) {
    for (;;) {
        const bool more = TRY(receive());
        if (!more) {
            return std::optional<std::int64_t>();
        }
        // A frame without a time shows after the one before it.
        std::int64_t time_ms = last_ms + 1;
        if (frame->best_effort_timestamp != AV_NOPTS_VALUE) {
            time_ms = av_rescale_q(frame->best_effort_timestamp, input.stream()->time_base,
                                   kMilliseconds);
        }
        last_ms = time_ms;
        time_ms -= first_ms ? *first_ms : *(first_ms = time_ms);
        const std::uint64_t number = decoded++;
        if (time_ms > kVideoSecondsMax * 1000 || number >= kVideoFramesMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("the video is longer than {} seconds or {} pictures",
                                     kVideoSecondsMax, kVideoFramesMax)};
        }
        if (time_ms >= not_before_ms) {
            return std::optional(time_ms);
        }
    }
}

Result<std::optional<VideoFrame>> VideoFrames::next(std::int64_t not_before_ms) {
    const std::optional<std::int64_t> time_ms = TRY(state_->seek(not_before_ms));
    if (!time_ms) {
        return std::optional<VideoFrame>();
    }
    const Samples samples = TRY(Samples::create(*state_->frame));
    return std::optional<VideoFrame>(
        {.time_ms = *time_ms, .number = state_->decoded - 1, .luma = samples.luma()});
}

Result<std::optional<ColourFrame>> VideoFrames::next_picture(std::int64_t not_before_ms,
                                                             int side_max) {
    const std::optional<std::int64_t> time_ms = TRY(state_->seek(not_before_ms));
    if (!time_ms) {
        return std::optional<ColourFrame>();
    }
    const Samples samples = TRY(Samples::create(*state_->frame));
    ColourFrame picture;
    picture.time_ms = *time_ms;
    picture.image = samples.picture(std::max(side_max, 1));
    return std::optional(std::move(picture));
}

}  // namespace colophon::media
