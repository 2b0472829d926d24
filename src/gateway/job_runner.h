// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who does jobs (ledger/media_jobs.h): each node takes jobs from the store, as many of a kind as it
// may, and leads each of them along the line of a call:
//
//   intent ─> ask the upstream ─> its task ─> ask until it has ended ─> fetch ─> review ─> label
//      └ kept before ┘   └ kept at once ┘                                   keep with its record ┘
//
// Who goes on after a crash finds the task and begins nothing anew. Where it finds an intent
// without a task, nobody knows whether the upstream was asked: it asks again only an upstream that
// serves a request with the same Idempotency-Key once (upstream.idempotency_keys), and otherwise
// ends the job with an error that says so.
//
// All of it runs on one loop; what blocks runs in the pools. A job that fails by a fault of ours
// (the store, the label worker) is given back and tried again; what the upstream did wrong ends it.
// What an upstream made at once is in memory only, so that its label is tried again here.

#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/gateway.h"
#include "gateway/job_work.h"
#include "gateway/refusal.h"
#include "gateway/routing.h"
#include "http/loop.h"
#include "ledger/media_jobs.h"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace colophon::gateway {

class JobRunner {
public:
    // Both outlive this; the loop is one of the gateway's.
    JobRunner(Gateway& gateway, http::Loop& loop);
    ~JobRunner();
    JobRunner(const JobRunner&) = delete;
    JobRunner& operator=(const JobRunner&) = delete;
    JobRunner(JobRunner&&) = delete;
    JobRunner& operator=(JobRunner&&) = delete;

    // Before the loop runs.
    Result<void> start();
    // In the loop's thread: nothing new is taken, what waits for an upstream is given back for
    // another node, what is fetched already comes to its end. `done` is called once, after that.
    void drain(std::function<void()> done);

private:
    // Jobs of one kind.
    struct Line {
        std::unique_ptr<JobMaker> maker;
        std::atomic<std::size_t> running{0};  // metrics read it too
    };
    using Shared = std::shared_ptr<JobWork>;

    Task<void> take_always();
    Task<void> take_some(Line& line);
    Task<void> tidy_always();
    void wake();
    std::size_t running() const noexcept;

    Task<void> run(Line& line, Shared work);
    Task<void> watch(Shared work);
    Task<std::optional<Refusal>> guarded(JobMaker& maker, JobWork& work);
    Task<std::optional<Refusal>> make(JobMaker& maker, JobWork& work);
    Task<std::optional<Refusal>> open(JobMaker& maker, JobWork& work);
    Task<std::optional<Refusal>> submit(JobMaker& maker, JobWork& work,
                                        std::optional<json::Value>& made);
    Task<std::optional<Refusal>> ask(JobMaker& maker, JobWork& work, Routing::Terms terms,
                                     std::optional<json::Value>& made);
    Task<std::optional<Refusal>> keep_task(JobMaker& maker, JobWork& work, std::string id);
    std::optional<Refusal> resume(const JobMaker& maker, JobWork& work);
    Task<Result<json::Value>> await_task(JobMaker& maker, JobWork& work);
    Task<Result<std::string>> ask_once(JobMaker& maker, JobWork& work);
    Task<std::optional<Refusal>> finish(JobMaker& maker, JobWork& work, const json::Value& made);

    Task<void> settle(JobMaker& maker, JobWork& work, std::optional<Refusal> refusal);
    Task<void> drop(JobMaker& maker, JobWork& work);
    Task<void> cancel_task(const JobMaker& maker, JobWork& work);
    Task<void> end(const JobMaker& maker, JobWork& work);
    // Tries until it is done, the lease is lost, or it cannot be done.
    template <class Try>
    Task<Result<void>> insist(JobWork& work, Try attempt);

    Gateway& gateway_;
    http::Loop& loop_;
    std::vector<std::unique_ptr<Line>> lines_;
    std::shared_ptr<void> heard_;  // new jobs
    std::stop_source pause_;       // of who takes; replaced when it is woken
    bool draining_ = false;
    std::stop_source drained_;
    std::function<void()> done_;
};

}  // namespace colophon::gateway
