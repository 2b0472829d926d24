// SPDX-License-Identifier: Apache-2.0
#pragma once

// Codes the pictures of a video again, each of which the caller may change on the way; everything
// beside the pictures (sound, subtitles) is copied packet by packet. Streaming: a few dozen
// pictures are in memory at a time, however long the video is.
//
// Kept: time stamps to the tick (a variable frame rate stays one), the turn and aspect of display,
// colour description, depth and chroma subsampling, HDR metadata of the stream, language and name
// of each track. Not kept: the coding itself (it is as close to the original as VideoQuality
// says), tracks that the container's writer cannot have, which are named in `left_out`.

#include "core/bytes.h"
#include "media/plane.h"
#include "media/video.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace colophon::media {

struct VideoFacts {
    int width = 0;  // as stored
    int height = 0;
    int orientation = 1;       // how it is displayed, 1 .. 8 as EXIF has it
    double sample_aspect = 1;  // width of a stored pixel over its height
    double seconds = 0;        // 0: the container does not say
    int depth = 8;             // bits a sample: 8 or 10
    bool full_range = false;   // 0 is black; otherwise 16
};

// The samples of one component of a decoded picture, one or two bytes each (by the depth).
struct VideoSamples {
    std::uint8_t* data = nullptr;
    std::ptrdiff_t row_bytes = 0;
    int width = 0;
    int height = 0;

    std::uint8_t* row(int y) const noexcept { return data + y * row_bytes; }
};

// A decoded picture in place: what is written into it is what will be coded.
struct VideoPicture {
    std::int64_t time_us = 0;  // since the first picture
    std::uint64_t number = 0;
    int depth = 8;
    std::array<VideoSamples, 3> planes;  // luma, blue and red differences
};

// Where a file is written that is too large to be held. Writes may go back and overwrite.
class ByteSink {
public:
    ByteSink() = default;
    ByteSink(const ByteSink&) = delete;
    ByteSink& operator=(const ByteSink&) = delete;
    ByteSink(ByteSink&&) = delete;
    ByteSink& operator=(ByteSink&&) = delete;
    virtual ~ByteSink() = default;
    virtual Result<void> write_at(std::uint64_t offset, Bytes bytes) = 0;
};

// Constant rate factors at which a viewer does not tell the copy from the original; measured in
// docs/reference/robustness.md.
struct VideoQuality {
    int h264 = 18;
    int hevc = 20;
    int vp9 = 22;
    int av1 = 24;
};

struct TranscodeOptions {
    VideoQuality quality;
    int threads = 2;                       // of the decoder, and of the encoder
    std::function<void(double)> progress;  // share that is done, 0 .. 1; may be empty
};

struct Transcoded {
    std::uint64_t pictures = 0;
    double seconds = 0;
    std::vector<std::string> left_out;  // tracks, in words: "data (tmcd)"
};

class VideoTranscoder {
public:
    // `file`: MP4 or MOV, which must outlive the object. kCorrupt, kUnsupported, kLimit as
    // VideoFrames; kUnsupported besides for codecs that cannot be written, several videos in one
    // file, encryption, and pixels other than planar YUV of 8 or 10 bits.
    static Result<VideoTranscoder> open(Bytes file, const TranscodeOptions& options);
    VideoTranscoder(VideoTranscoder&&) noexcept;
    VideoTranscoder& operator=(VideoTranscoder&&) noexcept;
    VideoTranscoder(const VideoTranscoder&) = delete;
    VideoTranscoder& operator=(const VideoTranscoder&) = delete;
    ~VideoTranscoder();

    const VideoFacts& facts() const noexcept;

    // Once. `change` sees every picture in the order of display; its error ends the run. What the
    // sink holds after an error means nothing.
    Result<Transcoded> run(const std::function<Result<void>(VideoPicture&)>& change,
                           ByteSink& sink);

private:
    struct State;
    explicit VideoTranscoder(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace colophon::media
