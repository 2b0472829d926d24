// SPDX-License-Identifier: Apache-2.0
#include "review/video_list.h"

#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/video.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

std::size_t good_frames(const fingerprint::VideoPrint& print) {
    return static_cast<std::size_t>(std::ranges::count_if(
        print.frames, [](int quality) { return quality >= fingerprint::kPdqQualityMin; },
        &fingerprint::VideoFramePrint::quality));
}

}  // namespace

Result<VideoList> VideoList::create(std::vector<VideoEntry> entries) {
    std::vector<fingerprint::VideoEntry> prints;
    prints.reserve(entries.size());
    for (const VideoEntry& entry : entries) {
        if (entry.print.frames.size() > kVideoEntryFramesMax) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("entry {}: a video to look for has at most {} pictures; this "
                                     "one has {}; look for a part of it",
                                     entry.id, kVideoEntryFramesMax, entry.print.frames.size())};
        }
        const std::size_t good = good_frames(entry.print);
        if (good < kVideoEntryFramesMin) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("entry {}: a video to look for has at least {} pictures with "
                                     "something in them; this one has {}",
                                     entry.id, kVideoEntryFramesMin, good)};
        }
        prints.push_back({.print = entry.print, .id = prints.size()});
    }
    VideoList list;
    list.index_ = TRY(fingerprint::VideoIndex::create(std::move(prints)));
    list.entries_ = std::move(entries);
    return list;
}

std::vector<VideoMatch> VideoList::find(const fingerprint::VideoPrint& video,
                                        const Occasion& occasion) const {
    std::vector<VideoMatch> found;
    for (const fingerprint::VideoFound& each : index_.find(video)) {
        const VideoEntry& entry = entries_[static_cast<std::size_t>(each.id)];
        if (covers(entry.scope, occasion)) {
            found.push_back({.entry = &entry, .match = each.match});
        }
    }
    return found;
}

}  // namespace colophon::review
