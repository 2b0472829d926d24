// SPDX-License-Identifier: Apache-2.0
#pragma once

// Jobs that outlive a crash: added in the transaction that wants them done, taken by one worker at
// a time under a lease, finished in the transaction that holds their result.
//
//   waiting --take--> running --finish--> gone
//      ^                 |--fail, or the lease ends--> waiting again, later
//      '------retry------'--after attempts_max--> dead (kept until somebody retries or discards it)
//
// A job is done at least once. Each taking has a token of its own, and every later word about the
// job is fenced by it: a worker whose lease has ended cannot finish, fail or extend it
// (Error{kConflict}), whatever it did in the meantime has to be harmless. Times are those of the
// caller's clock; nodes whose clocks differ by more than a lease take each other's jobs too early,
// which the token survives.

#include "core/clock.h"
#include "core/random.h"
#include "storage/store.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::storage {

inline constexpr std::size_t kJobsTakenMax = 1000;
inline constexpr std::size_t kJobReasonBytesMax = 2000;
// Notified with the name of the queue when a job was added.
inline constexpr const char* kJobsChannel = "jobs";

struct NewJob {
    std::string queue;  // [a-z_]{1,60}
    Buffer payload;     // up to kValueBytesMax
    Time due;           // not to be taken before
    int attempts_max = 5;
};

struct Job {
    std::int64_t id = 0;
    std::string queue;
    Buffer payload;
    int attempt = 0;  // 1 for the first
    int attempts_max = 0;
    Buffer token;
};

struct TakeOptions {
    std::string_view queue;
    std::size_t count_max = 1;  // at most kJobsTakenMax
    std::chrono::milliseconds lease;
};

// Adds the job to what a batch or a transaction does.
void enqueue(Batch& batch, const NewJob& job, Time now);
Result<void> enqueue(Transaction& transaction, const NewJob& job, Time now);

// The jobs that have been due for longest, leased to the caller; empty when there is none. Jobs
// whose lease has ended are due again, and dead when that was their last attempt.
Result<std::vector<Job>> take_jobs(Store& store, const TakeOptions& options, Time now,
                                   Random& random);

// To be put into the batch that holds the result: with Affects::kOne, so that the batch fails when
// the lease is lost. The other three are such batches of their own.
Operation finish_operation(const Job& job, Time now);
Operation extend_operation(const Job& job, Time now, Time until);
Result<void> finish_job(Store& store, const Job& job, Time now);
Result<void> extend_job(Store& store, const Job& job, Time now, Time until);
// Due again at `retry`, or dead after the last attempt. The reason is cut at kJobReasonBytesMax; no
// personal data.
Result<void> fail_job(Store& store, const Job& job, Time now, Time retry, std::string_view reason);

struct JobCounts {
    std::int64_t due = 0;      // could be taken now, with those whose lease has ended
    std::int64_t delayed = 0;  // due later
    std::int64_t running = 0;
    std::int64_t dead = 0;
};
Result<JobCounts> count_jobs(Store& store, std::string_view queue, Time now);

struct DeadJob {
    std::int64_t id = 0;
    Buffer payload;
    int attempts = 0;
    std::string reason;
};
// In the order of ids, those above `after`; at most `count_max`.
Result<std::vector<DeadJob>> dead_jobs(Store& store, std::string_view queue, std::int64_t after,
                                       std::size_t count_max);
// Error{kConflict} when there is no such dead job.
Result<void> retry_dead_job(Store& store, std::int64_t id, Time now);
Result<void> discard_dead_job(Store& store, std::int64_t id);

}  // namespace colophon::storage
