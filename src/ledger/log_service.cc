// SPDX-License-Identifier: Apache-2.0
#include "ledger/log_service.h"

#include "core/clock.h"
#include "core/result.h"
#include "ledger/checkpoint.h"
#include "ledger/log_writer.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "ledger/records.h"
#include "ledger/sequencer.h"
#include "ledger/witnessing.h"
#include "storage/lease.h"
#include "storage/store.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

std::string lease_name(LogClass log) {
    return fmt::format("ledger.{}", log_class_name(log));
}

// One log under one lease, from the moment it was got until it is let go.
class Holding {
public:
    static Result<std::unique_ptr<Holding>> acquire(const LogService::Parts& parts,
                                                    const ServiceLog& log,
                                                    std::chrono::milliseconds duration) {
        auto lease = TRY(storage::acquire_lease(parts.store, lease_name(log.log), duration,
                                                parts.clock.now(), parts.random));
        if (!lease) {
            return std::unique_ptr<Holding>();
        }
        return std::make_unique<Holding>(parts, log, std::move(*lease), duration);
    }

    Holding(const LogService::Parts& parts, const ServiceLog& log, storage::Lease lease,
            std::chrono::milliseconds duration)
        : parts_(parts),
          lease_(std::move(lease)),
          duration_(duration),
          objects_(parts.objects, log_prefix(log.log)),
          head_(parts.store, log.log, fence()) {}
    ~Holding() {
        sequencer_.reset();
        (void)storage::release_lease(parts_.store, lease_);
    }
    Holding(const Holding&) = delete;
    Holding& operator=(const Holding&) = delete;
    Holding(Holding&&) = delete;
    Holding& operator=(Holding&&) = delete;

    Result<void> open(const ServiceLog& log) {
        sequencer_.reset();
        LogSigning signing{.signers = log.signers, .former = {}};
        if (log.signing) {
            signing = TRY(log.signing());
        }
        keys_ = keys_of(signing);
        LogWriterOptions options{.origin = log.origin,
                                 .signers = std::move(signing.signers),
                                 .former = std::move(signing.former),
                                 .at_least = std::nullopt,
                                 .permit = [this] { return in_time(); },
                                 .cosign = {}};
        if (!log.witnesses.empty()) {
            witnesses_.emplace(log.witnesses, log.exchange, parts_.clock, Witnesses::Options{});
            options.cosign = [this](const std::string& note, const Checkpoint& checkpoint,
                                    const ReadNode& nodes) {
                return witnesses_->cosign(note, checkpoint, nodes);
            };
        }
        sequencer_ = TRY(Sequencer::open({.store = parts_.store,
                                          .objects = objects_,
                                          .head = head_,
                                          .log = log.log,
                                          .fence = fence()},
                                         std::move(options)));
        return {};
    }

    // The lease is renewed when a third of it is over, and then the published checkpoint is looked
    // at.
    Result<std::size_t> step(const ServiceLog& log) {
        const Time now = parts_.clock.now();
        if (lease_.until - now < duration_ * 2 / 3) {
            lease_ = TRY(storage::renew_lease(parts_.store, lease_, duration_, now));
            TRY(sequencer_->republish());
            TRY(take_new_keys(log));
        }
        return sequencer_->step();
    }

    std::vector<WitnessState> witnesses() const {
        return witnesses_ ? witnesses_->states() : std::vector<WitnessState>();
    }
    std::uint64_t size() const { return sequencer_ ? sequencer_->checkpoint().tree.size : 0; }

private:
    static std::vector<std::string> keys_of(const LogSigning& signing) {
        std::vector<std::string> keys;
        keys.reserve(signing.signers.size());
        for (const NoteSigner& each : signing.signers) {
            keys.push_back(each.verifier().vkey());
        }
        return keys;
    }
    Result<void> take_new_keys(const ServiceLog& log) {
        if (!log.signing) {
            return {};
        }
        const LogSigning now = TRY(log.signing());
        return keys_of(now) == keys_ ? Result<void>() : open(log);
    }
    // A clock that was set back makes a lease look long; the fence in the database decides then.
    Result<void> in_time() const {
        if (parts_.clock.now() >= lease_.until) {
            return Error{ErrorCode::kConflict,
                         fmt::format("the lease \"{}\" was lost", lease_.name)};
        }
        return {};
    }
    Fence fence() {
        return [this] { return storage::fence(lease_, parts_.clock.now()); };
    }

    const LogService::Parts& parts_;
    storage::Lease lease_;
    std::chrono::milliseconds duration_;
    StoredObjects objects_;
    StoredHead head_;
    std::optional<Witnesses> witnesses_;
    std::unique_ptr<Sequencer> sequencer_;
    std::vector<std::string> keys_;  // that sign in it
};

}  // namespace

std::string log_prefix(LogClass log) {
    return fmt::format("ledger/{}", log_class_name(log));
}

struct LogService::State {
    Parts parts;
    std::vector<ServiceLog> logs;
    LogServiceOptions options;

    mutable std::mutex mutex;
    std::condition_variable stopping;
    bool stop = false;              // guarded by mutex
    std::vector<LogHealth> health;  // guarded by mutex, in the order of logs

    std::vector<std::thread> threads;

    State(const Parts& given, std::vector<ServiceLog> all, const LogServiceOptions& chosen)
        : parts(given), logs(std::move(all)), options(chosen) {}

    // False when the service stops.
    bool pause(std::chrono::milliseconds time) {
        std::unique_lock lock(mutex);
        return !stopping.wait_for(lock, time, [this] { return stop; });
    }
    bool stopped() const {
        const std::lock_guard lock(mutex);
        return stop;
    }
    template <class F>
    void report(std::size_t log, F change) {
        const std::lock_guard lock(mutex);
        change(health[log]);
    }

    // Works as long as the lease lasts.
    Result<void> hold(std::size_t index, Holding& holding) {
        TRY(holding.open(logs[index]));
        while (!stopped()) {
            const std::size_t taken = TRY(holding.step(logs[index]));
            report(index, [&](LogHealth& state) {
                state.holds_lease = true;
                state.size = holding.size();
                state.witnesses = holding.witnesses();
                state.integrated += taken;
                state.error.clear();
            });
            const bool full = taken == Sequencer::kBatchLeavesMax;
            if (!full && !pause(options.every)) {
                break;
            }
        }
        return {};
    }
    Result<bool> attempt(std::size_t index) {
        auto holding = TRY(Holding::acquire(parts, logs[index], options.lease));
        if (!holding) {
            return false;
        }
        TRY(hold(index, *holding));
        return true;
    }
    void sequence(std::size_t index) {
        while (!stopped()) {
            Result<bool> done = guarded(index);
            report(index, [&](LogHealth& state) {
                state.holds_lease = false;
                state.error = done.ok() ? std::string() : done.error().what;
            });
            if (!pause(options.retry)) {
                break;
            }
        }
    }
    // The last catch of the thread.
    Result<bool> guarded(std::size_t index) {
        try {
            return attempt(index);
        } catch (const std::exception& failure) {
            return Error{ErrorCode::kUnavailable,
                         fmt::format("the sequencer failed: {}", failure.what())};
        }
    }

    void watch() {
        do {
            for (std::size_t index = 0; index < logs.size(); ++index) {
                const auto seen = freshness(parts.store, logs[index].log);
                const Time now = parts.clock.now();
                report(index, [&](LogHealth& state) {
                    if (!seen.ok()) {
                        // What is not known is not fresh.
                        state.behind =
                            BehindFinding{.code = "ledger.behind", .what = seen.error().what};
                        return;
                    }
                    state.waiting = seen->waiting;
                    state.oldest_waiting.reset();
                    if (seen->oldest_waiting) {
                        state.oldest_waiting = now - *seen->oldest_waiting;
                    }
                    state.behind = judge_freshness(*seen, state.log, now, options.behind_max);
                });
            }
        } while (pause(options.watch));
    }
};

std::unique_ptr<LogService> LogService::start(const Parts& parts, std::vector<ServiceLog> logs,
                                              const LogServiceOptions& options) {
    auto state = std::make_unique<State>(parts, std::move(logs), options);
    for (const ServiceLog& log : state->logs) {
        LogHealth health;
        health.log = log.log;
        state->health.push_back(std::move(health));
    }
    auto service = std::make_unique<LogService>(std::move(state));
    State& running = *service->state_;
    for (std::size_t index = 0; index < running.logs.size(); ++index) {
        running.threads.emplace_back([&running, index] { running.sequence(index); });
    }
    running.threads.emplace_back([&running] { running.watch(); });
    return service;
}

LogService::LogService(std::unique_ptr<State> state) : state_(std::move(state)) {}

LogService::~LogService() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stop = true;
    }
    state_->stopping.notify_all();
    for (std::thread& each : state_->threads) {
        each.join();
    }
}

std::vector<LogHealth> LogService::health() const {
    const std::lock_guard lock(state_->mutex);
    return state_->health;
}

Result<SequencedOnce> sequence_once(const LogService::Parts& parts, const ServiceLog& log,
                                    const LogServiceOptions& options) {
    SequencedOnce done;
    const auto holding = TRY(Holding::acquire(parts, log, options.lease));
    if (!holding) {
        done.held = true;
        return done;
    }
    TRY(holding->open(log));
    for (;;) {
        const std::size_t taken = TRY(holding->step(log));
        done.integrated += taken;
        if (taken == 0) {
            return done;
        }
    }
}

}  // namespace colophon::ledger
