// SPDX-License-Identifier: Apache-2.0
#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "media/audio.h"
#include "media/codecs.h"
#include "media/internal/av.h"

#include <fmt/format.h>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/codec.h>
#include <libavcodec/codec_par.h>
#include <libavcodec/packet.h>
#include <libavformat/avformat.h>
#include <libavformat/avio.h>
#include <libavutil/audio_fifo.h>
#include <libavutil/channel_layout.h>
#include <libavutil/dict.h>
#include <libavutil/mem.h>
#include <libavutil/samplefmt.h>
#include <libswresample/swresample.h>
}

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace colophon::media {
namespace internal {
namespace {

constexpr int kFifoFrameSamples = 4096;  // for encoders that take frames of any size

const char* encoder_name(AudioCodec codec) {
    // Samples as they are: only of 16 bits, only for new files.
    constexpr std::array<const char*, 7> kNames{"pcm_s16le", "libmp3lame", "flac", "libvorbis",
                                                "libopus",   "aac",        "alac"};
    return kNames[static_cast<std::size_t>(codec)];
}

// What the encoder is fed with: all bits of lossless sound, floats for the others.
AVSampleFormat sample_format(const AVCodec& codec, const AudioFacts& like) {
    const bool lossless = like.bits > 0;
    const AVSampleFormat wanted =
        !lossless ? AV_SAMPLE_FMT_FLT : (like.bits > 16 ? AV_SAMPLE_FMT_S32 : AV_SAMPLE_FMT_S16);
    for (const AVSampleFormat* f = codec.sample_fmts; *f != AV_SAMPLE_FMT_NONE; ++f) {
        if (av_get_packed_sample_fmt(*f) == wanted) {
            return *f;
        }
    }
    return codec.sample_fmts[0];
}

std::int64_t sane_bit_rate(const AudioFacts& like) {
    // Containers with pictures make the guess of a stream without a stated rate too high.
    const std::uint64_t most =
        std::uint64_t{like.channels} * (like.codec == AudioCodec::kMp3 ? 320'000 : 256'000);
    const std::uint64_t least = std::uint64_t{like.channels} * 8'000;
    return static_cast<std::int64_t>(
        std::clamp(like.bit_rate == 0 ? most / 2 : like.bit_rate, least, most));
}

Result<void> check_bits(const AudioFacts& like) {
    const bool ok = like.bits == 0 || like.bits == 16 || like.bits == 24;
    if (!ok) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("{} with {} bits a sample cannot be written, only 16 and 24",
                                 like.codec_name, like.bits)};
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Sink>> Sink::open(const AudioFacts& like, bool global_header) {
    TRY(load({Codec::kSound}));
    TRY(check_bits(like));
    const char* name = encoder_name(like.codec);
    COLOPHON_ASSERT(name != nullptr);
    const AVCodec* codec = avcodec_find_encoder_by_name(name);
    if (codec == nullptr) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("the FFmpeg libraries here have no encoder {}", name)};
    }
    auto sink = std::make_unique<Sink>();
    sink->encoder_.reset(avcodec_alloc_context3(codec));
    AVCodecContext* encoder = sink->encoder_.get();
    COLOPHON_ASSERT(encoder != nullptr);
    encoder->thread_count = 1;
    encoder->sample_rate = static_cast<int>(like.rate);
    encoder->sample_fmt = sample_format(*codec, like);
    encoder->time_base = {.num = 1, .den = static_cast<int>(like.rate)};
    encoder->flags |= AV_CODEC_FLAG_BITEXACT;
    if (global_header) {
        encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    }
    COLOPHON_ASSERT(av_channel_layout_from_mask(&encoder->ch_layout, like.channel_mask) == 0);
    if (like.bits > 0) {
        encoder->bits_per_raw_sample = static_cast<int>(like.bits);
    } else {
        encoder->bit_rate = sane_bit_rate(like);
    }
    AVDictionary* options = nullptr;
    if (like.codec == AudioCodec::kMp3) {
        av_dict_set(&options, "reservoir", "0", 0);
    }
    const int status = avcodec_open2(encoder, codec, &options);
    av_dict_free(&options);
    if (status < 0) {
        return av_error(ErrorCode::kUnsupported,
                        fmt::format("{} of {} Hz and {} channels cannot be written",
                                    like.codec_name, like.rate, like.channels),
                        status);
    }
    sink->fifo_.reset(av_audio_fifo_alloc(encoder->sample_fmt, encoder->ch_layout.nb_channels, 1));
    COLOPHON_ASSERT(sink->fifo_ != nullptr);
    sink->packet_ = new_packet();
    return sink;
}

// Into the encoder's sample format and the queue.
Result<void> Sink::convert(const AVFrame& frame) {
    if (converter_format_ != frame.format) {
        SwrContext* made = nullptr;
        const int status = swr_alloc_set_opts2(&made, &encoder_->ch_layout, encoder_->sample_fmt,
                                               encoder_->sample_rate, &encoder_->ch_layout,
                                               static_cast<AVSampleFormat>(frame.format),
                                               encoder_->sample_rate, 0, nullptr);
        converter_.reset(made);
        if (status < 0 || swr_init(made) < 0) {
            return Error{ErrorCode::kUnsupported, "cannot convert the sound's samples"};
        }
        converter_format_ = frame.format;
    }
    const AvPtr<AVFrame> out = new_frame();
    out->nb_samples = frame.nb_samples;
    out->format = encoder_->sample_fmt;
    out->sample_rate = encoder_->sample_rate;
    COLOPHON_ASSERT(av_channel_layout_copy(&out->ch_layout, &encoder_->ch_layout) == 0);
    COLOPHON_ASSERT(av_frame_get_buffer(out.get(), 0) == 0);
    const int size =
        swr_convert(converter_.get(), out->extended_data, out->nb_samples,
                    const_cast<const std::uint8_t**>(frame.extended_data), frame.nb_samples);
    COLOPHON_ASSERT(size == frame.nb_samples);
    const int queued = av_audio_fifo_write(
        fifo_.get(), reinterpret_cast<void**>(out->extended_data), out->nb_samples);
    COLOPHON_ASSERT(queued == out->nb_samples);
    return {};
}

Result<void> Sink::encode(AVFrame* frame, const OnPacket& on_packet) {
    int status = avcodec_send_frame(encoder_.get(), frame);
    if (status >= 0) {
        status = avcodec_receive_packet(encoder_.get(), packet_.get());
    }
    while (status >= 0) {
        TRY(on_packet(*packet_));
        status = avcodec_receive_packet(encoder_.get(), packet_.get());
    }
    // The queue is emptied each time, so that only receiving can ask for more.
    if (status == AVERROR(EAGAIN) || status == AVERROR_EOF) {
        return {};
    }
    return av_error(ErrorCode::kUnsupported, "cannot encode the sound", status);
}

Result<void> Sink::encode_ready(bool all, const OnPacket& on_packet) {
    const bool any_size = (encoder_->codec->capabilities & AV_CODEC_CAP_VARIABLE_FRAME_SIZE) != 0;
    const int wanted =
        any_size || encoder_->frame_size <= 0 ? kFifoFrameSamples : encoder_->frame_size;
    for (;;) {
        const int ready = av_audio_fifo_size(fifo_.get());
        if (ready < wanted && (!all || ready == 0)) {
            return {};
        }
        const AvPtr<AVFrame> frame = new_frame();
        frame->nb_samples = std::min(ready, wanted);
        frame->format = encoder_->sample_fmt;
        frame->sample_rate = encoder_->sample_rate;
        frame->pts = position_;
        COLOPHON_ASSERT(av_channel_layout_copy(&frame->ch_layout, &encoder_->ch_layout) == 0);
        COLOPHON_ASSERT(av_frame_get_buffer(frame.get(), 0) == 0);
        av_audio_fifo_read(fifo_.get(), reinterpret_cast<void**>(frame->extended_data),
                           frame->nb_samples);
        position_ += frame->nb_samples;
        TRY(encode(frame.get(), on_packet));
    }
}

Result<void> Sink::push(const AVFrame& frame, const OnPacket& on_packet) {
    TRY(convert(frame));
    return encode_ready(false, on_packet);
}

Result<void> Sink::push(const Pcm& pcm, const OnPacket& on_packet) {
    for (std::size_t at = 0; at < pcm.samples(); at += kFifoFrameSamples) {
        const AvPtr<AVFrame> frame =
            frame_of(pcm, at, std::min<std::size_t>(kFifoFrameSamples, pcm.samples() - at));
        TRY(push(*frame, on_packet));
    }
    return {};
}

Result<void> Sink::finish(const OnPacket& on_packet) {
    TRY(encode_ready(true, on_packet));
    return encode(nullptr, on_packet);
}

namespace {

// A file that grows in memory.
class MemoryWriter {
public:
    static int write(void* self, std::uint8_t* data, int size) {
        auto& writer = *static_cast<MemoryWriter*>(self);
        const auto count = static_cast<std::size_t>(std::max(size, 0));
        if (writer.position_ + count > writer.bytes_.size()) {
            writer.bytes_.resize(writer.position_ + count);
        }
        std::memcpy(writer.bytes_.data() + writer.position_, data, count);
        writer.position_ += count;
        return size;
    }
    static std::int64_t seek(void* self, std::int64_t offset, int whence) {
        auto& writer = *static_cast<MemoryWriter*>(self);
        const auto size = static_cast<std::int64_t>(writer.bytes_.size());
        if (whence == AVSEEK_SIZE) {
            return size;
        }
        std::int64_t target = offset;
        if (whence == SEEK_CUR) {
            target += static_cast<std::int64_t>(writer.position_);
        } else if (whence == SEEK_END) {
            target += size;
        }
        if (target < 0 || target > size) {
            return AVERROR(EINVAL);
        }
        writer.position_ = static_cast<std::size_t>(target);
        return target;
    }
    std::size_t size() const noexcept { return bytes_.size(); }
    Buffer take() { return std::move(bytes_); }

private:
    Buffer bytes_;
    std::size_t position_ = 0;
};

struct FreeMuxer {
    void operator()(AVFormatContext* muxer) const noexcept { avformat_free_context(muxer); }
};

// A container with one stream of sound and no tags.
class Muxer {
public:
    static Result<std::unique_ptr<Muxer>> open(AudioContainer container) {
        constexpr std::array<const char*, 5> kNames{"wav", "mp3", "flac", "ogg", "ipod"};
        auto muxer = std::make_unique<Muxer>();
        AVFormatContext* made = nullptr;
        const int status = avformat_alloc_output_context2(
            &made, nullptr, kNames[static_cast<std::size_t>(container)], nullptr);
        muxer->muxer_.reset(made);
        if (status < 0) {
            return av_error(ErrorCode::kUnsupported, "cannot write this container", status);
        }
        constexpr int kBytes = 1 << 16;
        auto* buffer = static_cast<unsigned char*>(av_malloc(kBytes));
        COLOPHON_ASSERT(buffer != nullptr);
        muxer->io_.reset(avio_alloc_context(buffer, kBytes, 1, &muxer->writer_, nullptr,
                                            MemoryWriter::write, MemoryWriter::seek));
        made->pb = muxer->io_.get();
        // The same input gives the same bytes: no versions, no times, no random serial numbers.
        made->flags |= AVFMT_FLAG_BITEXACT | AVFMT_FLAG_CUSTOM_IO;
        muxer->stream_ = avformat_new_stream(made, nullptr);
        COLOPHON_ASSERT(muxer->stream_ != nullptr);
        return muxer;
    }

    AVStream* stream() const noexcept { return stream_; }
    bool global_header() const noexcept {
        return (muxer_->oformat->flags & AVFMT_GLOBALHEADER) != 0;
    }

    Result<void> start(AVRational time_base) {
        time_base_ = time_base;
        stream_->time_base = time_base;
        const int status = avformat_write_header(muxer_.get(), nullptr);
        if (status < 0) {
            return av_error(ErrorCode::kUnsupported, "cannot write the sound's container", status);
        }
        return {};
    }

    Result<void> write(AVPacket& packet) {
        packet.stream_index = 0;
        av_packet_rescale_ts(&packet, time_base_, stream_->time_base);
        const int status = av_write_frame(muxer_.get(), &packet);
        if (status < 0) {
            return av_error(ErrorCode::kUnsupported, "cannot write the sound", status);
        }
        if (writer_.size() > limits::kAudioCodedBytesMax) {
            return Error{ErrorCode::kLimit, fmt::format("the sound coded again is larger than {} "
                                                        "bytes",
                                                        limits::kAudioCodedBytesMax)};
        }
        return {};
    }

    Result<Buffer> finish() {
        const int status = av_write_trailer(muxer_.get());
        if (status < 0) {
            return av_error(ErrorCode::kUnsupported, "cannot finish the sound's container", status);
        }
        avio_flush(io_.get());
        return writer_.take();
    }

private:
    MemoryWriter writer_;
    AvPtr<AVIOContext> io_;
    std::unique_ptr<AVFormatContext, FreeMuxer> muxer_;
    AVStream* stream_ = nullptr;
    AVRational time_base_{0, 1};
};

// Writes packets that did not come from FFmpeg, one after the other.
Result<void> write_packets(Muxer& muxer, const std::vector<CodedPacket>& packets,
                           std::int64_t& position) {
    for (const CodedPacket& coded : packets) {
        const AvPtr<AVPacket> packet = new_packet();
        COLOPHON_ASSERT(av_new_packet(packet.get(), static_cast<int>(coded.bytes.size())) == 0);
        std::memcpy(packet->data, coded.bytes.data(), coded.bytes.size());
        packet->pts = position;
        packet->dts = position;
        packet->duration = coded.samples;
        packet->flags |= AV_PKT_FLAG_KEY;
        position += coded.samples;
        TRY(muxer.write(*packet));
    }
    return {};
}

// The file's own packets at their own distances, from `position` on.
Result<void> write_source(Muxer& muxer, Source& source, std::int64_t& position) {
    const AVRational samples{1, static_cast<int>(source.facts().rate)};
    const AVRational from = source.stream()->time_base;
    for (;;) {
        AVPacket* packet = TRY(source.next_packet());
        if (packet == nullptr) {
            return {};
        }
        const std::int64_t duration = av_rescale_q(packet->duration, from, samples);
        if (duration <= 0 || duration > (1 << 20)) {
            return Error{ErrorCode::kCorrupt, "a coded frame of the sound has no duration"};
        }
        packet->pts = position;
        packet->dts = position;
        packet->duration = duration;
        // Notes on what to skip belong to the old place in time.
        av_packet_free_side_data(packet);
        position += duration;
        TRY(muxer.write(*packet));
    }
}

}  // namespace
}  // namespace internal

// The analyser loses sight of the unique_ptr inside a Result and takes it for leaked.
// NOLINTBEGIN(clang-analyzer-cplusplus.NewDeleteLeaks)
Result<CodedSound> encode_like(const Pcm& pcm, const AudioFacts& like) {
    COLOPHON_ASSERT(pcm.rate == like.rate && pcm.planes.size() == like.channels);
    const auto sink = TRY(internal::Sink::open(like, true));
    CodedSound out;
    const auto on_packet = [&](AVPacket& packet) -> Result<void> {
        if (packet.size > 0) {
            const int samples = sink->encoder()->frame_size;
            out.packets.push_back({.bytes = Buffer(packet.data, packet.data + packet.size),
                                   .samples = static_cast<std::uint32_t>(std::max(samples, 0))});
        }
        return {};
    };
    TRY(sink->push(pcm, on_packet));
    TRY(sink->finish(on_packet));
    const AVCodecContext& encoder = *sink->encoder();
    out.delay_samples = static_cast<std::uint32_t>(std::max(encoder.initial_padding, 0));
    if (encoder.extradata_size > 0) {
        out.setup.assign(encoder.extradata, encoder.extradata + encoder.extradata_size);
    }
    return out;
}

Result<Buffer> reencode(Bytes file, AudioContainer container, const Pcm& before, const Pcm& after) {
    const auto source = TRY(internal::Source::open(file, container));
    const auto muxer = TRY(internal::Muxer::open(container));
    const auto sink = TRY(internal::Sink::open(source->facts(), muxer->global_header()));
    COLOPHON_ASSERT(avcodec_parameters_from_context(muxer->stream()->codecpar, sink->encoder()) >=
                    0);
    TRY(muxer->start(sink->encoder()->time_base));
    const auto on_packet = [&](AVPacket& packet) { return muxer->write(packet); };
    TRY(sink->push(before, on_packet));
    for (;;) {
        const AVFrame* frame = TRY(source->next_frame());
        if (frame == nullptr) {
            break;
        }
        TRY(sink->push(*frame, on_packet));
    }
    TRY(sink->push(after, on_packet));
    TRY(sink->finish(on_packet));
    return muxer->finish();
}

Result<Buffer> write_sound(const Pcm& pcm, AudioContainer container, const AudioFacts& like) {
    AudioFacts facts = like;
    facts.rate = pcm.rate;
    facts.channel_mask = pcm.channel_mask;
    facts.channels = static_cast<std::uint32_t>(pcm.planes.size());
    TRY(load({Codec::kSound}));
    const auto muxer = TRY(internal::Muxer::open(container));
    const auto sink = TRY(internal::Sink::open(facts, muxer->global_header()));
    COLOPHON_ASSERT(avcodec_parameters_from_context(muxer->stream()->codecpar, sink->encoder()) >=
                    0);
    TRY(muxer->start(sink->encoder()->time_base));
    const auto on_packet = [&](AVPacket& packet) { return muxer->write(packet); };
    TRY(sink->push(pcm, on_packet));
    TRY(sink->finish(on_packet));
    return muxer->finish();
}
// NOLINTEND(clang-analyzer-cplusplus.NewDeleteLeaks)

Result<Buffer> remux_mp4(Bytes file, const CodedSound& before, const CodedSound& after) {
    const auto source = TRY(internal::Source::open(file, AudioContainer::kMp4));
    const auto muxer = TRY(internal::Muxer::open(AudioContainer::kMp4));
    COLOPHON_ASSERT(
        avcodec_parameters_copy(muxer->stream()->codecpar, source->stream()->codecpar) >= 0);
    muxer->stream()->codecpar->codec_tag = 0;
    const AVRational samples{1, static_cast<int>(source->facts().rate)};
    TRY(muxer->start(samples));
    // What the first coder yields before its sound stands at negative times, which the edit list
    // of the new file leaves out.
    std::int64_t position =
        before.packets.empty()
            ? av_rescale_q(std::min<std::int64_t>(source->stream()->start_time, 0),
                           source->stream()->time_base, samples)
            : -std::int64_t{before.delay_samples};
    TRY(internal::write_packets(*muxer, before.packets, position));
    TRY(internal::write_source(*muxer, *source, position));
    TRY(internal::write_packets(*muxer, after.packets, position));
    return muxer->finish();
}

}  // namespace colophon::media
