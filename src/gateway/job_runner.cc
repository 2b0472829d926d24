// SPDX-License-Identifier: Apache-2.0
#include "gateway/job_runner.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/metrics.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/call.h"
#include "gateway/course.h"
#include "gateway/gateway.h"
#include "gateway/job_order.h"
#include "gateway/job_work.h"
#include "gateway/parts.h"
#include "gateway/picture_jobs.h"
#include "gateway/refusal.h"
#include "gateway/routing.h"
#include "gateway/settings.h"
#include "gateway/unlabelled.h"
#include "gateway/video_jobs.h"
#include "gateway/video_upstreams.h"
#include "http/loop.h"
#include "http/upstream.h"
#include "ledger/media_jobs.h"
#include "ledger/record.h"
#include "ledger/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
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
constexpr milliseconds kInsistEvery{500};
// A fault of ours is tried again that often; what ends its node every time is given up.
constexpr int kOwnFailuresMax = 5;
constexpr int kAttemptsMax = 10;
constexpr std::size_t kTakenMax = 16;
// What was worth an hour of a worker is not worth another.
constexpr std::int64_t kDearLabelMs = 60'000;

Refusal failure_of(const JobWork& work, const Error& error) {
    return work.reason == JobWork::Reason::kLate ? task_late(*work.upstream)
                                                 : upstream_failure(error);
}

bool is_worth_another_try(const Refusal& refusal, const Call& call, int attempt) {
    return refusal.status == 503 && refusal.type == "server_error" && attempt < kOwnFailuresMax &&
           call.record.facts.durations.label_ms.value_or(0) < kDearLabelMs;
}

milliseconds pause_after(int attempt) {
    return milliseconds(1000 << std::min(attempt, 6));
}

const Target* target_of(const Call& call, const std::string& upstream, const std::string& model) {
    for (const Target& each : call.model->targets) {
        if (each.upstream == upstream && each.model == model) {
            return &each;
        }
    }
    return nullptr;
}

// A node began to ask, and did not live to hear or to keep what was answered.
Refusal nobody_knows(const JobMaker& maker) {
    Refusal refusal = upstream_failure(Error{ErrorCode::kUnavailable, maker.words().unknown});
    refusal.code = "submission_unknown";
    return refusal;
}

}  // namespace

JobRunner::JobRunner(Gateway& gateway, http::Loop& loop) : gateway_(gateway), loop_(loop) {
    for (auto* make : {make_video_maker, make_picture_maker}) {
        auto line = std::make_unique<Line>();
        line->maker = make(gateway, loop);
        lines_.push_back(std::move(line));
    }
}

JobRunner::~JobRunner() = default;

Result<void> JobRunner::start() {
    heard_ = TRY(gateway_.parts().jobs.listen([this] { loop_.post([this] { wake(); }); }));
    for (const auto& line : lines_) {
        const bool videos = line->maker->kind() == ledger::JobKind::kVideo;
        gateway_.parts().metrics.gauge(
            videos ? "colophon_video_jobs_running" : "colophon_picture_jobs_running",
            videos ? "Videos that this node is making"
                   : "Jobs for pictures that this node is doing",
            [&own = *line] { return static_cast<double>(own.running.load()); });
    }
    loop_.spawn(take_always());
    loop_.spawn(tidy_always());
    return {};
}

void JobRunner::wake() {
    pause_.request_stop();
}

std::size_t JobRunner::running() const noexcept {
    std::size_t all = 0;
    for (const auto& line : lines_) {
        all += line->running.load();
    }
    return all;
}

void JobRunner::drain(std::function<void()> done) {
    draining_ = true;
    drained_.request_stop();
    wake();
    if (running() == 0) {
        done();
        return;
    }
    done_ = std::move(done);
}

Task<void> JobRunner::take_always() {
    while (!draining_) {
        pause_ = std::stop_source();
        for (const auto& line : lines_) {
            co_await take_some(*line);
        }
        co_await loop_.sleep(kLook, pause_.get_token());
    }
}

Task<void> JobRunner::take_some(Line& line) {
    const std::size_t most = line.maker->limits(*gateway_.settings()).jobs_at_once;
    if (line.running >= most || draining_) {
        co_return;
    }
    ledger::MediaJobs& jobs = gateway_.parts().jobs;
    const ledger::JobKind kind = line.maker->kind();
    const std::size_t room = std::min(most - line.running.load(), kTakenMax);
    const auto look = [&]() -> Result<std::vector<ledger::TakenJob>> {
        // Looking costs no commit.
        const auto waiting = jobs.waiting(kind);
        if (!waiting.ok()) {
            return waiting.error();
        }
        return *waiting == 0 ? std::vector<ledger::TakenJob>() : jobs.take(kind, room);
    };
    // What could not be read is taken again when its lease has ended.
    auto taken = co_await gateway_.parts().blocking.run(loop_, look);
    if (!taken.ok()) {
        co_return;
    }
    for (ledger::TakenJob& each : *taken) {
        ++line.running;
        loop_.spawn(
            run(line, std::make_shared<JobWork>(loop_, gateway_.settings(), std::move(each))));
    }
}

Task<void> JobRunner::tidy_always() {
    while (!draining_) {
        const auto tidy = [&] { return gateway_.parts().jobs.tidy(); };
        // What fails is tried again.
        (void)co_await gateway_.parts().blocking.run(loop_, tidy);
        co_await loop_.sleep(kTidy, drained_.get_token());
    }
}

Task<void> JobRunner::run(Line& line, Shared work) {
    loop_.spawn(watch(work));
    auto refusal = co_await guarded(*line.maker, *work);
    co_await settle(*line.maker, *work, std::move(refusal));
    work->heart.request_stop();
    --line.running;
    wake();
    if (draining_ && running() == 0 && done_) {
        std::exchange(done_, nullptr)();
    }
}

// The lease, for as long as the work goes on.
Task<void> JobRunner::watch(Shared work) {
    const std::stop_callback on_drain(drained_.get_token(), [&] {
        // What is in hand already comes to its end; a draining server waits for it, within limits.
        if (work->progress.load() < kJobFetched) {
            work->stop_for(JobWork::Reason::kDraining);
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
            work->stop_for(JobWork::Reason::kLate);
        }
        const auto beat = [&] {
            return gateway_.parts().jobs.extend(work->taken, work->progress.load());
        };
        const auto gone = co_await gateway_.parts().blocking.run(loop_, beat);
        if (gone.ok()) {
            held = now;
            if (*gone) {
                work->stop_for(JobWork::Reason::kGone);
            }
        } else if (gone.error().code == ErrorCode::kConflict ||
                   steady_clock::now() - held > ledger::kJobLease) {
            work->stop_for(JobWork::Reason::kLost);
        }
    }
}

template <class Try>
Task<Result<void>> JobRunner::insist(JobWork& work, Try attempt) {
    for (;;) {
        auto done = co_await gateway_.parts().blocking.run(loop_, attempt);
        const bool again = !done.ok() && (done.error().code == ErrorCode::kUnavailable ||
                                          done.error().code == ErrorCode::kLimit);
        if (!again || work.reason == JobWork::Reason::kLost) {
            co_return done;
        }
        co_await loop_.sleep(kInsistEvery);
    }
}

// A throw anywhere is the failure of one job.
Task<std::optional<Refusal>> JobRunner::guarded(JobMaker& maker, JobWork& work) {
    std::optional<Refusal> refusal;
    try {
        refusal = co_await make(maker, work);
    } catch (const std::exception&) {
        refusal = own_failure("internal_error", "a part of the gateway failed");
    }
    co_return refusal;
}

Task<std::optional<Refusal>> JobRunner::make(JobMaker& maker, JobWork& work) {
    auto refusal = co_await open(maker, work);
    if (refusal) {
        co_return refusal;
    }
    if (work.taken.job.gone) {
        work.stop_for(JobWork::Reason::kGone);
    }
    if (work.taken.lease.attempt > kAttemptsMax) {
        co_return upstream_failure(Error{ErrorCode::kUnavailable, maker.words().given_up});
    }
    std::optional<json::Value> made;
    if (work.task) {
        refusal = resume(maker, work);
    } else {
        refusal = co_await submit(maker, work, made);
    }
    if (refusal || work.reason != JobWork::Reason::kNone) {
        co_return refusal;
    }
    if (!made) {
        auto told = co_await await_task(maker, work);
        if (!told.ok()) {
            co_return failure_of(work, told.error());
        }
        made = std::move(*told);
    }
    work.advance(kJobMade);
    work.deadline.reset();
    co_return co_await finish(maker, work, *made);
}

// What was asked, and the call that it is worked on as.
Task<std::optional<Refusal>> JobRunner::open(JobMaker& maker, JobWork& work) {
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
    facts.operation = maker.operation();
    facts.policy_version = policy_version(*call.settings);
    facts.model = job.shown.string_or("model", "");
    call.detail.emplace_back("job", to_string(job.id));
    call.detail.emplace_back("call", to_string(job.record));
    work.progress = job.progress;
    work.task = job.task;
    const auto model = call.settings->models.find(facts.model);
    call.model = model == call.settings->models.end() ? nullptr : &model->second;
    const auto read = [&]() -> Result<JobOrder> {
        const auto asked = gateway_.parts().jobs.asked(job);
        if (!asked.ok()) {
            return asked.error();
        }
        return read_order(job.kind, *asked);
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

Task<std::optional<Refusal>> JobRunner::submit(JobMaker& maker, JobWork& work,
                                               std::optional<json::Value>& made) {
    if (work.reason != JobWork::Reason::kNone) {
        co_return std::nullopt;
    }
    Call& call = work.call;
    Routing::Terms terms;
    if (const auto& intent = work.taken.job.intent) {
        terms.only = target_of(call, intent->upstream, intent->model);
        const auto upstream = call.settings->upstreams.find(intent->upstream);
        if (terms.only == nullptr || !upstream->second.keeps_keys) {
            co_return nobody_knows(maker);
        }
        call.detail.emplace_back("asked_again", true);
    }
    terms.before = [&](const UpstreamSettings& upstream,
                       const Target& target) -> Task<Result<void>> {
        const ledger::JobIntent intent{
            .upstream = upstream.name, .model = target.model, .at = gateway_.parts().clock.now()};
        const auto note = [&] { return gateway_.parts().jobs.note_intent(work.taken, intent); };
        auto noted = co_await insist(work, note);
        work.asked = work.asked || noted.ok();
        work.breaks_off = maker.makes_at_once(work, upstream, target);
        co_return noted;
    };
    terms.is_slow = [&](const UpstreamSettings& upstream, const Target& target) {
        return maker.makes_at_once(work, upstream, target);
    };
    work.asking = true;
    auto refusal = co_await ask(maker, work, std::move(terms), made);
    if (made) {
        // It is here and nowhere else: it comes to its end, also when this node is to stop.
        if (work.reason == JobWork::Reason::kDraining) {
            work.reason = JobWork::Reason::kNone;
        }
        work.advance(kJobFetched);
    }
    work.asking_ended();
    co_return refusal;
}

Task<std::optional<Refusal>> JobRunner::ask(JobMaker& maker, JobWork& work, Routing::Terms terms,
                                            std::optional<json::Value>& made) {
    Call& call = work.call;
    const std::string key = to_string(work.taken.job.id);
    const auto request = [&](const UpstreamSettings& upstream, const Target& target) {
        return maker.request(work, key, upstream, target);
    };
    const auto began = steady_clock::now();
    auto sent =
        co_await gateway_.routing().send(call, gateway_.upstream(loop_), request, std::move(terms));
    if (!sent.ok()) {
        co_return sent.error().code == ErrorCode::kInvalidArgument
            ? invalid_request(sent.error().what, "")
            : upstream_failure(sent.error());
    }
    work.upstream = sent->upstream;
    auto answer = co_await good_answer(*sent->response,
                                       maker.answer_bytes_max(*sent->upstream, *call.settings));
    if (!answer.ok()) {
        co_return upstream_failure(answer.error());
    }
    call.facts().model_version = sent->target->model;
    if (maker.makes_at_once(work, *sent->upstream, *sent->target)) {
        call.facts().durations.upstream_ms = milliseconds_since(began);
        auto whole = maker.made_at_once(*sent->upstream, *answer);
        if (!whole.ok()) {
            co_return upstream_failure(whole.error());
        }
        made = std::move(*whole);
        co_return std::nullopt;
    }
    auto id = maker.task(*sent->upstream, *answer);
    if (!id.ok()) {
        co_return upstream_failure(id.error());
    }
    co_return co_await keep_task(maker, work, std::move(*id));
}

// Whoever goes on after a crash must know of it: before anything else.
Task<std::optional<Refusal>> JobRunner::keep_task(JobMaker& maker, JobWork& work, std::string id) {
    work.task = ledger::JobTask{.upstream = work.upstream->name,
                                .model = work.call.target->model,
                                .id = std::move(id),
                                .submitted = gateway_.parts().clock.now()};
    const auto note = [&] { return gateway_.parts().jobs.note_task(work.taken, *work.task); };
    const auto noted = co_await insist(work, note);
    if (!noted.ok()) {
        co_await cancel_task(maker, work);
        work.stop_for(JobWork::Reason::kLost);
        co_return std::nullopt;
    }
    work.advance(kJobSubmitted);
    work.deadline = steady_clock::now() + work.upstream->task_time;
    co_return std::nullopt;
}

// Another node, or this one before it was started again, had submitted it.
std::optional<Refusal> JobRunner::resume(const JobMaker& maker, JobWork& work) {
    Call& call = work.call;
    const auto upstream = call.settings->upstreams.find(work.task->upstream);
    call.target = target_of(call, work.task->upstream, work.task->model);
    if (upstream == call.settings->upstreams.end() || call.target == nullptr) {
        return upstream_failure(Error{ErrorCode::kUnavailable, maker.words().no_upstream});
    }
    work.upstream = &upstream->second;
    call.facts().model_version = work.task->model;
    call.detail.emplace_back("upstream", work.task->upstream);
    call.detail.emplace_back("resumed", std::int64_t{work.taken.lease.attempt});
    const auto spent =
        std::max(gateway_.parts().clock.now() - work.task->submitted, milliseconds(0));
    work.deadline = steady_clock::now() + (work.upstream->task_time - spent);
    return std::nullopt;
}

Task<Result<std::string>> JobRunner::ask_once(JobMaker& maker, JobWork& work) {
    Call& call = work.call;
    http::UpstreamRequest request = maker.question(*work.upstream, *call.target, work.task->id);
    request.stop = call.exchange.gone();
    auto response = co_await gateway_.upstream(loop_).send(std::move(request));
    if (!response.ok()) {
        co_return response.error();
    }
    co_return co_await good_answer(**response,
                                   maker.answer_bytes_max(*work.upstream, *call.settings));
}

Task<Result<json::Value>> JobRunner::await_task(JobMaker& maker, JobWork& work) {
    Call& call = work.call;
    milliseconds pause = kPauseFirst;
    int failures = 0;
    Error last{ErrorCode::kUnavailable, "the call was given up"};
    while (failures < kFailuresMax) {
        // Also when the time is over: it may have ended while no node was there to ask.
        co_await loop_.sleep(pause, call.exchange.gone());
        if (work.reason != JobWork::Reason::kNone) {
            co_return last;
        }
        pause = std::min(kPauseMost, pause + pause / 2);
        const auto answer = co_await ask_once(maker, work);
        if (!answer.ok()) {
            last = answer.error();
            ++failures;
            continue;
        }
        auto status = maker.status(*work.upstream, *answer);
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
            work.advance(kJobSubmitted + *status->progress * (kJobMade - kJobSubmitted) / 100);
        }
        if (status->done) {
            const auto took = gateway_.parts().clock.now() - work.task->submitted;
            call.facts().durations.upstream_ms =
                std::chrono::duration_cast<milliseconds>(took).count();
            co_return std::move(status->made);
        }
    }
    gateway_.routing().note_broken(*call.target);
    co_return last;
}

Task<std::optional<Refusal>> JobRunner::finish(JobMaker& maker, JobWork& work,
                                               const json::Value& made) {
    Call& call = work.call;
    for (int tries = 1;; ++tries) {
        const ledger::ServiceRecord record = call.record;
        const std::vector<ledger::Print> prints = call.prints;
        const json::Object detail = call.detail;
        const json::Object scores = call.scores;
        const std::vector<std::string> matched = call.matched;
        auto refusal = co_await maker.finish(work, made);
        // What has a task can be had again by whoever takes the job next.
        if (work.task || !refusal || work.reason != JobWork::Reason::kNone ||
            !is_worth_another_try(*refusal, call, tries)) {
            co_return refusal;
        }
        call.record = record;
        call.prints = prints;
        call.detail = detail;
        call.scores = scores;
        call.matched = matched;
        co_await loop_.sleep(pause_after(tries), call.exchange.gone());
    }
}

// Best effort: whoever pays for the upstream would pay for nothing.
Task<void> JobRunner::cancel_task(const JobMaker& maker, JobWork& work) {
    if (!work.task || work.task_ended || work.upstream == nullptr || work.call.target == nullptr) {
        co_return;
    }
    auto request = maker.cancel(*work.upstream, *work.call.target, work.task->id);
    if (!request) {
        co_return;
    }
    auto response = co_await gateway_.upstream(loop_).send(std::move(*request));
    work.call.detail.emplace_back("cancelled", response.ok() && (*response)->head().status < 300);
}

// Of somebody who was erased.
Task<void> JobRunner::drop(JobMaker& maker, JobWork& work) {
    if (work.task && work.call.model != nullptr && work.upstream == nullptr) {
        (void)resume(maker, work);
    }
    co_await cancel_task(maker, work);
    const auto drop = [&] { return gateway_.parts().jobs.drop(work.taken); };
    (void)co_await insist(work, drop);
}

Task<void> JobRunner::settle(JobMaker& maker, JobWork& work, std::optional<Refusal> refusal) {
    Call& call = work.call;
    work.deadline.reset();
    if (work.reason == JobWork::Reason::kLost) {
        co_return;
    }
    if (work.erased) {
        co_await drop(maker, work);
        co_return;
    }
    const bool done = !refusal && work.outcome.bytes > 0;
    if (work.reason == JobWork::Reason::kGone) {
        co_await cancel_task(maker, work);
        refusal = Refusal{.status = 409,
                          .type = "invalid_request_error",
                          .code = "cancelled",
                          .message = maker.words().gone,
                          .outcome = ledger::Outcome::kCutOff};
    }
    // What an upstream was asked for and has no name is asked for no second time.
    const bool may_go_on = work.task || !work.asked;
    const bool tries_again =
        work.reason == JobWork::Reason::kDraining ||
        (refusal && is_worth_another_try(*refusal, call, work.taken.lease.attempt));
    if (!done && work.reason != JobWork::Reason::kGone && may_go_on && tries_again) {
        const milliseconds pause = work.reason == JobWork::Reason::kDraining
                                       ? milliseconds(0)
                                       : pause_after(work.taken.lease.attempt);
        const auto give = [&] { return gateway_.parts().jobs.give_back(work.taken, pause); };
        (void)co_await insist(work, give);
        co_return;
    }
    if (!done && !refusal) {
        co_return;  // its lease ends, and another takes it
    }
    call.facts().outcome = ledger::Outcome::kAnswered;
    if (refusal) {
        if (work.reason == JobWork::Reason::kLate) {
            co_await cancel_task(maker, work);
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
    co_await end(maker, work);
    gateway_.count(call, maker.operation(), refusal ? refusal->code : std::string());
}

// The record and the end of the job, as one.
Task<void> JobRunner::end(const JobMaker& maker, JobWork& work) {
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
        const std::chrono::hours kept = maker.limits(*call.settings).kept;
        const ledger::MediaJobs::Ending ending{
            .outcome = work.outcome,
            .kept = std::chrono::duration_cast<std::chrono::seconds>(kept)};
        return gateway_.parts().jobs.end(work.taken, ending, call.record, call.prints);
    };
    const auto ended = co_await insist(work, write);
    if (!ended.ok() && ended.error().code == ErrorCode::kDenied) {
        const auto drop = [&] { return gateway_.parts().jobs.drop(work.taken); };
        (void)co_await insist(work, drop);
    }
}

Refusal task_late(const UpstreamSettings& upstream) {
    return upstream_failure(
        Error{ErrorCode::kLimit, fmt::format("the upstream's task did not end within {} seconds",
                                             upstream.task_time.count())});
}

Task<std::optional<Refusal>> keep_content(Gateway& gateway, JobWork& work, const JobMaker& maker,
                                          ledger::MediaJobs::Content content) {
    const auto put = [&]() -> Result<void> {
        const auto blob = gateway.parts().jobs.put(work.taken.job, content);
        if (!blob.ok()) {
            return blob.error();
        }
        work.outcome.blob = *blob;
        return {};
    };
    const auto kept = co_await gateway.parts().blocking.run(work.call.loop(), put);
    if (!kept.ok()) {
        work.call.facts().label.clear();
        co_return own_failure("store_unavailable", maker.words().not_kept);
    }
    work.outcome.bytes = static_cast<std::int64_t>(content.bytes);
    work.outcome.label = work.call.facts().label;
    work.outcome.content_id = work.call.facts().content_id;
    co_return std::nullopt;
}

Task<std::optional<Refusal>> check_unlabelled(Gateway& gateway, JobWork& work) {
    std::optional<Refusal> uncovered;
    if (work.call.unlabelled) {
        uncovered = co_await check_agreement(gateway.stages(), work.call);
    }
    co_return uncovered;
}

}  // namespace colophon::gateway
