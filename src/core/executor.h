// SPDX-License-Identifier: Apache-2.0
#pragma once

// The thread on which a coroutine goes on, and how it waits for what happens on another one.

#include <coroutine>
#include <optional>
#include <utility>

namespace colophon {

// One thread that runs coroutines in turn (http/loop.h).
class Executor {
public:
    Executor() = default;
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;
    Executor(Executor&&) = delete;
    Executor& operator=(Executor&&) = delete;
    virtual ~Executor() = default;

    // Any thread may call it; the coroutine goes on in the executor's thread, never in this call.
    virtual void resume(std::coroutine_handle<> coroutine) = 0;
};

namespace internal {

template <class T, class Start>
class CallbackAwaiter {
public:
    CallbackAwaiter(Executor& executor, Start start)
        : executor_(executor), start_(std::move(start)) {}

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) {
        start_([this, waiting](T value) {
            value_.emplace(std::move(value));
            // After this the awaiter may be gone.
            executor_.resume(waiting);
        });
    }
    T await_resume() { return std::move(*value_); }

private:
    Executor& executor_;
    Start start_;
    std::optional<T> value_;
};

}  // namespace internal

// co_await when_done<Result<void>>(executor, [&](auto done) { store.apply(batch, done); });
//
// `start` is called with a function that must be called exactly once, from any thread, with the
// value; it may be called before `start` returns.
template <class T, class Start>
internal::CallbackAwaiter<T, Start> when_done(Executor& executor, Start start) {
    return {executor, std::move(start)};
}

}  // namespace colophon
