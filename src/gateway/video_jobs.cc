// SPDX-License-Identifier: Apache-2.0
#include "gateway/video_jobs.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/metrics.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/held.h"
#include "gateway/job_exchange.h"
#include "gateway/json_edit.h"
#include "gateway/media_label.h"
#include "gateway/parts.h"
#include "gateway/picture_review.h"
#include "gateway/refusal.h"
#include "gateway/routing.h"
#include "gateway/settings.h"
#include "gateway/unlabelled.h"
#include "gateway/video_upstreams.h"
#include "http/loop.h"
#include "http/upstream.h"
#include "label/format.h"
#include "ledger/media_jobs.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "review/queue.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How often a node says that it is still at it, and hears whether the caller gave up.
constexpr milliseconds kBeat{2'000};
// How often a node looks for jobs that nobody told it of: those of nodes that died.
constexpr milliseconds kLook{3'000};
constexpr milliseconds kTidy{60'000};
// Between two questions about a task.
constexpr milliseconds kPauseFirst{500};
constexpr milliseconds kPauseMost{10'000};
constexpr int kFailuresMax = 10;  // questions in a row that may fail
constexpr int kFetchesMax = 3;
constexpr milliseconds kInsistEvery{500};
// A fault of ours is tried again that often; what ends its node every time is given up.
constexpr int kOwnFailuresMax = 5;
constexpr int kAttemptsMax = 10;
// What of a job is done: 100 is the end.
constexpr int kSubmitted = 5;
constexpr int kMade = 80;
constexpr int kFetched = 85;
constexpr std::size_t kTakenMax = 16;
constexpr const char* kOperation = "videos.make";

Refusal late(const UpstreamSettings& upstream) {
    return upstream_failure(
        Error{ErrorCode::kLimit, fmt::format("the upstream's task did not end within {} seconds",
                                             upstream.task_time.count())});
}

// What was worth an hour of a worker is not worth another.
constexpr std::int64_t kDearLabelMs = 60'000;

bool is_worth_another_try(const Refusal& refusal, const Call& call, int attempt) {
    return refusal.status == 503 && refusal.type == "server_error" && attempt < kOwnFailuresMax &&
           call.record.facts.durations.label_ms.value_or(0) < kDearLabelMs;
}

json::Object private_json(const ledger::Private& from) {
    return {{"account", from.account},         {"source_address", from.source_address},
            {"source_port", from.source_port}, {"target_address", from.target_address},
            {"client", from.client},           {"input", from.input}};
}

}  // namespace

std::string write_order(const VideoOrder& order) {
    return json::write(json::Object{{"model", order.ask.model},
                                    {"prompt", order.ask.prompt},
                                    {"body", order.ask.body},
                                    {"form", order.ask.form},
                                    {"reference", to_base64(as_bytes(order.ask.reference))},
                                    {"reference_type", order.ask.reference_type},
                                    {"from", private_json(order.from)},
                                    {"unlabelled", order.unlabelled},
                                    {"trace", order.trace}});
}

Result<VideoOrder> read_order(std::string_view text) {
    const json::Value value = TRY(json::parse(text, {.bytes_max = text.size() + 1}));
    const json::Value* body = value.find("body");
    const json::Value* from = value.find("from");
    if (body == nullptr || body->if_object() == nullptr || from == nullptr) {
        return Error{ErrorCode::kCorrupt, "a job in the database is damaged"};
    }
    const auto is_set = [&](std::string_view name) {
        const json::Value* flag = value.find(name);
        return flag != nullptr && flag->if_bool() != nullptr && *flag->if_bool();
    };
    const Buffer reference = TRY(from_base64(text_member(value, "reference")));
    VideoOrder order;
    order.ask = {.model = value.string_or("model", ""),
                 .prompt = value.string_or("prompt", ""),
                 .body = *body,
                 .form = is_set("form"),
                 .reference = std::string(as_text(reference)),
                 .reference_type = value.string_or("reference_type", "")};
    const json::Value* port = from->find("source_port");
    order.from.account = from->string_or("account", "");
    order.from.source_address = from->string_or("source_address", "");
    order.from.source_port = port == nullptr ? 0 : TRY(port->as_int());
    order.from.target_address = from->string_or("target_address", "");
    order.from.client = from->string_or("client", "");
    order.from.input = from->string_or("input", "");
    order.unlabelled = is_set("unlabelled");
    order.trace = value.string_or("trace", "");
    return order;
}

// One job on this node.
struct VideoJobs::Work {
    // Why it ends before it is done.
    enum class Reason : std::uint8_t { kNone, kGone, kLost, kLate, kDraining };

    Work(http::Loop& loop, std::shared_ptr<const Settings> settings, ledger::TakenJob of)
        : exchange(loop), call(exchange, std::move(settings)), taken(std::move(of)) {}

    void stop_for(Reason why) {
        if (reason == Reason::kNone || why == Reason::kLost) {
            reason = why;
        }
        exchange.stop().request_stop();
    }
    void advance(int to) {
        if (to > progress.load()) {
            progress.store(to);
        }
    }

    JobExchange exchange;
    Call call;
    ledger::TakenJob taken;
    VideoOrder order;
    const UpstreamSettings* upstream = nullptr;  // that has the task; points into call.settings
    std::optional<ledger::JobTask> task;
    std::optional<SteadyTime> deadline;  // of the upstream
    ledger::JobOutcome outcome;
    bool erased = false;
    bool task_ended = false;  // there is nothing to be cancelled
    Reason reason = Reason::kNone;
    std::atomic<int> progress{0};  // a worker's thread sets it too
    std::stop_source heart;
};

// One of those that have a video in memory.
struct VideoJobs::Heavy {
    explicit Heavy(std::size_t& of) : count(of) { ++count; }
    ~Heavy() { --count; }
    Heavy(const Heavy&) = delete;
    Heavy& operator=(const Heavy&) = delete;
    std::size_t& count;
};

VideoJobs::VideoJobs(Gateway& gateway, http::Loop& loop) : gateway_(gateway), loop_(loop) {}

VideoJobs::~VideoJobs() = default;

Result<void> VideoJobs::start() {
    heard_ = TRY(gateway_.parts().jobs.listen([this] { loop_.post([this] { wake(); }); }));
    gateway_.parts().metrics.gauge("colophon_video_jobs_running", "Videos that this node is making",
                                   [this] { return static_cast<double>(running_.load()); });
    loop_.spawn(take_always());
    loop_.spawn(tidy_always());
    return {};
}

void VideoJobs::wake() {
    pause_.request_stop();
}

void VideoJobs::drain(std::function<void()> done) {
    draining_ = true;
    drained_.request_stop();
    wake();
    if (running_ == 0) {
        done();
        return;
    }
    done_ = std::move(done);
}

Task<void> VideoJobs::take_always() {
    while (!draining_) {
        pause_ = std::stop_source();
        co_await take_some();
        co_await loop_.sleep(kLook, pause_.get_token());
    }
}

Task<void> VideoJobs::take_some() {
    const std::size_t most = gateway_.settings()->video.jobs_at_once;
    if (running_ >= most) {
        co_return;
    }
    ledger::MediaJobs& jobs = gateway_.parts().jobs;
    const std::size_t room = std::min(most - running_.load(), kTakenMax);
    const auto look = [&]() -> Result<std::vector<ledger::TakenJob>> {
        // Looking costs no commit.
        const auto waiting = jobs.waiting();
        if (!waiting.ok()) {
            return waiting.error();
        }
        return *waiting == 0 ? std::vector<ledger::TakenJob>() : jobs.take(room);
    };
    // What could not be read is taken again when its lease has ended.
    auto taken = co_await gateway_.parts().blocking.run(loop_, look);
    if (!taken.ok()) {
        co_return;
    }
    for (ledger::TakenJob& each : *taken) {
        ++running_;
        loop_.spawn(run(std::make_shared<Work>(loop_, gateway_.settings(), std::move(each))));
    }
}

Task<void> VideoJobs::tidy_always() {
    while (!draining_) {
        const auto tidy = [&] { return gateway_.parts().jobs.tidy(); };
        // What fails is tried again.
        (void)co_await gateway_.parts().blocking.run(loop_, tidy);
        co_await loop_.sleep(kTidy, drained_.get_token());
    }
}

Task<void> VideoJobs::run(std::shared_ptr<Work> work) {
    loop_.spawn(watch(work));
    auto refusal = co_await guarded(*work);
    co_await settle(*work, std::move(refusal));
    work->heart.request_stop();
    --running_;
    wake();
    if (draining_ && running_ == 0 && done_) {
        std::exchange(done_, nullptr)();
    }
}

// The lease, for as long as the work goes on.
Task<void> VideoJobs::watch(std::shared_ptr<Work> work) {
    const std::stop_callback on_drain(drained_.get_token(), [&] {
        // What has a video in hand comes to its end; a draining server waits for it, within limits.
        if (work->progress.load() < kFetched) {
            work->stop_for(Work::Reason::kDraining);
        }
    });
    auto held = steady_clock::now();
    for (;;) {
        co_await loop_.sleep(kBeat, work->heart.get_token());
        if (work->heart.stop_requested()) {
            co_return;
        }
        const auto now = steady_clock::now();
        if (work->deadline && now > *work->deadline) {
            work->stop_for(Work::Reason::kLate);
        }
        const auto beat = [&] {
            return gateway_.parts().jobs.extend(work->taken, work->progress.load());
        };
        const auto gone = co_await gateway_.parts().blocking.run(loop_, beat);
        if (gone.ok()) {
            held = now;
            if (*gone) {
                work->stop_for(Work::Reason::kGone);
            }
        } else if (gone.error().code == ErrorCode::kConflict ||
                   steady_clock::now() - held > ledger::kJobLease) {
            work->stop_for(Work::Reason::kLost);
        }
    }
}

template <class Try>
Task<Result<void>> VideoJobs::insist(Work& work, Try attempt) {
    for (;;) {
        auto done = co_await gateway_.parts().blocking.run(loop_, attempt);
        const bool again = !done.ok() && (done.error().code == ErrorCode::kUnavailable ||
                                          done.error().code == ErrorCode::kLimit);
        if (!again || work.reason == Work::Reason::kLost) {
            co_return done;
        }
        co_await loop_.sleep(kInsistEvery);
    }
}

// A throw anywhere is the failure of one job.
Task<std::optional<Refusal>> VideoJobs::guarded(Work& work) {
    std::optional<Refusal> refusal;
    try {
        refusal = co_await make(work);
    } catch (const std::exception&) {
        refusal = own_failure("internal_error", "a part of the gateway failed");
    }
    co_return refusal;
}

Task<std::optional<Refusal>> VideoJobs::make(Work& work) {
    auto refusal = co_await open(work);
    if (refusal) {
        co_return refusal;
    }
    if (work.taken.job.gone) {
        work.stop_for(Work::Reason::kGone);
    }
    if (work.taken.lease.attempt > kAttemptsMax) {
        co_return upstream_failure(
            Error{ErrorCode::kUnavailable, "this video was tried too often and is given up"});
    }
    if (work.task) {
        refusal = resume(work);
    } else {
        refusal = co_await submit(work);
    }
    if (refusal || work.reason != Work::Reason::kNone) {
        co_return refusal;
    }
    auto status = co_await await_task(work);
    if (!status.ok()) {
        co_return work.reason == Work::Reason::kLate ? late(*work.upstream)
                                                     : upstream_failure(status.error());
    }
    Call& call = work.call;
    call.videos = 1;
    call.video_seconds = status->seconds;
    work.advance(kMade);
    work.deadline.reset();
    while (heavy_ >= std::max<std::size_t>(call.settings->video.labelled_at_once, 1)) {
        if (work.reason != Work::Reason::kNone) {
            co_return std::nullopt;
        }
        co_await loop_.sleep(milliseconds(100), call.exchange.gone());
    }
    const Heavy heavy(heavy_);
    work.deadline = steady_clock::now() + work.upstream->task_time;
    auto video = co_await fetch(work, std::move(status->video));
    if (!video.ok()) {
        co_return work.reason == Work::Reason::kLate ? late(*work.upstream)
                                                     : upstream_failure(video.error());
    }
    work.deadline.reset();
    work.task_ended = true;
    work.advance(kFetched);
    co_return co_await finish(work, std::move(*video));
}

// What was asked, and the call that it is worked on as.
Task<std::optional<Refusal>> VideoJobs::open(Work& work) {
    const ledger::MediaJob& job = work.taken.job;
    Call& call = work.call;
    call.caller.tenant = job.tenant;
    ledger::Facts& facts = call.facts();
    facts.at = gateway_.parts().clock.now();
    const auto id = ledger::make_record_id(facts.at, gateway_.parts().random);
    if (!id.ok()) {
        co_return own_failure("internal_error", "no number for a record can be made now");
    }
    facts.id = *id;
    facts.tenant = job.tenant;
    facts.subject = job.subject;
    facts.operation = kOperation;
    facts.policy_version = call.settings->reviewer->version();
    facts.model = job.shown.string_or("model", "");
    call.detail.emplace_back("job", to_string(job.id));
    call.detail.emplace_back("call", to_string(job.record));
    work.progress = job.progress;
    work.task = job.task;
    const auto model = call.settings->models.find(facts.model);
    call.model = model == call.settings->models.end() ? nullptr : &model->second;
    const auto read = [&]() -> Result<VideoOrder> {
        const auto asked = gateway_.parts().jobs.asked(job);
        if (!asked.ok()) {
            return asked.error();
        }
        return read_order(*asked);
    };
    auto order = co_await gateway_.parts().blocking.run(loop_, read);
    if (!order.ok()) {
        work.erased = order.error().code == ErrorCode::kNotFound;
        co_return own_failure("internal_error", "what was asked of this job cannot be read");
    }
    work.order = std::move(*order);
    call.record.personal = work.order.from;
    call.trace = work.order.trace;
    call.unlabelled = work.order.unlabelled;
    if (call.model == nullptr) {
        Refusal refusal = invalid_request("there is no model of that name here", "model");
        refusal.code = "model_not_found";
        co_return refusal;
    }
    co_return std::nullopt;
}

Task<std::optional<Refusal>> VideoJobs::submit(Work& work) {
    if (work.reason != Work::Reason::kNone) {
        co_return std::nullopt;
    }
    Call& call = work.call;
    const std::string key = to_string(work.taken.job.id);
    const auto request = [&](const UpstreamSettings& upstream, const Target& target) {
        return video_request(work.order.ask, key, upstream, target);
    };
    auto sent = co_await gateway_.routing().send(call, gateway_.upstream(loop_), request);
    if (!sent.ok()) {
        co_return sent.error().code == ErrorCode::kInvalidArgument
            ? invalid_request(sent.error().what, "")
            : upstream_failure(sent.error());
    }
    work.upstream = sent->upstream;
    auto answer =
        co_await good_answer(*sent->response, status_bytes_max(*sent->upstream, *call.settings));
    if (!answer.ok()) {
        co_return upstream_failure(answer.error());
    }
    auto id = video_task(*sent->upstream, *answer);
    if (!id.ok()) {
        co_return upstream_failure(id.error());
    }
    work.task = ledger::JobTask{.upstream = sent->upstream->name,
                                .model = sent->target->model,
                                .id = std::move(*id),
                                .submitted = gateway_.parts().clock.now()};
    call.facts().model_version = sent->target->model;
    // Whoever goes on after a crash must know of it: before anything else.
    const auto note = [&] { return gateway_.parts().jobs.note_task(work.taken, *work.task); };
    const auto noted = co_await insist(work, note);
    if (!noted.ok()) {
        co_await cancel_task(work);
        work.stop_for(Work::Reason::kLost);
        co_return std::nullopt;
    }
    work.advance(kSubmitted);
    work.deadline = steady_clock::now() + sent->upstream->task_time;
    co_return std::nullopt;
}

// Another node, or this one before it was started again, had submitted it.
std::optional<Refusal> VideoJobs::resume(Work& work) {
    Call& call = work.call;
    const auto upstream = call.settings->upstreams.find(work.task->upstream);
    if (upstream == call.settings->upstreams.end()) {
        return upstream_failure(
            Error{ErrorCode::kUnavailable, "the upstream of this video is configured no more"});
    }
    work.upstream = &upstream->second;
    for (const Target& each : call.model->targets) {
        if (each.upstream == work.task->upstream && each.model == work.task->model) {
            call.target = &each;
        }
    }
    if (call.target == nullptr) {
        return upstream_failure(
            Error{ErrorCode::kUnavailable, "the upstream of this video is configured no more"});
    }
    call.facts().model_version = work.task->model;
    call.detail.emplace_back("upstream", work.task->upstream);
    call.detail.emplace_back("resumed", std::int64_t{work.taken.lease.attempt});
    const auto spent =
        std::max(gateway_.parts().clock.now() - work.task->submitted, milliseconds(0));
    work.deadline = steady_clock::now() + (work.upstream->task_time - spent);
    return std::nullopt;
}

Task<Result<std::string>> VideoJobs::ask_once(Work& work) {
    Call& call = work.call;
    http::UpstreamRequest request = video_question(*work.upstream, *call.target, work.task->id);
    request.stop = call.exchange.gone();
    auto response = co_await gateway_.upstream(loop_).send(std::move(request));
    if (!response.ok()) {
        co_return response.error();
    }
    co_return co_await good_answer(**response, status_bytes_max(*work.upstream, *call.settings));
}

Task<Result<VideoStatus>> VideoJobs::await_task(Work& work) {
    Call& call = work.call;
    milliseconds pause = kPauseFirst;
    int failures = 0;
    Error last{ErrorCode::kUnavailable, "the call was given up"};
    while (failures < kFailuresMax) {
        // Also when the time is over: it may have ended while no node was there to ask.
        co_await loop_.sleep(pause, call.exchange.gone());
        if (work.reason != Work::Reason::kNone) {
            co_return last;
        }
        pause = std::min(kPauseMost, pause + pause / 2);
        const auto answer = co_await ask_once(work);
        if (!answer.ok()) {
            last = answer.error();
            ++failures;
            continue;
        }
        auto status = video_status(*work.upstream, *answer);
        if (!status.ok() && status.error().code == ErrorCode::kCorrupt) {
            last = status.error();
            ++failures;
            continue;
        }
        failures = 0;
        if (!status.ok()) {
            work.task_ended = true;
            co_return status.error();
        }
        if (status->progress) {
            work.advance(kSubmitted + *status->progress * (kMade - kSubmitted) / 100);
        }
        if (status->done) {
            const auto took = gateway_.parts().clock.now() - work.task->submitted;
            call.facts().durations.upstream_ms =
                std::chrono::duration_cast<milliseconds>(took).count();
            co_return status;
        }
    }
    gateway_.routing().note_broken(*call.target);
    co_return last;
}

Task<Result<Buffer>> VideoJobs::fetch(Work& work, std::string video) {
    milliseconds pause = kPauseFirst;
    for (int tries = 1;; ++tries) {
        VideoPlace place{.upstream = *work.upstream,
                         .target = *work.call.target,
                         .task = work.task->id,
                         .video = video};
        auto fetched = co_await fetch_video(gateway_, work.call, std::move(place));
        const bool again = !fetched.ok() && fetched.error().code != ErrorCode::kUnsupported &&
                           fetched.error().code != ErrorCode::kDenied;
        if (!again || tries == kFetchesMax || work.reason != Work::Reason::kNone) {
            co_return fetched;
        }
        co_await loop_.sleep(pause, work.call.exchange.gone());
        pause *= 4;
    }
}

// [DSP-10] [DSP-16] What came is reviewed and labelled; only then is it kept for the caller.
Task<std::optional<Refusal>> VideoJobs::finish(Work& work, Buffer video) {
    const auto format = label::detect_format(video, "");
    if (!format || label::facts(*format).kind != label::Kind::kVideo) {
        co_return upstream_failure(
            Error{ErrorCode::kCorrupt, "what the upstream gave is no video"});
    }
    auto refusal = co_await review_video(gateway_, work.call, video);
    if (refusal && refusal->code != kHeldForReview) {
        co_return refusal;
    }
    std::optional<Refusal> held = std::move(refusal);
    Buffer shown;
    if (held && video.size() < review::kEvidenceBytesMax) {
        shown = video;
    }
    refusal = co_await label(work, std::move(video));
    if (refusal || !held) {
        co_return refusal;
    }
    Refusal waits = co_await hold_video(work, std::move(*held), std::move(shown));
    co_return waits;
}

Task<std::optional<Refusal>> VideoJobs::label(Work& work, Buffer video) {
    Call& call = work.call;
    if (call.unlabelled) {
        // [AILM-9] It may have been revoked while the video was made.
        auto uncovered = co_await check_agreement(gateway_.stages(), call);
        if (uncovered) {
            co_return uncovered;
        }
    }
    auto refusal = co_await make_label(gateway_.stages(), call);
    if (refusal) {
        co_return refusal;
    }
    Media::Progress tell = [&work](double share) {
        work.advance(kFetched + static_cast<int>(share * (99 - kFetched)));
    };
    auto labelled = co_await label_file(gateway_, call, std::move(video), "", std::move(tell));
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
    work.outcome.digest = call.record.content_digests.back();
    work.outcome.bytes = static_cast<std::int64_t>(labelled->file.size());
    refusal = co_await keep(work, labelled->file);
    if (refusal) {
        call.facts().label.clear();
    }
    co_return refusal;
}

Task<std::optional<Refusal>> VideoJobs::keep(Work& work, const Buffer& file) {
    const auto put = [&]() -> Result<void> {
        const auto blob = gateway_.parts().jobs.put(work.taken.job, file);
        if (!blob.ok()) {
            return blob.error();
        }
        work.outcome.blob = *blob;
        return {};
    };
    const auto kept = co_await gateway_.parts().blocking.run(loop_, put);
    if (!kept.ok()) {
        co_return own_failure("store_unavailable", "the video cannot be kept now");
    }
    work.outcome.label = work.call.facts().label;
    work.outcome.content_id = work.call.facts().content_id;
    co_return std::nullopt;
}

// The labelled video waits with its ticket, as every answer that is held; the job has failed.
Task<Refusal> VideoJobs::hold_video(Work& work, Refusal refusal, Buffer file) {
    Call& call = work.call;
    const ledger::JobOutcome& made = work.outcome;
    if (static_cast<std::size_t>(made.bytes) + file.size() > review::kEvidenceBytesMax) {
        call.facts().label.clear();
        call.detail.emplace_back("ticket", "none: too large to wait");
        co_return refusal;
    }
    ledger::MediaJob kept = work.taken.job;
    kept.outcome = made;
    const auto read = [&] {
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
                    .file = std::move(file),
                    .media_type = made.media_type,
                    .answer = std::move(waiting)};
    co_await hold(gateway_.stages(), call, std::move(holding), refusal);
    co_return refusal;
}

// Best effort: whoever pays for the upstream would pay for nothing.
Task<void> VideoJobs::cancel_task(Work& work) {
    if (!work.task || work.task_ended || work.upstream == nullptr || work.call.target == nullptr) {
        co_return;
    }
    auto request = video_cancel(*work.upstream, *work.call.target, work.task->id);
    if (!request) {
        co_return;
    }
    auto response = co_await gateway_.upstream(loop_).send(std::move(*request));
    work.call.detail.emplace_back("cancelled", response.ok() && (*response)->head().status < 300);
}

Task<void> VideoJobs::settle(Work& work, std::optional<Refusal> refusal) {
    Call& call = work.call;
    work.deadline.reset();
    if (work.reason == Work::Reason::kLost) {
        co_return;
    }
    const bool done = !refusal && work.outcome.bytes > 0;
    if (work.erased) {
        const auto drop = [&] { return gateway_.parts().jobs.drop(work.taken); };
        if (work.task && call.model != nullptr && work.upstream == nullptr) {
            (void)resume(work);
        }
        co_await cancel_task(work);
        (void)co_await insist(work, drop);
        co_return;
    }
    if (work.reason == Work::Reason::kGone) {
        co_await cancel_task(work);
        refusal = Refusal{.status = 409,
                          .type = "invalid_request_error",
                          .code = "cancelled",
                          .message = "the video was deleted before it was made",
                          .outcome = ledger::Outcome::kCutOff};
    }
    const bool tries_again =
        work.reason == Work::Reason::kDraining ||
        (refusal && is_worth_another_try(*refusal, call, work.taken.lease.attempt));
    if (!done && work.reason != Work::Reason::kGone && tries_again) {
        const milliseconds pause(work.reason == Work::Reason::kDraining
                                     ? 0
                                     : 1000 << std::min(work.taken.lease.attempt, 6));
        const auto give = [&] { return gateway_.parts().jobs.give_back(work.taken, pause); };
        (void)co_await insist(work, give);
        co_return;
    }
    if (!done && !refusal) {
        co_return;  // its lease ends, and another takes it
    }
    call.facts().outcome = ledger::Outcome::kAnswered;
    if (refusal) {
        if (work.reason == Work::Reason::kLate) {
            co_await cancel_task(work);
        }
        call.facts().outcome = refusal->outcome;
        call.facts().outcome_code = refusal->code;
        call.facts().label.clear();
        json::Object error{
            {"code", refusal->code}, {"message", refusal->message}, {"type", refusal->type}};
        for (const auto& [name, text] :
             {std::pair{"category", &refusal->category}, std::pair{"ticket", &refusal->ticket}}) {
            if (!text->empty()) {
                error.emplace_back(name, *text);
            }
        }
        work.outcome = ledger::JobOutcome{};
        work.outcome.error = std::move(error);
    }
    co_await end(work);
    gateway_.count(call, kOperation, refusal ? refusal->code : std::string());
}

// The record and the end of the job, as one.
Task<void> VideoJobs::end(Work& work) {
    Call& call = work.call;
    if (std::exchange(call.unlabelled, false)) {
        // It has not gone out yet: each time that it does is a record of its own kind.
        call.detail.emplace_back("explicit_label", "none");
    }
    const auto filled = co_await fill_record(gateway_.stages(), call);
    if (!filled.ok()) {
        co_return;  // its lease ends, and another takes it
    }
    const auto write = [&] {
        const ledger::MediaJobs::Ending ending{
            .outcome = work.outcome,
            .kept = std::chrono::duration_cast<std::chrono::seconds>(call.settings->video.kept)};
        return gateway_.parts().jobs.end(work.taken, ending, call.record, call.prints);
    };
    const auto ended = co_await insist(work, write);
    if (!ended.ok() && ended.error().code == ErrorCode::kDenied) {
        const auto drop = [&] { return gateway_.parts().jobs.drop(work.taken); };
        (void)co_await insist(work, drop);
    }
}

}  // namespace colophon::gateway
