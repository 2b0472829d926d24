// SPDX-License-Identifier: Apache-2.0
#pragma once

// Videos that may not pass, by the PDQ hashes of their pictures one after the other [DSP-10].

#include "core/result.h"
#include "fingerprint/video.h"
#include "review/entry.h"
#include "review/scope.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace colophon::review {

// What has fewer pictures to tell it by is a picture entry; more does not fit into a line
// (kLineBytesMax): ten minutes in which all is motion, an hour of a talk.
inline constexpr std::size_t kVideoEntryFramesMin = 3;
inline constexpr std::size_t kVideoEntryFramesMax = 2400;

struct VideoEntry {
    std::string id;
    std::string category;
    fingerprint::VideoPrint print;
    Decision action = Decision::kBlock;
    Scope scope;
};

struct VideoMatch {
    const VideoEntry* entry = nullptr;
    fingerprint::VideoMatch match;  // the video that was looked at is the query
};

// Does not change; copies share the index.
class VideoList {
public:
    VideoList() = default;
    // kInvalidArgument: a print by which nothing could be found, or that is too long; kLimit: too
    // many entries.
    static Result<VideoList> create(std::vector<VideoEntry> entries);

    std::span<const VideoEntry> entries() const noexcept { return entries_; }
    // Entries for this occasion of which the video is a copy or a part, or that are a part of it
    // (fingerprint::is_copy()), the best first. Valid as long as the list.
    std::vector<VideoMatch> find(const fingerprint::VideoPrint& video,
                                 const Occasion& occasion = {}) const;

private:
    std::vector<VideoEntry> entries_;
    fingerprint::VideoIndex index_;  // ids are places in entries_
};

}  // namespace colophon::review
