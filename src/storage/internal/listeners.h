// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who listens to what, for both engines. The engine calls tell() from one thread.

#include "storage/store.h"  // IWYU pragma: export

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace colophon::storage {

class Listeners : public std::enable_shared_from_this<Listeners> {
public:
    std::unique_ptr<Subscription> add(std::string channel, Store::Listener listener);

    void tell(std::string_view channel, std::string_view payload);
    // Something may have been missed: an empty payload for everybody.
    void tell_all();

    bool empty() const;
    // Each once, in the order of their names.
    std::vector<std::string> channels() const;

private:
    // `running` is held during a call, so that who ends a subscription waits for it; unless it is
    // the call itself that does.
    struct Entry {
        std::string channel;
        Store::Listener listener;
        std::mutex running;
        std::atomic<std::thread::id> runner;
        bool ended = false;
    };
    class Handle;

    static void call(Entry& entry, std::string_view payload);
    void remove(const std::shared_ptr<Entry>& entry);
    std::vector<std::shared_ptr<Entry>> entries() const;

    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<Entry>> entries_;
};

}  // namespace colophon::storage
