// SPDX-License-Identifier: Apache-2.0
#include "storage/queue.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "storage/engines.h"
#include "storage/migration.h"
#include "storage/store.h"
#include "storage/tables.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

using namespace std::chrono_literals;

constexpr auto kStart = Time(1'700'000'000'000ms);

void prepare(TestStore& store) {
    FixedClock clock(kStart);
    good(migrate(*store, storage_migrations(), clock));
}

void add(TestStore& store, const std::string& payload, Time due = kStart, int attempts_max = 3) {
    Batch batch;
    enqueue(batch,
            {.queue = "label",
             .payload = to_buffer(std::string_view(payload)),
             .due = due,
             .attempts_max = attempts_max},
            kStart);
    good(store->apply(std::move(batch)));
}

std::vector<Job> take(TestStore& store, std::size_t count, Time now) {
    static SeededRandom random(7);
    return good(
        take_jobs(*store, {.queue = "label", .count_max = count, .lease = 60s}, now, random));
}

std::string words(const Job& job) {
    return std::string(as_text(job.payload));
}

}  // namespace

TEST_CASE("jobs are taken in the order in which they are due, and not before") {
    each_engine([](TestStore& store) {
        prepare(store);
        add(store, "later", kStart + 10s);
        add(store, "second", kStart - 1s);
        add(store, "first", kStart - 2s);
        const JobCounts counts = good(count_jobs(*store, "label", kStart));
        CHECK(counts.due == 2);
        CHECK(counts.delayed == 1);
        const auto jobs = take(store, 10, kStart);
        REQUIRE(jobs.size() == 2);
        CHECK(words(jobs[0]) == "first");
        CHECK(words(jobs[1]) == "second");
        CHECK(jobs[0].attempt == 1);
        CHECK(take(store, 10, kStart).empty());
        CHECK(good(count_jobs(*store, "label", kStart)).running == 2);
        CHECK(take(store, 10, kStart + 10s).size() == 1);
        CHECK(good(count_jobs(*store, "other", kStart)).due == 0);
    });
}

TEST_CASE("a finished job is gone, with the batch that holds its result or not at all") {
    each_engine([](TestStore& store) {
        prepare(store);
        add(store, "a");
        add(store, "b");
        const auto jobs = take(store, 2, kStart);
        REQUIRE(jobs.size() == 2);
        Batch batch;
        batch.operations.push_back(finish_operation(jobs[0], kStart + 1s));
        batch.operations.push_back(finish_operation(jobs[0], kStart + 1s));  // the second fails
        CHECK(code_of(store->apply(std::move(batch))) == ErrorCode::kConflict);
        CHECK(good(count_jobs(*store, "label", kStart)).running == 2);
        good(finish_job(*store, jobs[0], kStart + 1s));
        CHECK(code_of(finish_job(*store, jobs[0], kStart + 1s)) == ErrorCode::kConflict);
        CHECK(good(count_jobs(*store, "label", kStart)).running == 1);
    });
}

TEST_CASE("whose lease has ended can do nothing more, even if nobody else has the job yet") {
    each_engine([](TestStore& store) {
        prepare(store);
        add(store, "a");
        const Job first = take(store, 1, kStart).at(0);
        const Time late = kStart + 61s;
        CHECK(code_of(finish_job(*store, first, late)) == ErrorCode::kConflict);
        CHECK(code_of(extend_job(*store, first, late, late + 60s)) == ErrorCode::kConflict);
        CHECK(code_of(fail_job(*store, first, late, late, "x")) == ErrorCode::kConflict);
        const Job second = take(store, 1, late).at(0);
        CHECK(second.id == first.id);
        CHECK(second.attempt == 2);
        // The first worker wakes up with a clock that is behind.
        CHECK(code_of(finish_job(*store, first, kStart + 30s)) == ErrorCode::kConflict);
        good(extend_job(*store, second, late + 50s, late + 120s));
        good(finish_job(*store, second, late + 100s));
    });
}

TEST_CASE("a failed job comes back after its delay and dies after the last attempt") {
    each_engine([](TestStore& store) {
        prepare(store);
        add(store, "a", kStart, 2);
        good(fail_job(*store, take(store, 1, kStart).at(0), kStart, kStart + 5s, "no worker"));
        CHECK(take(store, 1, kStart + 4s).empty());
        const Job second = take(store, 1, kStart + 5s).at(0);
        good(fail_job(*store, second, kStart + 5s, kStart + 6s, std::string(5000, 'r')));
        CHECK(take(store, 1, kStart + 100s).empty());
        const auto dead = good(dead_jobs(*store, "label", 0, 10));
        REQUIRE(dead.size() == 1);
        CHECK(dead[0].attempts == 2);
        CHECK(dead[0].reason == std::string(kJobReasonBytesMax, 'r'));
        CHECK(good(count_jobs(*store, "label", kStart)).dead == 1);
        good(retry_dead_job(*store, dead[0].id, kStart));
        CHECK(code_of(discard_dead_job(*store, dead[0].id)) == ErrorCode::kConflict);
        CHECK(take(store, 1, kStart).at(0).attempt == 1);
    });
}

TEST_CASE("a job that kills its workers dies, too") {
    each_engine([](TestStore& store) {
        prepare(store);
        add(store, "a", kStart, 2);
        CHECK(take(store, 1, kStart).size() == 1);
        CHECK(take(store, 1, kStart + 61s).size() == 1);
        CHECK(take(store, 1, kStart + 122s).empty());
        const auto dead = good(dead_jobs(*store, "label", 0, 10));
        REQUIRE(dead.size() == 1);
        good(discard_dead_job(*store, dead[0].id));
        CHECK(good(dead_jobs(*store, "label", 0, 10)).empty());
    });
}

TEST_CASE("eight workers at once take each job once, and hear of new ones") {
    each_engine([](TestStore& store) {
        prepare(store);
        Collected<std::string> heard;
        const auto subscription = good(store->listen(
            kJobsChannel, [&](std::string_view queue) { heard.add(std::string(queue)); }));
        Batch batch;
        constexpr std::size_t kJobs = 200;
        for (std::size_t i = 0; i < kJobs; ++i) {
            enqueue(batch, {.queue = "label", .payload = {}, .due = kStart, .attempts_max = 3},
                    kStart);
        }
        good(store->apply(std::move(batch)));
        CHECK(heard.wait_for(1).front() == "label");
        std::vector<std::future<std::vector<std::int64_t>>> workers;
        for (std::uint64_t i = 0; i < 8; ++i) {
            workers.push_back(std::async(std::launch::async, [&store, i] {
                SeededRandom random(i);
                std::vector<std::int64_t> ids;
                for (int round = 0; round < 1000; ++round) {
                    const auto jobs = take_jobs(
                        *store, {.queue = "label", .count_max = 7, .lease = 60s}, kStart, random);
                    if (!jobs.ok() || jobs->empty()) {
                        break;
                    }
                    for (const Job& job : *jobs) {
                        ids.push_back(job.id);
                    }
                }
                return ids;
            }));
        }
        std::set<std::int64_t> different;
        std::size_t all = 0;
        for (auto& each : workers) {
            const auto ids = each.get();
            different.insert(ids.begin(), ids.end());
            all += ids.size();
        }
        CHECK(different.size() == all);
        // A worker that finds all due jobs locked by others goes home early; nothing is lost by it.
        CHECK(all + static_cast<std::size_t>(good(count_jobs(*store, "label", kStart)).due) ==
              kJobs);
    });
}

}  // namespace colophon::storage
