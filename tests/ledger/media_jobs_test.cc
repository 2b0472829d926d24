// SPDX-License-Identifier: Apache-2.0
// Jobs in the store: one node at a time has one, each ends once with its record, and nothing of one
// is seen by others or outlives its time.

#include "ledger/media_jobs.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/random.h"
#include "core/result.h"
#include "ledger/conduct.h"
#include "ledger/ledger_stores.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "ledger/retention.h"
#include "storage/blobs.h"
#include "storage/objects.h"
#include "storage/sealer.h"
#include "storage/sealing.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {
namespace {

using namespace std::chrono_literals;

struct World {
    explicit World(TestStore& store)
        : stores(store),
          records(stores.records()),
          sealer(*stores.keys, storage::Suite::kAes256Gcm, stores.random),
          blobs({*store, *stores.objects, *stores.keys, stores.clock, stores.random},
                storage::Suite::kAes256Gcm),
          jobs({.store = *store,
                .sealer = sealer,
                .blobs = blobs,
                .records = records,
                .clock = stores.clock,
                .random = stores.random}) {}

    MediaJob add(std::size_t subject_max = 0, JobKind kind = JobKind::kVideo) {
        stores.clock.advance(1ms);
        return good(jobs.add({.kind = kind,
                              .shown = json::Object{{"model", "film"}},
                              .asked = "a hill in the evening",
                              .tenant_max = 0,
                              .subject_max = subject_max},
                             stores.record()));
    }
    TakenJob take() {
        const std::vector<TakenJob> taken = good(jobs.take(JobKind::kVideo, 1));
        REQUIRE(taken.size() == 1);
        return taken.front();
    }
    MediaJob find(const MediaJob& job) { return good(jobs.find(stores.tenant, {}, job.id)); }
    JobOutcome outcome(const MediaJob& job, std::string_view content) {
        JobOutcome outcome;
        outcome.blob = good(jobs.put(job, MediaJobs::Content::of(as_bytes(content))));
        outcome.digests = {Digest256{1}, Digest256{2}};
        outcome.bytes = static_cast<std::int64_t>(content.size());
        outcome.media_type = "video/mp4";
        outcome.label = "{}";
        outcome.content_id = ContentId{77};
        return outcome;
    }
    std::size_t objects() {
        std::size_t count = 0;
        good(stores.objects->list("blobs/", [&](std::string_view /*name*/) {
            ++count;
            return true;
        }));
        return count;
    }

    LedgerStores stores;
    Records records;
    storage::Sealer sealer;
    storage::Blobs blobs;
    MediaJobs jobs;
};

}  // namespace

TEST_CASE("a job goes from who asks to who makes it, and ends once, with its record") {
    each_engine([](TestStore& store) {
        World world(store);
        const MediaJob job = world.add();
        CHECK(good(world.records.find(job.record)).operation == "chat.completions");
        CHECK(world.find(job).state == JobState::kQueued);
        CHECK(good(world.jobs.asked(job)) == "a hill in the evening");
        CHECK(good(world.jobs.waiting(JobKind::kVideo)) == 1);
        const TakenJob taken = world.take();
        CHECK(taken.job.id == job.id);
        CHECK(taken.lease.attempt == 1);
        CHECK(good(world.jobs.take(JobKind::kVideo, 1)).empty());
        CHECK_FALSE(good(world.jobs.extend(taken, 40)));
        CHECK(world.find(job).progress == 40);
        CHECK(world.find(job).state == JobState::kRunning);
        good(world.jobs.note_task(taken, {.upstream = "cloud",
                                          .model = "m",
                                          .id = "task-1",
                                          .submitted = world.stores.clock.now()}));
        CHECK(world.find(job).task->id == "task-1");

        const std::string film(300'000, 'x');
        const MediaJobs::Ending ending{.outcome = world.outcome(job, film), .kept = 60s};
        const ServiceRecord record = world.stores.record();
        good(world.jobs.end(taken, ending, record, {}));
        const MediaJob ended = world.find(job);
        CHECK(ended.state == JobState::kCompleted);
        CHECK(ended.progress == 100);
        REQUIRE(ended.outcome.has_value());
        CHECK(ended.outcome->content_id == ContentId{77});
        CHECK(ended.outcome->digests == std::vector{Digest256{1}, Digest256{2}});
        CHECK(good(world.records.find(record.facts.id)).outcome == Outcome::kAnswered);
        CHECK(as_text(good(world.jobs.read(ended, 299'999, 10))) == "x");
        // A second end is none, and leaves no record.
        const ServiceRecord twice = world.stores.record();
        CHECK(code_of(world.jobs.end(taken, ending, twice, {})) == ErrorCode::kConflict);
        CHECK(code_of(world.records.find(twice.facts.id)) == ErrorCode::kNotFound);
        CHECK(good(world.jobs.take(JobKind::kVideo, 1)).empty());

        CHECK(good(world.jobs.tidy()) == 0);
        world.stores.clock.advance(60s);
        CHECK(good(world.jobs.tidy()) == 1);
        CHECK(world.objects() == 0);
        CHECK(code_of(world.jobs.find(world.stores.tenant, {}, job.id)) == ErrorCode::kNotFound);
    });
}

TEST_CASE("a job of a node that is not heard of is taken by another, who knows of its task") {
    each_engine([](TestStore& store) {
        World world(store);
        const MediaJob job = world.add();
        const TakenJob dead = world.take();
        good(world.jobs.note_task(dead, {.upstream = "cloud",
                                         .model = "m",
                                         .id = "task-1",
                                         .submitted = world.stores.clock.now()}));
        world.stores.clock.advance(kJobLease);
        const TakenJob next = world.take();
        CHECK(next.job.task->id == "task-1");
        CHECK(next.lease.attempt == 2);
        // The first one lives after all: nothing that it says counts.
        CHECK(code_of(world.jobs.extend(dead, 90)) == ErrorCode::kConflict);
        CHECK(code_of(world.jobs.note_task(dead, {})) == ErrorCode::kConflict);
        CHECK(code_of(world.jobs.end(dead, {.outcome = world.outcome(job, "a")},
                                     world.stores.record(), {})) == ErrorCode::kConflict);
        CHECK(world.find(job).task->id == "task-1");
        good(world.jobs.give_back(next, 5s));
        CHECK(good(world.jobs.take(JobKind::kVideo, 1)).empty());
        world.stores.clock.advance(5s);
        const TakenJob last = world.take();
        JobOutcome failed;
        failed.error = json::Object{{"code", "upstream_failed"}};
        good(world.jobs.end(last, {.outcome = failed, .kept = 1h}, world.stores.record(), {}));
        CHECK(world.find(job).state == JobState::kFailed);
        CHECK(world.find(job).outcome->error.string_or("code", "") == "upstream_failed");
        CHECK(code_of(world.jobs.read(world.find(job), 0, 1)) == ErrorCode::kNotFound);
    });
}

TEST_CASE("who takes a job of a node that died while it asked an upstream knows whom it asked") {
    each_engine([](TestStore& store) {
        World world(store);
        const MediaJob job = world.add();
        const TakenJob dead = world.take();
        CHECK_FALSE(dead.job.intent.has_value());
        const Time now = world.stores.clock.now();
        good(world.jobs.note_intent(dead, {.upstream = "first", .model = "m", .at = now}));
        good(world.jobs.note_intent(dead, {.upstream = "second", .model = "n", .at = now}));
        world.stores.clock.advance(kJobLease);
        const TakenJob next = world.take();
        REQUIRE(next.job.intent.has_value());
        CHECK(next.job.intent->upstream == "second");
        CHECK(next.job.intent->model == "n");
        CHECK(next.job.intent->at == now);
        CHECK_FALSE(next.job.task.has_value());
        CHECK(code_of(world.jobs.note_intent(dead, {})) == ErrorCode::kConflict);
        good(world.jobs.note_task(
            next, {.upstream = "second", .model = "n", .id = "task-1", .submitted = now}));
        // Whoever knows of a task asks nobody to begin another.
        CHECK(code_of(world.jobs.note_intent(
                  next, {.upstream = "third", .model = "m", .at = now})) == ErrorCode::kConflict);
        CHECK(world.find(job).task->id == "task-1");
    });
}

TEST_CASE(
    "jobs of one kind do not wait behind those of another, and are counted and listed apart") {
    each_engine([](TestStore& store) {
        World world(store);
        const MediaJob video = world.add();
        const MediaJob pictures = world.add(1, JobKind::kPictures);
        CHECK(world.find(video).kind == JobKind::kVideo);
        CHECK(world.find(pictures).kind == JobKind::kPictures);
        CHECK(code_of(world.jobs.add({.kind = JobKind::kPictures,
                                      .shown = json::Object{},
                                      .asked = "x",
                                      .subject_max = 1},
                                     world.stores.record())) == ErrorCode::kLimit);
        CHECK(good(world.jobs.waiting(JobKind::kPictures)) == 1);
        const std::vector<TakenJob> taken = good(world.jobs.take(JobKind::kPictures, 5));
        REQUIRE(taken.size() == 1);
        CHECK(taken.front().job.id == pictures.id);
        MediaJobs::Query query;
        query.kind = JobKind::kPictures;
        query.tenant = world.stores.tenant;
        const std::vector<MediaJob> listed = good(world.jobs.list(query));
        REQUIRE(listed.size() == 1);
        CHECK(listed.front().id == pictures.id);
        good(world.jobs.end(taken.front(), {.outcome = world.outcome(pictures, "a"), .kept = 1h},
                            world.stores.record(), {}));
        CHECK(world.take().job.id == video.id);
    });
}

TEST_CASE("everybody sees jobs of their own only, page by page, and no more than may be") {
    each_engine([](TestStore& store) {
        World world(store);
        const TenantId tenant = world.stores.tenant;
        const MediaJob first = world.add();
        const MediaJob second = world.add();
        const SubjectId own = world.stores.subject;
        const SubjectId other{{5}};
        const TenantId stranger{{6}};
        CHECK(good(world.jobs.find(tenant, own, first.id)).id == first.id);
        CHECK(code_of(world.jobs.find(tenant, other, first.id)) == ErrorCode::kNotFound);
        CHECK(code_of(world.jobs.find(stranger, {}, first.id)) == ErrorCode::kNotFound);
        const auto list = [&](const MediaJobs::Query& query) {
            std::vector<JobId> ids;
            for (const MediaJob& each : good(world.jobs.list(query))) {
                ids.push_back(each.id);
            }
            return ids;
        };
        MediaJobs::Query all;
        all.tenant = tenant;
        CHECK(list(all) == std::vector{second.id, first.id});
        MediaJobs::Query query = all;
        query.ascending = true;
        CHECK(list(query) == std::vector{first.id, second.id});
        query = all;
        query.jobs_max = 1;
        CHECK(list(query) == std::vector{second.id});
        query.after = second.id;
        CHECK(list(query) == std::vector{first.id});
        query = all;
        query.subject = other;
        CHECK(list(query).empty());
        query = all;
        query.tenant = stranger;
        CHECK(list(query).empty());
        CHECK(
            code_of(world.jobs.add(
                {.kind = JobKind::kVideo, .shown = json::Object{}, .asked = "x", .subject_max = 2},
                world.stores.record())) == ErrorCode::kLimit);
        CHECK(code_of(world.jobs.add(
                  {.kind = JobKind::kVideo, .shown = json::Object{}, .asked = "x", .tenant_max = 2},
                  world.stores.record())) == ErrorCode::kLimit);
        CHECK(code_of(world.jobs.add({.kind = JobKind::kVideo,
                                      .shown = json::Object{},
                                      .asked = std::string(kAskedBytesMax + 1, 'x')},
                                     world.stores.record())) == ErrorCode::kLimit);
        world.add(3);
    });
}

TEST_CASE("a job that was given up is told to who runs it, and goes when that has ended") {
    each_engine([](TestStore& store) {
        World world(store);
        const MediaJob job = world.add();
        const TakenJob taken = world.take();
        CHECK_FALSE(good(world.jobs.extend(taken, 1)));
        const ServiceRecord record = world.stores.record();
        good(world.jobs.remove(job, record));
        CHECK(good(world.records.find(record.facts.id)).id == record.facts.id);
        CHECK(code_of(world.jobs.find(world.stores.tenant, {}, job.id)) == ErrorCode::kNotFound);
        CHECK(code_of(world.jobs.remove(job, world.stores.record())) == ErrorCode::kNotFound);
        CHECK(good(world.jobs.extend(taken, 2)));
        JobOutcome cancelled;
        cancelled.error = json::Object{{"code", "cancelled"}};
        good(world.jobs.end(taken, {.outcome = cancelled, .kept = 1h}, world.stores.record(), {}));
        CHECK(good(world.jobs.tidy()) == 1);
    });
}

TEST_CASE("what is under a legal hold keeps its content, and an erased person's job just goes") {
    each_engine([](TestStore& store) {
        World world(store);
        const MediaJob job = world.add();
        const TakenJob taken = world.take();
        good(world.jobs.end(taken, {.outcome = world.outcome(job, "film"), .kept = 1s},
                            world.stores.record(), {}));
        const StaffId staff = good(make_random_id<StaffId>(world.stores.random));
        Actor actor;
        actor.account = "li.wei";
        const Conduct conduct(world.records, world.stores.clock, world.stores.random, actor);
        const Time now = world.stores.clock.now();
        const std::string hold = good(place_hold(*store,
                                                 {.id = {},
                                                  .tenant = {},
                                                  .subject = world.stores.subject,
                                                  .from = now - 24h,
                                                  .until = now + 24h,
                                                  .reason = "order 2026-17",
                                                  .placed_by = staff,
                                                  .placed_at = now},
                                                 conduct, world.stores.random));
        good(world.jobs.remove(world.find(job), world.stores.record()));
        world.stores.clock.advance(1h);
        CHECK(good(world.jobs.tidy()) == 0);
        CHECK(world.objects() == 1);
        good(lift_hold(*store, {.id = hold, .by = staff, .at = now}, conduct));
        CHECK(good(world.jobs.tidy()) == 1);
        CHECK(world.objects() == 0);

        const MediaJob erased = world.add();
        const TakenJob running = world.take();
        good(world.stores.keys->destroy(to_string(world.stores.subject)));
        CHECK(code_of(world.jobs.asked(erased)) == ErrorCode::kNotFound);
        JobOutcome failed;
        failed.error = json::Object{{"code", "upstream_failed"}};
        CHECK(code_of(world.jobs.end(running, {.outcome = failed}, world.stores.record(), {})) ==
              ErrorCode::kDenied);
        good(world.jobs.drop(running));
        CHECK(good(world.jobs.take(JobKind::kVideo, 1)).empty());
        CHECK(code_of(world.jobs.find(world.stores.tenant, {}, erased.id)) == ErrorCode::kNotFound);
    });
}

}  // namespace colophon::ledger
