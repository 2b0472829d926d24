// SPDX-License-Identifier: Apache-2.0
#include "storage/queue.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "core/utf8.h"
#include "storage/store.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

constexpr std::size_t kTokenBytes = 16;

constexpr Statement kInsert{
    "INSERT INTO queue_jobs (queue, payload, due_at, added_at, attempts_max)"
    " VALUES ($1, $2, $3, $4, $5)"};
constexpr Statement kBury{
    "UPDATE queue_jobs SET state = 2, token = NULL, lease_until = NULL,"
    " reason = 'the lease of the last attempt ended'"
    " WHERE queue = $1 AND state = 1 AND lease_until <= $2 AND attempts >= attempts_max"};
// PostgreSQL: an array, because the planner may run a plain subquery more than once, and then more
// rows than the limit are taken.
constexpr Statement kTake{
    "UPDATE queue_jobs SET state = 1, token = $3, lease_until = $4, attempts = attempts + 1"
    " WHERE id IN (SELECT id FROM queue_jobs WHERE queue = $1"
    " AND ((state = 0 AND due_at <= $2) OR (state = 1 AND lease_until <= $2))"
    " ORDER BY due_at, id LIMIT $5)",
    "UPDATE queue_jobs SET state = 1, token = $3, lease_until = $4, attempts = attempts + 1"
    " WHERE id = ANY (ARRAY(SELECT id FROM queue_jobs WHERE queue = $1"
    " AND ((state = 0 AND due_at <= $2) OR (state = 1 AND lease_until <= $2))"
    " ORDER BY due_at, id LIMIT $5 FOR UPDATE SKIP LOCKED))"};
constexpr Statement kTaken{
    "SELECT id, payload, attempts, attempts_max FROM queue_jobs WHERE token = $1"
    " ORDER BY due_at, id"};
// Every word about a running job is fenced in the same way.
constexpr Statement kFinish{
    "DELETE FROM queue_jobs WHERE id = $1 AND token = $2 AND lease_until > $3"};
constexpr Statement kExtend{
    "UPDATE queue_jobs SET lease_until = $4 WHERE id = $1 AND token = $2 AND lease_until > $3"};
constexpr Statement kFail{
    "UPDATE queue_jobs SET state = CASE WHEN attempts >= attempts_max THEN 2 ELSE 0 END,"
    " due_at = $4, token = NULL, lease_until = NULL, reason = $5"
    " WHERE id = $1 AND token = $2 AND lease_until > $3"};
constexpr Statement kCount{
    "SELECT COUNT(CASE WHEN (state = 0 AND due_at <= $2) OR (state = 1 AND lease_until <= $2)"
    " THEN 1 END), COUNT(CASE WHEN state = 0 AND due_at > $2 THEN 1 END),"
    " COUNT(CASE WHEN state = 1 AND lease_until > $2 THEN 1 END),"
    " COUNT(CASE WHEN state = 2 THEN 1 END) FROM queue_jobs WHERE queue = $1"};
constexpr Statement kDead{
    "SELECT id, payload, attempts, reason FROM queue_jobs"
    " WHERE queue = $1 AND state = 2 AND id > $2 ORDER BY id LIMIT $3"};
constexpr Statement kRetryDead{
    "UPDATE queue_jobs SET state = 0, attempts = 0, due_at = $2 WHERE id = $1 AND state = 2"};
constexpr Statement kDiscardDead{"DELETE FROM queue_jobs WHERE id = $1 AND state = 2"};

Value at(Time time) {
    return integer(time.time_since_epoch().count());
}

Values insert_values(const NewJob& job, Time now) {
    COLOPHON_ASSERT(job.attempts_max >= 1);
    return {text(job.queue), bytes(job.payload), at(job.due), at(now), integer(job.attempts_max)};
}

Result<void> apply_one(Store& store, Statement statement, Values parameters) {
    Batch batch;
    batch.operations.push_back(
        {.statement = statement, .parameters = std::move(parameters), .affects = Affects::kOne});
    return store.apply(std::move(batch));
}

// The message of a broken fence is for whoever holds the job, not about rows.
Result<void> apply_fenced(Store& store, Statement statement, Values parameters) {
    auto done = apply_one(store, statement, std::move(parameters));
    if (!done.ok() && done.error().code == ErrorCode::kConflict) {
        return Error{ErrorCode::kConflict, "the lease of the job has ended"};
    }
    return done;
}

std::string cut(std::string_view reason) {
    if (reason.size() > kJobReasonBytesMax) {
        reason = reason.substr(0, kJobReasonBytesMax);
        reason = reason.substr(0, find_invalid_utf8(reason).value_or(reason.size()));
    }
    return std::string(reason);
}

}  // namespace

void enqueue(Batch& batch, const NewJob& job, Time now) {
    batch.operations.push_back({.statement = kInsert, .parameters = insert_values(job, now)});
    batch.notifications.push_back({.channel = kJobsChannel, .payload = job.queue});
}

Result<void> enqueue(Transaction& transaction, const NewJob& job, Time now) {
    TRY(transaction.execute(kInsert, insert_values(job, now)));
    transaction.notify({.channel = kJobsChannel, .payload = job.queue});
    return {};
}

Result<std::vector<Job>> take_jobs(Store& store, const TakeOptions& options, Time now,
                                   Random& random) {
    COLOPHON_ASSERT(options.lease.count() > 0);
    Buffer token(kTokenBytes);
    TRY(random.fill(token));
    const std::size_t count = std::min(options.count_max, kJobsTakenMax);
    Batch batch;
    batch.operations.push_back({.statement = kBury, .parameters = {text(options.queue), at(now)}});
    batch.operations.push_back(
        {.statement = kTake,
         .parameters = {text(options.queue), at(now), bytes(token), at(now + options.lease),
                        integer(static_cast<std::int64_t>(count))}});
    TRY(store.apply(std::move(batch)));
    const Rows rows = TRY(store.query(kTaken, {bytes(token)}));
    std::vector<Job> jobs;
    jobs.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        jobs.push_back({.id = TRY(rows.integer(row, 0)),
                        .queue = std::string(options.queue),
                        .payload = to_buffer(TRY(rows.bytes(row, 1))),
                        .attempt = static_cast<int>(TRY(rows.integer(row, 2))),
                        .attempts_max = static_cast<int>(TRY(rows.integer(row, 3))),
                        .token = token});
    }
    return jobs;
}

Operation finish_operation(const Job& job, Time now) {
    return {.statement = kFinish,
            .parameters = {integer(job.id), bytes(job.token), at(now)},
            .affects = Affects::kOne};
}

Operation extend_operation(const Job& job, Time now, Time until) {
    return {.statement = kExtend,
            .parameters = {integer(job.id), bytes(job.token), at(now), at(until)},
            .affects = Affects::kOne};
}

Result<void> finish_job(Store& store, const Job& job, Time now) {
    return apply_fenced(store, kFinish, {integer(job.id), bytes(job.token), at(now)});
}

Result<void> extend_job(Store& store, const Job& job, Time now, Time until) {
    return apply_fenced(store, kExtend, {integer(job.id), bytes(job.token), at(now), at(until)});
}

Result<void> fail_job(Store& store, const Job& job, Time now, Time retry, std::string_view reason) {
    return apply_fenced(store, kFail,
                        {integer(job.id), bytes(job.token), at(now), at(retry), text(cut(reason))});
}

Result<JobCounts> count_jobs(Store& store, std::string_view queue, Time now) {
    const Rows rows = TRY(store.query(kCount, {text(queue), at(now)}));
    return JobCounts{.due = TRY(rows.integer(0, 0)),
                     .delayed = TRY(rows.integer(0, 1)),
                     .running = TRY(rows.integer(0, 2)),
                     .dead = TRY(rows.integer(0, 3))};
}

Result<std::vector<DeadJob>> dead_jobs(Store& store, std::string_view queue, std::int64_t after,
                                       std::size_t count_max) {
    const Rows rows = TRY(store.query(
        kDead, {text(queue), integer(after), integer(static_cast<std::int64_t>(count_max))}));
    std::vector<DeadJob> jobs;
    jobs.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        jobs.push_back({.id = TRY(rows.integer(row, 0)),
                        .payload = to_buffer(TRY(rows.bytes(row, 1))),
                        .attempts = static_cast<int>(TRY(rows.integer(row, 2))),
                        .reason = std::string(TRY(rows.text(row, 3)))});
    }
    return jobs;
}

Result<void> retry_dead_job(Store& store, std::int64_t id, Time now) {
    return apply_one(store, kRetryDead, {integer(id), at(now)});
}

Result<void> discard_dead_job(Store& store, std::int64_t id) {
    return apply_one(store, kDiscardDead, {integer(id)});
}

}  // namespace colophon::storage
