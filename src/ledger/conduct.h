// SPDX-License-Identifier: Apache-2.0
#pragma once

// What staff and the system did: records of kind kAdministration and kErasure, in the log of
// conduct [DSP-10]. A record of an act is made first and written by the transaction of the act
// itself, so that neither is there without the other.

#include "core/clock.h"
#include "core/json.h"
#include "core/random.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "storage/store.h"

#include <string>

namespace colophon::ledger {

// The installation itself, in whose name conduct is recorded: no tenant has this id.
inline constexpr TenantId kInstallation{};

// Who acts, from where; kept sealed.
struct Actor {
    std::string account;         // name of the staff account, or "system user root (0)"
    std::string source_address;  // empty on the machine itself
    std::int64_t source_port = 0;
    std::string client;  // "colophon admin 0.1.0"
};

struct Act {
    std::string operation;  // "tenant.create"
    json::Object facts;     // ids and settings; nothing that names a person
    json::Object names;     // what does; kept sealed
    RecordKind kind = RecordKind::kAdministration;
};

// Threads: any method from any thread. What is given outlives it.
class Conduct {
public:
    Conduct(Records& records, Clock& clock, Random& random, Actor actor)
        : records_(records), clock_(clock), random_(random), actor_(std::move(actor)) {}

    // For the transaction of the act: its operations, no inserts.
    Result<storage::Batch> prepare(const Act& act) const;
    // For an act that is no transaction of the store.
    Result<void> append(const Act& act) const;

private:
    Result<ServiceRecord> record_of(const Act& act) const;

    Records& records_;
    Clock& clock_;
    Random& random_;
    Actor actor_;
};

}  // namespace colophon::ledger
