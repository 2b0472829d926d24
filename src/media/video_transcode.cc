// SPDX-License-Identifier: Apache-2.0
#include "media/video_transcode.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "media/codecs.h"
#include "media/internal/av.h"
#include "media/internal/video_input.h"
#include "media/internal/video_output.h"
#include "media/video.h"

#include <fmt/format.h>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/codec_id.h>
#include <libavcodec/codec_par.h>
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
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace colophon::media {
namespace {

using internal::av_error;
using internal::AvPtr;
using internal::VideoInput;
using internal::VideoOutput;

constexpr AVRational kMicroseconds{1, 1'000'000};
constexpr unsigned kFailuresMax = 64;
constexpr std::size_t kTimesMax = 1024;  // pictures that an encoder may hold back

// Planar YUV whose samples lie in bytes or in words of the machine's order.
constexpr std::array kPixels{
    AV_PIX_FMT_YUV420P,     AV_PIX_FMT_YUV422P,     AV_PIX_FMT_YUV444P,
    AV_PIX_FMT_YUVJ420P,    AV_PIX_FMT_YUVJ422P,    AV_PIX_FMT_YUVJ444P,
    AV_PIX_FMT_YUV420P10LE, AV_PIX_FMT_YUV422P10LE, AV_PIX_FMT_YUV444P10LE};

bool is_full_range(const AVCodecParameters& parameters) {
    return parameters.color_range == AVCOL_RANGE_JPEG || parameters.format == AV_PIX_FMT_YUVJ420P ||
           parameters.format == AV_PIX_FMT_YUVJ422P || parameters.format == AV_PIX_FMT_YUVJ444P;
}

VideoFacts facts_of(const VideoInput& input) {
    const AVStream& stream = *input.stream();
    const AVCodecParameters& parameters = *stream.codecpar;
    const AVPixFmtDescriptor* pixels =
        av_pix_fmt_desc_get(static_cast<AVPixelFormat>(parameters.format));
    VideoFacts facts;
    facts.width = parameters.width;
    facts.height = parameters.height;
    facts.orientation = input.orientation();
    const double aspect = av_q2d(stream.sample_aspect_ratio);
    facts.sample_aspect = aspect > 0 ? aspect : 1;
    facts.seconds = input.format()->duration > 0
                        ? static_cast<double>(input.format()->duration) / AV_TIME_BASE
                        : 0;
    facts.depth = pixels == nullptr ? 8 : pixels->comp[0].depth;
    facts.full_range = is_full_range(parameters);
    return facts;
}

Result<void> check_input(const VideoInput& input) {
    const AVStream& stream = *input.stream();
    if ((stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0) {
        return Error{ErrorCode::kUnsupported, "the file has a cover, but no video"};
    }
    for (unsigned i = 0; i < input.format()->nb_streams; ++i) {
        const AVStream& other = *input.format()->streams[i];
        if (&other != &stream && other.codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
            (other.disposition & AV_DISPOSITION_ATTACHED_PIC) == 0) {
            return Error{ErrorCode::kUnsupported,
                         "the file has several videos; take them apart and label each"};
        }
        if (av_stream_get_side_data(&other, AV_PKT_DATA_ENCRYPTION_INIT_INFO, nullptr) != nullptr) {
            return Error{ErrorCode::kUnsupported, "the video is encrypted"};
        }
    }
    const AVCodecParameters& parameters = *stream.codecpar;
    const auto format = static_cast<AVPixelFormat>(parameters.format);
    if (std::ranges::find(kPixels, format) == kPixels.end()) {
        const AVPixFmtDescriptor* pixels = av_pix_fmt_desc_get(format);
        return Error{ErrorCode::kUnsupported,
                     fmt::format("video in pixels of the kind {} can be read, but not written",
                                 pixels == nullptr ? "?" : pixels->name)};
    }
    const auto area = static_cast<std::uint64_t>(std::max(parameters.width, 0)) *
                      static_cast<std::uint64_t>(std::max(parameters.height, 0));
    if (area == 0 || area > kVideoPixelsMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("video of {} x {} pixels is above the limit of {} megapixels",
                                 parameters.width, parameters.height, kVideoPixelsMax / 1'000'000)};
    }
    return {};
}

}  // namespace

struct VideoTranscoder::State {
    explicit State(Bytes file) : input(file) {}

    using Change = std::function<Result<void>(VideoPicture&)>;

    Result<void> take(AVPacket* packet, const Change& change);
    Result<void> picture(const Change& change);
    Result<void> encode(AVFrame* picture);
    Result<void> set_time();
    void report();

    VideoInput input;
    TranscodeOptions options;
    VideoFacts facts;
    Transcoded result;
    std::unique_ptr<VideoOutput> output;
    AvPtr<AVCodecContext> encoder;
    AvPtr<AVFrame> frame;
    AvPtr<AVPacket> coded;
    // Packets of sound that come before the first picture is decoded.
    std::deque<AvPtr<AVPacket>> waiting;
    std::size_t waiting_bytes = 0;
    // How long each picture is shown that is in the encoder.
    struct Shown {
        std::int64_t time;
        std::int64_t duration;
    };
    std::deque<Shown> shown;
    std::optional<std::int64_t> first_time;
    std::int64_t last_time = 0;
    unsigned failures = 0;  // in a row
};

// Encoders want times that grow; of two pictures at one time the second shows a tick later.
Result<void> VideoTranscoder::State::set_time() {
    std::int64_t time = frame->best_effort_timestamp;
    if (time == AV_NOPTS_VALUE) {
        time = av_sat_add64(last_time, std::max<std::int64_t>(frame->pkt_duration, 1));
    }
    if (first_time && time <= last_time) {
        time = av_sat_add64(last_time, 1);
    }
    first_time = first_time.value_or(time);
    last_time = time;
    frame->pts = time;
    shown.push_back({.time = time, .duration = frame->pkt_duration});
    if (shown.size() > kTimesMax) {
        shown.pop_front();
    }
    const double seconds =
        static_cast<double>(av_sat_sub64(time, *first_time)) * av_q2d(input.stream()->time_base);
    if (seconds > static_cast<double>(kVideoSecondsMax) || result.pictures >= kVideoFramesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("the video is longer than {} seconds or {} pictures",
                                 kVideoSecondsMax, kVideoFramesMax)};
    }
    result.seconds = seconds;
    return {};
}

void VideoTranscoder::State::report() {
    // Each picture is told: whoever waits must know that somebody works, however long it takes.
    if (options.progress) {
        options.progress(facts.seconds > 0 ? std::min(1.0, result.seconds / facts.seconds) : 0);
    }
}

Result<void> VideoTranscoder::State::encode(AVFrame* picture) {
    int status = avcodec_send_frame(encoder.get(), picture);
    if (status < 0) {
        return av_error(ErrorCode::kUnsupported, "cannot encode the video", status);
    }
    for (;;) {
        status = avcodec_receive_packet(encoder.get(), coded.get());
        if (status == AVERROR(EAGAIN) || status == AVERROR_EOF) {
            return {};
        }
        if (status < 0) {
            return av_error(ErrorCode::kUnsupported, "cannot encode the video", status);
        }
        const auto when = std::ranges::find(shown, coded->pts, &Shown::time);
        if (when != shown.end()) {
            coded->duration = when->duration;
            shown.erase(when);
        }
        TRY(output->write(input, *coded));
    }
}

// One decoded picture: changed, and handed to the encoder, which the first one opens.
Result<void> VideoTranscoder::State::picture(const Change& change) {
    if (frame->width != facts.width || frame->height != facts.height ||
        frame->format != input.stream()->codecpar->format) {
        return Error{ErrorCode::kUnsupported,
                     "the pictures of the video change their size or kind on the way"};
    }
    TRY(set_time());
    int status = av_frame_make_writable(frame.get());
    if (status < 0) {
        return av_error(ErrorCode::kLimit, "cannot hold a picture of the video", status);
    }
    if (encoder == nullptr) {
        encoder = TRY(
            internal::open_video_encoder(input, *frame, options, output->wants_global_header()));
        TRY(output->begin(input, *encoder));
        for (const AvPtr<AVPacket>& packet : waiting) {
            TRY(output->copy(input, *packet));
        }
        waiting.clear();
    }
    const AVPixFmtDescriptor* pixels =
        av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame->format));
    VideoPicture seen{
        .time_us = av_rescale_q(frame->pts - *first_time, input.stream()->time_base, kMicroseconds),
        .number = result.pictures,
        .depth = facts.depth,
        .planes = {}};
    for (std::size_t i = 0; i < seen.planes.size(); ++i) {
        const int down = i == 0 ? 0 : pixels->log2_chroma_h;
        const int across = i == 0 ? 0 : pixels->log2_chroma_w;
        seen.planes[i] = {.data = frame->data[i],
                          .row_bytes = frame->linesize[i],
                          .width = (frame->width + (1 << across) - 1) >> across,
                          .height = (frame->height + (1 << down) - 1) >> down};
    }
    TRY(change(seen));
    ++result.pictures;
    // The encoder decides which pictures stand alone.
    frame->pict_type = AV_PICTURE_TYPE_NONE;
    TRY(encode(frame.get()));
    report();
    return {};
}

// A packet of the video, nullptr at its end.
Result<void> VideoTranscoder::State::take(AVPacket* packet, const Change& change) {
    int status = avcodec_send_packet(input.decoder(), packet);
    if (status < 0 && status != AVERROR_EOF && ++failures > kFailuresMax) {
        return av_error(ErrorCode::kCorrupt, "cannot decode the video", status);
    }
    for (;;) {
        status = avcodec_receive_frame(input.decoder(), frame.get());
        if (status == AVERROR(EAGAIN) || status == AVERROR_EOF) {
            return {};
        }
        if (status < 0) {
            if (++failures > kFailuresMax) {
                return av_error(ErrorCode::kCorrupt, "cannot decode the video", status);
            }
            continue;
        }
        failures = 0;
        TRY(picture(change));
    }
}

VideoTranscoder::VideoTranscoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
VideoTranscoder::VideoTranscoder(VideoTranscoder&&) noexcept = default;
VideoTranscoder& VideoTranscoder::operator=(VideoTranscoder&&) noexcept = default;
VideoTranscoder::~VideoTranscoder() = default;

const VideoFacts& VideoTranscoder::facts() const noexcept {
    return state_->facts;
}

Result<VideoTranscoder> VideoTranscoder::open(Bytes file, const TranscodeOptions& options) {
    TRY(load({Codec::kSound}));
    auto state = std::make_unique<State>(file);
    TRY(state->input.open(VideoContainer::kMp4, VideoInput::Others::kKeep, options.threads));
    TRY(check_input(state->input));
    state->options = options;
    state->facts = facts_of(state->input);
    return VideoTranscoder(std::move(state));
}

Result<Transcoded> VideoTranscoder::run(const State::Change& change, ByteSink& sink) {
    constexpr std::size_t kWaitingBytesMax = 64U << 20U;
    State& state = *state_;
    state.output = std::make_unique<VideoOutput>(sink);
    TRY(state.output->open(state.input, state.result.left_out));
    state.frame = internal::new_frame();
    state.coded = internal::new_packet();
    while (AVPacket* packet = state.input.next_packet()) {
        if (packet->stream_index == state.input.stream()->index) {
            TRY(state.take(packet, change));
        } else if (state.encoder != nullptr) {
            TRY(state.output->copy(state.input, *packet));
        } else {
            state.waiting_bytes += static_cast<std::size_t>(std::max(packet->size, 0));
            if (state.waiting_bytes > kWaitingBytesMax) {
                return Error{ErrorCode::kLimit,
                             "the video begins too far behind the beginning of the sound"};
            }
            state.waiting.emplace_back(av_packet_clone(packet));
            COLOPHON_ASSERT(state.waiting.back() != nullptr);
        }
    }
    // A player shows what breaks off as far as it goes; a labelled copy would hide that it did.
    TRY(state.input.check_end());
    TRY(state.take(nullptr, change));
    if (state.encoder == nullptr) {
        return Error{ErrorCode::kCorrupt, "no picture of the video can be decoded"};
    }
    TRY(state.encode(nullptr));
    TRY(state.output->finish());
    if (state.options.progress) {
        state.options.progress(1);
    }
    return std::move(state.result);
}

}  // namespace colophon::media
