// SPDX-License-Identifier: Apache-2.0
#include "review/live_library.h"

#include "core/clock.h"
#include "core/result.h"
#include "review/entry_json.h"
#include "review/entry_list.h"
#include "review/library.h"
#include "review/matcher.h"
#include "review/picture_list.h"
#include "review/review.h"
#include "review/sound_list.h"
#include "review/video_list.h"
#include "storage/store.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::review {

Result<std::shared_ptr<const Reviewer>> make_reviewer(const LocalRules& local,
                                                      std::span<const AnyEntry> live) {
    EntryList all = local.entries;
    for (const AnyEntry& each : live) {
        add_entry(each, all);
    }
    Matcher matcher = TRY(Matcher::compile(std::move(all.texts)));
    PictureList pictures = TRY(PictureList::create(std::move(all.pictures)));
    SoundList sounds = TRY(SoundList::create(std::move(all.sounds)));
    VideoList videos = TRY(VideoList::create(std::move(all.videos)));
    const Reviewer usual(std::move(matcher), std::move(pictures), local.classifier,
                         std::move(sounds), std::move(videos));
    return usual.under(local.policies);
}

Result<std::unique_ptr<LiveLibrary>> LiveLibrary::start(Parts parts, LocalRules local) {
    auto live = std::make_unique<LiveLibrary>(std::move(parts));
    live->local_ = std::move(local);
    // Listen first: what changes while the rest is read is told.
    live->subscription_ =
        TRY(live->parts_.store.listen(kLibraryChanged, [library = live.get()](std::string_view) {
            const std::lock_guard lock(library->mutex_);
            library->changed_ = true;
            library->woken_.notify_all();
        }));
    TRY(live->refresh());
    live->thread_ = std::thread([library = live.get()] { library->run(); });
    return live;
}

LiveLibrary::~LiveLibrary() {
    subscription_.reset();
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        woken_.notify_all();
    }
    if (thread_.joinable()) {
        thread_.join();
    }
}

Result<void> LiveLibrary::refresh() {
    const std::lock_guard lock(refreshing_);
    const LiveEntries live = TRY(parts_.library.live());
    auto reviewer = TRY(make_reviewer(local_, live.entries));
    next_end_ = live.next_end;
    if (reviewer->version() != version_) {
        version_ = reviewer->version();
        parts_.publish(std::move(reviewer));
    }
    return {};
}

Result<void> LiveLibrary::replace_local(LocalRules local) {
    LocalRules before;
    {
        const std::lock_guard lock(refreshing_);
        before = std::exchange(local_, std::move(local));
        version_.clear();
    }
    auto done = refresh();
    if (!done.ok()) {
        const std::lock_guard lock(refreshing_);
        local_ = std::move(before);
    }
    return done;
}

void LiveLibrary::count(std::span<const std::string> entries) {
    if (entries.empty()) {
        return;
    }
    const std::lock_guard lock(hits_mutex_);
    for (const std::string& entry : entries) {
        ++hits_[entry];
    }
}

void LiveLibrary::keep_hits() {
    std::map<std::string, std::uint64_t, std::less<>> taken;
    {
        const std::lock_guard lock(hits_mutex_);
        taken.swap(hits_);
    }
    std::vector<Hits> hits;
    hits.reserve(taken.size());
    for (const auto& [id, count] : taken) {
        hits.push_back({id, count});
    }
    if (const auto kept = parts_.library.add_hits(hits); !kept.ok()) {
        parts_.fail(kept.error());
        const std::lock_guard lock(hits_mutex_);
        for (const auto& [id, count] : taken) {
            hits_[id] += count;
        }
    }
}

void LiveLibrary::run() {
    using Steady = std::chrono::steady_clock;
    auto next_look = Steady::now() + kLibraryLook;
    auto next_hits = Steady::now() + kHitsEvery;
    bool failed = false;  // then the next attempt waits, whatever expired meanwhile
    while (true) {
        // An entry that expires is taken out when it does, not when somebody looks.
        auto wake = std::min(next_look, next_hits);
        {
            const std::lock_guard lock(refreshing_);
            if (next_end_ && !failed) {
                const std::chrono::milliseconds left = *next_end_ - parts_.clock.now();
                wake = std::min(wake, Steady::now() + std::clamp<std::chrono::milliseconds>(
                                                          left, {}, kLibraryLook));
            }
        }
        bool look = false;
        {
            std::unique_lock lock(mutex_);
            woken_.wait_until(lock, wake, [this] { return changed_ || ending_; });
            if (ending_) {
                break;
            }
            look = std::exchange(changed_, false);
        }
        const auto now = Steady::now();
        if (now >= next_hits) {
            keep_hits();
            next_hits = now + kHitsEvery;
        }
        if (look || now >= next_look || (!failed && is_over())) {
            const auto done = refresh();
            failed = !done.ok();
            if (failed) {
                parts_.fail(done.error());
            }
            next_look = Steady::now() + (failed ? kLibraryRetry : kLibraryLook);
        }
    }
    keep_hits();
}

bool LiveLibrary::is_over() {
    const std::lock_guard lock(refreshing_);
    return next_end_ && *next_end_ <= parts_.clock.now();
}

}  // namespace colophon::review
