// SPDX-License-Identifier: Apache-2.0
#pragma once

// Threads for what blocks: a question to the database, a worker that labels a file, a program that
// speaks. A coroutine hands the work over and goes on in its own thread when it is done.

#include "core/executor.h"
#include "core/result.h"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace colophon {

class ThreadPool {
public:
    // `waiting_max`: how much work may wait when all threads are busy.
    ThreadPool(std::size_t threads, std::size_t waiting_max);
    // Does what waits, then ends.
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;
    ThreadPool(ThreadPool&&) = delete;
    ThreadPool& operator=(ThreadPool&&) = delete;

    // False when too much waits already; `work` is then dropped without being called.
    bool submit(std::function<void()> work);

    // co_await pool.run(executor, [&] { return blocking(); }), where blocking() returns a
    // Result<T>. kLimit when too much waits.
    template <class Work>
    auto run(Executor& executor, Work work) {
        using Value = std::invoke_result_t<Work&>;
        return when_done<Value>(executor, [this, work = std::move(work)](auto done) mutable {
            const bool taken = submit([done, work = std::move(work)]() mutable { done(work()); });
            if (!taken) {
                done(Error{ErrorCode::kLimit, "too many calls wait for a free worker"});
            }
        });
    }

private:
    void work();

    const std::size_t waiting_max_;
    std::mutex mutex_;
    std::condition_variable some_;
    std::deque<std::function<void()>> waiting_;  // guarded by mutex_
    bool ending_ = false;                        // guarded by mutex_
    std::vector<std::thread> threads_;
};

}  // namespace colophon
