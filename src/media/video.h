// SPDX-License-Identifier: Apache-2.0
#pragma once

// The pictures of a video in memory, one after the other, through the FFmpeg libraries. As for
// sound: nothing here opens a file, starts a thread or prints; the caller names the container, and
// only its demuxer and a short list of decoders are ever reached.

#include "core/bytes.h"
#include "media/image.h"
#include "media/plane.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace colophon::media {

enum class VideoContainer : std::uint8_t { kMp4, kMatroska, kAvi, kFlv };

inline constexpr std::uint64_t kVideoPixelsMax = 8192ULL * 8192ULL;  // per frame
inline constexpr std::int64_t kVideoSecondsMax = std::int64_t{6} * 3600;
inline constexpr std::uint64_t kVideoFramesMax = 6ULL * 3600ULL * 60ULL;  // decoded, in turn

struct VideoFrame {
    std::int64_t time_ms = 0;  // since the first frame
    std::uint64_t number = 0;  // of decoded frames, from 0
    Plane luma;                // as stored, not turned; 0 black .. 255 white
};

// The same in colour, made smaller by averaging.
struct ColourFrame {
    std::int64_t time_ms = 0;
    Image image;  // kRgb, 8 bits, without alpha; as stored, not turned
};

class VideoFrames {
public:
    // `file` must outlive the object. kCorrupt for bytes that are no such container, kUnsupported
    // for no video or a codec outside the list, kLimit for kVideo*Max; Codec::kSound is what a
    // locked process needs.
    static Result<VideoFrames> open(Bytes file, VideoContainer container);
    VideoFrames(VideoFrames&&) noexcept;
    VideoFrames& operator=(VideoFrames&&) noexcept;
    VideoFrames(const VideoFrames&) = delete;
    VideoFrames& operator=(const VideoFrames&) = delete;
    ~VideoFrames();

    // How the pictures are displayed, 1 .. 8 as EXIF has it.
    int orientation() const noexcept;

    // The next frame at or after that time; nothing at the end. All frames between are decoded but
    // not copied. Parts that do not decode are passed over; kCorrupt when too many in a row do not.
    Result<std::optional<VideoFrame>> next(std::int64_t not_before_ms);
    // The same frame in colour, neither side above `side_max` (at least 1). Colours are those of
    // BT.601, BT.709 or BT.2020 as the video says; other transfer curves stay as they are.
    Result<std::optional<ColourFrame>> next_picture(std::int64_t not_before_ms, int side_max);

private:
    struct State;
    explicit VideoFrames(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace colophon::media
