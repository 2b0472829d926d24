// SPDX-License-Identifier: Apache-2.0
#include "media/internal/video_input.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "media/internal/av.h"
#include "media/video.h"

#include <fmt/format.h>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/codec.h>
#include <libavcodec/codec_id.h>
#include <libavcodec/defs.h>
#include <libavcodec/packet.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/dict.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
}

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace colophon::media::internal {
namespace {

constexpr std::array kCodecs{
    AV_CODEC_ID_H264,  AV_CODEC_ID_HEVC,  AV_CODEC_ID_AV1,  AV_CODEC_ID_VP9,  AV_CODEC_ID_VP8,
    AV_CODEC_ID_MPEG4, AV_CODEC_ID_MJPEG, AV_CODEC_ID_FLV1, AV_CODEC_ID_FFV1,
};

}  // namespace

const char* video_demuxer_name(VideoContainer container) noexcept {
    constexpr std::array<const char*, 4> kNames{"mov", "matroska", "avi", "flv"};
    return kNames[static_cast<std::size_t>(container)];
}

Result<void> VideoInput::open_container(VideoContainer container, Others others) {
    // Looking for the streams of a file may decode pictures: with these decoders only.
    constexpr const char* kDecoders = "h264,hevc,libdav1d,av1,vp9,vp8,mpeg4,mjpeg,flv,ffv1";
    OpenedMemory opened = TRY(open_memory(reader_, {.demuxer = video_demuxer_name(container),
                                                    .decoders = kDecoders,
                                                    .what = "cannot open the video"}));
    io_ = std::move(opened.io);
    input_ = std::move(opened.input);
    for (unsigned i = 0; i < input_->nb_streams && others == Others::kDiscard; ++i) {
        if (input_->streams[i]->codecpar->codec_type != AVMEDIA_TYPE_VIDEO) {
            input_->streams[i]->discard = AVDISCARD_ALL;
        }
    }
    // FLV names its streams in the first packets.
    const int status = avformat_find_stream_info(input_.get(), nullptr);
    if (status < 0) {
        return av_error(ErrorCode::kCorrupt, "cannot read the video's format", status);
    }
    const int index = av_find_best_stream(input_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
    if (index < 0) {
        return Error{ErrorCode::kUnsupported, "the file has no video"};
    }
    stream_ = input_->streams[index];
    return {};
}

Result<void> VideoInput::open_decoder(int threads) {
    const AVCodecParameters& parameters = *stream_->codecpar;
    if (std::ranges::find(kCodecs, parameters.codec_id) == kCodecs.end()) {
        return Error{ErrorCode::kUnsupported, fmt::format("video in the codec {} is not supported",
                                                          avcodec_get_name(parameters.codec_id))};
    }
    const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
    COLOPHON_ASSERT(codec != nullptr);
    decoder_.reset(avcodec_alloc_context3(codec));
    COLOPHON_ASSERT(decoder_ != nullptr);
    int status = avcodec_parameters_to_context(decoder_.get(), &parameters);
    decoder_->thread_count = threads;
    decoder_->pkt_timebase = stream_->time_base;
    decoder_->max_pixels = static_cast<std::int64_t>(kVideoPixelsMax);
    if (status >= 0) {
        status = avcodec_open2(decoder_.get(), codec, nullptr);
    }
    if (status < 0) {
        return av_error(ErrorCode::kCorrupt, "cannot open the video's decoder", status);
    }
    packet_ = new_packet();
    return {};
}

Result<void> VideoInput::open(VideoContainer container, Others others, int threads) {
    TRY(open_container(container, others));
    return open_decoder(threads);
}

// Which of the eight orientations a display matrix means; one that is no such turn counts as none.
int VideoInput::orientation() const noexcept {
    const auto* bytes = av_stream_get_side_data(stream_, AV_PKT_DATA_DISPLAYMATRIX, nullptr);
    if (bytes == nullptr) {
        return 1;
    }
    const auto* matrix = reinterpret_cast<const std::int32_t*>(bytes);
    const auto sign = [&](int i) { return (matrix[i] > 0 ? 1 : 0) - (matrix[i] < 0 ? 1 : 0); };
    // Displayed x' = a x + c y, y' = b x + d y.
    // The row that is found is the orientation.
    constexpr std::array<std::array<int, 4>, 8> kRows{{{1, 0, 0, 1},
                                                       {-1, 0, 0, 1},
                                                       {-1, 0, 0, -1},
                                                       {1, 0, 0, -1},
                                                       {0, 1, 1, 0},
                                                       {0, 1, -1, 0},
                                                       {0, -1, -1, 0},
                                                       {0, -1, 1, 0}}};
    const std::array abcd{sign(0), sign(1), sign(3), sign(4)};
    const auto* row = std::ranges::find(kRows, abcd);
    return row == kRows.end() ? 1 : static_cast<int>(row - kRows.begin()) + 1;
}

AVPacket* VideoInput::next_packet() {
    av_packet_unref(packet_.get());
    // What breaks off is shown as far as it goes, as players do.
    read_status_ = av_read_frame(input_.get(), packet_.get());
    return read_status_ < 0 ? nullptr : packet_.get();
}

Result<void> VideoInput::check_end() const {
    if (read_status_ < 0 && read_status_ != AVERROR_EOF) {
        return av_error(ErrorCode::kCorrupt, "the video breaks off", read_status_);
    }
    return {};
}

}  // namespace colophon::media::internal
