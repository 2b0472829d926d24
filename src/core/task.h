// SPDX-License-Identifier: Apache-2.0
#pragma once

// Task<T>: a coroutine that starts when it is awaited and gives its value to whoever awaits it.
//
// One rule keeps it simple: a suspended coroutine is never destroyed. Whoever wants it to end makes
// what it waits for end (a closed socket, a stop token, a deadline), and it runs to its own end. So
// what it waits for may hold plain pointers into it. A Task that was never awaited may be dropped.
//
// TRY returns and therefore does not work in a coroutine: test the Result and co_return its error.

#include "core/assert.h"

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace colophon {

template <class T = void>
class Task;

namespace internal {

// What is common to tasks with and without value. The names of members are the language's.
// NOLINTBEGIN(readability-identifier-naming)
class TaskPromiseBase {
public:
    struct FinalAwaiter {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
            return ended.promise().continuation_;
        }
        void await_resume() const noexcept {}
    };

    std::suspend_always initial_suspend() const noexcept { return {}; }
    FinalAwaiter final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { exception_ = std::current_exception(); }
    void continue_with(std::coroutine_handle<> continuation) noexcept {
        continuation_ = continuation;
    }

protected:
    void rethrow() const {
        if (exception_) {
            std::rethrow_exception(exception_);
        }
    }

private:
    std::coroutine_handle<> continuation_;
    std::exception_ptr exception_;
};

template <class T>
class TaskPromise final : public TaskPromiseBase {
public:
    Task<T> get_return_object() noexcept;
    template <class U>
    void return_value(U&& value) {
        value_.emplace(std::forward<U>(value));
    }
    T take() {
        rethrow();
        COLOPHON_ASSERT(value_.has_value());
        return std::move(*value_);
    }

private:
    std::optional<T> value_;
};

template <>
class TaskPromise<void> final : public TaskPromiseBase {
public:
    Task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void take() const { rethrow(); }
};
// NOLINTEND(readability-identifier-naming)

}  // namespace internal

template <class T>
class [[nodiscard]] Task {
public:
    // NOLINTNEXTLINE(readability-identifier-naming): the language asks for this name
    using promise_type = internal::TaskPromise<T>;

    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            drop();
            handle_ = std::exchange(other.handle_, {});
        }
        return *this;
    }
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    ~Task() { drop(); }

    struct Awaiter {
        std::coroutine_handle<promise_type> handle;
        bool await_ready() const noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) const noexcept {
            handle.promise().continue_with(waiting);
            return handle;
        }
        T await_resume() const { return handle.promise().take(); }
    };
    // The task lives as long as the expression that awaits it, which is long enough.
    Awaiter operator co_await() const noexcept { return Awaiter{handle_}; }

private:
    friend promise_type;
    explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
    void drop() noexcept {
        if (handle_) {
            handle_.destroy();
        }
    }
    std::coroutine_handle<promise_type> handle_;
};

namespace internal {

template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
    return Task<T>(std::coroutine_handle<TaskPromise<T>>::from_promise(*this));
}

inline Task<void> TaskPromise<void>::get_return_object() noexcept {
    return Task<void>(std::coroutine_handle<TaskPromise<void>>::from_promise(*this));
}

// A coroutine that nobody awaits: it starts at once and frees itself at its end.
struct Detached {
    // NOLINTNEXTLINE(readability-identifier-naming): the language asks for this name
    struct promise_type {
        Detached get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        // An exception that nobody awaits is a bug of ours.
        void unhandled_exception() const noexcept { std::terminate(); }
    };
};

}  // namespace internal

// Runs `task` until it first waits, and onwards whenever what it waits for is there. An exception
// that leaves it ends the program.
inline internal::Detached start(Task<void> task) {
    co_await std::move(task);
}

}  // namespace colophon
