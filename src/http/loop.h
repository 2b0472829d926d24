// SPDX-License-Identifier: Apache-2.0
#pragma once

// One thread that waits for sockets and time and runs coroutines in between. A server has one or
// several of them; what belongs to a connection is touched by its own loop's thread only, so that
// nothing there needs a lock.

#include "core/executor.h"  // IWYU pragma: export
#include "core/task.h"      // IWYU pragma: export

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

namespace colophon::http {

using Instant = std::chrono::steady_clock::time_point;

// Something that is told when its time has come. The loop looks at all of them every kSweep, so
// that setting a deadline costs an assignment; deadlines are of seconds and may be late by kSweep.
class Expiring {
public:
    static constexpr Instant kNever = Instant::max();
    static constexpr std::chrono::milliseconds kSweep{100};

    Expiring() = default;
    Expiring(const Expiring&) = delete;
    Expiring& operator=(const Expiring&) = delete;
    Expiring(Expiring&&) = delete;
    Expiring& operator=(Expiring&&) = delete;
    virtual ~Expiring() = default;

    Instant deadline() const noexcept { return deadline_; }
    void expire_at(Instant when) noexcept { deadline_ = when; }
    void expire_in(std::chrono::milliseconds time) noexcept {
        deadline_ = std::chrono::steady_clock::now() + time;
    }
    void never_expire() noexcept { deadline_ = kNever; }
    // Called in the loop's thread, once for each time that a deadline was set. Must not destroy
    // anything that the loop watches.
    virtual void expire() = 0;

private:
    friend class Loop;
    Instant deadline_ = kNever;
    std::size_t slot_ = 0;  // among those that the loop watches
};

class Loop final : public Executor {
public:
    Loop();
    ~Loop() override;
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;
    Loop(Loop&&) = delete;
    Loop& operator=(Loop&&) = delete;

    // Runs until stop(). In one thread; what was started and has not ended is then left alone.
    void run();
    // From any thread.
    void stop();
    void resume(std::coroutine_handle<> coroutine) override;
    void post(std::function<void()> work);
    void spawn(Task<void> task);

    // The rest only in the loop's thread, or before run().
    // Ends early when `stop` is requested.
    Task<void> sleep(std::chrono::milliseconds time, std::stop_token stop = {});
    // Calls `told` whenever one of the signals arrives, for as long as the loop runs.
    void on_signals(const std::vector<int>& signals, std::function<void(int)> told);
    void watch(Expiring& each);
    void unwatch(Expiring& each) noexcept;

    struct Native;
    Native& native() noexcept { return *native_; }

private:
    std::unique_ptr<Native> native_;
};

}  // namespace colophon::http
