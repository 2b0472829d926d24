// SPDX-License-Identifier: Apache-2.0
#include "label/internal/video_marks.h"

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/apply.h"
#include "label/container/bmff_carry.h"
#include "label/explicit/reading.h"
#include "label/explicit/video.h"
#include "label/finding.h"
#include "label/plan.h"
#include "label/verify.h"
#include "label/watermark/detect.h"
#include "label/watermark/payload.h"
#include "label/watermark/video.h"
#include "media/video.h"
#include "media/video_transcode.h"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr std::array<double, 3> kPsnrSteps{42, 40, 38};
// How much of a video a mark must be found in for its number to stay what was written.
constexpr double kShareMin = 0.6;
constexpr double kExistingSeconds = 12;  // that are searched for an earlier mark
constexpr double kCodingShare = 0.8;     // of the time; the rest is reading back

class Marking {
public:
    Marking(const VideoTask& task, const ApplyOptions& options, const Resources& resources,
            Holder& holder)
        : task_(task), options_(options), resources_(resources), holder_(holder) {}

    Result<VideoMarked> run() {
        result_.file = task_.file;
        TRY(look_for_words());
        TRY(look_for_watermark());
        if (draws_ || marks_) {
            TRY(write());
        }
        return std::move(result_);
    }

private:
    // The same label that would be drawn, as good as it would be, stays.
    Result<void> look_for_words() {
        if (!task_.words) {
            return {};
        }
        ExplicitReading reading = TRY(find_video_mark(task_.file, media::VideoContainer::kMp4,
                                                      resources_.font, {*task_.words}));
        draws_ = !reading.found || !reading.findings.empty();
        if (!draws_) {
            result_.explicit_mark = std::move(reading);
        }
        return {};
    }

    Result<void> cannot_watermark(Error error) {
        if (!options_.optional.has(Mark::kWatermark)) {
            return error;
        }
        warn(result_.findings, "watermark.none", std::move(error.what));
        marks_ = false;
        return {};
    }

    // Most videos bear none, which their beginning tells; of one that does all is looked at.
    Result<VideoReading> earlier_mark() {
        const auto look = [&](double seconds_max) {
            return find_video_watermark(task_.file, media::VideoContainer::kMp4,
                                        std::span(&options_.watermark_key, 1),
                                        {.effort = DetectEffort::kFast,
                                         .seconds_max = seconds_max,
                                         .progress = [this](double) { report(0); }});
        };
        VideoReading beginning = TRY(look(kExistingSeconds));
        if (beginning.best.state != WatermarkState::kFound) {
            return beginning;
        }
        return look(0);
    }

    Result<void> look_for_watermark() {
        if (!task_.watermark) {
            return {};
        }
        if (!task_.content_id) {
            return cannot_watermark({ErrorCode::kInvalidArgument,
                                     "a watermark holds a content id of ten characters; the number "
                                     "that was given is of another kind"});
        }
        auto looked = earlier_mark();
        if (!looked.ok()) {
            const bool cannot = looked.error().code == ErrorCode::kUnsupported ||
                                looked.error().code == ErrorCode::kLimit;
            return cannot ? cannot_watermark(looked.error()) : Result<void>(looked.error());
        }
        VideoReading before = std::move(*looked);
        if (before.best.state != WatermarkState::kFound) {
            marks_ = true;
            return {};
        }
        const WatermarkPayload payload = before.best.payload;
        const bool whole = before.share >= kShareMin;
        if (payload.issuer == options_.issuer && payload.content_id != *task_.content_id) {
            // In a video that nobody cut it can be taken out where it lies.
            const MarkedRange& first = before.ranges.front();
            if (whole && before.best.geometry.untouched && first.from_seconds == 0 &&
                first.payload.form == PayloadForm::kSegment && first.payload.segment == 0 &&
                first.payload.issuer == payload.issuer &&
                first.payload.content_id == payload.content_id) {
                marks_ = true;
                replaces_ = payload.content_id;
                return {};
            }
            return Error{ErrorCode::kConflict,
                         fmt::format("the video carries the watermark {} of this issuer, which {} "
                                     "cannot replace; give --content-id {}",
                                     to_string(payload.content_id), to_string(*task_.content_id),
                                     to_string(payload.content_id))};
        }
        // One that lies in a part of the video leaves the rest without: that is no mark of it.
        if (!whole) {
            marks_ = true;
            return {};
        }
        note(result_.findings, "watermark.kept",
             fmt::format("the video carries the watermark {} of issuer {} already, which stays",
                         to_string(payload.content_id), payload.issuer.value));
        result_.watermark = to_verification(std::move(before));
        return {};
    }

    Result<void> write() {
        for (const double psnr_db : kPsnrSteps) {
            if (TRY(try_to_write(psnr_db))) {
                if (marks_ && psnr_db < kPsnrSteps.front()) {
                    note(result_.findings, "watermark.strengthened",
                         fmt::format("the video hides little; its watermark is {:.0f} dB from the "
                                     "original instead of {:.0f}",
                                     psnr_db, kPsnrSteps.front()));
                }
                return {};
            }
        }
        TRY(cannot_watermark(
            {ErrorCode::kInvalidArgument,
             fmt::format("the video is too flat or too short to hold a watermark: even at "
                         "{:.0f} dB it does not read back",
                         kPsnrSteps.back())}));
        // The words alone.
        if (draws_) {
            TRY(try_to_write(kPsnrSteps.front()));
        }
        return {};
    }

    void report(double share) const {
        if (resources_.progress) {
            resources_.progress(share);
        }
    }

    Result<Bytes> code(double psnr_db) {
        media::VideoTranscoder video = TRY(media::VideoTranscoder::open(
            task_.file, {.quality = {}, .threads = 2, .progress = [this](double done) {
                             report(kCodingShare * done);
                         }}));
        std::optional<VideoMarker> marker;
        if (draws_) {
            words_ = TRY(VideoLabel::create(video.facts(),
                                            {.text = *task_.words, .place = options_.image_place},
                                            resources_.font));
        }
        if (marks_) {
            auto made = VideoMarker::create(video.facts(), {.key = options_.watermark_key,
                                                            .issuer = options_.issuer,
                                                            .content_id = *task_.content_id,
                                                            .psnr_db = psnr_db,
                                                            .replaces = replaces_});
            if (made.ok()) {
                marker = std::move(made).value();
            } else {
                TRY(cannot_watermark(made.error()));
            }
        }
        if (!draws_ && !marks_) {
            return Bytes();  // nothing is left to code it again for
        }
        const auto change = [&](media::VideoPicture& picture) -> Result<void> {
            if (words_) {
                words_->draw(picture);
            }
            if (marker) {
                marker->mark(picture);
            }
            return {};
        };
        media::Transcoded done;
        const auto fill = [&](media::ByteSink& sink) -> Result<void> {
            done = TRY(video.run(change, sink));
            return {};
        };
        const Bytes coded = TRY(holder_.hold_stream(fill));
        left_out_ = std::move(done.left_out);
        return coded;
    }

    // False: the watermark does not read back at this strength.
    Result<bool> try_to_write(double psnr_db) {
        const auto made = code(psnr_db);
        // Where nothing but an optional mark was owed, a video that cannot be coded stays as it is.
        if (!made.ok() && !draws_ && made.error().code == ErrorCode::kUnsupported) {
            TRY(cannot_watermark(made.error()));
        }
        if (!draws_ && !marks_) {
            return true;
        }
        const Bytes coded = TRY(made);
        if (draws_) {
            // [GB45438-5.4] What a viewer sees of it, not what was meant.
            ExplicitReading reading = TRY(words_->read_back(coded, media::VideoContainer::kMp4));
            if (!reading.found) {
                return Error{ErrorCode::kCorrupt, "the explicit label does not read back"};
            }
            result_.explicit_mark = std::move(reading);
        }
        if (marks_ && !TRY(reads_back(coded))) {
            return false;
        }
        const Splice splice = TRY(bmff::carry_movie_metadata(task_.file, coded));
        result_.file = TRY(holder_.hold(coded, splice, task_.last));
        result_.changed = true;
        for (const std::string& track : left_out_) {
            warn(result_.findings, "video.left_out",
                 fmt::format("a track could not be carried over: {}", track));
        }
        note(result_.findings, "video.recoded",
             "the pictures of the video were coded again; its sound is as before");
        return true;
    }

    Result<bool> reads_back(Bytes coded) {
        VideoReading reading = TRY(find_video_watermark(
            coded, media::VideoContainer::kMp4, std::span(&options_.watermark_key, 1),
            {.effort = DetectEffort::kFast, .seconds_max = 0, .progress = [this](double) {
                 report(kCodingShare);
             }}));
        const WatermarkPayload& payload = reading.best.payload;
        if (reading.best.state != WatermarkState::kFound || payload.issuer != options_.issuer ||
            payload.content_id != *task_.content_id || reading.share < kShareMin) {
            return false;
        }
        result_.watermark = to_verification(std::move(reading));
        return true;
    }

    const VideoTask& task_;
    const ApplyOptions& options_;
    const Resources& resources_;
    Holder& holder_;
    std::optional<VideoLabel> words_;
    std::optional<ContentId> replaces_;
    bool draws_ = false;
    bool marks_ = false;
    std::vector<std::string> left_out_;
    VideoMarked result_;
};

}  // namespace

Result<VideoMarked> mark_video(const VideoTask& task, const ApplyOptions& options,
                               const Resources& resources, Holder& holder) {
    return Marking(task, options, resources, holder).run();
}

WatermarkVerification to_verification(VideoReading reading) {
    WatermarkVerification seen;
    seen.reading = reading.best;
    seen.strength = strength_of_video_score(reading.best.score);
    seen.ranges = std::move(reading.ranges);
    seen.seconds = reading.seconds;
    return seen;
}

}  // namespace colophon::label::internal
