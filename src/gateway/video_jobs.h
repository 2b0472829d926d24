// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who makes the videos that were asked for (ledger/media_jobs.h): each node takes jobs from the
// store, as many as it may, and leads each of them along the line of a call:
//
//   submit ─> the upstream's task ─> ask until it has ended ─> fetch ─> review ─> label ─> keep
//      └ kept at once: who goes on after a crash begins nothing anew        with its record ┘
//
// All of it runs on one loop; what blocks runs in the pools. A job that fails by a fault of ours
// (the store, the label worker) is given back and tried again; what the upstream did wrong ends it.

#include "core/bytes.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/gateway.h"
#include "gateway/refusal.h"
#include "gateway/video_upstreams.h"
#include "http/loop.h"
#include "ledger/media_jobs.h"
#include "ledger/record.h"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace colophon::gateway {

// What is kept of the call that asked, sealed.
struct VideoOrder {
    VideoAsk ask;
    ledger::Private from;     // who asked, from where, and for what
    bool unlabelled = false;  // under an agreement
    std::string trace;
};
std::string write_order(const VideoOrder& order);
Result<VideoOrder> read_order(std::string_view text);

class VideoJobs {
public:
    // Both outlive this; the loop is one of the gateway's.
    VideoJobs(Gateway& gateway, http::Loop& loop);
    ~VideoJobs();
    VideoJobs(const VideoJobs&) = delete;
    VideoJobs& operator=(const VideoJobs&) = delete;
    VideoJobs(VideoJobs&&) = delete;
    VideoJobs& operator=(VideoJobs&&) = delete;

    // Before the loop runs.
    Result<void> start();
    // In the loop's thread: nothing new is taken, what waits for an upstream is given back for
    // another node, what is fetched already comes to its end. `done` is called once, after that.
    void drain(std::function<void()> done);

private:
    struct Work;
    struct Heavy;

    Task<void> take_always();
    Task<void> take_some();
    Task<void> tidy_always();
    void wake();

    Task<void> run(std::shared_ptr<Work> work);
    Task<void> watch(std::shared_ptr<Work> work);
    Task<std::optional<Refusal>> guarded(Work& work);
    Task<std::optional<Refusal>> make(Work& work);
    Task<std::optional<Refusal>> open(Work& work);
    Task<std::optional<Refusal>> submit(Work& work);
    std::optional<Refusal> resume(Work& work);
    Task<Result<VideoStatus>> await_task(Work& work);
    Task<Result<std::string>> ask_once(Work& work);
    Task<Result<Buffer>> fetch(Work& work, std::string video);
    Task<std::optional<Refusal>> finish(Work& work, Buffer video);
    Task<std::optional<Refusal>> label(Work& work, Buffer video);
    Task<Refusal> hold_video(Work& work, Refusal refusal, Buffer file);
    Task<std::optional<Refusal>> keep(Work& work, const Buffer& file);

    Task<void> settle(Work& work, std::optional<Refusal> refusal);
    Task<void> cancel_task(Work& work);
    Task<void> end(Work& work);
    // Tries until it is done, the lease is lost, or it cannot be done.
    template <class Try>
    Task<Result<void>> insist(Work& work, Try attempt);

    Gateway& gateway_;
    http::Loop& loop_;
    std::shared_ptr<void> heard_;  // new jobs
    std::stop_source pause_;       // of who takes; replaced when it is woken
    bool draining_ = false;
    std::stop_source drained_;
    std::atomic<std::size_t> running_{0};  // metrics read it too
    std::size_t heavy_ = 0;                // that have a video in memory
    std::function<void()> done_;
};

}  // namespace colophon::gateway
