// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/sqlite_follower.h"

#include "core/result.h"
#include "storage/internal/sqlite_connection.h"
#include "storage/sqlite_store.h"
#include "storage/store.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::storage {
namespace {

// Other processes are noticed by looking: reading data_version costs microseconds.
constexpr std::chrono::milliseconds kLookEvery{100};

struct Told {
    std::int64_t number;
    std::string channel;
    std::string payload;
};

}  // namespace

const char* const kSqliteNotificationsTable =
    "CREATE TABLE IF NOT EXISTS colophon_notifications (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " channel TEXT NOT NULL, payload TEXT NOT NULL) STRICT";
const char* const kSqliteNotify =
    "INSERT INTO colophon_notifications (channel, payload) VALUES ($1, $2)";
// Ten thousand are minutes of a busy service; a follower looks every 100 ms.
const char* const kSqliteForgetNotifications =
    "DELETE FROM colophon_notifications WHERE number <="
    " (SELECT MAX(number) FROM colophon_notifications) - 10000";

SqliteFollower::SqliteFollower(std::string path, SqliteOptions options)
    : path_(std::move(path)), options_(std::move(options)), thread_([this] { run(); }) {}

SqliteFollower::~SqliteFollower() {
    {
        const std::scoped_lock lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

Result<void> SqliteFollower::connect() {
    if (connection_ == nullptr) {
        connection_ = TRY(SqliteConnection::open(path_, SqliteConnection::Role::kReader, options_));
        version_ = -1;
    }
    return {};
}

Result<std::unique_ptr<Subscription>> SqliteFollower::listen(std::string channel,
                                                             Store::Listener listener) {
    const std::scoped_lock lock(connection_mutex_);
    TRY(connect());
    if (listeners_->empty()) {
        // The table keeps some old rows, but it may have lost all of them to a backup.
        last_ =
            TRY(connection_->integer("SELECT COALESCE((SELECT seq FROM sqlite_sequence"
                                     " WHERE name = 'colophon_notifications'), 0)"));
        version_ = -1;
    }
    auto subscription = listeners_->add(std::move(channel), std::move(listener));
    wake();
    return subscription;
}

void SqliteFollower::wake() {
    {
        const std::scoped_lock lock(mutex_);
        woken_ = true;
    }
    changed_.notify_all();
}

Result<void> SqliteFollower::follow() {
    std::vector<Told> news;
    bool missed = false;
    {
        const std::scoped_lock lock(connection_mutex_);
        TRY(connect());
        const std::int64_t version = TRY(connection_->integer("PRAGMA data_version"));
        if (version == version_) {
            return {};
        }
        TRY(connection_->visit(
            "SELECT number, channel, payload FROM colophon_notifications WHERE number > $1"
            " ORDER BY number",
            Values{integer(last_)}, [&news](const Values& row) -> Result<void> {
                const auto* number = std::get_if<std::int64_t>(&row[0]);
                const auto* channel = std::get_if<std::string>(&row[1]);
                const auto* payload = std::get_if<std::string>(&row[2]);
                if (number == nullptr || channel == nullptr || payload == nullptr) {
                    return Error{ErrorCode::kCorrupt, "a notification of another shape"};
                }
                news.push_back({*number, *channel, *payload});
                return {};
            }));
        version_ = version;
        missed = !news.empty() && news.front().number != last_ + 1;
        if (!news.empty()) {
            last_ = news.back().number;
        }
    }
    if (missed) {
        listeners_->tell_all();
    }
    for (const Told& each : news) {
        listeners_->tell(each.channel, each.payload);
    }
    return {};
}

void SqliteFollower::run() {
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            const auto awake = [this] { return woken_ || stop_; };
            if (listeners_->empty()) {
                changed_.wait(lock, awake);
            } else {
                changed_.wait_for(lock, kLookEvery, awake);
            }
            if (stop_) {
                return;
            }
            woken_ = false;
        }
        if (listeners_->empty()) {
            continue;
        }
        if (!follow().ok()) {
            // Another connection may do better; whoever listens hears once that it is deaf.
            const std::scoped_lock lock(connection_mutex_);
            connection_.reset();
            told_of_failure_ = true;
        } else if (std::exchange(told_of_failure_, false)) {
            listeners_->tell_all();
        }
    }
}

}  // namespace colophon::storage
