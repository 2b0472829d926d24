// SPDX-License-Identifier: Apache-2.0
#pragma once

// One connection that only listens (LISTEN), and a thread that tells what it hears. When the
// connection is lost it is made again; then everybody hears an empty payload, because notifications
// of the time between are gone.

#include "storage/internal/listeners.h"  // IWYU pragma: export
#include "storage/internal/postgres_connection.h"

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace colophon::storage {

class PostgresListener {
public:
    PostgresListener(PostgresAddress address, PostgresOptions options);
    PostgresListener(const PostgresListener&) = delete;
    PostgresListener& operator=(const PostgresListener&) = delete;
    ~PostgresListener();

    // Returns when the server listens, so that what is notified from then on is heard.
    Result<std::unique_ptr<Subscription>> listen(std::string channel, Store::Listener listener);

private:
    void run();
    Result<void> connect();
    Result<void> step();
    void wake();
    void wait_before_retry();
    void answer_waiting(const Result<void>& outcome);

    PostgresAddress address_;
    PostgresOptions options_;
    std::shared_ptr<Listeners> listeners_ = std::make_shared<Listeners>();
    std::unique_ptr<PostgresConnection> connection_;  // the thread's
    std::set<std::string> heard_channels_;            // the thread's
    bool was_lost_ = false;                           // the thread's
    int wake_fd_ = -1;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t asked_ = 0;     // how many times listen() was called
    std::uint64_t answered_ = 0;  // up to which of these calls the thread has done its part
    Result<void> outcome_;        // of the last such part
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace colophon::storage
