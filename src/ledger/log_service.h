// SPDX-License-Identifier: Apache-2.0
#pragma once

// The sequencers of all logs as threads of a node. Every node of an installation runs one service;
// for each log the one that holds the lease works and the others wait for it to end.
//
//           .--- the lease is held by another: try again ---.
//           v                                               |
//   wait for the lease --got it--> open and mend --> step, step, step ...
//           ^                                               |
//           '---- error, or the lease is lost: let go ------'
//
// A step takes what waits, at most a batch; a full one is followed at once by the next, otherwise
// the next comes 250 ms later. What a lost lease could still do is bounded three times: the head
// and the tables are fenced by the lease inside their transactions, publishing asks for the time
// first, and the holder puts a published checkpoint right that a stalled predecessor has put back.
//
// A monitor looks every second how long the oldest leaf has waited, on each node, whoever
// sequences: a log that nobody sequences is what it is there to notice.

#include "core/clock.h"
#include "core/http_exchange.h"
#include "core/random.h"
#include "ledger/log_writer.h"
#include "ledger/note.h"
#include "ledger/records.h"
#include "ledger/sequencer.h"
#include "ledger/witnessing.h"
#include "storage/objects.h"
#include "storage/store.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {

// By what a log is signed now, and was before.
struct LogSigning {
    std::vector<NoteSigner> signers;
    std::vector<NoteVerifier> former;
};

// One log of an installation: its files lie below "ledger/service" or "ledger/conduct".
struct ServiceLog {
    LogClass log = LogClass::kService;
    std::string origin;
    std::vector<NoteSigner> signers;
    // NOLINTBEGIN(readability-redundant-member-init): for `{.log = ...}` without them
    std::vector<WitnessAddress> witnesses = {};
    HttpExchange exchange = {};  // to reach the witnesses by
    // Asked when the log is opened and each time that the lease is renewed, instead of `signers`:
    // keys are added and retired while services run.
    std::function<Result<LogSigning>()> signing = {};
    // NOLINTEND(readability-redundant-member-init)
};
std::string log_prefix(LogClass log);

struct LogServiceOptions {
    std::chrono::milliseconds every{250};
    std::chrono::milliseconds lease{15'000};
    std::chrono::milliseconds retry{1'000};  // after an error
    std::chrono::milliseconds watch{1'000};  // how often the monitor looks
    std::chrono::milliseconds behind_max = kBehindMax;
};

struct LogHealth {
    LogClass log = LogClass::kService;
    bool holds_lease = false;      // this node sequences
    std::uint64_t size = 0;        // entries of the last checkpoint that this node signed; else 0
    std::uint64_t integrated = 0;  // entries that this node has integrated since it started
    std::int64_t waiting = 0;
    std::optional<std::chrono::milliseconds> oldest_waiting;  // for how long
    std::optional<BehindFinding> behind;
    std::string error;                    // of the last attempt, empty when it went well
    std::vector<WitnessState> witnesses;  // of the last checkpoint of this node
};

class LogService {
public:
    struct Parts {
        storage::Store& store;
        storage::ObjectStore& objects;
        Clock& clock;
        Random& random;
    };

    // Starts the threads; what is wrong with a log shows in its health, not here. The parts outlive
    // the service.
    static std::unique_ptr<LogService> start(const Parts& parts, std::vector<ServiceLog> logs,
                                             const LogServiceOptions& options = {});
    // Finishes the step that is running, lets go of the leases, ends the threads.
    ~LogService();
    LogService(const LogService&) = delete;
    LogService& operator=(const LogService&) = delete;
    LogService(LogService&&) = delete;
    LogService& operator=(LogService&&) = delete;

    // In the order of the logs. From any thread.
    std::vector<LogHealth> health() const;

    struct State;
    explicit LogService(std::unique_ptr<State> state);  // start() makes the state

private:
    std::unique_ptr<State> state_;
};

struct SequencedOnce {
    bool held = false;  // somebody else holds the lease: nothing was done
    std::size_t integrated = 0;
};
// Takes the lease when it is free, integrates everything that waits, lets go. For commands.
Result<SequencedOnce> sequence_once(const LogService::Parts& parts, const ServiceLog& log,
                                    const LogServiceOptions& options = {});

}  // namespace colophon::ledger
