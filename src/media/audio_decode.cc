// SPDX-License-Identifier: Apache-2.0
#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "media/audio.h"
#include "media/codecs.h"
#include "media/internal/av.h"
#include "media/internal/video_input.h"
#include "media/video.h"

#include <fmt/format.h>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/codec.h>
#include <libavcodec/codec_id.h>
#include <libavcodec/defs.h>
#include <libavcodec/packet.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/dict.h>
#include <libavutil/opt.h>
#include <libavutil/samplefmt.h>
#include <libswresample/swresample.h>
}

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace colophon::media {
namespace internal {
namespace {

// A packet that does not decode is passed over (a cut MP3 begins with one); so many in a row mean
// that the rest is not sound.
constexpr unsigned kFailuresMax = 64;

const char* demuxer_name(AudioContainer container) {
    constexpr std::array<const char*, 5> kNames{"wav", "mp3", "flac", "ogg", "mov"};
    return kNames[static_cast<std::size_t>(container)];
}

struct CodecRow {
    AVCodecID id;
    AudioCodec codec;
};

constexpr std::array kCodecs{
    CodecRow{.id = AV_CODEC_ID_MP3, .codec = AudioCodec::kMp3},
    CodecRow{.id = AV_CODEC_ID_FLAC, .codec = AudioCodec::kFlac},
    CodecRow{.id = AV_CODEC_ID_VORBIS, .codec = AudioCodec::kVorbis},
    CodecRow{.id = AV_CODEC_ID_OPUS, .codec = AudioCodec::kOpus},
    CodecRow{.id = AV_CODEC_ID_AAC, .codec = AudioCodec::kAac},
    CodecRow{.id = AV_CODEC_ID_ALAC, .codec = AudioCodec::kAlac},
    CodecRow{.id = AV_CODEC_ID_PCM_U8, .codec = AudioCodec::kPcm},
    CodecRow{.id = AV_CODEC_ID_PCM_S16LE, .codec = AudioCodec::kPcm},
    CodecRow{.id = AV_CODEC_ID_PCM_S24LE, .codec = AudioCodec::kPcm},
    CodecRow{.id = AV_CODEC_ID_PCM_S32LE, .codec = AudioCodec::kPcm},
    CodecRow{.id = AV_CODEC_ID_PCM_F32LE, .codec = AudioCodec::kPcm},
    CodecRow{.id = AV_CODEC_ID_PCM_F64LE, .codec = AudioCodec::kPcm},
    CodecRow{.id = AV_CODEC_ID_PCM_MULAW, .codec = AudioCodec::kPcm},
    CodecRow{.id = AV_CODEC_ID_PCM_ALAW, .codec = AudioCodec::kPcm},
};

const CodecRow* find_codec(AVCodecID id) {
    const auto* row = std::ranges::find(kCodecs, id, &CodecRow::id);
    return row == kCodecs.end() ? nullptr : row;
}

std::uint64_t mask_of(const AVChannelLayout& layout) {
    if (layout.order == AV_CHANNEL_ORDER_NATIVE) {
        return layout.u.mask;
    }
    AVChannelLayout guess{};
    av_channel_layout_default(&guess, layout.nb_channels);
    const std::uint64_t mask = guess.order == AV_CHANNEL_ORDER_NATIVE ? guess.u.mask : 0;
    av_channel_layout_uninit(&guess);
    // No usual layout has so many channels: any bits will do, their number counts.
    return mask != 0 ? mask : (std::uint64_t{1} << static_cast<unsigned>(layout.nb_channels)) - 1;
}

template <class T>
float to_float(T value) {
    if constexpr (std::is_same_v<T, std::uint8_t>) {
        return static_cast<float>(value - 128) / 128.0F;
    } else if constexpr (std::is_same_v<T, std::int16_t>) {
        return static_cast<float>(value) / 32768.0F;
    } else if constexpr (std::is_same_v<T, std::int32_t>) {
        return static_cast<float>(static_cast<double>(value) / 2147483648.0);
    } else {
        return static_cast<float>(value);
    }
}

template <class T>
void append_samples(Pcm& pcm, const AVFrame& frame, bool planar) {
    const std::size_t channels = pcm.planes.size();
    const auto size = static_cast<std::size_t>(frame.nb_samples);
    for (std::size_t c = 0; c < channels; ++c) {
        const std::uint8_t* from = frame.extended_data[planar ? c : 0];
        const std::size_t stride = planar ? 1 : channels;
        std::vector<float>& plane = pcm.planes[c];
        const std::size_t old = plane.size();
        plane.resize(old + size);
        for (std::size_t i = 0; i < size; ++i) {
            T value{};
            std::memcpy(&value, from + (i * stride + (planar ? 0 : c)) * sizeof(T), sizeof(T));
            const float sample = to_float(value);
            // Float files may hold anything, also what is no number.
            plane[old + i] = sample >= -16.0F && sample <= 16.0F ? sample : 0.0F;
        }
    }
}

}  // namespace

void append_frame(Pcm& pcm, const AVFrame& frame) {
    const auto format = static_cast<AVSampleFormat>(frame.format);
    const bool planar = av_sample_fmt_is_planar(format) != 0;
    switch (av_get_packed_sample_fmt(format)) {
        case AV_SAMPLE_FMT_U8:
            append_samples<std::uint8_t>(pcm, frame, planar);
            break;
        case AV_SAMPLE_FMT_S16:
            append_samples<std::int16_t>(pcm, frame, planar);
            break;
        case AV_SAMPLE_FMT_S32:
            append_samples<std::int32_t>(pcm, frame, planar);
            break;
        case AV_SAMPLE_FMT_FLT:
            append_samples<float>(pcm, frame, planar);
            break;
        case AV_SAMPLE_FMT_DBL:
            append_samples<double>(pcm, frame, planar);
            break;
        default:
            COLOPHON_ASSERT(false);
    }
}

AvPtr<AVFrame> frame_of(const Pcm& pcm, std::size_t start, std::size_t size) {
    COLOPHON_ASSERT(start + size <= pcm.samples());
    AvPtr<AVFrame> frame = new_frame();
    frame->nb_samples = static_cast<int>(size);
    frame->format = AV_SAMPLE_FMT_FLTP;
    frame->sample_rate = static_cast<int>(pcm.rate);
    COLOPHON_ASSERT(av_channel_layout_from_mask(&frame->ch_layout, pcm.channel_mask) == 0);
    COLOPHON_ASSERT(av_frame_get_buffer(frame.get(), 0) == 0);
    for (std::size_t c = 0; c < pcm.planes.size(); ++c) {
        std::memcpy(frame->extended_data[c], pcm.planes[c].data() + start, size * sizeof(float));
    }
    return frame;
}

Result<std::unique_ptr<Source>> Source::open(Bytes file, AudioContainer container) {
    auto source = open(
        file,
        {.demuxer = demuxer_name(container), .decoders = nullptr, .what = "cannot open the sound"});
    if (!source.ok() && source.error().code == ErrorCode::kNotFound) {
        return Error{ErrorCode::kUnsupported, source.error().what};
    }
    return source;
}

Result<std::unique_ptr<Source>> Source::open(Bytes file, VideoContainer container) {
    // Its pictures are not looked at, not even for what they are.
    constexpr const char* kDecoders =
        "mp3,mp3float,flac,vorbis,opus,libopus,aac,alac,pcm_u8,pcm_s16le,pcm_s24le,pcm_s32le,"
        "pcm_f32le,pcm_f64le,pcm_mulaw,pcm_alaw";
    return open(file, {.demuxer = video_demuxer_name(container),
                       .decoders = kDecoders,
                       .what = "cannot open the sound"});
}

Result<std::unique_ptr<Source>> Source::open(Bytes file, const Demuxing& how) {
    TRY(load({Codec::kSound}));
    auto source = std::make_unique<Source>(file);
    TRY(source->open_container(how));
    TRY(source->open_decoder());
    TRY(source->describe(file.size()));
    return source;
}

Result<void> Source::open_container(const Demuxing& how) {
    OpenedMemory opened = TRY(open_memory(reader_, how));
    io_ = std::move(opened.io);
    input_ = std::move(opened.input);
    for (unsigned i = 0; i < input_->nb_streams; ++i) {
        if (input_->streams[i]->codecpar->codec_type != AVMEDIA_TYPE_AUDIO) {
            input_->streams[i]->discard = AVDISCARD_ALL;
        }
    }
    const int status = avformat_find_stream_info(input_.get(), nullptr);
    if (status < 0) {
        return av_error(ErrorCode::kCorrupt, "cannot read the sound's format", status);
    }
    const int index = av_find_best_stream(input_.get(), AVMEDIA_TYPE_AUDIO, -1, -1, nullptr, 0);
    if (index < 0) {
        return Error{ErrorCode::kNotFound, "the file has no sound"};
    }
    stream_ = input_->streams[index];
    for (unsigned i = 0; i < input_->nb_streams; ++i) {
        if (static_cast<int>(i) != index) {
            input_->streams[i]->discard = AVDISCARD_ALL;
        }
    }
    return {};
}

Result<void> Source::open_decoder() {
    const AVCodecParameters& parameters = *stream_->codecpar;
    const CodecRow* row = find_codec(parameters.codec_id);
    if (row == nullptr) {
        return Error{ErrorCode::kUnsupported, fmt::format("sound in the codec {} is not supported",
                                                          avcodec_get_name(parameters.codec_id))};
    }
    facts_.codec = row->codec;
    const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
    COLOPHON_ASSERT(codec != nullptr);
    decoder_.reset(avcodec_alloc_context3(codec));
    COLOPHON_ASSERT(decoder_ != nullptr);
    int status = avcodec_parameters_to_context(decoder_.get(), &parameters);
    decoder_->thread_count = 1;
    decoder_->pkt_timebase = stream_->time_base;
    if (status >= 0) {
        status = avcodec_open2(decoder_.get(), codec, nullptr);
    }
    if (status < 0) {
        return av_error(ErrorCode::kCorrupt, "cannot open the sound's decoder", status);
    }
    packet_ = new_packet();
    frame_ = new_frame();
    return {};
}

Result<void> Source::describe(std::size_t file_bytes) {
    const AVCodecParameters& parameters = *stream_->codecpar;
    const int channels = parameters.ch_layout.nb_channels;
    if (parameters.sample_rate < 1 || channels < 1) {
        return Error{ErrorCode::kCorrupt, "the sound has no sampling rate or no channels"};
    }
    if (static_cast<std::uint32_t>(parameters.sample_rate) > limits::kAudioRateMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("the sampling rate is {} (at most {} are supported)",
                                 parameters.sample_rate, limits::kAudioRateMax)};
    }
    if (static_cast<std::uint32_t>(channels) > limits::kAudioChannelsMax) {
        return Error{ErrorCode::kLimit, fmt::format("the sound has {} channels (at most {})",
                                                    channels, limits::kAudioChannelsMax)};
    }
    facts_.codec_name = avcodec_get_name(parameters.codec_id);
    facts_.profile = parameters.profile;
    facts_.rate = static_cast<std::uint32_t>(parameters.sample_rate);
    facts_.channels = static_cast<std::uint32_t>(channels);
    facts_.channel_mask = mask_of(parameters.ch_layout);
    if (std::popcount(facts_.channel_mask) != channels) {
        return Error{ErrorCode::kCorrupt, "the sound's channels and their places disagree"};
    }
    facts_.frame_samples = static_cast<std::uint32_t>(std::max(parameters.frame_size, 0));
    facts_.streams = input_->nb_streams;
    const bool lossless = facts_.codec == AudioCodec::kPcm || facts_.codec == AudioCodec::kFlac ||
                          facts_.codec == AudioCodec::kAlac;
    if (lossless) {
        const int bits = std::max(parameters.bits_per_raw_sample, parameters.bits_per_coded_sample);
        facts_.bits = static_cast<std::uint32_t>(std::max(bits, 0));
    }
    const std::int64_t duration = input_->duration;
    facts_.seconds =
        duration > 0 ? static_cast<double>(duration) / static_cast<double>(AV_TIME_BASE) : 0.0;
    if (parameters.bit_rate > 0) {
        facts_.bit_rate = static_cast<std::uint64_t>(parameters.bit_rate);
    } else if (facts_.seconds > 0) {
        facts_.bit_rate =
            static_cast<std::uint64_t>(static_cast<double>(file_bytes) * 8.0 / facts_.seconds);
    }
    if (parameters.extradata_size > 0) {
        facts_.codec_setup.assign(parameters.extradata,
                                  parameters.extradata + parameters.extradata_size);
    }
    return {};
}

Result<AVPacket*> Source::next_packet() {
    for (;;) {
        av_packet_unref(packet_.get());
        const int status = av_read_frame(input_.get(), packet_.get());
        if (status == AVERROR_EOF) {
            return static_cast<AVPacket*>(nullptr);
        }
        if (status < 0) {
            return av_error(ErrorCode::kCorrupt, "cannot read the sound", status);
        }
        if (packet_->stream_index == stream_->index) {
            return packet_.get();
        }
    }
}

// Gives the decoder one more packet, or tells it that there are no more.
Result<void> Source::feed() {
    AVPacket* packet = TRY(next_packet());
    if (packet == nullptr) {
        drained_ = true;
    }
    const int status = avcodec_send_packet(decoder_.get(), packet);
    if (status >= 0 || status == AVERROR_EOF) {
        return {};
    }
    if (++failures_ > kFailuresMax) {
        return av_error(ErrorCode::kCorrupt, "cannot decode the sound", status);
    }
    return {};
}

// Compressed silence costs a few bytes a second: the size of the file says nothing about the work.
Result<void> Source::check_length() const {
    if (samples_ / facts_.rate > limits::kAudioSecondsMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("the sound is longer than {} seconds", limits::kAudioSecondsMax)};
    }
    if (samples_ * facts_.channels > limits::kAudioDecodedSamplesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("the sound has more than {} samples in {} channels",
                                 limits::kAudioDecodedSamplesMax, facts_.channels)};
    }
    return {};
}

// Decodes into frame_, which stays without samples where a packet does not decode; false at the
// end.
Result<bool> Source::receive() {
    int status = avcodec_receive_frame(decoder_.get(), frame_.get());
    while (status == AVERROR(EAGAIN) && !drained_) {
        TRY(feed());
        status = avcodec_receive_frame(decoder_.get(), frame_.get());
    }
    if (status == AVERROR_EOF || status == AVERROR(EAGAIN)) {
        return false;
    }
    if (status >= 0) {
        failures_ = 0;
        return true;
    }
    if (++failures_ > kFailuresMax) {
        return av_error(ErrorCode::kCorrupt, "cannot decode the sound", status);
    }
    frame_->nb_samples = 0;
    return true;
}

Result<AVFrame*> Source::next_frame() {
    do {
        const bool more = TRY(receive());
        if (!more) {
            return static_cast<AVFrame*>(nullptr);
        }
    } while (frame_->nb_samples <= 0);
    if (frame_->sample_rate != static_cast<int>(facts_.rate) ||
        frame_->ch_layout.nb_channels != static_cast<int>(facts_.channels)) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("the sound changes its sampling rate or channels after {} "
                                 "samples",
                                 samples_)};
    }
    samples_ += static_cast<std::uint64_t>(frame_->nb_samples);
    TRY(check_length());
    return frame_.get();
}

void Source::seek(double seconds) {
    const auto target = static_cast<std::int64_t>(seconds * AV_TIME_BASE);
    if (av_seek_frame(input_.get(), -1, target, AVSEEK_FLAG_BACKWARD) >= 0) {
        avcodec_flush_buffers(decoder_.get());
        drained_ = false;
    }
}

}  // namespace internal

namespace {

Pcm empty_pcm(const AudioFacts& facts) {
    Pcm pcm;
    pcm.rate = facts.rate;
    pcm.channel_mask = facts.channel_mask;
    pcm.planes.resize(facts.channels);
    return pcm;
}

std::size_t samples_in(double seconds, const AudioFacts& facts) {
    return static_cast<std::size_t>(std::max(seconds, 0.0) * facts.rate);
}

// Keeps the last `size` samples; done seldom, so that the cost stays linear.
void keep_last(Pcm& pcm, std::size_t size) {
    for (std::vector<float>& plane : pcm.planes) {
        if (plane.size() > size) {
            plane.erase(plane.begin(), plane.end() - static_cast<std::ptrdiff_t>(size));
        }
    }
}

Result<void> append_within_limit(Pcm& pcm, const AVFrame& frame) {
    const std::uint64_t samples = pcm.samples() + static_cast<std::uint64_t>(frame.nb_samples);
    if (samples * pcm.planes.size() > limits::kAudioHeldSamplesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("{} channels at {} Hz are more than can be held: at most {} "
                                 "samples",
                                 pcm.planes.size(), pcm.rate, limits::kAudioHeldSamplesMax)};
    }
    internal::append_frame(pcm, frame);
    return {};
}

Result<Pcm> decode_rest(internal::Source& source, std::size_t size) {
    Pcm pcm = empty_pcm(source.facts());
    for (;;) {
        const AVFrame* frame = TRY(source.next_frame());
        if (frame == nullptr) {
            break;
        }
        TRY(append_within_limit(pcm, *frame));
        if (pcm.samples() > size + size / 4 + (1U << 16U)) {
            keep_last(pcm, size);
        }
    }
    keep_last(pcm, size);
    return pcm;
}

}  // namespace

Result<AudioFacts> probe_audio(Bytes file, AudioContainer container) {
    return TRY(internal::Source::open(file, container))->facts();
}

Result<Pcm> decode_head(Bytes file, AudioContainer container, double seconds) {
    const auto source = TRY(internal::Source::open(file, container));
    Pcm pcm = empty_pcm(source->facts());
    const std::size_t size = samples_in(seconds, source->facts());
    while (pcm.samples() < size) {
        const AVFrame* frame = TRY(source->next_frame());
        if (frame == nullptr) {
            break;
        }
        TRY(append_within_limit(pcm, *frame));
    }
    for (std::vector<float>& plane : pcm.planes) {
        plane.resize(std::min(plane.size(), size));
    }
    return pcm;
}

Result<Pcm> decode_tail(Bytes file, AudioContainer container, double seconds) {
    const auto source = TRY(internal::Source::open(file, container));
    const std::size_t size = samples_in(seconds, source->facts());
    // Durations of files without an index are guesses, so the seek aims well before the tail.
    const double target = source->facts().seconds * 0.95 - 2 * seconds;
    if (target <= 0) {
        return decode_rest(*source, size);
    }
    source->seek(target);
    Pcm pcm = TRY(decode_rest(*source, size));
    if (pcm.samples() == size) {
        return pcm;
    }
    // The guess was beyond the end: everything is decoded.
    return decode_rest(*TRY(internal::Source::open(file, container)), size);
}

Result<Pcm> resample(const Pcm& pcm, std::uint32_t rate) {
    TRY(load({Codec::kSound}));
    if (rate == pcm.rate || pcm.samples() == 0) {
        Pcm same = pcm;
        same.rate = rate;
        return same;
    }
    if (rate < 1 || rate > limits::kAudioRateMax) {
        return Error{ErrorCode::kInvalidArgument, fmt::format("no sampling rate: {}", rate)};
    }
    const std::size_t capacity = pcm.samples() * rate / pcm.rate + 4096;
    if (std::uint64_t{std::max(pcm.samples(), capacity)} * pcm.planes.size() >
        limits::kAudioHeldSamplesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("the sound has too many samples at {} Hz", rate)};
    }
    AVChannelLayout layout{};
    COLOPHON_ASSERT(av_channel_layout_from_mask(&layout, pcm.channel_mask) == 0);
    SwrContext* made = nullptr;
    int status =
        swr_alloc_set_opts2(&made, &layout, AV_SAMPLE_FMT_FLTP, static_cast<int>(rate), &layout,
                            AV_SAMPLE_FMT_FLTP, static_cast<int>(pcm.rate), 0, nullptr);
    const internal::AvPtr<SwrContext> resampler(made);
    if (status >= 0) {
        status = swr_init(made);
    }
    if (status < 0) {
        return internal::av_error(ErrorCode::kUnsupported, "cannot change the sampling rate",
                                  status);
    }
    Pcm out;
    out.rate = rate;
    out.channel_mask = pcm.channel_mask;
    out.planes.assign(pcm.planes.size(), std::vector<float>(capacity));
    std::vector<std::uint8_t*> to;
    std::vector<const std::uint8_t*> from;
    for (std::size_t c = 0; c < pcm.planes.size(); ++c) {
        to.push_back(reinterpret_cast<std::uint8_t*>(out.planes[c].data()));
        from.push_back(reinterpret_cast<const std::uint8_t*>(pcm.planes[c].data()));
    }
    const int first = swr_convert(made, to.data(), static_cast<int>(capacity), from.data(),
                                  static_cast<int>(pcm.samples()));
    COLOPHON_ASSERT(first >= 0);
    for (std::uint8_t*& plane : to) {
        plane += static_cast<std::size_t>(first) * sizeof(float);
    }
    const int last = swr_convert(
        made, to.data(), static_cast<int>(capacity - static_cast<std::size_t>(first)), nullptr, 0);
    COLOPHON_ASSERT(last >= 0);
    for (std::vector<float>& plane : out.planes) {
        plane.resize(static_cast<std::size_t>(first) + static_cast<std::size_t>(last));
    }
    return out;
}

}  // namespace colophon::media
