// SPDX-License-Identifier: Apache-2.0
#pragma once

// One job on this node (gateway/job_runner.h), and what differs between kinds of jobs.

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/job_exchange.h"
#include "gateway/job_order.h"
#include "gateway/refusal.h"
#include "gateway/settings.h"
#include "http/loop.h"
#include "http/upstream.h"
#include "ledger/media_jobs.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {

// What of a job is done: 100 is the end.
inline constexpr int kJobSubmitted = 5;
inline constexpr int kJobMade = 80;     // by the upstream
inline constexpr int kJobFetched = 85;  // from here on it comes to its end also when we drain

struct JobWork {
    // Why it ends before it is done.
    enum class Reason : std::uint8_t { kNone, kGone, kLost, kLate, kDraining };

    JobWork(http::Loop& loop, std::shared_ptr<const Settings> settings, ledger::TakenJob of)
        : exchange(loop), call(exchange, std::move(settings)), taken(std::move(of)) {}

    // While an upstream is asked to begin, nothing is broken off: whoever does would not know what
    // it began.
    void stop_for(Reason why) {
        if (reason == Reason::kNone || why == Reason::kLost) {
            reason = why;
        }
        if (!asking || (why == Reason::kGone && breaks_off)) {
            exchange.stop().request_stop();
        }
    }
    void asking_ended() {
        asking = false;
        if (reason != Reason::kNone) {
            exchange.stop().request_stop();
        }
    }
    void advance(int to) {
        if (to > progress.load()) {
            progress.store(to);
        }
    }

    JobExchange exchange;
    Call call;
    ledger::TakenJob taken;
    JobOrder order;
    const UpstreamSettings* upstream = nullptr;  // that has the task; points into call.settings
    std::optional<ledger::JobTask> task;
    std::optional<SteadyTime> deadline;  // of the upstream
    ledger::JobOutcome outcome;
    bool erased = false;
    bool asking = false;      // an upstream, to begin
    bool breaks_off = false;  // that upstream ends what it makes when nobody waits for it
    bool asked = false;       // it was, or was about to be
    bool task_ended = false;  // there is nothing to be cancelled
    Reason reason = Reason::kNone;
    std::atomic<int> progress{0};  // a worker's thread sets it too
    std::stop_source heart;
};

// What an upstream says of a task.
struct JobStatus {
    bool done = false;
    std::optional<int> progress;  // 0 .. 100
    json::Value made;             // of a task that is done: what the maker's finish() is given
};

// One kind of job. It outlives the runner, in whose loop's thread all of it is called.
class JobMaker {
public:
    JobMaker() = default;
    JobMaker(const JobMaker&) = delete;
    JobMaker& operator=(const JobMaker&) = delete;
    JobMaker(JobMaker&&) = delete;
    JobMaker& operator=(JobMaker&&) = delete;
    virtual ~JobMaker() = default;

    virtual ledger::JobKind kind() const noexcept = 0;
    virtual const char* operation() const noexcept = 0;  // of the record of what is made
    virtual const JobSettings& limits(const Settings& settings) const noexcept = 0;

    // `key` is the same for the same job, for upstreams that know idempotency keys.
    virtual Result<http::UpstreamRequest> request(const JobWork& work, const std::string& key,
                                                  const UpstreamSettings& upstream,
                                                  const Target& target) const = 0;
    // Whether this upstream has no tasks, and answers with what it made.
    virtual bool makes_at_once(const JobWork& work, const UpstreamSettings& upstream,
                               const Target& target) const = 0;
    // Out of the answer to request(): what was made at once, or the name of the task.
    virtual Result<json::Value> made_at_once(const UpstreamSettings& upstream,
                                             std::string_view answer) const = 0;
    virtual Result<std::string> task(const UpstreamSettings& upstream,
                                     std::string_view answer) const = 0;
    virtual http::UpstreamRequest question(const UpstreamSettings& upstream, const Target& target,
                                           std::string_view task) const = 0;
    // kUnavailable says why the task failed, kCorrupt what is wrong with the answer.
    virtual Result<JobStatus> status(const UpstreamSettings& upstream,
                                     std::string_view answer) const = 0;
    // Nothing where tasks cannot be ended.
    virtual std::optional<http::UpstreamRequest> cancel(const UpstreamSettings& upstream,
                                                        const Target& target,
                                                        std::string_view task) const = 0;
    // How large an answer to request() or question() may be.
    virtual std::size_t answer_bytes_max(const UpstreamSettings& upstream,
                                         const Settings& settings) const noexcept = 0;

    // What the upstream made, fetched, reviewed, labelled, and kept (keep_content). It may be
    // called again after a failure of ours.
    virtual Task<std::optional<Refusal>> finish(JobWork& work, const json::Value& made) = 0;

    // What callers are told.
    struct Words {
        const char* gone;      // it was deleted before it was made
        const char* unknown;   // nobody knows whether the upstream makes it
        const char* given_up;  // it was tried too often
        const char* no_upstream;
        const char* not_kept;
    };
    virtual const Words& words() const noexcept = 0;
};

// Keeps what was made for the caller, sealed; outcome.media_type and .digests are the maker's.
// `content` is read by another thread.
Task<std::optional<Refusal>> keep_content(Gateway& gateway, JobWork& work, const JobMaker& maker,
                                          ledger::MediaJobs::Content content);

// The upstream's task did not end in its time.
Refusal task_late(const UpstreamSettings& upstream);

// [AILM-9] What may be made without its explicit label may have been revoked meanwhile.
Task<std::optional<Refusal>> check_unlabelled(Gateway& gateway, JobWork& work);

}  // namespace colophon::gateway
