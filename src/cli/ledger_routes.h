// SPDX-License-Identifier: Apache-2.0
#pragma once

// /ledger: the public side of the log of calls, as C2SP tlog-tiles has it, and proofs of single
// records. And what is asked of a running server: health, readiness, metrics.

#include "cli/installation.h"
#include "core/thread_pool.h"
#include "gateway/gateway.h"
#include "ledger/log_service.h"

#include <atomic>
#include <functional>
#include <memory>

namespace colophon::cli {

struct PublicParts {
    Installation& installation;
    ledger::LogService& logs;
    ThreadPool& blocking;
    Metrics& metrics;
    const std::atomic<bool>& draining;
    std::function<bool()> can_record;       // Gateway::can_record()
    std::function<bool()> metrics_for_all;  // also to who does not come from this machine
};
// All of it outlives the gateway.
void add_public_routes(gateway::Gateway& gateway, const PublicParts& parts);

}  // namespace colophon::cli
