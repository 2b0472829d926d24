// SPDX-License-Identifier: Apache-2.0
#pragma once

// The watermark of a video [DSP-16] [DSP-18]. What the pictures carry is the tile of a single
// picture (internal/carrier.h) at twice its size, so that its band, 0.03 to 0.12 cycles per
// canonical pixel, lies where video codecs keep most:
//
//   time     0         4         8         12 s
//   tile     |  seg 0  |  seg 1  |  seg 2  |        one payload with the number of the segment,
//            =========X=========X=========X==       faded into the next over a quarter of a second
//   mask     ~~~~~~~~~~~~~~~~~|~~~~~~~~~~~~~~       follows the picture slowly, at once after a cut
//
// Within a segment the pattern stands still, so that a reader may sum pictures: what moves under
// the mark averages out, and so does what coding did to it. Luma only.

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "label/watermark/detect.h"
#include "label/watermark/key.h"
#include "label/watermark/payload.h"
#include "label/watermark/picture.h"
#include "media/plane.h"
#include "media/video.h"
#include "media/video_transcode.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace colophon::label {

// The shortest side of a video up to which a tile is kTile pixels wide.
inline constexpr int kVideoCanonicalSide = 384;
inline constexpr int kVideoWatermarkSideMin = 144;
inline constexpr std::int64_t kSegmentMilliseconds = 4000;

struct VideoMarkOptions {
    WatermarkKey key = published_watermark_key();
    IssuerId issuer;
    ContentId content_id;
    double psnr_db = 42;  // of the luma as stored, before coding, 30 .. 60
    // A mark of the same issuer under this key that lies where this one will, and is taken out.
    std::optional<ContentId> replaces = std::nullopt;
};

// Adds the mark to the pictures of one video, in the order of display.
class VideoMarker {
public:
    // kInvalidArgument for videos below kVideoWatermarkSideMin.
    static Result<VideoMarker> create(const media::VideoFacts& facts,
                                      const VideoMarkOptions& options);
    VideoMarker(VideoMarker&&) noexcept;
    VideoMarker& operator=(VideoMarker&&) noexcept;
    VideoMarker(const VideoMarker&) = delete;
    VideoMarker& operator=(const VideoMarker&) = delete;
    ~VideoMarker();

    // Pictures of another size than the facts say are our bug (asserted).
    void mark(media::VideoPicture& picture);
    // Of everything that was marked so far.
    double psnr_db() const noexcept;

private:
    struct State;
    explicit VideoMarker(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// A part of a video that carries one mark from end to end, as far as windows of two seconds tell.
struct MarkedRange {
    double from_seconds = 0;
    double to_seconds = 0;
    WatermarkPayload payload;        // of its first window
    std::uint16_t last_segment = 0;  // and the segment of its last one
    double score = 0;                // the best of them
};

struct VideoReading {
    WatermarkReading best;            // what stands for the whole: of the longest marked part
    std::vector<MarkedRange> ranges;  // in order
    double seconds = 0;               // that were looked at
    double share = 0;                 // of them that lies in ranges of that content id, 0 .. 1
};

// Looks at about eight pictures a second. Bounded memory and, with kThorough, a bounded number of
// searches for another geometry. `progress` is told the time that was reached, in seconds; it may
// be empty. kCorrupt, kUnsupported, kLimit: the file.
struct VideoFindOptions {
    DetectEffort effort = DetectEffort::kThorough;
    double seconds_max = 0;  // look at the beginning only; 0: at all
    std::function<void(double)> progress;
};
Result<VideoReading> find_video_watermark(Bytes file, media::VideoContainer container,
                                          std::span<const WatermarkKey> keys,
                                          const VideoFindOptions& options);

// What the score of two seconds says of the mark's strength.
WatermarkStrength strength_of_video_score(double score) noexcept;

}  // namespace colophon::label
