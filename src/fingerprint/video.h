// SPDX-License-Identifier: Apache-2.0
#pragma once

// Prints of videos: the PDQ hashes of their pictures, four a second, those left out that look like
// the one before. After vPDQ (Meta): a video is a bag of frames, and a copy is told by how much of
// one bag is in the other. The times then say where the copy lies in the original.
//
// Found: copies that were cut, joined to others, scaled, coded again, sped up a little, or bear a
// logo or subtitles. Not found: turned or mirrored ones, strong crops, a picture in a picture.

#include "core/bytes.h"
#include "fingerprint/pdq.h"
#include "fingerprint/pdq_index.h"
#include "media/video.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::fingerprint {

struct VideoFramePrint {
    std::uint64_t number = 0;  // of the frame in the video, from 0
    std::int64_t time_ms = 0;  // since the first frame
    PdqHash hash;
    int quality = 0;  // 0 .. 100

    bool operator==(const VideoFramePrint&) const = default;
};

struct VideoPrint {
    std::vector<VideoFramePrint> frames;  // ascending by time, at most kVideoPrintFramesMax

    bool operator==(const VideoPrint&) const = default;
};

inline constexpr std::size_t kVideoPrintFramesMax = 36'000;  // 2.5 hours in which all is motion
inline constexpr std::int64_t kVideoPrintIntervalMs = 250;
// Frames no further than this from the one before are the same picture still. Well below what tells
// pictures apart, so that no chain of small steps leads past a match.
inline constexpr int kVideoPrintSameDistance = 8;

// Decodes all of the video. kLimit above kVideoPrintFramesMax; otherwise as media::VideoFrames
// says.
Result<VideoPrint> print_video(Bytes file, media::VideoContainer container);

// One frame a line, as vPDQ writes them: number,quality,hash,seconds
//   30,100,f0e6...aa91,1.001
// A print that is read may have been made by others, at any rate. kInvalidArgument names the line
// and what is wrong in it, kLimit too many lines.
std::string to_text(const VideoPrint& print);
Result<VideoPrint> parse_video_print(std::string_view text);

// A logo or quick motion between two samples puts single frames further apart than kPdqDistanceMax,
// yet nearer than foreign pictures ever are, and all of them at the same offset. Measured on a film
// with and without a large logo: 24 to 88 bits, half of them below 54; between the frames of films
// that have nothing in common: 96 and more.
inline constexpr int kVideoAlignedDistance = 80;

struct VideoMatch {
    double query_percent = 0;  // of the query's good frames that are in the other, 0 .. 100
    double other_percent = 0;  // of the other's good frames that are in the query
    // The same within kVideoAlignedDistance, at one offset in time (half a second more or less).
    double query_aligned_percent = 0;
    double other_aligned_percent = 0;
    std::size_t aligned_frames = 0;  // on the side that has fewer
    std::int64_t offset_ms = 0;      // where the query begins in the other, if any is aligned

    bool operator==(const VideoMatch&) const = default;
};

// Frames below kPdqQualityMin count for nothing. Cost: the product of the frames, 2 ns each.
VideoMatch match_videos(const VideoPrint& query, const VideoPrint& other);

// Whether one is a copy of, or a part of, the other: four fifths of either are in the other, as
// vPDQ has it, or two thirds of either lie in the other one after the other.
inline constexpr double kVideoCopyPercent = 80;
inline constexpr double kVideoAlignedPercent = 66;
inline constexpr std::size_t kVideoAlignedFramesMin = 3;
inline bool is_copy(const VideoMatch& match) noexcept {
    const bool aligned = match.query_aligned_percent >= kVideoAlignedPercent ||
                         match.other_aligned_percent >= kVideoAlignedPercent;
    return match.query_percent >= kVideoCopyPercent || match.other_percent >= kVideoCopyPercent ||
           (aligned && match.aligned_frames >= kVideoAlignedFramesMin);
}

struct VideoEntry {
    VideoPrint print;
    PrintId id = 0;
};

struct VideoFound {
    PrintId id = 0;
    VideoMatch match;
};

// Many prints to be searched: a value that never changes, as PdqIndex.
class VideoIndex {
public:
    VideoIndex() = default;
    // kLimit as PdqIndex says.
    static Result<VideoIndex> create(std::vector<VideoEntry> videos);

    // All of which the query is a copy or a part, or the reverse; the best first. Each good frame
    // of the query is compared with all frames of the list: 1 ms for a million.
    std::vector<VideoFound> find(const VideoPrint& query) const;

    std::size_t size() const noexcept { return videos_.size(); }

private:
    std::vector<VideoEntry> videos_;
    PdqIndex frames_;  // ids are places in videos_
};

}  // namespace colophon::fingerprint
