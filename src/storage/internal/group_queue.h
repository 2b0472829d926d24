// SPDX-License-Identifier: Apache-2.0
#pragma once

// What waits to be committed together. Callers that wait for their commit come back at once when it
// is done, but not at the same moment: whoever takes the first of them alone makes all others wait
// for two commits. So a thread that has just committed a group waits for one about as large, for a
// part of the time that the last commit took at most; a lone caller never waits.
//
// Threads: add() and stop() from any; each thread that takes has a Pace of its own.

#include "storage/limits.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

namespace colophon::storage {

template <class Work>
class GroupQueue {
public:
    using Clock = std::chrono::steady_clock;

    struct Pace {
        std::size_t size = 0;  // of the last group
        Clock::time_point taken;
    };

    // False, and `work` is as it was, when too much waits already.
    bool add(Work& work) {
        bool enough = false;
        {
            const std::scoped_lock lock(mutex_);
            if (waiting_.size() >= kBatchesWaitingMax) {
                return false;
            }
            waiting_.push_back(std::move(work));
            enough = waiting_.size() == 1 || waiting_.size() >= wanted_;
        }
        if (enough) {
            changed_.notify_one();
        }
        return true;
    }

    // At most kGroupMax, in their order; none when it was stopped and nothing waits.
    std::vector<Work> take(Pace& pace) {
        const Clock::duration spent = Clock::now() - pace.taken;
        std::unique_lock lock(mutex_);
        if (pace.size > 1 && !stop_ && waiting_.size() < pace.size) {
            wanted_ = pace.size;
            changed_.wait_for(lock, std::min<Clock::duration>(spent / kPart, kLongest),
                              [&] { return stop_ || waiting_.size() >= pace.size; });
            wanted_ = 0;
        }
        changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
        const auto count =
            static_cast<std::ptrdiff_t>(std::min<std::size_t>(waiting_.size(), kGroupMax));
        std::vector<Work> group(std::make_move_iterator(waiting_.begin()),
                                std::make_move_iterator(waiting_.begin() + count));
        waiting_.erase(waiting_.begin(), waiting_.begin() + count);
        pace = {.size = group.size(), .taken = Clock::now()};
        return group;
    }

    void stop() {
        {
            const std::scoped_lock lock(mutex_);
            stop_ = true;
        }
        changed_.notify_all();
    }

private:
    static constexpr int kPart = 4;
    static constexpr std::chrono::milliseconds kLongest{5};

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Work> waiting_;
    std::size_t wanted_ = 0;  // by a thread that gathers
    bool stop_ = false;
};

}  // namespace colophon::storage
