// SPDX-License-Identifier: Apache-2.0
#include "storage/data_keys.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "storage/internal/key_cache.h"
#include "storage/limits.h"
#include "storage/master_key.h"
#include "storage/objects.h"
#include "storage/secret.h"
#include "storage/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::storage {
namespace {

constexpr const char* kDestroyedChannel = "data_key_destroyed";
constexpr std::string_view kTombstones = "destroyed/";
constexpr std::size_t kTombstoneBytesMax = 4096;

constexpr Statement kNewest{
    "SELECT generation, master, wrapped FROM data_keys WHERE owner = $1 ORDER BY generation DESC "
    "LIMIT 1"};
constexpr Statement kFind{
    "SELECT generation, master, wrapped FROM data_keys WHERE owner = $1 AND generation = $2"};
constexpr Statement kIsDestroyed{"SELECT owner FROM destroyed_keys WHERE owner = $1"};
constexpr Statement kInsertKey{
    "INSERT INTO data_keys (owner, generation, master, wrapped, made_at) VALUES ($1, $2, $3, $4, "
    "$5)"};
constexpr Statement kDeleteKeys{"DELETE FROM data_keys WHERE owner = $1"};
constexpr Statement kBury{
    "INSERT INTO destroyed_keys (owner, destroyed_at) VALUES ($1, $2) ON CONFLICT (owner) DO "
    "NOTHING"};
constexpr Statement kOwe{"UPDATE destroyed_keys SET unrecorded = 1 WHERE owner = $1"};
constexpr Statement kUnrecorded{
    "SELECT owner FROM destroyed_keys WHERE unrecorded = 1 ORDER BY owner LIMIT 1000"};
constexpr Statement kRecorded{
    "UPDATE destroyed_keys SET unrecorded = 0 WHERE owner = $1 AND unrecorded = 1"};
constexpr Statement kBuried{"SELECT owner FROM destroyed_keys"};
constexpr Statement kMasters{"SELECT id, retired_at FROM master_keys ORDER BY first_at, id"};
constexpr Statement kRetiredAt{"SELECT retired_at FROM master_keys WHERE id = $1"};
constexpr Statement kInsertMaster{
    "INSERT INTO master_keys (id, first_at, retired_at) VALUES ($1, $2, NULL) ON CONFLICT (id) DO "
    "NOTHING"};
constexpr Statement kUnderOthers{
    "SELECT owner, generation, master, wrapped FROM data_keys WHERE master <> $1 ORDER BY owner, "
    "generation LIMIT $2"};
constexpr Statement kCountOthers{"SELECT COUNT(*) FROM data_keys WHERE master <> $1"};
constexpr Statement kCountUnder{"SELECT COUNT(*) FROM data_keys WHERE master = $1"};
constexpr Statement kRewrap{
    "UPDATE data_keys SET master = $4, wrapped = $5 WHERE owner = $1 AND generation = $2 AND "
    "master = $3"};
constexpr Statement kRetire{
    "UPDATE master_keys SET retired_at = $2 WHERE id <> $1 AND retired_at IS NULL"};

Value id_value(const MasterKeyId& id) {
    return bytes(id);
}

Value time_value(Clock& clock) {
    return integer(clock.now().time_since_epoch().count());
}

Result<void> check_owner(std::string_view owner) {
    constexpr std::size_t kOwnerBytesMax = 128;
    const bool good =
        !owner.empty() && owner.size() <= kOwnerBytesMax && std::ranges::all_of(owner, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '.' || c == '_' || c == ':' || c == '/' || c == '-';
        });
    if (!good) {
        return Error{ErrorCode::kInvalidArgument,
                     "the owner of a data key is 1 to 128 letters, digits, '.', '_', ':', '/', "
                     "'-'"};
    }
    return {};
}

Error was_destroyed(ErrorCode code) {
    return Error{code, "the data key of this owner was destroyed"};
}

std::string tombstone_name(std::string_view owner) {
    const std::string digest = to_hex(sha256(as_bytes(owner)));
    return fmt::format("{}{}/{}", kTombstones, digest.substr(0, 2), digest);
}

Result<bool> has_rows(Snapshot& snapshot, Statement statement, const Values& parameters) {
    return !TRY(snapshot.query(statement, parameters)).empty();
}

Result<std::uint64_t> count_of(Snapshot& snapshot, Statement statement, const Value& parameter) {
    const Rows rows = TRY(snapshot.query(statement, {parameter}));
    return static_cast<std::uint64_t>(TRY(rows.integer(0, 0)));
}

// Within one transaction, so that no key is made under a master key that was retired meanwhile.
Result<void> check_not_retired(Snapshot& snapshot, const MasterKeyId& id) {
    const Rows rows = TRY(snapshot.query(kRetiredAt, {id_value(id)}));
    if (!rows.empty() && !rows.is_null(0, 0)) {
        return Error{
            ErrorCode::kDenied,
            fmt::format("the master key {} was retired at {}: give its successor", to_hex(id),
                        format_time(Time(std::chrono::milliseconds(TRY(rows.integer(0, 0))))))};
    }
    return {};
}

Result<void> run_all(Transaction& transaction, const Batch& batch) {
    for (const Operation& each : batch.operations) {
        TRY(transaction.execute(each.statement, each.parameters));
    }
    return {};
}

Result<void> bury(Transaction& transaction, std::string_view owner, const Value& now) {
    TRY(transaction.execute(kDeleteKeys, {text(owner)}));
    TRY(transaction.execute(kBury, {text(owner), now}));
    transaction.notify({kDestroyedChannel, std::string(owner)});
    return {};
}

}  // namespace

struct DataKeys::State {
    Parts parts;
    MasterKeys masters;
    KeyCache cache;
    std::unique_ptr<Subscription> subscription;

    State(Parts given, MasterKeys keys, Cache bounds)
        : parts(given), masters(std::move(keys)), cache(bounds, given.clock) {}

    Result<void> admit_masters();
    Result<MasterKey*> master_of(Bytes id);
    Result<DataKey> unwrap(std::string_view owner, const Rows& rows);
    // The newest key when `after` is 0 and there is one; otherwise a new one of generation
    // after + 1.
    Result<DataKey> make(std::string_view owner, std::uint32_t after);
};

// The other keys that were retired are dropped here, so that they open nothing any more.
Result<void> DataKeys::State::admit_masters() {
    const MasterKeyId mine = masters.master->id();
    std::set<MasterKeyId> retired;
    const Result<void> done = parts.store.transact([&](Transaction& transaction) -> Result<void> {
        TRY(check_not_retired(transaction, mine));
        const Rows rows = TRY(transaction.query(kMasters, {}));
        for (std::size_t row = 0; row < rows.size(); ++row) {
            const Bytes id = TRY(rows.bytes(row, 0));
            const auto is_it = [&](const auto& key) { return std::ranges::equal(key->id(), id); };
            if (!rows.is_null(row, 1)) {
                MasterKeyId gone{};
                std::copy_n(id.begin(), std::min(id.size(), gone.size()), gone.begin());
                retired.insert(gone);
                continue;
            }
            if (!is_it(masters.master) && std::ranges::none_of(masters.others, is_it)) {
                return Error{ErrorCode::kDenied,
                             fmt::format("data keys are under the master key {}, which is neither "
                                         "the master key {} nor among the others given",
                                         to_hex(id), to_hex(mine))};
            }
        }
        TRY(transaction.execute(kInsertMaster, {id_value(mine), time_value(parts.clock)}));
        return {};
    });
    TRY(done);
    std::erase_if(masters.others, [&](const auto& key) { return retired.contains(key->id()); });
    return {};
}

Result<MasterKey*> DataKeys::State::master_of(Bytes id) {
    if (std::ranges::equal(masters.master->id(), id)) {
        return masters.master.get();
    }
    for (const auto& other : masters.others) {
        if (std::ranges::equal(other->id(), id)) {
            return other.get();
        }
    }
    return Error{ErrorCode::kDenied, fmt::format("a data key is under the master key {}, which is "
                                                 "retired or not given",
                                                 to_hex(id))};
}

Result<DataKey> DataKeys::State::unwrap(std::string_view owner, const Rows& rows) {
    const auto generation = static_cast<std::uint32_t>(TRY(rows.integer(0, 0)));
    const Bytes id = TRY(rows.bytes(0, 1));
    const Bytes wrapped = TRY(rows.bytes(0, 2));
    MasterKey* master = TRY(master_of(id));
    Secret secret = TRY(master->unwrap(wrapped, {owner, generation}));
    return DataKey{generation, std::make_shared<const Secret>(std::move(secret))};
}

// The key is made and wrapped before the transaction, whose body may run twice and must be quick.
// Of two nodes that make the first key of an owner, one finds that of the other.
Result<DataKey> DataKeys::State::make(std::string_view owner, std::uint32_t after) {
    Secret secret;
    TRY(parts.random.fill(secret.writable()));
    const std::uint32_t generation = after + 1;
    const Buffer wrapped = TRY(masters.master->wrap(secret, {owner, generation}));
    const MasterKeyId& mine = masters.master->id();
    Rows there;
    const Result<void> done = parts.store.transact([&](Transaction& transaction) -> Result<void> {
        if (TRY(has_rows(transaction, kIsDestroyed, {text(owner)}))) {
            return was_destroyed(ErrorCode::kConflict);
        }
        TRY(check_not_retired(transaction, mine));
        there = TRY(transaction.query(kNewest, {text(owner)}));
        if (!there.empty() && TRY(there.integer(0, 0)) > std::int64_t{after}) {
            return {};
        }
        there = Rows();
        TRY(transaction.execute(kInsertKey, {text(owner), integer(generation), id_value(mine),
                                             bytes(wrapped), time_value(parts.clock)}));
        return {};
    });
    TRY(done);
    if (!there.empty()) {
        return unwrap(owner, there);
    }
    return DataKey{generation, std::make_shared<const Secret>(std::move(secret))};
}

DataKeys::DataKeys(std::unique_ptr<State> state) : state_(std::move(state)) {}
DataKeys::~DataKeys() = default;

Result<std::unique_ptr<DataKeys>> DataKeys::open(Parts parts, MasterKeys masters, Cache cache) {
    if (masters.master == nullptr) {
        return Error{ErrorCode::kInvalidArgument, "there is no master key"};
    }
    auto state = std::make_unique<State>(parts, std::move(masters), cache);
    TRY(state->admit_masters());
    KeyCache& cached = state->cache;
    state->subscription =
        TRY(parts.store.listen(kDestroyedChannel, [&cached](std::string_view owner) {
            owner.empty() ? cached.clear() : cached.drop(owner);
        }));
    auto keys = std::make_unique<DataKeys>(std::move(state));
    TRY(keys->replay_tombstones());
    return keys;
}

Result<DataKey> DataKeys::newest(std::string_view owner) {
    TRY(check_owner(owner));
    if (std::optional<DataKey> known = state_->cache.find(owner, 0)) {
        return *std::move(known);
    }
    const std::uint64_t epoch = state_->cache.epoch();
    const Rows rows = TRY(state_->parts.store.query(kNewest, {text(owner)}));
    DataKey key = TRY(rows.empty() ? state_->make(owner, 0) : state_->unwrap(owner, rows));
    state_->cache.add(owner, 0, key, epoch);
    return key;
}

Result<DataKey> DataKeys::find(std::string_view owner, std::uint32_t generation) {
    TRY(check_owner(owner));
    if (std::optional<DataKey> known = state_->cache.find(owner, generation)) {
        return *std::move(known);
    }
    const std::uint64_t epoch = state_->cache.epoch();
    const Rows rows = TRY(state_->parts.store.query(kFind, {text(owner), integer(generation)}));
    if (rows.empty()) {
        return TRY(is_destroyed(owner)) ? was_destroyed(ErrorCode::kNotFound)
                                        : Error{ErrorCode::kNotFound, "there is no such data key"};
    }
    DataKey key = TRY(state_->unwrap(owner, rows));
    state_->cache.add(owner, generation, key, epoch);
    return key;
}

Result<std::uint32_t> DataKeys::renew(std::string_view owner) {
    const std::uint32_t before = TRY(newest(owner)).generation;
    const DataKey key = TRY(state_->make(owner, before));
    // Elsewhere the older generation may be used until its time in the cache is over.
    state_->cache.drop(owner);
    return key.generation;
}

Result<void> DataKeys::destroy(std::string_view owner, const Batch& beside) {
    TRY(check_owner(owner));
    // The object first: whatever happens after it, opening ends what was begun here.
    TRY(state_->parts.tombstones.put(tombstone_name(owner), as_bytes(owner), Existing::kKeep));
    const Value now = time_value(state_->parts.clock);
    const Result<void> done =
        state_->parts.store.transact([&](Transaction& transaction) -> Result<void> {
            TRY(bury(transaction, owner, now));
            return run_all(transaction, beside);
        });
    TRY(done);
    state_->cache.drop(owner);
    return {};
}

Result<bool> DataKeys::is_destroyed(std::string_view owner) {
    TRY(check_owner(owner));
    return !TRY(state_->parts.store.query(kIsDestroyed, {text(owner)})).empty();
}

Result<std::uint64_t> DataKeys::replay_tombstones() {
    std::set<std::string> known;
    const Result<void> read = state_->parts.store.snapshot([&](Snapshot& snapshot) {
        return snapshot.visit(kBuried, {}, [&](const Values& row) -> Result<void> {
            if (const auto* owner = std::get_if<std::string>(row.data())) {
                known.insert(tombstone_name(*owner));
            }
            return {};
        });
    });
    TRY(read);
    std::vector<std::string> missing;
    const Result<void> listed =
        state_->parts.tombstones.list(kTombstones, [&](std::string_view name) {
            if (!known.contains(std::string(name))) {
                missing.emplace_back(name);
            }
            return true;
        });
    TRY(listed);
    for (const std::string& name : missing) {
        const Buffer content = TRY(state_->parts.tombstones.get(name, kTombstoneBytesMax));
        const std::string owner(as_text(content));
        if (!check_owner(owner).ok() || tombstone_name(owner) != name) {
            return Error{ErrorCode::kCorrupt,
                         fmt::format("the tombstone {} does not say whose it is", name)};
        }
        const Value now = time_value(state_->parts.clock);
        const auto body = [&](Transaction& transaction) -> Result<void> {
            TRY(bury(transaction, owner, now));
            TRY(transaction.execute(kOwe, {text(owner)}));
            return {};
        };
        TRY(state_->parts.store.transact(body));
        state_->cache.drop(owner);
    }
    return missing.size();
}

Result<std::vector<std::string>> DataKeys::unrecorded() {
    const Rows rows = TRY(state_->parts.store.query(kUnrecorded, {}));
    std::vector<std::string> owners;
    owners.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        owners.emplace_back(TRY(rows.text(row, 0)));
    }
    return owners;
}

Result<void> DataKeys::mark_recorded(std::string_view owner, const Batch& record) {
    Batch batch = record;
    batch.operations.push_back({kRecorded, {text(owner)}, Affects::kOne});
    return state_->parts.store.apply(std::move(batch));
}

Result<std::uint64_t> DataKeys::rewrap(std::size_t count_max) {
    const MasterKeyId& mine = state_->masters.master->id();
    const Rows rows = TRY(state_->parts.store.query(
        kUnderOthers,
        {id_value(mine), integer(static_cast<std::int64_t>(std::min(count_max, kAnswerRowsMax)))}));
    Batch batch;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const std::string owner(TRY(rows.text(row, 0)));
        const auto generation = static_cast<std::uint32_t>(TRY(rows.integer(row, 1)));
        const Bytes from = TRY(rows.bytes(row, 2));
        MasterKey* master = TRY(state_->master_of(from));
        const Bytes before = TRY(rows.bytes(row, 3));
        const Secret secret = TRY(master->unwrap(before, {owner, generation}));
        const Buffer wrapped = TRY(state_->masters.master->wrap(secret, {owner, generation}));
        // A key that was destroyed or wrapped by another process meanwhile stays as it is.
        batch.operations.push_back(
            {kRewrap,
             {text(owner), integer(generation), bytes(from), id_value(mine), bytes(wrapped)}});
    }
    if (!batch.operations.empty()) {
        TRY(state_->parts.store.apply(std::move(batch)));
    }
    const Rows left = TRY(state_->parts.store.query(kCountOthers, {id_value(mine)}));
    return static_cast<std::uint64_t>(TRY(left.integer(0, 0)));
}

Result<void> DataKeys::retire_others(const Batch& beside) {
    const MasterKeyId& mine = state_->masters.master->id();
    return state_->parts.store.transact([&](Transaction& transaction) -> Result<void> {
        TRY(check_not_retired(transaction, mine));
        const std::uint64_t left = TRY(count_of(transaction, kCountOthers, id_value(mine)));
        if (left != 0) {
            return Error{ErrorCode::kConflict,
                         fmt::format("{} data keys are still under another master key", left)};
        }
        TRY(transaction.execute(kRetire, {id_value(mine), time_value(state_->parts.clock)}));
        return run_all(transaction, beside);
    });
}

Result<std::vector<MasterKeyStatus>> DataKeys::status() {
    std::vector<MasterKeyStatus> all;
    const Result<void> done = state_->parts.store.snapshot([&](Snapshot& snapshot) -> Result<void> {
        all.clear();
        const Rows rows = TRY(snapshot.query(kMasters, {}));
        for (std::size_t row = 0; row < rows.size(); ++row) {
            MasterKeyStatus status;
            const Bytes id = TRY(rows.bytes(row, 0));
            std::copy_n(id.begin(), std::min(id.size(), status.id.size()), status.id.begin());
            status.is_master = status.id == state_->masters.master->id();
            if (!rows.is_null(row, 1)) {
                status.retired = Time(std::chrono::milliseconds(TRY(rows.integer(row, 1))));
            }
            status.data_keys = TRY(count_of(snapshot, kCountUnder, id_value(status.id)));
            all.push_back(status);
        }
        return {};
    });
    TRY(done);
    return all;
}

Result<bool> any_data_keys(Store& store) {
    static constexpr Statement kAny{"SELECT 1 FROM data_keys LIMIT 1"};
    const Rows rows = TRY(store.query(kAny, {}));
    return !rows.empty();
}

}  // namespace colophon::storage
