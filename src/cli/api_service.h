// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the management API is wired to in a running server.

#include "cli/installation.h"
#include "cli/media_service.h"
#include "console/api.h"
#include "core/thread_pool.h"
#include "gateway/gateway.h"
#include "identity/caches.h"
#include "identity/oidc.h"
#include "ledger/log_service.h"
#include "review/queue.h"

#include <cstdint>
#include <memory>
#include <string>

namespace colophon::cli {

// All of it outlives what is made.
struct ApiSources {
    Installation& installation;
    identity::KeyCache& keys;
    ThreadPool& blocking;
    ledger::LogService& logs;
    review::ReviewQueue& queue;
    MediaService& lookers;  // of what people look at, apart from those that label
    ThreadPool& looking;    // as many
    std::string benign;     // what entries are tried against
    std::int64_t benign_per_million_max;
    std::string test_banks;  // a file; may be empty
    gateway::Gateway& gateway;
    std::string ca_file;                 // of checks that are asked once more
    identity::Oidc* provider = nullptr;  // of sign-ins
};
std::unique_ptr<console::ApiParts> make_api_parts(const ApiSources& sources);

}  // namespace colophon::cli
