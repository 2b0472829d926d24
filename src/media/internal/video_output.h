// SPDX-License-Identifier: Apache-2.0
#pragma once

// The writing half of coding a video again: which encoder takes which codec, and an MP4 or MOV
// file that grows through a ByteSink.

#include "core/result.h"
#include "media/internal/av.h"
#include "media/internal/video_input.h"
#include "media/video_transcode.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace colophon::media::internal {

// Like the input's pictures, of that quality. kUnsupported names a codec that is not written.
Result<AvPtr<AVCodecContext>> open_video_encoder(const VideoInput& input, const AVFrame& first,
                                                 const TranscodeOptions& options,
                                                 bool global_header);

// Neither copied nor moved: FFmpeg holds its address.
class VideoOutput {
public:
    explicit VideoOutput(ByteSink& sink) : sink_(sink) {}
    VideoOutput(const VideoOutput&) = delete;
    VideoOutput& operator=(const VideoOutput&) = delete;
    VideoOutput(VideoOutput&&) = delete;
    VideoOutput& operator=(VideoOutput&&) = delete;
    ~VideoOutput() = default;

    // A file of the same brand (MP4 or QuickTime) with a track for each stream of the input that
    // the format takes; the others go to `left_out`.
    Result<void> open(const VideoInput& input, std::vector<std::string>& left_out);
    bool wants_global_header() const noexcept;
    // After the encoder is known, before the first packet.
    Result<void> begin(const VideoInput& input, const AVCodecContext& encoder);
    // A packet of another stream, as it came; passed over when its track was left out.
    Result<void> copy(const VideoInput& input, AVPacket& packet);
    // A coded picture, times in the input's time base.
    Result<void> write(const VideoInput& input, AVPacket& packet);
    Result<void> finish();

private:
    static int write_bytes(void* self, std::uint8_t* bytes, int size);
    static std::int64_t seek(void* self, std::int64_t offset, int whence);
    Result<void> send(AVPacket& packet);
    Error failure(const char* what, int status) const;

    ByteSink& sink_;
    AvPtr<AVIOContext> io_;
    AvPtr<AVFormatContext> output_;
    std::vector<int> track_of_;  // of each input stream; -1: none
    std::uint64_t position_ = 0;
    std::uint64_t size_ = 0;
    std::optional<Error> sink_error_;
};

}  // namespace colophon::media::internal
