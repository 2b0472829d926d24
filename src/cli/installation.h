// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a service's data consists of, opened and wired together: rows, objects, keys, records,
// identities, logs. The composition root of everything that needs them: the server and the verbs of
// administration.
//
//   store ───────────┬─ tenants, subjects, staff ── sealed by ─┐
//   objects ── blobs ┤                                         ├─ data keys ── master key
//                    └─ records, content ids, logs ────────────┘
//
// Everything but the master key comes back from the store and the objects: what else is secret (the
// keys of blind indexes, of content ids, of the logs) is sealed under the data key of the
// installation itself, or derived from it.

#include "cli/config.h"
#include "cli/store_options.h"
#include "core/clock.h"
#include "core/random.h"
#include "identity/erasure.h"
#include "identity/password.h"
#include "identity/provider_chain.h"
#include "identity/recorder.h"
#include "identity/sealer.h"
#include "identity/staff.h"
#include "identity/subjects.h"
#include "identity/tenants.h"
#include "identity/verification_record.h"
#include "ledger/answers.h"
#include "ledger/conduct.h"
#include "ledger/content_ids.h"
#include "ledger/log_keys.h"
#include "ledger/log_service.h"
#include "ledger/media_jobs.h"
#include "ledger/record_contents.h"
#include "ledger/records.h"
#include "review/queue.h"
#include "storage/blobs.h"
#include "storage/data_keys.h"
#include "storage/objects.h"
#include "storage/sealer.h"
#include "storage/sealing.h"
#include "storage/store.h"

#include <memory>
#include <string>
#include <vector>

namespace colophon::cli {

// All of it resolved: defaults filled in, nothing opened. Secrets are still where they are.
struct Places {
    StoreChoice store;
    ObjectsConfig objects;
    KeysConfig keys;
    LedgerConfig ledger;
    IdentityConfig identity;
};
// From options and configuration. Beside the embedded store objects lie in DATA/objects and the
// master key in DATA/master.key; with PostgreSQL both must be named (kInvalidArgument).
Result<Places> resolve_places(const StoreChoice& choice);

// Whose data key seals what belongs to no person and no tenant.
inline constexpr const char* kInstallationOwner = "installation";

class Installation {
public:
    // kNotFound when something is not there yet or steps are missing, kConflict for a newer store,
    // kDenied when the master key is another; otherwise what the parts answer.
    static Result<std::unique_ptr<Installation>> open(const Places& places);
    ~Installation();
    Installation(const Installation&) = delete;
    Installation& operator=(const Installation&) = delete;
    Installation(Installation&&) = delete;
    Installation& operator=(Installation&&) = delete;

    Clock& clock() noexcept;
    Random& randomness() noexcept;
    storage::Store& store() noexcept;
    storage::ObjectStore& objects() noexcept;
    storage::DataKeys& data_keys() noexcept;
    storage::Sealer& sealer() noexcept;
    storage::Blobs& blobs() noexcept;
    ledger::Records& records() noexcept;
    ledger::RecordContents& contents() noexcept;
    ledger::ContentIds& content_ids() noexcept;
    ledger::KeptAnswers& answers() noexcept;
    ledger::MediaJobs& jobs() noexcept;
    const identity::Sealer& identity_sealer() noexcept;
    review::ReviewQueue::Parts queue_parts() noexcept;
    ledger::LogKeys& log_keys() noexcept;

    // What an actor does; a recorder of its changes for the three below.
    ledger::Conduct conduct(ledger::Actor actor);
    identity::Recorder recorder(ledger::Actor actor);
    identity::VerificationRecorder verification_recorder(ledger::Actor actor);
    // Each call makes a light object over the same data. Without a recorder changes are not
    // recorded: for what the service does for its users, which has records of its own.
    identity::Tenants tenants(identity::Recorder recorder = {});
    identity::Subjects subjects(identity::Recorder recorder = {},
                                identity::VerificationRecorder verifications = {});
    identity::Staff staff(identity::Recorder recorder = {});

    // The providers of the configuration, in its order. kInvalidArgument says which file is wrong.
    Result<std::unique_ptr<identity::ProviderChain>> providers();

    // The logs with the keys that sign them, for a LogService or sequence_once().
    Result<std::vector<ledger::ServiceLog>> logs();
    ledger::LogService::Parts log_parts();

    struct State;
    explicit Installation(std::unique_ptr<State> state);  // open() makes the state

private:
    std::unique_ptr<State> state_;
};

// Erases a person by order of the actor: the key, and the room that what it sealed took.
Result<void> erase_person(Installation& installation, const identity::Erasure& erasure,
                          const ledger::Actor& actor);

// The logs of an installation as anybody may see them: their files and public keys, without the
// master key.
class LogView {
public:
    static Result<std::unique_ptr<LogView>> open(const Places& places);
    ~LogView();
    LogView(const LogView&) = delete;
    LogView& operator=(const LogView&) = delete;
    LogView(LogView&&) = delete;
    LogView& operator=(LogView&&) = delete;

    const std::vector<ledger::LogKey>& keys() const noexcept;
    storage::Store& store() noexcept;
    storage::ObjectStore& objects() noexcept;

    struct State;
    explicit LogView(std::unique_ptr<State> state);  // open() makes the state

private:
    std::unique_ptr<State> state_;
};

// `colophon admin init`: makes what is missing, of anything that is there nothing anew.
struct InitReport {
    int steps = 0;                // of the store's shape
    std::string master_key_file;  // that was made now; empty when it was there or lies elsewhere
    std::vector<ledger::LogKey> log_keys;
};
// A master key is only made when it is to lie in a file, the file is not there, and no data key is
// wrapped yet: a second key for data that another one protects would hide that the first is lost.
Result<InitReport> init_installation(const Places& places);

}  // namespace colophon::cli
