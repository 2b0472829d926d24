// SPDX-License-Identifier: Apache-2.0
#include "gateway/video_jobs.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/call.h"
#include "gateway/file_intake.h"
#include "gateway/file_prints.h"
#include "gateway/gateway.h"
#include "gateway/held.h"
#include "gateway/job_work.h"
#include "gateway/json_edit.h"
#include "gateway/media_label.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "gateway/settings.h"
#include "gateway/video_review.h"
#include "gateway/video_upstreams.h"
#include "gateway/webhook_texts.h"
#include "http/loop.h"
#include "http/upstream.h"
#include "label/format.h"
#include "ledger/file_prints.h"
#include "ledger/media_jobs.h"
#include "review/queue.h"
#include "review/scope.h"
#include "worker/spool.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFetchPauseFirst{500};
constexpr milliseconds kSlotPause{100};
constexpr int kFetchesMax = 3;

// What stands around a video that is held has room beside it.
constexpr std::size_t kHeldVideoBytesMax = review::kEvidenceBytesMax - (256U << 10U);

// One of those that have a video in their hands.
class Heavy {
public:
    explicit Heavy(std::size_t& of) : count_(of) { ++count_; }
    ~Heavy() { --count_; }
    Heavy(const Heavy&) = delete;
    Heavy& operator=(const Heavy&) = delete;
    Heavy(Heavy&&) = delete;
    Heavy& operator=(Heavy&&) = delete;

private:
    std::size_t& count_;
};

class VideoMaker final : public JobMaker {
public:
    VideoMaker(Gateway& gateway, http::Loop& loop) : gateway_(gateway), loop_(loop) {}

    ledger::JobKind kind() const noexcept override { return ledger::JobKind::kVideo; }
    const char* operation() const noexcept override { return "videos.make"; }
    const JobSettings& limits(const Settings& settings) const noexcept override {
        return settings.video.jobs;
    }
    Result<http::UpstreamRequest> request(const JobWork& work, const std::string& key,
                                          const UpstreamSettings& upstream,
                                          const Target& target) const override {
        return video_request(std::get<VideoAsk>(work.order.ask), key, upstream, target);
    }
    bool makes_at_once(const JobWork& /*work*/, const UpstreamSettings& /*upstream*/,
                       const Target& /*target*/) const override {
        return false;
    }
    Result<json::Value> made_at_once(const UpstreamSettings& /*upstream*/,
                                     std::string_view /*answer*/) const override {
        return Error{ErrorCode::kUnsupported, "no upstream answers with a video"};
    }
    Result<std::string> task(const UpstreamSettings& upstream,
                             std::string_view answer) const override {
        return video_task(upstream, answer);
    }
    http::UpstreamRequest question(const UpstreamSettings& upstream, const Target& target,
                                   std::string_view task) const override {
        return video_question(upstream, target, task);
    }
    Result<JobStatus> status(const UpstreamSettings& upstream,
                             std::string_view answer) const override {
        VideoStatus told = TRY(video_status(upstream, answer));
        JobStatus to{.done = told.done, .progress = told.progress, .made = {}};
        if (told.done) {
            to.made = json::Object{{"seconds", told.seconds}, {"video", std::move(told.video)}};
        }
        return to;
    }
    std::optional<http::UpstreamRequest> cancel(const UpstreamSettings& upstream,
                                                const Target& target,
                                                std::string_view task) const override {
        return video_cancel(upstream, target, task);
    }
    std::size_t answer_bytes_max(const UpstreamSettings& upstream,
                                 const Settings& settings) const noexcept override {
        return status_bytes_max(upstream, settings);
    }
    Task<std::optional<Refusal>> finish(JobWork& work, const json::Value& made) override;
    const Words& words() const noexcept override {
        static constexpr Words kWords{
            .gone = "the video was deleted before it was made",
            .unknown =
                "the server that asked for this video stopped before it heard whether the "
                "upstream makes it, so it is not asked for again",
            .given_up = "this video was tried too often and is given up",
            .no_upstream = "the upstream of this video is configured no more",
            .not_kept = "the video cannot be kept now"};
        return kWords;
    }

private:
    Task<FetchedVideo> fetch(JobWork& work, std::string video);
    Task<std::optional<Refusal>> finish_video(JobWork& work, const worker::SpooledFile& video);
    Task<std::optional<Refusal>> label(JobWork& work, const worker::SpooledFile& video);
    Task<Refusal> hold_video(JobWork& work, Refusal refusal, const worker::SpooledFile& video);

    Gateway& gateway_;
    http::Loop& loop_;
    std::size_t heavy_ = 0;  // that have a video in their hands
};

Task<std::optional<Refusal>> VideoMaker::finish(JobWork& work, const json::Value& made) {
    Call& call = work.call;
    call.videos = 1;
    const json::Value* seconds = made.find("seconds");
    const auto number = seconds == nullptr ? Result<std::int64_t>(0) : seconds->as_int();
    call.video_seconds = number.ok() ? *number : 0;
    while (heavy_ >= std::max<std::size_t>(call.settings->video.labelled_at_once, 1)) {
        if (work.reason != JobWork::Reason::kNone) {
            co_return std::nullopt;
        }
        co_await loop_.sleep(kSlotPause, call.exchange.gone());
    }
    const Heavy heavy(heavy_);
    work.deadline = steady_clock::now() + work.upstream->task_time;
    std::string where(text_member(made, "video"));
    const FetchedVideo video = co_await fetch(work, std::move(where));
    if (!video.file.ok()) {
        if (work.reason == JobWork::Reason::kLate) {
            co_return task_late(*work.upstream);
        }
        const Error& error = video.file.error();
        co_return video.spool_failed ? spool_failure(error) : upstream_failure(error);
    }
    work.deadline.reset();
    work.task_ended = true;
    work.advance(kJobFetched);
    co_return co_await finish_video(work, *video.file);
}

Task<FetchedVideo> VideoMaker::fetch(JobWork& work, std::string video) {
    milliseconds pause = kFetchPauseFirst;
    for (int tries = 1;; ++tries) {
        VideoPlace place{.upstream = *work.upstream,
                         .target = *work.call.target,
                         .task = work.task->id,
                         .video = video};
        auto fetched = co_await fetch_video(gateway_, work.call, std::move(place));
        const bool again = !fetched.file.ok() && !fetched.spool_failed &&
                           fetched.file.error().code != ErrorCode::kUnsupported &&
                           fetched.file.error().code != ErrorCode::kDenied;
        if (!again || tries == kFetchesMax || work.reason != JobWork::Reason::kNone) {
            co_return fetched;
        }
        co_await loop_.sleep(pause, work.call.exchange.gone());
        pause *= 4;
    }
}

// [DSP-10] [DSP-16] What came is reviewed and labelled; only then is it kept for the caller.
Task<std::optional<Refusal>> VideoMaker::finish_video(JobWork& work,
                                                      const worker::SpooledFile& video) {
    const auto look = [&] { return gateway_.parts().media.probe(video, ""); };
    const auto format = co_await gateway_.parts().workers.run(loop_, look);
    const bool known = format.ok() || format.error().code == ErrorCode::kUnsupported;
    if (!known) {
        co_return label_failure(format.error());
    }
    if (!format.ok() || label::facts(*format).kind != label::Kind::kVideo) {
        co_return upstream_failure(
            Error{ErrorCode::kCorrupt, "what the upstream gave is no video"});
    }
    auto held = co_await guard_video(gateway_, work.call, video);
    if (held && held->code != kHeldForReview) {
        keep_unprinted(work.call, review::Stage::kOutput, ledger::kVideoFile, kRefusedBefore);
        co_return held;
    }
    auto refusal = co_await review_video(gateway_, work.call, video);
    if (refusal && refusal->code != kHeldForReview) {
        co_return refusal;
    }
    if (!held) {
        held = std::move(refusal);
    }
    refusal = co_await label(work, video);
    if (refusal || !held) {
        co_return refusal;
    }
    Refusal waits = co_await hold_video(work, std::move(*held), video);
    co_return waits;
}

Task<std::optional<Refusal>> VideoMaker::label(JobWork& work, const worker::SpooledFile& video) {
    Call& call = work.call;
    auto refusal = co_await check_unlabelled(gateway_, work);
    if (refusal) {
        co_return refusal;
    }
    refusal = co_await make_label(gateway_.stages(), call);
    if (refusal) {
        co_return refusal;
    }
    Media::Progress tell = [&work](double share) {
        work.advance(kJobFetched + static_cast<int>(share * (99 - kJobFetched)));
    };
    const auto labelled = co_await label_file(gateway_, call, video, {}, std::move(tell));
    if (!labelled.ok()) {
        call.facts().label.clear();
        co_return labelled.error().code == ErrorCode::kUnsupported
            ? upstream_failure(labelled.error())
            : label_failure(labelled.error());
    }
    if (label::facts(labelled->format).kind != label::Kind::kVideo) {
        call.facts().label.clear();
        co_return upstream_failure(
            Error{ErrorCode::kCorrupt, "what the upstream gave is no video"});
    }
    work.outcome.media_type = label::facts(labelled->format).media_type;
    work.outcome.digests = {call.record.content_digests.back()};
    ledger::MediaJobs::Content content{
        .bytes = labelled->file.size(),
        .read = [&](std::uint64_t offset, std::span<std::uint8_t> out) {
            return labelled->file.read(offset, out);
        }};
    co_return co_await keep_content(gateway_, work, *this, std::move(content));
}

// The labelled video waits with its ticket, as every answer that is held; the job has failed.
Task<Refusal> VideoMaker::hold_video(JobWork& work, Refusal refusal,
                                     const worker::SpooledFile& video) {
    Call& call = work.call;
    const ledger::JobOutcome& made = work.outcome;
    if (static_cast<std::size_t>(made.bytes) > kHeldVideoBytesMax) {
        call.facts().label.clear();
        call.detail.emplace_back("ticket", "none: too large to wait");
        co_return refusal;
    }
    ledger::MediaJob kept = work.taken.job;
    kept.outcome = made;
    Buffer shown;  // nothing: a person sees what is to go out
    const auto read = [&]() -> Result<Buffer> {
        if (static_cast<std::size_t>(made.bytes) + video.size() <= kHeldVideoBytesMax) {
            shown = TRY(video.content());
        }
        return gateway_.parts().jobs.read(kept, 0, static_cast<std::uint64_t>(made.bytes));
    };
    const auto labelled = co_await gateway_.parts().blocking.run(loop_, read);
    if (!labelled.ok()) {
        co_return own_failure("store_unavailable", "the video cannot be kept now");
    }
    review::WaitingAnswer waiting;
    waiting.headers.emplace_back("content-type", made.media_type);
    waiting.body = std::string(as_text(*labelled));
    hand_over_label(call, waiting);
    Holding holding{.stage = review::Stage::kOutput,
                    .text = call.record.personal.input,
                    .file = std::move(shown),
                    .media_type = made.media_type,
                    .answer = std::move(waiting)};
    co_await hold(gateway_.stages(), call, std::move(holding), refusal);
    co_return refusal;
}

}  // namespace

std::unique_ptr<JobMaker> make_video_maker(Gateway& gateway, http::Loop& loop) {
    return std::make_unique<VideoMaker>(gateway, loop);
}

}  // namespace colophon::gateway
