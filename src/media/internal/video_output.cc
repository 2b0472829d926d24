// SPDX-License-Identifier: Apache-2.0
#include "media/internal/video_output.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "media/internal/av.h"
#include "media/internal/video_input.h"
#include "media/video_transcode.h"

#include <fmt/format.h>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/codec.h>
#include <libavcodec/codec_id.h>
#include <libavcodec/codec_par.h>
#include <libavcodec/packet.h>
#include <libavformat/avformat.h>
#include <libavformat/avio.h>
#include <libavutil/avutil.h>
#include <libavutil/common.h>
#include <libavutil/dict.h>
#include <libavutil/error.h>
#include <libavutil/frame.h>
#include <libavutil/mathematics.h>
#include <libavutil/mem.h>
#include <libavutil/rational.h>
}

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::media::internal {
namespace {

constexpr int kIoBufferBytes = 1 << 16;

struct Option {
    const char* name;
    const char* value;
};

// One row for each codec that is written: the encoder, and what is said to it. Presets are chosen
// for speed; the rate factor, not the preset, decides how close the pictures are.
struct Encoder {
    AVCodecID codec;
    const char* name;
    int VideoQuality::* quality;
    std::array<Option, 4> options;
};
constexpr std::array kEncoders{
    Encoder{.codec = AV_CODEC_ID_H264,
            .name = "libx264",
            .quality = &VideoQuality::h264,
            .options = {{{.name = "preset", .value = "veryfast"}}}},
    Encoder{.codec = AV_CODEC_ID_HEVC,
            .name = "libx265",
            .quality = &VideoQuality::hevc,
            .options = {{{.name = "preset", .value = "veryfast"},
                         {.name = "x265-params", .value = "log-level=none"}}}},
    Encoder{.codec = AV_CODEC_ID_VP9,
            .name = "libvpx-vp9",
            .quality = &VideoQuality::vp9,
            .options = {{{.name = "deadline", .value = "good"},
                         {.name = "cpu-used", .value = "4"},
                         {.name = "row-mt", .value = "1"}}}},
    Encoder{.codec = AV_CODEC_ID_AV1,
            .name = "libsvtav1",
            .quality = &VideoQuality::av1,
            .options = {{{.name = "preset", .value = "9"}}}},
};

class Options {
public:
    Options() = default;
    Options(const Options&) = delete;
    Options& operator=(const Options&) = delete;
    Options(Options&&) = delete;
    Options& operator=(Options&&) = delete;
    ~Options() { av_dict_free(&dictionary_); }
    void set(const char* name, const char* value) { av_dict_set(&dictionary_, name, value, 0); }
    AVDictionary** get() { return &dictionary_; }

private:
    AVDictionary* dictionary_ = nullptr;
};

void describe(AVCodecContext& encoder, const VideoInput& input, const AVFrame& first,
              const TranscodeOptions& options) {
    const AVStream& stream = *input.stream();
    encoder.width = first.width;
    encoder.height = first.height;
    encoder.pix_fmt = static_cast<AVPixelFormat>(first.format);
    encoder.sample_aspect_ratio =
        first.sample_aspect_ratio.num > 0 ? first.sample_aspect_ratio : stream.sample_aspect_ratio;
    encoder.time_base = stream.time_base;
    encoder.framerate = stream.avg_frame_rate;
    encoder.color_range = first.color_range;
    encoder.color_primaries = first.color_primaries;
    encoder.color_trc = first.color_trc;
    encoder.colorspace = first.colorspace;
    encoder.chroma_sample_location = first.chroma_location;
    encoder.thread_count = options.threads;
    encoder.field_order = stream.codecpar->field_order;
    if (first.interlaced_frame != 0) {
        encoder.flags |= AV_CODEC_FLAG_INTERLACED_DCT | AV_CODEC_FLAG_INTERLACED_ME;
    }
    // A player can jump to every fourth second.
    const double rate = av_q2d(stream.avg_frame_rate);
    if (rate > 0) {
        encoder.gop_size = static_cast<int>(std::clamp(4 * rate, 12.0, 500.0));
    }
}

}  // namespace

Result<AvPtr<AVCodecContext>> open_video_encoder(const VideoInput& input, const AVFrame& first,
                                                 const TranscodeOptions& options,
                                                 bool global_header) {
    const AVCodecID wanted = input.stream()->codecpar->codec_id;
    const auto* row = std::ranges::find(kEncoders, wanted, &Encoder::codec);
    const AVCodec* codec =
        row == kEncoders.end() ? nullptr : avcodec_find_encoder_by_name(row->name);
    if (codec == nullptr) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("video in the codec {} can be read, but not written",
                                 avcodec_get_name(wanted))};
    }
    AvPtr<AVCodecContext> encoder(avcodec_alloc_context3(codec));
    COLOPHON_ASSERT(encoder != nullptr);
    describe(*encoder, input, first, options);
    if (global_header) {
        encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    }
    Options words;
    for (const Option& option : row->options) {
        if (option.name != nullptr) {
            words.set(option.name, option.value);
        }
    }
    words.set("crf", fmt::format("{}", options.quality.*row->quality).c_str());
    const int status = avcodec_open2(encoder.get(), codec, words.get());
    if (status < 0) {
        return av_error(ErrorCode::kUnsupported, "cannot open the video's encoder", status);
    }
    return encoder;
}

int VideoOutput::write_bytes(void* self, std::uint8_t* bytes, int size) {
    auto* output = static_cast<VideoOutput*>(self);
    const auto count = static_cast<std::size_t>(size);
    if (output->sink_error_) {
        return AVERROR(EIO);
    }
    const Result<void> written = output->sink_.write_at(output->position_, Bytes(bytes, count));
    if (!written.ok()) {
        output->sink_error_ = written.error();
        return AVERROR(EIO);
    }
    output->position_ += count;
    output->size_ = std::max(output->size_, output->position_);
    return size;
}

std::int64_t VideoOutput::seek(void* self, std::int64_t offset, int whence) {
    auto* output = static_cast<VideoOutput*>(self);
    if (whence == AVSEEK_SIZE) {
        return static_cast<std::int64_t>(output->size_);
    }
    const std::int64_t base = whence == SEEK_CUR   ? static_cast<std::int64_t>(output->position_)
                              : whence == SEEK_END ? static_cast<std::int64_t>(output->size_)
                                                   : 0;
    if (base + offset < 0) {
        return AVERROR(EINVAL);
    }
    output->position_ = static_cast<std::uint64_t>(base + offset);
    return base + offset;
}

Error VideoOutput::failure(const char* what, int status) const {
    return sink_error_ ? *sink_error_ : av_error(ErrorCode::kUnsupported, what, status);
}

namespace {

std::string words_for(const AVStream& stream) {
    const char* kind = av_get_media_type_string(stream.codecpar->codec_type);
    const std::uint32_t tag = stream.codecpar->codec_tag;
    std::string name;
    for (unsigned i = 0; i < 4; ++i) {
        const auto c = static_cast<char>(tag >> (8 * i) & 0xffU);
        name += c >= ' ' && c <= '~' ? c : '?';
    }
    return fmt::format("{} ({})", kind == nullptr ? "data" : kind, name);
}

bool is_quicktime(const VideoInput& input) {
    const AVDictionaryEntry* brand =
        av_dict_get(input.format()->metadata, "major_brand", nullptr, 0);
    return brand == nullptr || std::string_view(brand->value).starts_with("qt");
}

// What describes a track beside its samples.
void copy_description(const AVStream& from, AVStream& to) {
    av_dict_copy(&to.metadata, from.metadata, 0);
    // Which encoder made the original says nothing of this file.
    av_dict_set(&to.metadata, "encoder", nullptr, 0);
    to.disposition = from.disposition;
    to.sample_aspect_ratio = from.sample_aspect_ratio;
    to.avg_frame_rate = from.avg_frame_rate;
    to.time_base = from.time_base;
    for (int i = 0; i < from.nb_side_data; ++i) {
        const AVPacketSideData& data = from.side_data[i];
        std::uint8_t* copy = av_stream_new_side_data(&to, data.type, data.size);
        if (copy != nullptr) {
            std::memcpy(copy, data.data, data.size);
        }
    }
}

// A picture that belongs to the file rather than to a moment of it.
bool is_attached(const AVStream& stream) {
    return (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
}

// Covers of an album are tags of the movie, which are carried over with all others.
bool is_album_cover(const AVStream& stream) {
    return is_attached(stream) && (stream.disposition & AV_DISPOSITION_TIMED_THUMBNAILS) == 0;
}

// Whether the samples of a track can be copied into a file of this format as they are.
bool can_carry(const AVOutputFormat& format, const AVStream& from) {
    const AVMediaType kind = from.codecpar->codec_type;
    return !is_attached(from) && (kind == AVMEDIA_TYPE_AUDIO || kind == AVMEDIA_TYPE_SUBTITLE) &&
           avformat_query_codec(&format, from.codecpar->codec_id, FF_COMPLIANCE_NORMAL) == 1;
}

// The codec of an encoded track comes with its encoder; of a copied one, from the original.
void add_track(AVFormatContext& output, const AVStream& from, bool encoded) {
    AVStream* to = avformat_new_stream(&output, nullptr);
    COLOPHON_ASSERT(to != nullptr);
    if (!encoded) {
        const AVCodecParameters& parameters = *from.codecpar;
        COLOPHON_ASSERT(avcodec_parameters_copy(to->codecpar, &parameters) >= 0);
        // The same codec may have another name in the other brand.
        const unsigned own = parameters.codec_tag;
        const AVCodecTag* const tags[2] = {
            output.oformat->codec_tag == nullptr ? nullptr : output.oformat->codec_tag[0], nullptr};
        to->codecpar->codec_tag =
            tags[0] != nullptr && av_codec_get_id(tags, own) == parameters.codec_id ? own : 0;
    }
    copy_description(from, *to);
}

}  // namespace

Result<void> VideoOutput::open(const VideoInput& input, std::vector<std::string>& left_out) {
    const char* format = is_quicktime(input) ? "mov" : "mp4";
    AVFormatContext* context = nullptr;
    const int status = avformat_alloc_output_context2(&context, nullptr, format, nullptr);
    COLOPHON_ASSERT(status >= 0 && context != nullptr);
    output_.reset(context);
    auto* buffer = static_cast<unsigned char*>(av_malloc(kIoBufferBytes));
    COLOPHON_ASSERT(buffer != nullptr);
    io_.reset(avio_alloc_context(buffer, kIoBufferBytes, 1, this, nullptr, write_bytes, seek));
    COLOPHON_ASSERT(io_ != nullptr);
    output_->pb = io_.get();
    // No name of the writer and no time of its own: the same input gives the same output.
    output_->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
    const AVDictionaryEntry* created =
        av_dict_get(input.format()->metadata, "creation_time", nullptr, 0);
    if (created != nullptr) {
        av_dict_set(&output_->metadata, "creation_time", created->value, 0);
    }
    for (unsigned i = 0; i < input.format()->nb_streams; ++i) {
        const AVStream& from = *input.format()->streams[i];
        const bool video = &from == input.stream();
        if (video || can_carry(*output_->oformat, from)) {
            track_of_.push_back(static_cast<int>(output_->nb_streams));
            add_track(*output_, from, video);
            continue;
        }
        track_of_.push_back(-1);
        if (from.codecpar->codec_type == AVMEDIA_TYPE_AUDIO) {
            return Error{ErrorCode::kUnsupported,
                         fmt::format("sound in the codec {} cannot be carried over into this file",
                                     avcodec_get_name(from.codecpar->codec_id))};
        }
        if (!is_album_cover(from)) {
            left_out.push_back(words_for(from));
        }
    }
    return {};
}

bool VideoOutput::wants_global_header() const noexcept {
    return (output_->oformat->flags & AVFMT_GLOBALHEADER) != 0;
}

Result<void> VideoOutput::begin(const VideoInput& input, const AVCodecContext& encoder) {
    AVStream& to = *output_->streams[track_of_[static_cast<std::size_t>(input.stream()->index)]];
    COLOPHON_ASSERT(avcodec_parameters_from_context(to.codecpar, &encoder) >= 0);
    constexpr std::uint32_t kHvc1 = MKTAG('h', 'v', 'c', '1');
    // Apple's players take HEVC under this name only.
    to.codecpar->codec_tag = encoder.codec_id == AV_CODEC_ID_HEVC ? kHvc1 : 0;
    Options words;
    words.set("movflags", "disable_chpl");
    const int status = avformat_write_header(output_.get(), words.get());
    return status < 0 ? Result<void>(failure("cannot begin the video file", status))
                      : Result<void>();
}

Result<void> VideoOutput::send(AVPacket& packet) {
    packet.pos = -1;
    const int status = av_interleaved_write_frame(output_.get(), &packet);
    return status < 0 ? Result<void>(failure("cannot write the video file", status))
                      : Result<void>();
}

Result<void> VideoOutput::copy(const VideoInput& input, AVPacket& packet) {
    const auto index = static_cast<std::size_t>(packet.stream_index);
    const int track = index < track_of_.size() ? track_of_[index] : -1;
    if (track < 0) {
        return {};
    }
    const AVRational from = input.format()->streams[index]->time_base;
    av_packet_rescale_ts(&packet, from, output_->streams[track]->time_base);
    packet.stream_index = track;
    return send(packet);
}

Result<void> VideoOutput::write(const VideoInput& input, AVPacket& packet) {
    const int track = track_of_[static_cast<std::size_t>(input.stream()->index)];
    av_packet_rescale_ts(&packet, input.stream()->time_base, output_->streams[track]->time_base);
    packet.stream_index = track;
    return send(packet);
}

Result<void> VideoOutput::finish() {
    const int status = av_write_trailer(output_.get());
    if (status < 0) {
        return failure("cannot end the video file", status);
    }
    avio_flush(io_.get());
    return sink_error_ ? Result<void>(*sink_error_) : Result<void>();
}

}  // namespace colophon::media::internal
