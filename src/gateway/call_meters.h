// SPDX-License-Identifier: Apache-2.0
#pragma once

// What calls are counted by, in the names of OpenTelemetry's GenAI metrics where it has one. The
// series of one kind of call are looked up by their labels once and kept.

#include "core/metrics.h"
#include "gateway/call.h"

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

namespace colophon::gateway {

class CallMeters {
public:
    // `metrics` outlives this.
    explicit CallMeters(Metrics& metrics);

    // How a call, or a job, ended; `code` is empty when it was answered. From any thread.
    void count(const Call& call, const std::string& operation, const std::string& code);
    // What a call took beside its waits for upstream, client and store, in seconds.
    void observe_overhead(double seconds) { overheads_.observe(seconds); }

private:
    // Those that this kind of call has had so far; nullptr for the others.
    struct Series {
        Counter* calls = nullptr;
        Histogram* durations = nullptr;
        Histogram* input_tokens = nullptr;
        Histogram* output_tokens = nullptr;
    };
    Histogram& tokens(const Metrics::Labels& labels, const char* kind);

    Metrics& metrics_;
    Histogram& overheads_;
    std::mutex mutex_;
    std::unordered_map<std::string, Series> known_;  // guarded by mutex_
};

}  // namespace colophon::gateway
