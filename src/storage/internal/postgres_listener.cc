// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/postgres_listener.h"

#include "core/result.h"
#include "storage/internal/postgres_connection.h"
#include "storage/postgres_store.h"
#include "storage/store.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace colophon::storage {
namespace {

constexpr std::chrono::milliseconds kRetryAfter{200};
// A quiet connection is looked at now and then, so that a lost one does not stay unnoticed.
constexpr int kLookEveryMs = 1000;

}  // namespace

PostgresListener::PostgresListener(PostgresAddress address, PostgresOptions options)
    : address_(std::move(address)),
      options_(options),
      wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this] { run(); }) {}

PostgresListener::~PostgresListener() {
    {
        const std::scoped_lock lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    wake();
    thread_.join();
    close(wake_fd_);
}

void PostgresListener::wake() {
    const std::uint64_t one = 1;
    // A full counter wakes as well.
    (void)!write(wake_fd_, &one, sizeof one);
}

Result<std::unique_ptr<Subscription>> PostgresListener::listen(std::string channel,
                                                               Store::Listener listener) {
    auto subscription = listeners_->add(std::move(channel), std::move(listener));
    std::unique_lock lock(mutex_);
    const std::uint64_t mine = ++asked_;
    changed_.notify_all();
    wake();
    changed_.wait(lock, [&] { return answered_ >= mine || stop_; });
    if (!outcome_.ok()) {
        Error error = outcome_.error();
        lock.unlock();
        return error;
    }
    return subscription;
}

void PostgresListener::answer_waiting(const Result<void>& outcome) {
    {
        const std::scoped_lock lock(mutex_);
        answered_ = asked_;
        outcome_ = outcome;
    }
    changed_.notify_all();
}

Result<void> PostgresListener::connect() {
    if (connection_ != nullptr && !connection_->broken()) {
        return {};
    }
    heard_channels_.clear();
    connection_ =
        TRY(PostgresConnection::open(address_, PostgresConnection::Role::kReader, options_));
    return {};
}

// Listens to what is asked for, waits for news, tells them.
Result<void> PostgresListener::step() {
    TRY(connect());
    std::uint64_t asked = 0;
    {
        const std::scoped_lock lock(mutex_);
        asked = asked_;
    }
    for (const std::string& channel : listeners_->channels()) {
        if (!heard_channels_.contains(channel)) {
            TRY(connection_->script(fmt::format("LISTEN \"{}\"", channel)));
            heard_channels_.insert(channel);
        }
    }
    if (std::exchange(was_lost_, false)) {
        listeners_->tell_all();
    }
    {
        const std::scoped_lock lock(mutex_);
        answered_ = asked;
        outcome_ = {};
    }
    changed_.notify_all();
    std::array<pollfd, 2> wait{pollfd{.fd = connection_->socket(), .events = POLLIN, .revents = 0},
                               pollfd{.fd = wake_fd_, .events = POLLIN, .revents = 0}};
    (void)poll(wait.data(), wait.size(), kLookEveryMs);
    std::uint64_t ignored = 0;
    (void)!read(wake_fd_, &ignored, sizeof ignored);
    for (const auto& each : TRY(connection_->heard())) {
        listeners_->tell(each.channel, each.payload);
    }
    return connection_->broken() ? Result<void>(Error{ErrorCode::kUnavailable, "connection lost"})
                                 : Result<void>();
}

void PostgresListener::wait_before_retry() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kRetryAfter, [this] { return stop_; });
}

void PostgresListener::run() {
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            // No connection for nobody.
            changed_.wait(lock, [this] { return stop_ || asked_ > 0; });
            if (stop_) {
                return;
            }
        }
        const auto outcome = step();
        if (!outcome.ok()) {
            connection_.reset();
            was_lost_ = true;
            answer_waiting(outcome);
            wait_before_retry();
        }
    }
}

}  // namespace colophon::storage
