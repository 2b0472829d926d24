// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/listeners.h"

#include "storage/store.h"

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::storage {

class Listeners::Handle final : public Subscription {
public:
    Handle(std::shared_ptr<Listeners> owner, std::shared_ptr<Entry> entry)
        : owner_(std::move(owner)), entry_(std::move(entry)) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() override { owner_->remove(entry_); }

private:
    std::shared_ptr<Listeners> owner_;
    std::shared_ptr<Entry> entry_;
};

std::unique_ptr<Subscription> Listeners::add(std::string channel, Store::Listener listener) {
    auto entry = std::make_shared<Entry>();
    entry->channel = std::move(channel);
    entry->listener = std::move(listener);
    {
        const std::scoped_lock lock(mutex_);
        entries_.push_back(entry);
    }
    return std::make_unique<Handle>(shared_from_this(), std::move(entry));
}

void Listeners::remove(const std::shared_ptr<Entry>& entry) {
    {
        const std::scoped_lock lock(mutex_);
        std::erase(entries_, entry);
    }
    if (entry->runner.load() == std::this_thread::get_id()) {
        entry->ended = true;
        return;
    }
    const std::scoped_lock lock(entry->running);
    entry->ended = true;
}

std::vector<std::shared_ptr<Listeners::Entry>> Listeners::entries() const {
    const std::scoped_lock lock(mutex_);
    return entries_;
}

void Listeners::call(Entry& entry, std::string_view payload) {
    const std::scoped_lock lock(entry.running);
    if (!entry.ended) {
        entry.runner.store(std::this_thread::get_id());
        entry.listener(payload);
        entry.runner.store({});
    }
}

void Listeners::tell(std::string_view channel, std::string_view payload) {
    for (const auto& entry : entries()) {
        if (entry->channel == channel) {
            call(*entry, payload);
        }
    }
}

void Listeners::tell_all() {
    for (const auto& entry : entries()) {
        call(*entry, {});
    }
}

bool Listeners::empty() const {
    const std::scoped_lock lock(mutex_);
    return entries_.empty();
}

std::vector<std::string> Listeners::channels() const {
    std::set<std::string> names;
    for (const auto& entry : entries()) {
        names.insert(entry->channel);
    }
    return {names.begin(), names.end()};
}

}  // namespace colophon::storage
