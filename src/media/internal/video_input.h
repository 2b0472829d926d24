// SPDX-License-Identifier: Apache-2.0
#pragma once

// A video file in memory, opened by FFmpeg's demuxer and one of a short list of decoders: what
// reading single pictures and coding a whole video again share.

#include "core/bytes.h"
#include "media/internal/av.h"
#include "media/video.h"

#include <cstdint>

namespace colophon::media::internal {

// FFmpeg's name.
const char* video_demuxer_name(VideoContainer container) noexcept;

// Neither copied nor moved: FFmpeg holds the reader's address.
class VideoInput {
public:
    // Whether packets of the other streams are handed out too.
    enum class Others : std::uint8_t { kDiscard, kKeep };

    // `file` must outlive the object.
    explicit VideoInput(Bytes file) : reader_(file) {}
    VideoInput(const VideoInput&) = delete;
    VideoInput& operator=(const VideoInput&) = delete;
    VideoInput(VideoInput&&) = delete;
    VideoInput& operator=(VideoInput&&) = delete;
    ~VideoInput() = default;

    // kCorrupt for bytes that are no such container, kUnsupported for no video or a codec outside
    // the list. `threads`: of the decoder; 1 starts none.
    Result<void> open(VideoContainer container, Others others, int threads);

    AVFormatContext* format() const noexcept { return input_.get(); }
    AVStream* stream() const noexcept { return stream_; }
    AVCodecContext* decoder() const noexcept { return decoder_.get(); }

    // How the pictures are displayed, 1 .. 8 as EXIF has it.
    int orientation() const noexcept;

    // The next packet; nullptr at the end, and where the file breaks off. Valid until the next
    // call.
    AVPacket* next_packet();
    // After the last packet: kCorrupt when the file broke off there.
    Result<void> check_end() const;

private:
    Result<void> open_container(VideoContainer container, Others others);
    Result<void> open_decoder(int threads);

    MemoryReader reader_;
    AvPtr<AVIOContext> io_;
    AvPtr<AVFormatContext> input_;
    AvPtr<AVCodecContext> decoder_;
    AvPtr<AVPacket> packet_;
    AVStream* stream_ = nullptr;
    int read_status_ = 0;
};

}  // namespace colophon::media::internal
