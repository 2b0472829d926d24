// SPDX-License-Identifier: Apache-2.0
#pragma once

// Connections that are lent one at a time: as many as are in use at once, at most `size_max`; who
// comes too late waits. A connection that is not reusable() afterwards is closed, one that is not
// alive() any more is replaced when its turn comes.

#include "core/result.h"

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace colophon::storage {

template <class Connection>
class ConnectionPool {
public:
    using Open = std::function<Result<std::unique_ptr<Connection>>()>;

    ConnectionPool(Open open, std::size_t size_max) : open_(std::move(open)), size_max_(size_max) {}

    // What `body`, a Result of a Connection&, answers; or why there is no connection.
    template <class F>
    auto with(F&& body) -> decltype(body(std::declval<Connection&>())) {
        auto connection = TRY(take());
        auto result = body(*connection);
        give(std::move(connection));
        return result;
    }
    // For the start: keeps a connection that was opened before there was a pool.
    void add(std::unique_ptr<Connection> connection) {
        const std::scoped_lock lock(mutex_);
        free_.push_back(std::move(connection));
    }

private:
    Result<std::unique_ptr<Connection>> take() {
        std::unique_ptr<Connection> connection;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return used_ < size_max_; });
            ++used_;
            if (!free_.empty()) {
                connection = std::move(free_.back());
                free_.pop_back();
            }
        }
        if (connection != nullptr && connection->alive()) {
            return connection;
        }
        connection.reset();
        auto opened = open_();
        if (!opened.ok()) {
            give(nullptr);
        }
        return opened;
    }

    void give(std::unique_ptr<Connection> connection) {
        const bool keep = connection != nullptr && connection->reusable();
        {
            const std::scoped_lock lock(mutex_);
            --used_;
            if (keep) {
                free_.push_back(std::move(connection));
            }
        }
        changed_.notify_one();
    }

    Open open_;
    std::size_t size_max_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::unique_ptr<Connection>> free_;
    std::size_t used_ = 0;
};

}  // namespace colophon::storage
