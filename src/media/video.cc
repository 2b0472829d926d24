// SPDX-License-Identifier: Apache-2.0
#include "media/video.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "media/codecs.h"
#include "media/internal/av.h"
#include "media/plane.h"

#include <fmt/format.h>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/codec.h>
#include <libavcodec/codec_id.h>
#include <libavcodec/defs.h>
#include <libavcodec/packet.h>
#include <libavformat/avformat.h>
#include <libavformat/avio.h>
#include <libavutil/avutil.h>
#include <libavutil/dict.h>
#include <libavutil/error.h>
#include <libavutil/frame.h>
#include <libavutil/mathematics.h>
#include <libavutil/mem.h>
#include <libavutil/pixdesc.h>
#include <libavutil/pixfmt.h>
#include <libavutil/rational.h>
}

#include <algorithm>
#include <array>
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
using internal::MemoryReader;

constexpr int kIoBufferBytes = 1 << 16;
constexpr unsigned kFailuresMax = 64;
constexpr AVRational kMilliseconds{1, 1000};

constexpr std::array kCodecs{
    AV_CODEC_ID_H264,  AV_CODEC_ID_HEVC,  AV_CODEC_ID_AV1,  AV_CODEC_ID_VP9,  AV_CODEC_ID_VP8,
    AV_CODEC_ID_MPEG4, AV_CODEC_ID_MJPEG, AV_CODEC_ID_FLV1, AV_CODEC_ID_FFV1,
};

const char* demuxer_name(VideoContainer container) {
    constexpr std::array<const char*, 4> kNames{"mov", "matroska", "avi", "flv"};
    return kNames[static_cast<std::size_t>(container)];
}

int read_memory(void* reader, std::uint8_t* out, int size) {
    return static_cast<MemoryReader*>(reader)->read(out, size);
}
std::int64_t seek_memory(void* reader, std::int64_t offset, int whence) {
    return static_cast<MemoryReader*>(reader)->seek(offset, whence);
}
// Files that name other files get nothing.
int refuse_to_open(AVFormatContext* /*input*/, AVIOContext** /*io*/, const char* /*url*/,
                   int /*flags*/, AVDictionary** /*options*/) {
    return AVERROR(EPERM);
}

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

// Neither copied nor moved: FFmpeg holds the reader's address.
struct VideoFrames::State {
    explicit State(Bytes file) : reader(file) {}

    Result<void> open_container(VideoContainer container);
    Result<void> open_decoder();
    Result<void> feed();
    Result<bool> receive();

    MemoryReader reader;
    AvPtr<AVIOContext> io;
    AvPtr<AVFormatContext> input;
    AvPtr<AVCodecContext> decoder;
    AvPtr<AVPacket> packet;
    AvPtr<AVFrame> frame;
    AVStream* stream = nullptr;
    std::optional<std::int64_t> first_ms;
    std::int64_t last_ms = 0;
    std::uint64_t decoded = 0;
    unsigned failures = 0;  // in a row
    bool drained = false;
};

Result<void> VideoFrames::State::open_container(VideoContainer container) {
    auto* buffer = static_cast<unsigned char*>(av_malloc(kIoBufferBytes));
    COLOPHON_ASSERT(buffer != nullptr);
    io.reset(
        avio_alloc_context(buffer, kIoBufferBytes, 0, &reader, read_memory, nullptr, seek_memory));
    COLOPHON_ASSERT(io != nullptr);
    AVFormatContext* context = avformat_alloc_context();
    COLOPHON_ASSERT(context != nullptr);
    context->pb = io.get();
    context->flags |= AVFMT_FLAG_CUSTOM_IO;
    context->io_open = refuse_to_open;
    context->max_streams = 16;
    context->max_analyze_duration = AV_TIME_BASE;
    context->probesize = 1 << 20;
    // Looking for the streams of a file may decode pictures: with these decoders only.
    context->codec_whitelist = av_strdup("h264,hevc,libdav1d,av1,vp9,vp8,mpeg4,mjpeg,flv,ffv1");
    const AVInputFormat* demuxer = av_find_input_format(demuxer_name(container));
    COLOPHON_ASSERT(demuxer != nullptr);
    // On failure FFmpeg frees the context itself.
    int status = avformat_open_input(&context, "", demuxer, nullptr);
    if (status < 0) {
        return av_error(ErrorCode::kCorrupt, "cannot open the video", status);
    }
    input.reset(context);
    for (unsigned i = 0; i < input->nb_streams; ++i) {
        if (input->streams[i]->codecpar->codec_type != AVMEDIA_TYPE_VIDEO) {
            input->streams[i]->discard = AVDISCARD_ALL;
        }
    }
    // FLV names its streams in the first packets.
    status = avformat_find_stream_info(input.get(), nullptr);
    if (status < 0) {
        return av_error(ErrorCode::kCorrupt, "cannot read the video's format", status);
    }
    const int index = av_find_best_stream(input.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
    if (index < 0) {
        return Error{ErrorCode::kUnsupported, "the file has no video"};
    }
    stream = input->streams[index];
    return {};
}

Result<void> VideoFrames::State::open_decoder() {
    const AVCodecParameters& parameters = *stream->codecpar;
    if (std::ranges::find(kCodecs, parameters.codec_id) == kCodecs.end()) {
        return Error{ErrorCode::kUnsupported, fmt::format("video in the codec {} is not supported",
                                                          avcodec_get_name(parameters.codec_id))};
    }
    const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
    COLOPHON_ASSERT(codec != nullptr);
    decoder.reset(avcodec_alloc_context3(codec));
    COLOPHON_ASSERT(decoder != nullptr);
    int status = avcodec_parameters_to_context(decoder.get(), &parameters);
    decoder->thread_count = 1;
    decoder->pkt_timebase = stream->time_base;
    decoder->max_pixels = static_cast<std::int64_t>(kVideoPixelsMax);
    if (status >= 0) {
        status = avcodec_open2(decoder.get(), codec, nullptr);
    }
    if (status < 0) {
        return av_error(ErrorCode::kCorrupt, "cannot open the video's decoder", status);
    }
    packet = internal::new_packet();
    frame = internal::new_frame();
    return {};
}

Result<void> VideoFrames::State::feed() {
    int status = 0;
    do {
        av_packet_unref(packet.get());
        status = av_read_frame(input.get(), packet.get());
    } while (status >= 0 && packet->stream_index != stream->index);
    // What breaks off is shown as far as it goes, as players do.
    drained = status < 0;
    status = avcodec_send_packet(decoder.get(), drained ? nullptr : packet.get());
    if (status < 0 && status != AVERROR_EOF && ++failures > kFailuresMax) {
        return av_error(ErrorCode::kCorrupt, "cannot decode the video", status);
    }
    return {};
}

// The next decoded frame; false at the end.
Result<bool> VideoFrames::State::receive() {
    for (;;) {
        const int status = avcodec_receive_frame(decoder.get(), frame.get());
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

Result<VideoFrames> VideoFrames::open(Bytes file, VideoContainer container) {
    TRY(load({Codec::kSound}));
    auto state = std::make_unique<State>(file);
    TRY(state->open_container(container));
    TRY(state->open_decoder());
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
            time_ms =
                av_rescale_q(frame.best_effort_timestamp, state.stream->time_base, kMilliseconds);
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
