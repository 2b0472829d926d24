// SPDX-License-Identifier: Apache-2.0
#pragma once

// The library in force on this node: what the store holds and what the configuration adds, made
// ready for searching off the way of calls, and made anew within a second of a change on any node
// [DSP-10].

#include "core/clock.h"
#include "core/result.h"
#include "review/entry_list.h"
#include "review/library.h"
#include "review/policy.h"
#include "review/review.h"
#include "storage/store.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::review {

// How long a change that nobody told of may go unseen, and hits uncounted.
inline constexpr std::chrono::seconds kLibraryLook{30};
inline constexpr std::chrono::seconds kHitsEvery{5};
inline constexpr std::chrono::seconds kLibraryRetry{1};

// What this node's configuration adds.
struct LocalRules {
    EntryList entries;
    ClassifierRule classifier;
    std::vector<PolicyRule> policies;
};

// The rules of the configuration and of the store as one. kInvalidArgument, kLimit:
// Matcher::compile().
Result<std::shared_ptr<const Reviewer>> make_reviewer(const LocalRules& local,
                                                      std::span<const AnyEntry> live);

class LiveLibrary {
public:
    struct Parts {
        storage::Store& store;
        Library& library;
        Clock& clock;
        // Called from a thread of this with each new state, and once by start().
        std::function<void(std::shared_ptr<const Reviewer>)> publish;
        // What went wrong: the rules before stay in force until a later attempt succeeds.
        std::function<void(const Error&)> fail;
    };
    // Reads and publishes; an error when that cannot be done. What is given outlives this.
    static Result<std::unique_ptr<LiveLibrary>> start(Parts parts, LocalRules local);

    explicit LiveLibrary(Parts parts) : parts_(std::move(parts)) {}  // start() makes it ready
    ~LiveLibrary();
    LiveLibrary(const LiveLibrary&) = delete;
    LiveLibrary& operator=(const LiveLibrary&) = delete;
    LiveLibrary(LiveLibrary&&) = delete;
    LiveLibrary& operator=(LiveLibrary&&) = delete;

    // Another configuration; published when this returns without error.
    Result<void> replace_local(LocalRules local);

    // These entries matched once more. Kept in the store some seconds later: what a crash loses of
    // these counts stands in the service records. May be called from any thread; does not wait.
    void count(std::span<const std::string> entries);

private:
    Result<void> refresh();
    void run();
    void keep_hits();
    bool is_over();

    Parts parts_;
    std::mutex refreshing_;  // one at a time; guards the three below
    LocalRules local_;
    std::string version_;
    std::optional<Time> next_end_;

    std::mutex mutex_;  // guards the three below
    std::condition_variable woken_;
    bool changed_ = false;
    bool ending_ = false;

    std::mutex hits_mutex_;
    std::map<std::string, std::uint64_t, std::less<>> hits_;

    std::unique_ptr<storage::Subscription> subscription_;
    std::thread thread_;
};

}  // namespace colophon::review
