// SPDX-License-Identifier: Apache-2.0
#pragma once

// What media/audio*.cc share: owners of FFmpeg's objects, a demuxer with its decoder on memory, and
// an encoder. The libraries' headers are included only by the .cc files.

#include "core/bytes.h"
#include "media/audio.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

struct AVAudioFifo;
struct AVCodecContext;
struct AVFormatContext;
struct AVFrame;
struct AVIOContext;
struct AVPacket;
struct AVStream;
struct SwrContext;

namespace colophon::media::internal {

struct AvFree {
    void operator()(AVAudioFifo* fifo) const noexcept;
    void operator()(AVCodecContext* codec) const noexcept;
    void operator()(AVFormatContext* input) const noexcept;
    void operator()(AVFrame* frame) const noexcept;
    void operator()(AVIOContext* io) const noexcept;
    void operator()(AVPacket* packet) const noexcept;
    void operator()(SwrContext* resampler) const noexcept;
};
template <class T>
using AvPtr = std::unique_ptr<T, AvFree>;

// "cannot decode the sound: Invalid data found when processing input"
Error av_error(ErrorCode code, const std::string& what, int status);

// FFmpeg objects that could not be made are a lack of memory, which ends the process like any
// other failed allocation.
AvPtr<AVFrame> new_frame();
AvPtr<AVPacket> new_packet();

// A reader of memory. Neither copied nor moved: FFmpeg holds its address.
class MemoryReader {
public:
    explicit MemoryReader(Bytes bytes) : bytes_(bytes) {}
    int read(std::uint8_t* out, int size);
    std::int64_t seek(std::int64_t offset, int whence);

private:
    Bytes bytes_;
    std::size_t position_ = 0;
};

// How a container in memory is opened: by the demuxer of that name and never another.
struct Demuxing {
    const char* demuxer;
    // The only ones that looking for its streams may use, with commas between them; nullptr: any.
    const char* decoders;
    const char* what;  // of an error: "cannot open the video"
};
// `io` must outlive `input`, and the reader both.
struct OpenedMemory {
    AvPtr<AVIOContext> io;
    AvPtr<AVFormatContext> input;
};
// Files that name other files (MP4 data references) get nothing. kCorrupt.
Result<OpenedMemory> open_memory(MemoryReader& reader, const Demuxing& how);

// The sound stream of a file: packets and frames in order.
class Source {
public:
    static Result<std::unique_ptr<Source>> open(Bytes file, AudioContainer container);
    // kNotFound: the video has no sound.
    static Result<std::unique_ptr<Source>> open(Bytes file, VideoContainer container);

    const AudioFacts& facts() const noexcept { return facts_; }
    AVStream* stream() const noexcept { return stream_; }
    AVCodecContext* decoder() const noexcept { return decoder_.get(); }

    // The next coded packet of the sound stream; nullptr at the end. Valid until the next call.
    Result<AVPacket*> next_packet();
    // The next decoded frame, in the facts' rate and channels; nullptr at the end.
    Result<AVFrame*> next_frame();
    // Goes to about that time, or leaves the place alone when the container cannot.
    void seek(double seconds);

    explicit Source(Bytes file) : reader_(file) {}  // use open()

private:
    static Result<std::unique_ptr<Source>> open(Bytes file, const Demuxing& how);
    Result<void> open_container(const Demuxing& how);
    Result<void> open_decoder();
    Result<void> describe(std::size_t file_bytes);
    Result<void> feed();
    Result<bool> receive();
    Result<void> check_length() const;

    MemoryReader reader_;
    AvPtr<AVIOContext> io_;
    AvPtr<AVFormatContext> input_;
    AvPtr<AVCodecContext> decoder_;
    AvPtr<AVPacket> packet_;
    AvPtr<AVFrame> frame_;
    AVStream* stream_ = nullptr;
    AudioFacts facts_;
    std::uint64_t samples_ = 0;  // decoded so far
    unsigned failures_ = 0;      // packets in a row that did not decode
    bool drained_ = false;
};

// Adds the samples of a frame to the planes, converted to -1 .. 1.
void append_frame(Pcm& pcm, const AVFrame& frame);
// samples [start, start + size) as a planar float frame.
AvPtr<AVFrame> frame_of(const Pcm& pcm, std::size_t start, std::size_t size);

// An encoder that takes frames of any size and sample format.
class Sink {
public:
    using OnPacket = std::function<Result<void>(AVPacket&)>;

    // `global_header`: whether the container keeps the setup apart from the packets.
    static Result<std::unique_ptr<Sink>> open(const AudioFacts& like, bool global_header);

    AVCodecContext* encoder() const noexcept { return encoder_.get(); }
    Result<void> push(const AVFrame& frame, const OnPacket& on_packet);
    Result<void> push(const Pcm& pcm, const OnPacket& on_packet);
    Result<void> finish(const OnPacket& on_packet);

private:
    Result<void> convert(const AVFrame& frame);
    Result<void> encode_ready(bool all, const OnPacket& on_packet);
    Result<void> encode(AVFrame* frame, const OnPacket& on_packet);

    AvPtr<AVCodecContext> encoder_;
    AvPtr<SwrContext> converter_;
    AvPtr<AVAudioFifo> fifo_;
    AvPtr<AVPacket> packet_;
    int converter_format_ = -1;
    std::int64_t position_ = 0;  // samples encoded
};

}  // namespace colophon::media::internal
