// SPDX-License-Identifier: Apache-2.0
#include "media/grey_video.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "media/codecs.h"
#include "media/internal/av.h"
#include "media/plane.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/codec.h>
#include <libavcodec/packet.h>
#include <libavformat/avformat.h>
#include <libavformat/avio.h>
#include <libavutil/dict.h>
#include <libavutil/error.h>
#include <libavutil/frame.h>
#include <libavutil/mem.h>
#include <libavutil/pixfmt.h>
#include <libavutil/rational.h>
}

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace colophon::media {
namespace {

using internal::av_error;
using internal::AvPtr;

constexpr int kColourless = 128;
constexpr const char* kRateFactor = "26";

struct FreeMuxer {
    void operator()(AVFormatContext* muxer) const noexcept { avformat_free_context(muxer); }
};

// An MP4 file that grows in memory. Neither copied nor moved: FFmpeg holds its parts.
class Film {
public:
    Film() = default;
    Film(const Film&) = delete;
    Film& operator=(const Film&) = delete;
    Film(Film&&) = delete;
    Film& operator=(Film&&) = delete;
    ~Film() { static_cast<void>(take()); }

    void open() {
        AVFormatContext* made = nullptr;
        COLOPHON_ASSERT(avformat_alloc_output_context2(&made, nullptr, "mp4", nullptr) >= 0);
        muxer_.reset(made);
        COLOPHON_ASSERT(avio_open_dyn_buf(&made->pb) >= 0);
        io_ = made->pb;
        made->flags |= AVFMT_FLAG_BITEXACT | AVFMT_FLAG_CUSTOM_IO;
        COLOPHON_ASSERT(avformat_new_stream(made, nullptr) != nullptr);
    }
    Result<void> begin(const AVCodecContext& encoder) {
        AVStream& track = *muxer_->streams[0];
        COLOPHON_ASSERT(avcodec_parameters_from_context(track.codecpar, &encoder) >= 0);
        track.time_base = encoder.time_base;
        track.avg_frame_rate = encoder.framerate;
        const int status = avformat_write_header(muxer_.get(), nullptr);
        return status < 0 ? Result<void>(failure(status)) : Result<void>();
    }
    Result<void> write(AVPacket& packet, AVRational time_base) {
        packet.stream_index = 0;
        av_packet_rescale_ts(&packet, time_base, muxer_->streams[0]->time_base);
        const int status = av_interleaved_write_frame(muxer_.get(), &packet);
        return status < 0 ? Result<void>(failure(status)) : Result<void>();
    }
    Result<Buffer> finish() {
        const int status = av_write_trailer(muxer_.get());
        return status < 0 ? Result<Buffer>(failure(status)) : Result<Buffer>(take());
    }

private:
    static Error failure(int status) {
        return av_error(ErrorCode::kUnsupported, "cannot write the video file", status);
    }
    Buffer take() {
        Buffer file;
        if (io_ != nullptr) {
            std::uint8_t* bytes = nullptr;
            const int size = avio_close_dyn_buf(std::exchange(io_, nullptr), &bytes);
            file.assign(bytes, bytes + std::max(size, 0));
            av_free(bytes);
        }
        return file;
    }

    std::unique_ptr<AVFormatContext, FreeMuxer> muxer_;
    AVIOContext* io_ = nullptr;
};

Result<AvPtr<AVCodecContext>> open_encoder(const Rect& area, int rate) {
    const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
    if (codec == nullptr) {
        return Error{ErrorCode::kUnavailable, "FFmpeg has no encoder for H.264 here"};
    }
    AvPtr<AVCodecContext> encoder(avcodec_alloc_context3(codec));
    COLOPHON_ASSERT(encoder != nullptr);
    encoder->width = area.width;
    encoder->height = area.height;
    encoder->pix_fmt = AV_PIX_FMT_YUV420P;  // players know it better than pictures without colour
    encoder->color_range = AVCOL_RANGE_MPEG;
    encoder->time_base = {.num = 1, .den = rate};
    encoder->framerate = {.num = rate, .den = 1};
    encoder->gop_size = 4 * rate;
    encoder->thread_count = 1;
    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    AVDictionary* words = nullptr;
    av_dict_set(&words, "preset", "veryfast", 0);
    av_dict_set(&words, "crf", kRateFactor, 0);
    const int status = avcodec_open2(encoder.get(), codec, &words);
    av_dict_free(&words);
    if (status < 0) {
        return av_error(ErrorCode::kUnavailable, "cannot open the video's encoder", status);
    }
    return encoder;
}

// "Limited" range: 16 is black, 235 is white.
AvPtr<AVFrame> frame_of(const Plane& picture, std::int64_t number) {
    AvPtr<AVFrame> frame = internal::new_frame();
    frame->width = picture.area.width;
    frame->height = picture.area.height;
    frame->format = AV_PIX_FMT_YUV420P;
    frame->color_range = AVCOL_RANGE_MPEG;
    frame->pts = number;
    COLOPHON_ASSERT(av_frame_get_buffer(frame.get(), 0) == 0);
    const auto row_of = [&](int plane, int y) {
        return frame->data[plane] + static_cast<std::ptrdiff_t>(y) * frame->linesize[plane];
    };
    const std::uint8_t* from = picture.samples.data();
    for (int y = 0; y < frame->height; ++y, from += frame->width) {
        std::transform(from, from + frame->width, row_of(0, y), [](std::uint8_t value) {
            return static_cast<std::uint8_t>(16 + (value * 219 + 127) / 255);
        });
    }
    for (const int plane : {1, 2}) {
        for (int y = 0; y < frame->height / 2; ++y) {
            std::fill_n(row_of(plane, y), frame->width / 2, std::uint8_t{kColourless});
        }
    }
    return frame;
}

Result<void> encode(AVCodecContext& encoder, const AVFrame* frame, Film& film) {
    int status = avcodec_send_frame(&encoder, frame);
    const AvPtr<AVPacket> packet = internal::new_packet();
    while (status >= 0) {
        status = avcodec_receive_packet(&encoder, packet.get());
        if (status == AVERROR(EAGAIN) || status == AVERROR_EOF) {
            return {};
        }
        if (status >= 0) {
            packet->duration = 1;
            TRY(film.write(*packet, encoder.time_base));
        }
    }
    return av_error(ErrorCode::kUnsupported, "cannot encode the video", status);
}

bool fits(const Rect& area) {
    const auto side = [](int length) {
        return length >= 2 && length <= kGreyVideoSideMax && length % 2 == 0;
    };
    return side(area.width) && side(area.height);
}

}  // namespace

Result<Buffer> encode_grey_video(const std::vector<Plane>& pictures, int rate) {
    if (pictures.empty() || rate < 1 || rate > 60 || !fits(pictures.front().area)) {
        return Error{ErrorCode::kInvalidArgument, "no pictures of which a film can be made"};
    }
    const Rect& first = pictures.front().area;
    for (const Plane& each : pictures) {
        if (each.area.width != first.width || each.area.height != first.height ||
            each.samples.size() != first.area()) {
            return Error{ErrorCode::kInvalidArgument, "pictures of a film are of one size"};
        }
    }
    TRY(load({Codec::kSound}));
    const AvPtr<AVCodecContext> encoder = TRY(open_encoder(first, rate));
    Film film;
    film.open();
    TRY(film.begin(*encoder));
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        const AvPtr<AVFrame> frame = frame_of(pictures[i], static_cast<std::int64_t>(i));
        TRY(encode(*encoder, frame.get(), film));
    }
    TRY(encode(*encoder, nullptr, film));
    return film.finish();
}

}  // namespace colophon::media
