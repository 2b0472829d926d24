// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sound in memory, and its way from and to files: WAV, MP3, FLAC, Ogg Vorbis, Ogg Opus and MP4
// audio through the FFmpeg libraries.
//
// It runs in the locked worker: nothing here opens a file, a socket or a process, starts a thread
// or prints. The caller names the container, and only the demuxer of that container and a short
// list of decoders are ever reached, so that hostile bytes cannot choose an exotic one.
// Errors: kCorrupt for bytes that do not decode, kUnsupported for codecs outside the list, kLimit
// for limits::kAudio*.

#include "core/bytes.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace colophon::media {

enum class AudioContainer : std::uint8_t { kWav, kMp3, kFlac, kOgg, kMp4 };

enum class AudioCodec : std::uint8_t { kPcm, kMp3, kFlac, kVorbis, kOpus, kAac, kAlac };

// Bits of a channel mask as in WAVEFORMATEXTENSIBLE; planes stand in the order of their bits.
inline constexpr std::uint64_t kFrontLeft = 0x1;
inline constexpr std::uint64_t kFrontRight = 0x2;
inline constexpr std::uint64_t kFrontCentre = 0x4;
inline constexpr std::uint64_t kLowFrequency = 0x8;

struct AudioFacts {
    AudioCodec codec = AudioCodec::kPcm;
    std::string codec_name;           // FFmpeg's name: "pcm_s16le", "aac"
    int profile = -1;                 // of AAC: 1 is LC; -1 unknown
    std::uint32_t rate = 0;           // samples a second, 1 .. limits::kAudioRateMax
    std::uint32_t channels = 0;       // 1 .. limits::kAudioChannelsMax
    std::uint64_t channel_mask = 0;   // `channels` bits set; guessed where the file is silent
    std::uint32_t bits = 0;           // of one sample in lossless codecs, 0 in lossy ones
    std::uint64_t bit_rate = 0;       // bits a second of the sound stream, 0 when unknown
    std::uint32_t frame_samples = 0;  // samples a coded frame, 0 when it varies
    double seconds = 0;               // as the container says, 0 when it does not
    std::uint32_t streams = 0;        // of all kinds in the file
    Buffer codec_setup;               // AudioSpecificConfig, OpusHead, ...
};

// Samples of -1 .. 1, one plane a channel, all planes of one length.
struct Pcm {
    std::uint32_t rate = 0;
    std::uint64_t channel_mask = 0;
    std::vector<std::vector<float>> planes;

    std::size_t samples() const noexcept { return planes.empty() ? 0 : planes.front().size(); }
    double seconds() const noexcept {
        return rate == 0 ? 0.0 : static_cast<double>(samples()) / rate;
    }
};

Result<AudioFacts> probe_audio(Bytes file, AudioContainer container);

// The first or the last `seconds` (all, when the sound is shorter). Only the needed part is
// decoded, and bytes beyond it may be broken. Samples before the container's start time (encoder
// delay) are left out where the container tells them.
Result<Pcm> decode_head(Bytes file, AudioContainer container, double seconds);
Result<Pcm> decode_tail(Bytes file, AudioContainer container, double seconds);

// All of the sound as one channel (the mean of its channels) of that rate, in 16 bits, handed over
// piece by piece as it is decoded, so that its length costs no memory.
using TakeSamples = std::function<void(std::span<const std::int16_t> samples)>;
Result<void> read_mono(Bytes file, AudioContainer container, std::uint32_t rate,
                       const TakeSamples& take);

// The same of a video's sound, its first where there are several; false, and nothing taken, when it
// has none.
enum class VideoContainer : std::uint8_t;  // media/video.h
Result<bool> read_mono(Bytes file, VideoContainer container, std::uint32_t rate,
                       const TakeSamples& take);

// Another rate, same channels, with an anti-alias filter.
Result<Pcm> resample(const Pcm& pcm, std::uint32_t rate);

// One coded frame of a codec, as it stands in a container.
struct CodedPacket {
    Buffer bytes;
    std::uint32_t samples = 0;
};

struct CodedSound {
    std::vector<CodedPacket> packets;
    Buffer setup;                     // of this encoder: compare with AudioFacts::codec_setup
    std::uint32_t delay_samples = 0;  // that a decoder yields before the first sample of the input
};

// The sound in the codec, rate, channels and bit rate of `like`; `pcm` has its rate and mask.
// MP3 frames are made without a bit reservoir, so that each can stand beside foreign frames.
Result<CodedSound> encode_like(const Pcm& pcm, const AudioFacts& like);

// before + the sound of the file + after, decoded and encoded again with the file's own codec,
// rate, channels, sample depth and bit rate, in a fresh container without tags. Lossless codecs
// keep every sample. Memory: the coded result and one frame.
Result<Buffer> reencode(Bytes file, AudioContainer container, const Pcm& before, const Pcm& after);

// A new file of this sound, coded as `like` says (codec, bit rate, bits; its rate and channels are
// those of `pcm`), without tags.
Result<Buffer> write_sound(const Pcm& pcm, AudioContainer container, const AudioFacts& like);

// An MP4 file (no tags, movie box last) of the coded packets of `before`, of the file, unchanged,
// and of `after`. The codec setup is the file's.
Result<Buffer> remux_mp4(Bytes file, const CodedSound& before, const CodedSound& after);

}  // namespace colophon::media
