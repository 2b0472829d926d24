// SPDX-License-Identifier: Apache-2.0
#pragma once

// A data key for each owner: a person, a tenant, or the installation itself. It is made when it is
// first needed, wrapped by the master key, and kept in a table; what is sealed under it is gone for
// good when it is destroyed, wherever copies of the sealed bytes lie.
//
// A destroyed key leaves a tombstone in two places: in the database, and as an object in a store
// that a restored database does not take back in time. Opening replays the objects first, so that a
// backup that still has the key does not revive it. (A backup of both, restored together, does: the
// limits are in docs/guide/keys.md.)
//
// Rotation of the master key: open with the new one as `master` and the old one among `others`,
// call rewrap() until nothing is left, then retire_others(). Afterwards the old key is refused.
//
// Threads: any method from any thread.

#include "core/clock.h"
#include "core/random.h"
#include "storage/master_key.h"
#include "storage/objects.h"
#include "storage/secret.h"
#include "storage/store.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::storage {

struct DataKey {
    std::uint32_t generation = 0;          // from 1
    std::shared_ptr<const Secret> secret;  // shared with the cache, which may let go of it first
};

struct MasterKeys {
    std::unique_ptr<MasterKey> master;               // wraps
    std::vector<std::unique_ptr<MasterKey>> others;  // only unwrap
};

struct MasterKeyStatus {
    MasterKeyId id{};
    bool is_master = false;  // of this process
    std::optional<Time> retired;
    std::uint64_t data_keys = 0;
};

class DataKeys {
public:
    struct Parts {
        Store& store;             // with object_migrations()
        ObjectStore& tombstones;  // below "destroyed/"
        Clock& clock;
        Random& random;
    };
    struct Cache {
        std::size_t keys_max = 10'000;
        // How long a key is used at most without asking the table, should a notification get lost.
        std::chrono::seconds used_for{60};
    };

    // Error{kDenied} when the master key was retired, or the table's keys are under one that is not
    // given. The parts must outlive the keys.
    static Result<std::unique_ptr<DataKeys>> open(Parts parts, MasterKeys masters, Cache cache);
    ~DataKeys();
    DataKeys(const DataKeys&) = delete;
    DataKeys& operator=(const DataKeys&) = delete;
    DataKeys(DataKeys&&) = delete;
    DataKeys& operator=(DataKeys&&) = delete;

    // The key to seal with; made when there is none. `owner` is [A-Za-z0-9._:/-]{1,128}, a random
    // handle and never a name or number of a person. Error{kConflict} when it was destroyed.
    Result<DataKey> newest(std::string_view owner);
    // A key to open with. Error{kNotFound} when it was destroyed or never was.
    Result<DataKey> find(std::string_view owner, std::uint32_t generation);
    // A further generation: what is sealed from now on is under it, what is there stays readable.
    Result<std::uint32_t> renew(std::string_view owner);
    // All generations, here and within a second on every node. No error when it was done before.
    // The operations of `beside` are part of the same transaction: a record of it, for example. A
    // crash after the tombstone and before the transaction leaves a key that the next opening
    // destroys and lists in unrecorded().
    Result<void> destroy(std::string_view owner, const Batch& beside = {});
    Result<bool> is_destroyed(std::string_view owner);
    // Destroys what has a tombstone object; returns how many keys came back and went again.
    Result<std::uint64_t> replay_tombstones();
    // Owners whose keys went by a tombstone and not yet with a record of it, at most 1000; and that
    // the operations of `record` are that record. Error{kConflict} when another was quicker.
    Result<std::vector<std::string>> unrecorded();
    Result<void> mark_recorded(std::string_view owner, const Batch& record);

    // Wraps up to `count_max` data keys anew; returns how many are still under another key. May be
    // stopped and called again at any time, by one process or many.
    Result<std::uint64_t> rewrap(std::size_t count_max);
    // Error{kConflict} when a data key is still under another master key; the operations of
    // `beside` are part of the same transaction.
    Result<void> retire_others(const Batch& beside = {});
    Result<std::vector<MasterKeyStatus>> status();

    struct State;
    explicit DataKeys(std::unique_ptr<State> state);  // open() makes the state

private:
    std::unique_ptr<State> state_;
};

// Whether the store holds wrapped data keys, and so needs the master key that wrapped them.
Result<bool> any_data_keys(Store& store);

}  // namespace colophon::storage
