// SPDX-License-Identifier: Apache-2.0
#include "ledger/media_jobs.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "storage/batch.h"
#include "storage/blobs.h"
#include "storage/migration.h"
#include "storage/queue.h"
#include "storage/row_values.h"
#include "storage/sealer.h"
#include "storage/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

using storage::id_value;
using storage::integer;
using storage::Statement;
using storage::time_value;

constexpr std::string_view kAskedPurpose = "media_jobs.asked";
constexpr std::string_view kOutcomePurpose = "media_jobs.outcome";
constexpr std::size_t kPieceBytes = 4U << 20U;
constexpr std::size_t kTidyMax = 100;
// The runner ends what was taken too often, with a record; the queue alone never does.
constexpr int kTakenMax = std::numeric_limits<int>::max();

constexpr std::array kMigrations{
    // state: JobState. gone: 1 when the caller gave it up. shown, task: JSON without personal data.
    // asked, outcome: sealed under the key of `owner`.
    storage::Migration{
        "media_jobs", 1,
        "CREATE TABLE media_jobs (\n"
        "  id BYTES PRIMARY KEY,\n"
        "  tenant BYTES NOT NULL,\n"
        "  subject BYTES,\n"
        "  owner TEXT NOT NULL,\n"
        "  record BYTES NOT NULL,\n"
        "  state INTEGER NOT NULL,\n"
        "  progress INTEGER NOT NULL,\n"
        "  created_at INTEGER NOT NULL,\n"
        "  ended_at INTEGER,\n"
        "  expires_at INTEGER,\n"
        "  gone INTEGER NOT NULL,\n"
        "  shown TEXT NOT NULL,\n"
        "  task TEXT,\n"
        "  asked BYTES NOT NULL,\n"
        "  outcome BYTES);\n"
        "CREATE INDEX media_jobs_tenant ON media_jobs (tenant, id);\n"
        "CREATE INDEX media_jobs_open ON media_jobs (tenant, subject) WHERE state < 3;\n"
        "CREATE INDEX media_jobs_expiry ON media_jobs (expires_at) WHERE expires_at IS NOT "
        "NULL;\n"},
    // kind: JobKind; before there were videos only. intent: JSON.
    storage::Migration{"media_jobs", 2,
                       "ALTER TABLE media_jobs ADD COLUMN kind INTEGER NOT NULL DEFAULT 1;\n"
                       "ALTER TABLE media_jobs ADD COLUMN intent TEXT;\n"
                       "DROP INDEX media_jobs_tenant;\n"
                       "CREATE INDEX media_jobs_kind ON media_jobs (tenant, kind, id);\n"},
};

// Each kind has a queue of its own, so that the one does not wait behind the other.
constexpr const char* queue_of(JobKind kind) noexcept {
    return kind == JobKind::kPictures ? "picture_jobs" : "media_jobs";
}

#define COLOPHON_JOB_COLUMNS                                                                       \
    "id, tenant, subject, record, state, progress, created_at, ended_at, expires_at, gone, shown," \
    " task, outcome, kind, intent"

// $2: of this person only, unless it is null.
constexpr Statement kCountOpen{
    "SELECT COUNT(*) FROM media_jobs WHERE tenant = $1 AND state < 3 AND kind = $3"
    " AND ($2 IS NULL OR subject = $2)",
    "SELECT COUNT(*) FROM media_jobs WHERE tenant = $1 AND state < 3 AND kind = $3"
    " AND (CAST($2 AS BYTEA) IS NULL OR subject = $2)"};
constexpr Statement kInsert{
    "INSERT INTO media_jobs (id, tenant, subject, owner, record, state, progress, created_at,"
    " gone, shown, asked, kind) VALUES ($1, $2, $3, $4, $5, 1, 0, $6, 0, $7, $8, $9)"};
constexpr Statement kFind{"SELECT " COLOPHON_JOB_COLUMNS " FROM media_jobs WHERE id = $1"};
constexpr Statement kListDown{
    "SELECT " COLOPHON_JOB_COLUMNS
    " FROM media_jobs WHERE tenant = $1 AND id < $2 AND gone = 0"
    " AND kind = $5 AND ($3 IS NULL OR subject = $3) ORDER BY id DESC LIMIT $4",
    "SELECT " COLOPHON_JOB_COLUMNS
    " FROM media_jobs WHERE tenant = $1 AND id < $2 AND gone = 0"
    " AND kind = $5 AND (CAST($3 AS BYTEA) IS NULL OR subject = $3) ORDER BY id DESC LIMIT $4"};
constexpr Statement kListUp{
    "SELECT " COLOPHON_JOB_COLUMNS
    " FROM media_jobs WHERE tenant = $1 AND id > $2 AND gone = 0"
    " AND kind = $5 AND ($3 IS NULL OR subject = $3) ORDER BY id LIMIT $4",
    "SELECT " COLOPHON_JOB_COLUMNS
    " FROM media_jobs WHERE tenant = $1 AND id > $2 AND gone = 0"
    " AND kind = $5 AND (CAST($3 AS BYTEA) IS NULL OR subject = $3) ORDER BY id LIMIT $4"};
constexpr Statement kAsked{"SELECT owner, asked FROM media_jobs WHERE id = $1"};
// What has ended may go now; what is on its way is ended by who runs it.
constexpr Statement kRemove{
    "UPDATE media_jobs SET gone = 1, expires_at = CASE WHEN state >= 3 THEN $2 ELSE expires_at END"
    " WHERE id = $1 AND gone = 0"};
constexpr Statement kProgress{
    "UPDATE media_jobs SET state = 2, progress = $2 WHERE id = $1 AND state < 3"};
constexpr Statement kTask{"UPDATE media_jobs SET task = $2 WHERE id = $1 AND state < 3"};
constexpr Statement kIntent{
    "UPDATE media_jobs SET intent = $2 WHERE id = $1 AND state < 3 AND task IS NULL"};
constexpr Statement kEnd{
    "UPDATE media_jobs SET state = $2, progress = CASE WHEN $2 = 3 THEN 100 ELSE progress END,"
    " ended_at = $3, expires_at = CASE WHEN gone = 1 THEN $3 ELSE $4 END, outcome = $5"
    " WHERE id = $1 AND state < 3"};
// Of those under a legal hold nothing goes.
constexpr Statement kPast{
    "SELECT id FROM media_jobs j WHERE j.expires_at <= $1"
    " AND NOT EXISTS (SELECT 1 FROM legal_holds h WHERE h.lifted_at IS NULL"
    " AND (h.tenant IS NULL OR h.tenant = j.tenant)"
    " AND (h.subject IS NULL OR h.subject = j.subject)"
    " AND h.from_at <= j.created_at AND j.created_at < h.until_at)"
    " ORDER BY j.expires_at LIMIT $2"};
constexpr Statement kDelete{"DELETE FROM media_jobs WHERE id = $1"};

std::string owner_of(const TenantId& tenant, const std::optional<SubjectId>& subject) {
    return subject ? to_string(*subject) : to_string(tenant);
}

std::string holder_of(const JobId& id) {
    return "job:" + to_string(id);
}

Error no_job() {
    return Error{ErrorCode::kNotFound, "there is no such job"};
}

Error damaged() {
    return Error{ErrorCode::kCorrupt, "a job in the database is damaged"};
}

storage::Value subject_value(const std::optional<SubjectId>& subject) {
    return subject ? id_value(*subject) : storage::null();
}

std::string write_task(const JobTask& task) {
    return json::write(json::Object{{"upstream", task.upstream},
                                    {"model", task.model},
                                    {"id", task.id},
                                    {"submitted", task.submitted.time_since_epoch().count()}});
}

Result<JobTask> read_task(std::string_view text) {
    const json::Value value = TRY(json::parse(text, {.bytes_max = text.size() + 1}));
    const json::Value* submitted = value.find("submitted");
    if (submitted == nullptr) {
        return damaged();
    }
    const std::int64_t milliseconds = TRY(submitted->as_int());
    return JobTask{.upstream = value.string_or("upstream", ""),
                   .model = value.string_or("model", ""),
                   .id = value.string_or("id", ""),
                   .submitted = Time(std::chrono::milliseconds(milliseconds))};
}

std::string write_intent(const JobIntent& intent) {
    return json::write(json::Object{{"upstream", intent.upstream},
                                    {"model", intent.model},
                                    {"at", intent.at.time_since_epoch().count()}});
}

Result<JobIntent> read_intent(std::string_view text) {
    const json::Value value = TRY(json::parse(text, {.bytes_max = text.size() + 1}));
    const json::Value* at = value.find("at");
    if (at == nullptr) {
        return damaged();
    }
    const std::int64_t milliseconds = TRY(at->as_int());
    return JobIntent{.upstream = value.string_or("upstream", ""),
                     .model = value.string_or("model", ""),
                     .at = Time(std::chrono::milliseconds(milliseconds))};
}

std::string write_outcome(const JobOutcome& outcome) {
    if (!outcome.error.is_null()) {
        return json::write(json::Object{{"error", outcome.error}});
    }
    json::Array digests;
    for (const Digest256& each : outcome.digests) {
        digests.emplace_back(to_hex(each));
    }
    json::Object value{{"blob", to_hex(outcome.blob)},
                       {"digests", std::move(digests)},
                       {"bytes", outcome.bytes},
                       {"media_type", outcome.media_type},
                       {"label", outcome.label}};
    if (outcome.content_id) {
        value.emplace_back("content_id", to_string(*outcome.content_id));
    }
    return json::write(value);
}

Result<Digest256> read_digest(std::string_view hex) {
    const Buffer bytes = TRY(from_hex(hex));
    Digest256 digest{};
    if (bytes.size() != digest.size()) {
        return damaged();
    }
    std::ranges::copy(bytes, digest.begin());
    return digest;
}

Result<JobOutcome> read_outcome(std::string_view text) {
    const json::Value value = TRY(json::parse(text, {.bytes_max = text.size() + 1}));
    JobOutcome outcome;
    if (const json::Value* error = value.find("error")) {
        outcome.error = *error;
        return outcome;
    }
    outcome.blob = TRY(read_digest(value.string_or("blob", "")));
    const json::Value* digests = value.find("digests");
    const json::Array* list = digests == nullptr ? nullptr : digests->if_array();
    if (list == nullptr) {
        // As it was written when there were videos only.
        outcome.digests.push_back(TRY(read_digest(value.string_or("digest", ""))));
    } else {
        for (const json::Value& each : *list) {
            const std::string* hex = each.if_string();
            outcome.digests.push_back(TRY(read_digest(hex == nullptr ? "" : *hex)));
        }
    }
    const json::Value* bytes = value.find("bytes");
    outcome.bytes = bytes == nullptr ? 0 : TRY(bytes->as_int());
    outcome.media_type = value.string_or("media_type", "");
    outcome.label = value.string_or("label", "");
    if (const std::string id = value.string_or("content_id", ""); !id.empty()) {
        outcome.content_id = TRY(parse_content_id(id));
    }
    return outcome;
}

// All but the outcome, which is sealed.
Result<MediaJob> job_at(const storage::Rows& rows, std::size_t row) {
    MediaJob job;
    job.id = TRY(storage::id_at<JobId>(rows, row, 0));
    job.tenant = TRY(storage::id_at<TenantId>(rows, row, 1));
    if (!rows.is_null(row, 2)) {
        job.subject = TRY(storage::id_at<SubjectId>(rows, row, 2));
    }
    job.record = TRY(storage::id_at<RecordId>(rows, row, 3));
    const std::int64_t state = TRY(rows.integer(row, 4));
    if (state < 1 || state > static_cast<std::int64_t>(JobState::kFailed)) {
        return damaged();
    }
    job.state = static_cast<JobState>(state);
    job.progress = static_cast<int>(std::clamp<std::int64_t>(TRY(rows.integer(row, 5)), 0, 100));
    job.created = TRY(storage::time_at(rows, row, 6));
    job.ended = TRY(storage::optional_time_at(rows, row, 7));
    job.expires = TRY(storage::optional_time_at(rows, row, 8));
    job.gone = TRY(rows.integer(row, 9)) != 0;
    const std::string_view shown = TRY(rows.text(row, 10));
    job.shown = TRY(json::parse(shown, {.bytes_max = shown.size() + 1}));
    if (!rows.is_null(row, 11)) {
        const std::string_view task = TRY(rows.text(row, 11));
        job.task = TRY(read_task(task));
    }
    const std::int64_t kind = TRY(rows.integer(row, 13));
    if (kind < 1 || kind > static_cast<std::int64_t>(JobKind::kPictures)) {
        return damaged();
    }
    job.kind = static_cast<JobKind>(kind);
    if (!rows.is_null(row, 14)) {
        const std::string_view intent = TRY(rows.text(row, 14));
        job.intent = TRY(read_intent(intent));
    }
    return job;
}

storage::Value kind_value(JobKind kind) {
    return integer(static_cast<std::int64_t>(kind));
}

storage::Job queued(const TakenJob& taken) {
    return {.id = taken.lease.place,
            .queue = queue_of(taken.job.kind),
            .payload = {},
            .token = taken.lease.token};
}

void append(storage::Batch& batch, storage::Batch more) {
    std::ranges::move(more.operations, std::back_inserter(batch.operations));
    std::ranges::move(more.inserts, std::back_inserter(batch.inserts));
    std::ranges::move(more.notifications, std::back_inserter(batch.notifications));
}

// A batch that is done only while the lease is held.
Result<void> apply_fenced(storage::Store& store, storage::Batch batch) {
    auto done = store.apply(std::move(batch));
    if (!done.ok() && done.error().code == ErrorCode::kConflict) {
        return Error{ErrorCode::kConflict, "the lease of the job has ended"};
    }
    return done;
}

}  // namespace

std::span<const storage::Migration> media_job_migrations() {
    return kMigrations;
}

std::string_view job_state_name(JobState state) noexcept {
    switch (state) {
        case JobState::kQueued:
            return "queued";
        case JobState::kRunning:
            return "in_progress";
        case JobState::kCompleted:
            return "completed";
        case JobState::kFailed:
            break;
    }
    return "failed";
}

Result<MediaJob> MediaJobs::add(const NewJob& wanted, const ServiceRecord& record) {
    const Time now = parts_.clock.now();
    MediaJob job;
    const RecordId number = TRY(make_record_id(now, parts_.random));
    job.id.bytes = number.bytes;
    job.kind = wanted.kind;
    job.tenant = record.facts.tenant;
    job.subject = record.facts.subject;
    job.record = record.facts.id;
    job.created = now;
    job.shown = wanted.shown;
    if (wanted.asked.size() > kAskedBytesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a job is made of at most {} bytes", kAskedBytesMax)};
    }
    const std::string owner = owner_of(job.tenant, job.subject);
    const std::string id = to_string(job.id);
    const Buffer asked = TRY(parts_.sealer.seal(
        as_bytes(wanted.asked), {.owner = owner, .purpose = kAskedPurpose, .id = id}));
    // Sealing may ask the store for a key, which no transaction may wait for.
    const storage::Batch batch = TRY(parts_.records.prepare(record));
    const auto body = [&](storage::Transaction& transaction) -> Result<void> {
        for (const auto& [subject, most] :
             {std::pair{std::optional<SubjectId>(), wanted.tenant_max},
              std::pair{job.subject, job.subject ? wanted.subject_max : 0}}) {
            if (most == 0) {
                continue;
            }
            const storage::Rows rows = TRY(transaction.query(
                kCountOpen, {id_value(job.tenant), subject_value(subject), kind_value(job.kind)}));
            const std::int64_t open = TRY(rows.integer(0, 0));
            if (open >= static_cast<std::int64_t>(most)) {
                return Error{ErrorCode::kLimit,
                             job.kind == JobKind::kVideo
                                 ? "too many videos are being made for this caller"
                                 : "too many pictures are being made for this caller"};
            }
        }
        TRY(transaction.execute(
            kInsert,
            {id_value(job.id), id_value(job.tenant), subject_value(job.subject),
             storage::text(owner), id_value(job.record), time_value(now),
             storage::text(json::write(job.shown)), storage::bytes(asked), kind_value(job.kind)}));
        TRY(storage::enqueue(transaction,
                             {.queue = queue_of(job.kind),
                              .payload = to_buffer(job.id.bytes),
                              .due = now,
                              .attempts_max = kTakenMax},
                             now));
        return storage::execute_batch(transaction, batch);
    };
    TRY(parts_.store.transact(body));
    return job;
}

Result<std::optional<JobOutcome>> MediaJobs::open_outcome(const MediaJob& job, Bytes sealed) const {
    const std::string id = to_string(job.id);
    const auto opened = parts_.sealer.open(
        sealed, {.owner = owner_of(job.tenant, job.subject), .purpose = kOutcomePurpose, .id = id});
    if (!opened.ok() && opened.error().code == ErrorCode::kNotFound) {
        return std::optional<JobOutcome>();
    }
    if (!opened.ok()) {
        return opened.error();
    }
    return std::optional(TRY(read_outcome(as_text(*opened))));
}

Result<MediaJob> MediaJobs::find(const TenantId& tenant, const std::optional<SubjectId>& subject,
                                 const JobId& id) const {
    const storage::Rows rows = TRY(parts_.store.query(kFind, {id_value(id)}));
    if (rows.empty()) {
        return no_job();
    }
    MediaJob job = TRY(job_at(rows, 0));
    if (job.tenant != tenant || (subject && job.subject != subject) || job.gone) {
        return no_job();
    }
    if (!rows.is_null(0, 12)) {
        const Bytes sealed = TRY(rows.bytes(0, 12));
        job.outcome = TRY(open_outcome(job, sealed));
    }
    return job;
}

Result<std::vector<MediaJob>> MediaJobs::list(const Query& query) const {
    constexpr std::uint8_t kLast = 0xFF;
    JobId from;
    if (!query.ascending) {
        from.bytes.fill(kLast);
    }
    const JobId after = query.after.value_or(from);
    const std::size_t count = std::min(query.jobs_max, kJobsPageMax + 1);
    const storage::Rows rows = TRY(
        parts_.store.query(query.ascending ? kListUp : kListDown,
                           {id_value(query.tenant), id_value(after), subject_value(query.subject),
                            integer(static_cast<std::int64_t>(count)), kind_value(query.kind)}));
    std::vector<MediaJob> jobs;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        MediaJob job = TRY(job_at(rows, row));
        if (!rows.is_null(row, 12)) {
            const Bytes sealed = TRY(rows.bytes(row, 12));
            job.outcome = TRY(open_outcome(job, sealed));
        }
        jobs.push_back(std::move(job));
    }
    return jobs;
}

Result<std::string> MediaJobs::asked(const MediaJob& job) const {
    const storage::Rows rows = TRY(parts_.store.query(kAsked, {id_value(job.id)}));
    if (rows.empty()) {
        return no_job();
    }
    const std::string id = to_string(job.id);
    const std::string owner(TRY(rows.text(0, 0)));
    const Bytes sealed = TRY(rows.bytes(0, 1));
    const Buffer opened =
        TRY(parts_.sealer.open(sealed, {.owner = owner, .purpose = kAskedPurpose, .id = id}));
    return std::string(as_text(opened));
}

Result<Buffer> MediaJobs::read(const MediaJob& job, std::uint64_t offset,
                               std::uint64_t size) const {
    if (!job.outcome || !job.outcome->error.is_null()) {
        return no_job();
    }
    return parts_.blobs.get_range({owner_of(job.tenant, job.subject), job.outcome->blob}, offset,
                                  size);
}

Result<void> MediaJobs::remove(const MediaJob& job, const ServiceRecord& record) {
    storage::Batch batch = TRY(parts_.records.prepare(record));
    batch.operations.push_back({.statement = kRemove,
                                .parameters = {id_value(job.id), time_value(parts_.clock.now())},
                                .affects = storage::Affects::kOne});
    batch.notifications.push_back(
        {.channel = storage::kJobsChannel, .payload = queue_of(job.kind)});
    auto done = parts_.store.apply(std::move(batch));
    if (!done.ok() && done.error().code == ErrorCode::kConflict) {
        return no_job();
    }
    return done;
}

Result<std::size_t> MediaJobs::waiting(JobKind kind) const {
    const storage::JobCounts counts =
        TRY(storage::count_jobs(parts_.store, queue_of(kind), parts_.clock.now()));
    return static_cast<std::size_t>(std::max<std::int64_t>(counts.due, 0));
}

Result<std::vector<TakenJob>> MediaJobs::take(JobKind kind, std::size_t jobs_max) {
    const Time now = parts_.clock.now();
    const std::vector<storage::Job> taken = TRY(storage::take_jobs(
        parts_.store, {.queue = queue_of(kind), .count_max = jobs_max, .lease = kJobLease}, now,
        parts_.random));
    std::vector<TakenJob> jobs;
    for (const storage::Job& each : taken) {
        JobId id;
        if (each.payload.size() != id.bytes.size()) {
            return damaged();
        }
        std::ranges::copy(each.payload, id.bytes.begin());
        const storage::Rows rows = TRY(parts_.store.query(kFind, {id_value(id)}));
        if (rows.empty()) {
            TRY(storage::finish_job(parts_.store, each, now));
            continue;
        }
        MediaJob job = TRY(job_at(rows, 0));
        jobs.push_back({.job = std::move(job),
                        .lease = {.place = each.id, .token = each.token, .attempt = each.attempt}});
    }
    return jobs;
}

Result<bool> MediaJobs::extend(const TakenJob& taken, int progress) {
    const Time now = parts_.clock.now();
    storage::Batch batch;
    batch.operations.push_back(storage::extend_operation(queued(taken), now, now + kJobLease));
    batch.operations.push_back(
        {.statement = kProgress,
         .parameters = {id_value(taken.job.id), integer(std::clamp(progress, 0, 99))}});
    TRY(apply_fenced(parts_.store, std::move(batch)));
    const storage::Rows rows = TRY(parts_.store.query(kFind, {id_value(taken.job.id)}));
    const std::int64_t gone = rows.empty() ? 1 : TRY(rows.integer(0, 9));
    return gone != 0;
}

Result<void> MediaJobs::note_intent(const TakenJob& taken, const JobIntent& intent) {
    const Time now = parts_.clock.now();
    storage::Batch batch;
    batch.operations.push_back(storage::extend_operation(queued(taken), now, now + kJobLease));
    batch.operations.push_back(
        {.statement = kIntent,
         .parameters = {id_value(taken.job.id), storage::text(write_intent(intent))},
         .affects = storage::Affects::kOne});
    return apply_fenced(parts_.store, std::move(batch));
}

Result<void> MediaJobs::note_task(const TakenJob& taken, const JobTask& task) {
    const Time now = parts_.clock.now();
    storage::Batch batch;
    batch.operations.push_back(storage::extend_operation(queued(taken), now, now + kJobLease));
    batch.operations.push_back(
        {.statement = kTask,
         .parameters = {id_value(taken.job.id), storage::text(write_task(task))},
         .affects = storage::Affects::kOne});
    return apply_fenced(parts_.store, std::move(batch));
}

Result<Digest256> MediaJobs::put(const MediaJob& job, const Content& content) {
    const auto writer = TRY(parts_.blobs.write(owner_of(job.tenant, job.subject)));
    Buffer piece;
    for (std::uint64_t at = 0; at < content.bytes; at += piece.size()) {
        piece.resize(
            static_cast<std::size_t>(std::min<std::uint64_t>(content.bytes - at, kPieceBytes)));
        const std::size_t count = TRY(content.read(at, piece));
        if (count == 0) {
            return Error{
                ErrorCode::kCorrupt,
                fmt::format("what is to be kept ends after {} of {} bytes", at, content.bytes)};
        }
        piece.resize(count);
        TRY(writer->append(piece));
    }
    const storage::BlobHandle blob = TRY(writer->commit(holder_of(job.id)));
    return blob.digest;
}

MediaJobs::Content MediaJobs::Content::of(Bytes content) {
    return {.bytes = content.size(),
            .read = [content](std::uint64_t offset, std::span<std::uint8_t> out) {
                const Bytes piece = content.subspan(static_cast<std::size_t>(offset), out.size());
                std::ranges::copy(piece, out.begin());
                return Result<std::size_t>(piece.size());
            }};
}

Result<void> MediaJobs::end(const TakenJob& taken, const Ending& ending,
                            const ServiceRecord& record, std::span<const Print> prints) {
    const MediaJob& job = taken.job;
    const std::string id = to_string(job.id);
    const std::string owner = owner_of(job.tenant, job.subject);
    const auto sealed = parts_.sealer.seal(as_bytes(write_outcome(ending.outcome)),
                                           {.owner = owner, .purpose = kOutcomePurpose, .id = id});
    auto prepared = sealed.ok() ? parts_.records.prepare(record, prints)
                                : Result<storage::Batch>(sealed.error());
    if (!prepared.ok() && prepared.error().code == ErrorCode::kConflict) {
        return Error{ErrorCode::kDenied, "the person of this job was erased"};
    }
    storage::Batch batch = TRY(std::move(prepared));
    const Time now = parts_.clock.now();
    const JobState state =
        ending.outcome.error.is_null() ? JobState::kCompleted : JobState::kFailed;
    storage::Batch own;
    own.operations.push_back(storage::finish_operation(queued(taken), now));
    own.operations.push_back(
        {.statement = kEnd,
         .parameters = {id_value(job.id), integer(static_cast<std::int64_t>(state)),
                        time_value(now), time_value(now + ending.kept), storage::bytes(*sealed)},
         .affects = storage::Affects::kOne});
    append(own, std::move(batch));
    return apply_fenced(parts_.store, std::move(own));
}

Result<void> MediaJobs::give_back(const TakenJob& taken, std::chrono::milliseconds pause) {
    const Time now = parts_.clock.now();
    return storage::fail_job(parts_.store, queued(taken), now, now + pause, "given back");
}

Result<void> MediaJobs::remove_row(const JobId& id) {
    // The blobs first: what fails in between is found again.
    TRY(parts_.blobs.release_all(holder_of(id)));
    storage::Batch batch;
    batch.operations.push_back({.statement = kDelete, .parameters = {id_value(id)}});
    return parts_.store.apply(std::move(batch));
}

Result<void> MediaJobs::drop(const TakenJob& taken) {
    TRY(remove_row(taken.job.id));
    return storage::finish_job(parts_.store, queued(taken), parts_.clock.now());
}

Result<std::size_t> MediaJobs::tidy() {
    const storage::Rows rows =
        TRY(parts_.store.query(kPast, {time_value(parts_.clock.now()), integer(kTidyMax)}));
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const JobId id = TRY(storage::id_at<JobId>(rows, row, 0));
        TRY(remove_row(id));
    }
    return rows.size();
}

Result<std::shared_ptr<void>> MediaJobs::listen(std::function<void()> told) const {
    std::unique_ptr<storage::Subscription> heard = TRY(parts_.store.listen(
        storage::kJobsChannel, [told = std::move(told)](std::string_view payload) {
            if (payload.empty() || payload == queue_of(JobKind::kVideo) ||
                payload == queue_of(JobKind::kPictures)) {
                told();
            }
        }));
    return std::shared_ptr<void>(std::shared_ptr<storage::Subscription>(std::move(heard)));
}

}  // namespace colophon::ledger
