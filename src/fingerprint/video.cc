// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/video.h"

#include "core/bytes.h"
#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/pdq_index.h"
#include "fingerprint/picture.h"
#include "media/video.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace colophon::fingerprint {
namespace {

// Two copies are sampled at other moments; offsets that differ by less are one.
constexpr std::int64_t kOffsetStepMs = 2 * kVideoPrintIntervalMs;
// Of one frame, so that videos of nothing but repetitions cost no more than others.
constexpr std::size_t kPairsMax = 32;
constexpr std::int64_t kMillisecondsMax = 1'000'000'000'000;

bool is_good(const VideoFramePrint& frame) noexcept {
    return frame.quality >= kPdqQualityMin;
}

// Whether the picture is the one before still, or both show nothing to tell them by.
bool is_same(const VideoFramePrint& before, const VideoFramePrint& now) noexcept {
    if (!is_good(before) || !is_good(now)) {
        return is_good(before) == is_good(now);
    }
    return distance(before.hash, now.hash) <= kVideoPrintSameDistance;
}

Error too_many_frames() {
    return Error{ErrorCode::kLimit,
                 fmt::format("a video print has at most {} pictures", kVideoPrintFramesMax)};
}

Error wrong_line(std::size_t line, std::string_view what) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("line {} of a video print: {}", line, what)};
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

// Seconds with up to any number of decimals, in milliseconds; what is below is cut off.
std::optional<std::int64_t> parse_seconds(std::string_view text) {
    const std::size_t point = text.find('.');
    const auto whole = parse_number<std::uint64_t>(text.substr(0, point));
    if (!whole || *whole > static_cast<std::uint64_t>(kMillisecondsMax / 1000)) {
        return std::nullopt;
    }
    std::int64_t milliseconds = 0;
    if (point != std::string_view::npos) {
        const std::string_view decimals = text.substr(point + 1);
        const bool digits =
            std::ranges::all_of(decimals, [](char c) { return c >= '0' && c <= '9'; });
        if (decimals.empty() || !digits) {
            return std::nullopt;
        }
        for (std::size_t i = 0; i < 3; ++i) {
            milliseconds = milliseconds * 10 + (i < decimals.size() ? decimals[i] - '0' : 0);
        }
    }
    return static_cast<std::int64_t>(*whole) * 1000 + milliseconds;
}

Result<VideoFramePrint> parse_frame(std::string_view text, std::size_t line) {
    std::array<std::string_view, 4> fields;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const std::size_t comma = text.find(',');
        const bool last = i + 1 == fields.size();
        if (last != (comma == std::string_view::npos)) {
            return wrong_line(line, "there must be number,quality,hash,seconds");
        }
        fields[i] = text.substr(0, comma);
        text.remove_prefix(last ? text.size() : comma + 1);
    }
    const auto number = parse_number<std::uint64_t>(fields[0]);
    const auto quality = parse_number<int>(fields[1]);
    const auto hash = parse_pdq_hex(fields[2]);
    const auto time_ms = parse_seconds(fields[3]);
    if (!number) {
        return wrong_line(line, "the number is none");
    }
    if (!quality || *quality < 0 || *quality > 100) {
        return wrong_line(line, "the quality is not 0 to 100");
    }
    if (!hash.ok()) {
        return wrong_line(line, hash.error().what);
    }
    if (!time_ms) {
        return wrong_line(line, "the time is not in seconds");
    }
    return VideoFramePrint{
        .number = *number, .time_ms = *time_ms, .hash = *hash, .quality = *quality};
}

// Two frames that may be the same picture.
struct Pair {
    std::size_t ours = 0;
    std::size_t theirs = 0;
    int distance = 0;
    std::int64_t cell = 0;  // of the offset, in steps
};

std::int64_t cell_of(std::int64_t offset_ms) noexcept {
    const std::int64_t below = offset_ms < 0 ? kOffsetStepMs - 1 : 0;
    return (offset_ms - below) / kOffsetStepMs;
}

// The offset at which the pictures are nearest: each of our frames counts once, by how far below
// the bound its nearest picture there is. `pairs` stand in the order of our frames.
std::optional<std::int64_t> best_cell(const std::vector<Pair>& pairs) {
    struct Cell {
        std::size_t last = 0;
        int of_last = 0;
        std::int64_t score = 0;
    };
    std::map<std::int64_t, Cell> cells;
    for (const Pair& pair : pairs) {
        const int points = kVideoAlignedDistance + 1 - pair.distance;
        // Neighbouring cells too: an offset between two would be split otherwise.
        for (std::int64_t at = pair.cell - 1; at <= pair.cell + 1; ++at) {
            Cell& cell = cells[at];
            if (cell.last != pair.ours) {
                cell.last = pair.ours;
                cell.of_last = 0;
            }
            cell.score += std::max(points - cell.of_last, 0);
            cell.of_last = std::max(points, cell.of_last);
        }
    }
    const auto best =
        std::ranges::max_element(cells, {}, [](const auto& each) { return each.second.score; });
    return best == cells.end() ? std::nullopt : std::optional(best->first);
}

// The nearest of one frame's pairs, in the order of the other video.
void append_nearest(std::vector<Pair>& of_frame, std::vector<Pair>& pairs) {
    if (of_frame.size() > kPairsMax) {
        const auto end = of_frame.begin() + static_cast<std::ptrdiff_t>(kPairsMax);
        std::ranges::nth_element(of_frame, end, {}, &Pair::distance);
        of_frame.erase(end, of_frame.end());
    }
    pairs.insert(pairs.end(), of_frame.begin(), of_frame.end());
    of_frame.clear();
}

std::vector<VideoFramePrint> good_frames(const VideoPrint& print) {
    std::vector<VideoFramePrint> good;
    std::ranges::copy_if(print.frames, std::back_inserter(good), is_good);
    return good;
}

double percent_set(const std::vector<bool>& set) {
    return set.empty() ? 0
                       : 100.0 * static_cast<double>(std::ranges::count(set, true)) /
                             static_cast<double>(set.size());
}

// What of both is at that offset, and the offset itself: that of the nearest pictures there.
void align(const std::vector<Pair>& pairs, std::int64_t cell,
           const std::vector<VideoFramePrint>& ours, const std::vector<VideoFramePrint>& theirs,
           VideoMatch& match) {
    std::vector<bool> our_aligned(ours.size());
    std::vector<bool> their_aligned(theirs.size());
    int nearest = kVideoAlignedDistance + 1;
    for (const Pair& pair : pairs) {
        if (pair.cell < cell - 1 || pair.cell > cell + 1) {
            continue;
        }
        our_aligned[pair.ours] = true;
        their_aligned[pair.theirs] = true;
        if (pair.distance < nearest) {
            nearest = pair.distance;
            match.offset_ms = theirs[pair.theirs].time_ms - ours[pair.ours].time_ms;
        }
    }
    match.query_aligned_percent = percent_set(our_aligned);
    match.other_aligned_percent = percent_set(their_aligned);
    match.aligned_frames = static_cast<std::size_t>(
        std::min(std::ranges::count(our_aligned, true), std::ranges::count(their_aligned, true)));
}

}  // namespace

Result<VideoPrint> print_video(Bytes file, media::VideoContainer container) {
    media::VideoFrames video = TRY(media::VideoFrames::open(file, container));
    VideoPrint print;
    std::int64_t next_ms = 0;
    for (;;) {
        const auto frame = TRY(video.next(next_ms));
        if (!frame) {
            return print;
        }
        next_ms = (frame->time_ms / kVideoPrintIntervalMs + 1) * kVideoPrintIntervalMs;
        const PdqPrint seen = pdq_of(luma_of(frame->luma));
        const VideoFramePrint now{.number = frame->number,
                                  .time_ms = frame->time_ms,
                                  .hash = seen.hash,
                                  .quality = seen.quality};
        if (!print.frames.empty() && is_same(print.frames.back(), now)) {
            continue;
        }
        if (print.frames.size() == kVideoPrintFramesMax) {
            return too_many_frames();
        }
        print.frames.push_back(now);
    }
}

std::string to_text(const VideoPrint& print) {
    std::string out;
    for (const VideoFramePrint& frame : print.frames) {
        out += fmt::format("{},{},{},{}.{:03}\n", frame.number, frame.quality, to_hex(frame.hash),
                           frame.time_ms / 1000, frame.time_ms % 1000);
    }
    return out;
}

Result<VideoPrint> parse_video_print(std::string_view text) {
    VideoPrint print;
    for (std::size_t line = 1; !text.empty(); ++line) {
        const std::size_t end = text.find('\n');
        std::string_view row = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (row.ends_with('\r')) {
            row.remove_suffix(1);
        }
        const VideoFramePrint frame = TRY(parse_frame(row, line));
        if (!print.frames.empty() && frame.time_ms < print.frames.back().time_ms) {
            return wrong_line(line, "the time goes back");
        }
        if (print.frames.size() == kVideoPrintFramesMax) {
            return too_many_frames();
        }
        print.frames.push_back(frame);
    }
    return print;
}

VideoMatch match_videos(const VideoPrint& query, const VideoPrint& other) {
    const std::vector<VideoFramePrint> ours = good_frames(query);
    const std::vector<VideoFramePrint> theirs = good_frames(other);
    std::vector<bool> our_seen(ours.size());
    std::vector<bool> their_seen(theirs.size());
    std::vector<Pair> pairs;
    std::vector<Pair> of_frame;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        for (std::size_t j = 0; j < theirs.size(); ++j) {
            const int bits = distance(ours[i].hash, theirs[j].hash);
            if (bits <= kPdqDistanceMax) {
                our_seen[i] = true;
                their_seen[j] = true;
            }
            if (bits <= kVideoAlignedDistance) {
                of_frame.push_back({.ours = i,
                                    .theirs = j,
                                    .distance = bits,
                                    .cell = cell_of(theirs[j].time_ms - ours[i].time_ms)});
            }
        }
        append_nearest(of_frame, pairs);
    }
    VideoMatch match{.query_percent = percent_set(our_seen),
                     .other_percent = percent_set(their_seen)};
    const auto cell = best_cell(pairs);
    if (cell) {
        align(pairs, *cell, ours, theirs, match);
    }
    return match;
}

Result<VideoIndex> VideoIndex::create(std::vector<VideoEntry> videos) {
    std::vector<PdqEntry> frames;
    for (std::size_t place = 0; place < videos.size(); ++place) {
        for (const VideoFramePrint& frame : videos[place].print.frames) {
            if (is_good(frame)) {
                frames.push_back({frame.hash, place});
            }
        }
    }
    VideoIndex index;
    index.frames_ = TRY(PdqIndex::create(std::move(frames)));
    index.videos_ = std::move(videos);
    return index;
}

std::vector<VideoFound> VideoIndex::find(const VideoPrint& query) const {
    std::set<PrintId> places;
    for (const VideoFramePrint& frame : query.frames) {
        if (is_good(frame)) {
            for (const PdqNear& near : frames_.near(frame.hash, kVideoAlignedDistance)) {
                places.insert(near.id);
            }
        }
    }
    std::vector<VideoFound> found;
    for (const PrintId place : places) {
        const VideoEntry& video = videos_[static_cast<std::size_t>(place)];
        const VideoMatch match = match_videos(query, video.print);
        if (is_copy(match)) {
            found.push_back({.id = video.id, .match = match});
        }
    }
    std::ranges::sort(found, std::greater<>(), [](const VideoFound& each) {
        return std::max(each.match.query_aligned_percent, each.match.other_aligned_percent);
    });
    return found;
}

}  // namespace colophon::fingerprint
