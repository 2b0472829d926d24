// SPDX-License-Identifier: Apache-2.0
// Looks for the watermark in a stream of pictures. Each picture is shrunk to the size in which a
// tile is seen, taken relative to its surroundings, and added to the slot of its half second; sums
// of slots are searched like one picture:
//
//   slots     | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 |     a ring of the last four seconds
//   windows                   [=== 2 s ===]
//                     [========= 4 s =========]     after each slot, until one is found; then the
//                                                   next is looked for two seconds later
//
// Where the tiles lie is tried as the embedder leaves them, and on every lattice that was found
// before; a thorough search is made of sums that found nothing, ever more rarely in long videos.

#include "core/bytes.h"
#include "core/result.h"
#include "label/watermark/detect.h"
#include "label/watermark/internal/carrier.h"
#include "label/watermark/internal/lattice.h"
#include "label/watermark/internal/spectrum.h"
#include "label/watermark/internal/working.h"
#include "label/watermark/key.h"
#include "label/watermark/luma.h"
#include "label/watermark/payload.h"
#include "label/watermark/picture.h"
#include "label/watermark/video.h"
#include "media/plane.h"
#include "media/video.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

using internal::Lattice;
using internal::Working;

// Clips made from marked animations have their forms.
constexpr std::array kForms{PayloadForm::kSegment, PayloadForm::kStandard, PayloadForm::kShort,
                            PayloadForm::kLong};

constexpr std::int64_t kSampleMilliseconds = 120;
constexpr double kSlotSeconds = 0.5;
constexpr std::size_t kSlotsKept = 8;
constexpr std::size_t kShortWindow = 4;  // slots
constexpr std::size_t kLatticesKept = 3;
constexpr double kGridPilotMin = 7;  // of a sum, for its lattice to be worth trying
// Of two seconds as embedded: from where most stand H.264 at CRF 35, and where they stand CRF 28.
constexpr double kRobustScore = 40;
constexpr double kFairScore = 26;

struct Slot {
    double from = 0;
    double to = 0;
    Luma sum;
};

void add_to(Luma& sum, const Luma& other) {
    if (sum.values.empty()) {
        sum = other;
        return;
    }
    for (std::size_t i = 0; i < sum.values.size(); ++i) {
        sum.values[i] += other.values[i];
    }
}

Luma luma_of(const media::Plane& plane) {
    Luma luma(plane.area.width, plane.area.height);
    std::copy(plane.samples.begin(), plane.samples.end(), luma.values.begin());
    return luma;
}

// A lattice on which a mark was found, and whether it lay elsewhere than the embedder puts it.
struct Found {
    WatermarkReading reading;
    Lattice lattice;
};

class VideoSearch {
public:
    VideoSearch(const std::vector<internal::Carrier>& carriers, DetectEffort effort,
                std::vector<Lattice> known)
        : carriers_(carriers), effort_(effort), lattices_(std::move(known)) {}

    void add(const media::Plane& plane, double seconds) {
        Working working = internal::working_copy(luma_of(plane), kVideoCanonicalSide);
        const bool other =
            shape_.luma.width != working.luma.width || shape_.luma.height != working.luma.height;
        if (other && !slots_.empty()) {
            // Another size in the middle: nothing before adds up with it.
            slots_.clear();
            total_ = {};
            lattices_.clear();
        }
        if (other) {
            shape_ = working;
        }
        const Luma relative = internal::relative_to_surroundings(working.luma);
        if (slots_.empty() || seconds >= slots_.back().from + kSlotSeconds) {
            if (!slots_.empty()) {
                slot_ended();
            }
            slots_.push_back({.from = seconds, .to = seconds, .sum = {}});
            if (slots_.size() > kSlotsKept) {
                slots_.pop_front();
            }
        }
        slots_.back().to = seconds;
        add_to(slots_.back().sum, relative);
        add_to(total_, relative);
        last_ = seconds;
    }

    VideoReading finish() {
        slot_ended();
        if (ranges_.empty()) {
            try_parts();
        } else if (since_found_ > 0 && slots_.size() >= kShortWindow) {
            // The end, which no window has reached yet.
            look_at(slots_.size() - kShortWindow, kShortWindow);
        }
        if (ranges_.empty() && effort_ == DetectEffort::kThorough && !total_.values.empty()) {
            search_thoroughly();
        }
        return result();
    }

    // Where marks were found, when one was found elsewhere than in place: what came before the
    // first of them was not looked at there.
    const std::vector<Lattice>& lattices() const noexcept { return lattices_; }
    bool missed_the_beginning() const noexcept { return learned_at_ > 0; }

private:
    Working sum_of(std::size_t first, std::size_t count) const {
        Working sum{.luma = {},
                    .scale_x = shape_.scale_x,
                    .scale_y = shape_.scale_y,
                    .period = shape_.period};
        for (std::size_t i = first; i < first + count; ++i) {
            add_to(sum.luma, slots_[i].sum);
        }
        return sum;
    }

    // In place and on the lattices that are known.
    std::optional<Found> look(Working sum) {
        WatermarkSearch search(std::move(sum), kForms);
        for (const internal::Carrier& carrier : carriers_) {
            WatermarkReading reading = search.find(carrier, DetectEffort::kFast);
            for (std::size_t i = 0; i < lattices_.size() && !is_found(reading); ++i) {
                note(reading);
                reading = search.find_on(carrier, lattices_[i]);
            }
            note(reading);
            if (is_found(reading)) {
                return Found{.reading = reading, .lattice = search.best_lattice()};
            }
        }
        return std::nullopt;
    }

    static bool is_found(const WatermarkReading& reading) {
        return reading.state == WatermarkState::kFound;
    }

    void note(const WatermarkReading& reading) {
        if (!is_found(reading) && reading.pilot_score > unread_.pilot_score) {
            unread_ = reading;
        }
    }

    bool look_at(std::size_t first, std::size_t count) {
        const std::optional<Found> found = look(sum_of(first, count));
        if (found) {
            keep(*found, slots_[first].from, slots_[first + count - 1].to);
        }
        return found.has_value();
    }

    void slot_ended() {
        ++since_found_;
        ++since_search_;
        const std::size_t count = slots_.size();
        if (count < kShortWindow || since_found_ < kShortWindow) {
            return;
        }
        if (look_at(count - kShortWindow, kShortWindow) ||
            (count == kSlotsKept && look_at(0, count))) {
            since_found_ = 0;
            since_search_ = 0;
            search_after_ = kSearchAfter;
            total_ = {};
            return;
        }
        if (effort_ == DetectEffort::kThorough && since_search_ >= search_after_ &&
            searches_ < kSearchesMax) {
            ++searches_;
            search_thoroughly();
            since_search_ = 0;
            search_after_ *= 2;
            total_ = {};
        }
    }

    // A clip of a few slots may have a change of segments anywhere.
    void try_parts() {
        for (std::size_t count = slots_.size(); count >= 1; --count) {
            for (std::size_t first = 0; first + count <= slots_.size(); ++first) {
                if (look_at(first, count)) {
                    return;
                }
            }
        }
    }

    // The pilot is the same in all segments, so that the sum over everything since the last success
    // shows the lattice best; a payload is read from windows on that lattice.
    void search_thoroughly() {
        for (const std::size_t count : {kShortWindow, kSlotsKept}) {
            if (count > slots_.size() && count != kShortWindow) {
                continue;
            }
            const std::size_t taken = std::min(count, slots_.size());
            WatermarkSearch search(sum_of(slots_.size() - taken, taken), kForms);
            if (learn(search)) {
                return;
            }
        }
        WatermarkSearch search({.luma = total_,
                                .scale_x = shape_.scale_x,
                                .scale_y = shape_.scale_y,
                                .period = shape_.period},
                               kForms);
        learn(search);
    }

    bool learn(WatermarkSearch& search) {
        for (const internal::Carrier& carrier : carriers_) {
            const WatermarkReading reading = search.find(carrier, DetectEffort::kThorough);
            note(reading);
            if (!is_found(reading) && reading.pilot_score < kGridPilotMin) {
                continue;
            }
            remember(search.best_lattice());
            try_parts();
            if (!ranges_.empty()) {
                return true;
            }
        }
        return false;
    }

    void remember(const Lattice& lattice) {
        const auto close = [](double a, double b) { return std::fabs(a - b) < 0.5; };
        const bool known = std::ranges::any_of(lattices_, [&](const Lattice& each) {
            return close(each.ax, lattice.ax) && close(each.ay, lattice.ay) &&
                   close(each.bx, lattice.bx) && close(each.by, lattice.by);
        });
        if (known) {
            return;
        }
        lattices_.insert(lattices_.begin(), lattice);
        lattices_.resize(std::min(lattices_.size(), kLatticesKept));
        learned_at_ = last_;
    }

    void keep(const Found& found, double from, double to) {
        const WatermarkPayload& payload = found.reading.payload;
        // Neighbouring windows overlap or lie a slot apart.
        const bool goes_on = !ranges_.empty() && same_source(ranges_.back().payload, payload) &&
                             from <= ranges_.back().to_seconds + 1.5 * kSlotSeconds;
        if (goes_on) {
            ranges_.back().to_seconds = to;
            ranges_.back().last_segment = payload.segment;
            ranges_.back().score = std::max(ranges_.back().score, found.reading.score);
        } else {
            ranges_.push_back({.from_seconds = from,
                               .to_seconds = to,
                               .payload = payload,
                               .last_segment = payload.segment,
                               .score = found.reading.score});
            readings_.push_back(found.reading);
        }
        if (found.reading.score > readings_.back().score) {
            readings_.back() = found.reading;
        }
    }

    VideoReading result() const {
        VideoReading result{.best = unread_, .ranges = ranges_, .seconds = last_};
        double longest = -1;
        for (std::size_t i = 0; i < ranges_.size(); ++i) {
            const double length = ranges_[i].to_seconds - ranges_[i].from_seconds;
            if (length > longest) {
                longest = length;
                result.best = readings_[i];
            }
        }
        double covered = 0;
        for (const MarkedRange& range : ranges_) {
            if (same_source(range.payload, result.best.payload)) {
                covered += range.to_seconds - range.from_seconds;
            }
        }
        result.share = last_ > 0 ? std::min(1.0, covered / last_) : (ranges_.empty() ? 0 : 1);
        return result;
    }

    static constexpr std::size_t kSearchAfter = 16;  // slots without success
    // In a whole video, whose mark may come and go as somebody likes.
    static constexpr std::size_t kSearchesMax = 12;

    const std::vector<internal::Carrier>& carriers_;
    DetectEffort effort_;
    std::vector<Lattice> lattices_;
    Working shape_;
    std::deque<Slot> slots_;
    Luma total_;
    std::size_t since_found_ = kShortWindow;
    std::size_t since_search_ = 0;
    std::size_t search_after_ = kSearchAfter;
    std::size_t searches_ = 0;
    std::vector<MarkedRange> ranges_;
    std::vector<WatermarkReading> readings_;  // the best of each range
    WatermarkReading unread_;
    double last_ = 0;
    double learned_at_ = 0;
};

Result<VideoSearch> search_file(Bytes file, media::VideoContainer container,
                                const VideoFindOptions& options, VideoSearch search) {
    media::VideoFrames frames = TRY(media::VideoFrames::open(file, container));
    std::int64_t next_ms = 0;
    for (;;) {
        const std::optional<media::VideoFrame> frame = TRY(frames.next(next_ms));
        if (!frame) {
            break;
        }
        const double seconds = static_cast<double>(frame->time_ms) / 1000;
        if (options.seconds_max > 0 && seconds > options.seconds_max) {
            break;
        }
        next_ms = frame->time_ms + kSampleMilliseconds;
        search.add(frame->luma, seconds);
        if (options.progress) {
            options.progress(seconds);
        }
    }
    return search;
}

}  // namespace

Result<VideoReading> find_video_watermark(Bytes file, media::VideoContainer container,
                                          std::span<const WatermarkKey> keys,
                                          const VideoFindOptions& options) {
    std::vector<internal::Carrier> carriers;
    carriers.reserve(keys.size());
    for (const WatermarkKey& key : keys) {
        carriers.emplace_back(key);
    }
    VideoSearch search =
        TRY(search_file(file, container, options, VideoSearch(carriers, options.effort, {})));
    VideoReading reading = search.finish();
    if (search.missed_the_beginning() && !reading.ranges.empty()) {
        // Once more with what was learned on the way.
        VideoSearch again =
            TRY(search_file(file, container, options,
                            VideoSearch(carriers, DetectEffort::kFast, search.lattices())));
        VideoReading second = again.finish();
        if (second.share >= reading.share) {
            reading = std::move(second);
        }
    }
    return reading;
}

WatermarkStrength strength_of_video_score(double score) noexcept {
    return score >= kRobustScore ? WatermarkStrength::kRobust
           : score >= kFairScore ? WatermarkStrength::kFair
                                 : WatermarkStrength::kFragile;
}

}  // namespace colophon::label
