// SPDX-License-Identifier: Apache-2.0
#pragma once

// The management API below /api: what `colophon admin` and `colophon ledger` do, over the same
// library functions, as JSON over HTTP.
//
// Everything comes from one table of rows (console/internal/rows.h): it routes, it says who may
// call, and http::Router describes it as OpenAPI. Two kinds of callers exist: programs with an API
// key, who see their own tenant only and may do what a scope names, and staff with a session, who
// may do what a role names. Whatever changes something is a record of conduct, written by the
// transaction of the change.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/random.h"
#include "core/result.h"
#include "core/thread_pool.h"
#include "http/router.h"
#include "identity/caches.h"
#include "identity/erasure.h"
#include "identity/oidc.h"
#include "identity/provider_chain.h"
#include "identity/staff.h"
#include "identity/subjects.h"
#include "identity/tenants.h"
#include "ledger/conduct.h"
#include "ledger/records.h"
#include "review/library.h"
#include "review/policies.h"
#include "review/queue.h"
#include "review/test_banks.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace colophon::console {

// Which calls are judged once more, and by which rules: empty texts are the policy in force and
// now, "recorded" is that of each record.
struct ReplayOrder {
    std::vector<std::string> records;
    std::string policy;
    std::string at;
    bool ask = false;  // the checks of others too
};

// All of it outlives the router. The functions are called by threads of `blocking`; what they make
// records its changes as done by the actor.
struct ApiParts {
    Clock& clock;
    Random& random;
    identity::KeyCache& keys;
    ledger::Records& records;
    storage::Store& store;
    ThreadPool& blocking;
    std::function<identity::Tenants(const ledger::Actor&)> tenants;
    std::function<identity::Subjects(const ledger::Actor&)> subjects;
    std::function<identity::Staff(const ledger::Actor&)> staff;
    std::function<ledger::Conduct(const ledger::Actor&)> conduct;
    identity::Oidc* provider;  // of sign-ins; null where the configuration names none
    std::function<Result<std::unique_ptr<identity::ProviderChain>>()> providers;
    std::function<Result<void>(const identity::Erasure&, const ledger::Actor&)> erase;
    review::ReviewQueue& queue;
    // What is shown of a picture or video at first; decodes it, on threads of its own.
    std::function<Result<review::Veil>(Bytes)> veil;
    ThreadPool& looking;
    std::int64_t benign_per_million_max;  // of entries of the feature library
    // Tries proposed entries; a list of what each hit.
    std::function<Result<json::Array>(const review::Selection&, std::int64_t records,
                                      const std::string& who, const ledger::Actor&)>
        trial;
    std::function<Result<review::TestBanks>()> test_banks;
    // The versions of the policy of review, and what they say of calls that were made.
    std::function<review::Policies()> policies;
    std::function<Result<json::Array>(const ReplayOrder&, const ledger::Actor&)> replay;
    // What the configuration says, and how the logs are: lists of objects.
    std::function<json::Array()> models;
    std::function<json::Array()> upstreams;
    std::function<json::Object()> quotas;
    std::function<Result<json::Array>()> logs;
};

void add_api_routes(http::Router& router, const ApiParts& parts);

}  // namespace colophon::console
