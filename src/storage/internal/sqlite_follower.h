// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tells listeners what was notified, by this process or another one of the machine. Notifications
// are rows of colophon_notifications, written in the transaction that they speak of; their numbers
// have no holes, so that a follower that came too late (old rows are dropped) knows it.

#include "storage/internal/listeners.h"  // IWYU pragma: export
#include "storage/internal/sqlite_connection.h"

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace colophon::storage {

class SqliteFollower {
public:
    SqliteFollower(std::string path, SqliteOptions options);
    SqliteFollower(const SqliteFollower&) = delete;
    SqliteFollower& operator=(const SqliteFollower&) = delete;
    ~SqliteFollower();

    Result<std::unique_ptr<Subscription>> listen(std::string channel, Store::Listener listener);
    // This process has committed notifications.
    void wake();

private:
    void run();
    Result<void> connect();
    Result<void> follow();

    std::string path_;
    SqliteOptions options_;
    std::shared_ptr<Listeners> listeners_ = std::make_shared<Listeners>();
    // One at a time for the connection and what was seen on it.
    std::mutex connection_mutex_;
    std::unique_ptr<SqliteConnection> connection_;
    std::int64_t last_ = 0;
    std::int64_t version_ = -1;
    bool told_of_failure_ = false;

    std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false;
    bool stop_ = false;
    std::thread thread_;
};

// The statement that notifies; its parameters are channel and payload.
extern const char* const kSqliteNotify;
// Drops rows that are too old for anybody who still follows.
extern const char* const kSqliteForgetNotifications;
extern const char* const kSqliteNotificationsTable;

}  // namespace colophon::storage
