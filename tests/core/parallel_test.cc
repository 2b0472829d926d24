// SPDX-License-Identifier: Apache-2.0
#include "core/parallel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace colophon {

TEST_CASE("work is called once for each number, from one thread or from several") {
    for (const std::size_t threads : {0U, 1U, 2U, 5U, 100U}) {
        for (const std::size_t count : {0U, 1U, 3U, 64U}) {
            std::vector<std::atomic<int>> calls(count);
            parallel_for(count, threads, [&](std::size_t i) { ++calls[i]; });
            CHECK(std::all_of(calls.begin(), calls.end(),
                              [](const std::atomic<int>& each) { return each == 1; }));
        }
    }
}

TEST_CASE("no more threads than asked for, one of which is the caller's") {
    std::mutex mutex;
    std::set<std::thread::id> seen;
    parallel_for(40, 3, [&](std::size_t /*i*/) {
        const std::lock_guard lock(mutex);
        seen.insert(std::this_thread::get_id());
    });
    CHECK(seen.size() <= 3);
    seen.clear();
    parallel_for(10, 1, [&](std::size_t /*i*/) { seen.insert(std::this_thread::get_id()); });
    CHECK(seen == std::set{std::this_thread::get_id()});
    CHECK(useful_threads(1) == 1);
    CHECK(useful_threads(0) == 1);
    CHECK(useful_threads(3) <= 3);
}

}  // namespace colophon
