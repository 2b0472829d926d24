// SPDX-License-Identifier: Apache-2.0
#pragma once

// What takes longer than a call: videos, and pictures that somebody will come back for. A job is a
// row, and a place in the queue of its kind (storage/queue.h) that one node at a time holds under a
// lease:
//
//   queued ──take()──> running ──end()──> completed | failed ──remove(), or its time──> gone
//      ^                  │
//      └── give_back(), or the lease ends (the node died)
//
// Before an upstream is asked for anything, it is kept which one will be (the intent); where the
// upstream has it is kept as soon as the upstream said so (the task). Hence a node that goes on
// with a job asks for what was begun, and where nobody knows whether something was begun, it begins
// nothing anew. The end of a job and its service record
// are one transaction, fenced by the lease, so that there is one of each. What was asked and what
// came of it are sealed under the key of the person whom the job is for; the content is a blob that
// the job holds. Jobs that are under a legal hold (ledger/retention.h) keep their content.
//
// Threads: any method from any thread; each blocks.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/random.h"
#include "core/result.h"
#include "ledger/record.h"
#include "ledger/records.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace colophon::storage {
class Blobs;
class Sealer;
class Store;
struct Migration;
}  // namespace colophon::storage

namespace colophon::ledger {

std::span<const storage::Migration> media_job_migrations();

using JobId = RandomId<struct MediaJobTag>;  // in the order of time, as record ids

// A node that died is noticed after this long.
inline constexpr std::chrono::milliseconds kJobLease{20'000};
inline constexpr std::size_t kAskedBytesMax = 15U << 20U;  // of one job
inline constexpr std::size_t kJobsPageMax = 100;

enum class JobKind : std::uint8_t { kVideo = 1, kPictures };

enum class JobState : std::uint8_t { kQueued = 1, kRunning, kCompleted, kFailed };
std::string_view job_state_name(JobState state) noexcept;  // as OpenAI has it: "in_progress", ...
constexpr bool has_ended(JobState state) noexcept {
    return state == JobState::kCompleted || state == JobState::kFailed;
}

// Where the upstream has it.
struct JobTask {
    std::string upstream;  // as the configuration names it
    std::string model;     // as the upstream calls it
    std::string id;
    Time submitted;
};

// Which upstream was about to be asked to begin it.
struct JobIntent {
    std::string upstream;
    std::string model;
    Time at;
};

// What came of a job.
struct JobOutcome {
    json::Value error;  // {"code", "message", ...}; null when there is content
    Digest256 blob{};
    std::vector<Digest256> digests;  // SHA-256 of each file in the content
    std::int64_t bytes = 0;
    std::string media_type;
    std::string label;  // the AIGC object
    std::optional<ContentId> content_id;
};

struct MediaJob {
    JobId id;
    JobKind kind = JobKind::kVideo;
    TenantId tenant;
    std::optional<SubjectId> subject;
    RecordId record;  // of the call that asked
    JobState state = JobState::kQueued;
    int progress = 0;  // 0 .. 100
    Time created;
    std::optional<Time> ended;
    std::optional<Time> expires;
    bool gone = false;  // the caller gave it up
    json::Value shown;  // what of the request stands in every answer; no personal data
    std::optional<JobIntent> intent;  // stays when there is a task
    std::optional<JobTask> task;
    std::optional<JobOutcome> outcome;  // of those that have ended, unless the person was erased
};

// Held by one node: every later word about the job is fenced by it.
struct JobLease {
    std::int64_t place = 0;
    Buffer token;
    int attempt = 0;  // 1 for the first node
};

struct TakenJob {
    MediaJob job;
    JobLease lease;
};

class MediaJobs {
public:
    struct Parts {
        storage::Store& store;
        storage::Sealer& sealer;
        storage::Blobs& blobs;
        Records& records;
        Clock& clock;
        Random& random;
    };
    // The parts outlive this.
    explicit MediaJobs(const Parts& parts) : parts_(parts) {}

    // --- For callers. `subject`: only that person's; otherwise all of the tenant. kNotFound for
    // those of others, and for what was given up.

    struct NewJob {
        JobKind kind = JobKind::kVideo;
        json::Value shown;
        std::string asked;
        // How many of this kind may be on their way, of the tenant and of the subject; 0: no limit.
        std::size_t tenant_max = 0;
        std::size_t subject_max = 0;
    };
    // With the record of the call that asked, in one transaction. kLimit when too many are on their
    // way, or there is too much of it.
    Result<MediaJob> add(const NewJob& wanted, const ServiceRecord& record);
    Result<MediaJob> find(const TenantId& tenant, const std::optional<SubjectId>& subject,
                          const JobId& id) const;
    struct Query {
        JobKind kind = JobKind::kVideo;
        TenantId tenant;
        std::optional<SubjectId> subject;
        std::optional<JobId> after;
        bool ascending = false;  // the oldest first
        std::size_t jobs_max = 20;
    };
    Result<std::vector<MediaJob>> list(const Query& query) const;
    // What the job was made of. kNotFound when the person was erased.
    Result<std::string> asked(const MediaJob& job) const;
    // [offset, offset + size) of what was made. kNotFound when it is gone.
    Result<Buffer> read(const MediaJob& job, std::uint64_t offset, std::uint64_t size) const;
    // Gives it up, with the record of the call that does so: what is on its way is ended by who
    // runs it, what has ended goes.
    Result<void> remove(const MediaJob& job, const ServiceRecord& record);

    // --- For those who do them

    // How many could be taken now.
    Result<std::size_t> waiting(JobKind kind) const;
    Result<std::vector<TakenJob>> take(JobKind kind, std::size_t jobs_max);
    // Says that this node is at it, and how far. kConflict when the lease was lost. The answer:
    // whether the caller gave it up.
    Result<bool> extend(const TakenJob& taken, int progress);
    // kConflict when the lease was lost, as of all that follow. The intent replaces an earlier one.
    Result<void> note_intent(const TakenJob& taken, const JobIntent& intent);
    Result<void> note_task(const TakenJob& taken, const JobTask& task);
    // Content that is somewhere else: its size, and a part of it from there on, as much as `out`
    // takes.
    struct Content {
        std::uint64_t bytes = 0;
        std::function<Result<std::size_t>(std::uint64_t offset, std::span<std::uint8_t> out)> read;

        static Content of(Bytes content);  // in memory, which outlives it
    };
    // Keeps content for the job, piece by piece; its blob. kCorrupt when it ends too early.
    Result<Digest256> put(const MediaJob& job, const Content& content);
    // Ended, with the record of what came of it. kDenied when the person was erased meanwhile.
    struct Ending {
        JobOutcome outcome;
        std::chrono::seconds kept{0};  // from now on
    };
    Result<void> end(const TakenJob& taken, const Ending& ending, const ServiceRecord& record,
                     std::span<const Print> prints);
    // To be taken again after that time, by any node.
    Result<void> give_back(const TakenJob& taken, std::chrono::milliseconds pause);
    // Without a record: of somebody who was erased.
    Result<void> drop(const TakenJob& taken);

    // Ends jobs past their time, at most a hundred; how many that were.
    Result<std::size_t> tidy();
    // Calls `told` from a thread of the store whenever there is a new job, as long as the answer
    // lives.
    Result<std::shared_ptr<void>> listen(std::function<void()> told) const;

private:
    Result<std::optional<JobOutcome>> open_outcome(const MediaJob& job, Bytes sealed) const;
    Result<void> remove_row(const JobId& id);

    Parts parts_;
};

}  // namespace colophon::ledger
