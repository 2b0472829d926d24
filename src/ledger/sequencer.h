// SPDX-License-Identifier: Apache-2.0
#pragma once

// Takes leaves from the outbox into the log. A record's transaction puts its leaf there; one
// sequencer for each log, whoever holds the lease, integrates what waits in batches.
//
//   record + its row in the outbox  --(one transaction)-->  durable record
//   outbox                          --LogWriter-->          bundles, tiles, signed checkpoint
//   log_entries, finds              --(one transaction)-->  which record is which entry, what it
//                                                           is found by; outbox row gone
//
// A crash between the second and the third step leaves entries of which the tables do not know.
// They are found when the sequencer opens again: each leaf carries a random nonce, so an entry of
// the log and a row of the outbox with the same bytes are the same leaf. Nothing is integrated
// twice.

#include "core/bytes.h"
#include "core/clock.h"
#include "ledger/log_objects.h"
#include "ledger/log_writer.h"
#include "ledger/records.h"
#include "storage/migration.h"
#include "storage/objects.h"
#include "storage/store.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {

namespace internal {
class FoundBy;
class RunKeeper;
struct WaitingLeaf;
}  // namespace internal

std::span<const storage::Migration> sequencer_migrations();

// The first operation of what a sequencer writes to the tables: it fails when the lease is gone
// (storage/lease.h), and with it the batch. Empty for whoever is alone with the store.
using Fence = std::function<storage::Operation()>;

// The signed head of a log as a row, so that compare-and-swap is the database's.
class StoredHead final : public HeadStore {
public:
    StoredHead(storage::Store& store, LogClass log, Fence fence = {})
        : store_(store), log_(log), fence_(std::move(fence)) {}
    Result<std::optional<std::string>> read() override;
    Result<void> swap(const std::optional<std::string>& expected, const std::string& next) override;

private:
    storage::Store& store_;
    LogClass log_;
    Fence fence_;
};

// The files of a log below a prefix of an object store, each durable when it was put.
class StoredObjects final : public LogObjects {
public:
    // `prefix` without a slash at its end: "ledger/service".
    StoredObjects(storage::ObjectStore& objects, std::string prefix)
        : objects_(objects), prefix_(std::move(prefix)) {}
    Result<void> put(std::string_view name, Bytes content) override;
    Result<void> put_all(std::span<const NamedObject> objects) override;
    Result<std::optional<Buffer>> get(std::string_view name) override;
    Result<void> remove(std::string_view name) override;
    Result<void> flush() override { return {}; }

private:
    std::string path(std::string_view name) const { return prefix_ + "/" + std::string(name); }

    storage::ObjectStore& objects_;
    std::string prefix_;
};

class Sequencer {
public:
    // As many leaves as one batch takes; a batch that is full is followed at once by the next.
    static constexpr std::size_t kBatchLeavesMax = 4096;

    // Opens the log and mends what a crash left between log and tables. Only whoever holds the
    // lease of this log calls it; a second one would be refused by the head (kConflict).
    struct Parts {
        storage::Store& store;
        LogObjects& objects;
        HeadStore& head;
        LogClass log = LogClass::kService;
        // NOLINTNEXTLINE(readability-redundant-member-init): for `{.store = ...}` without it
        Fence fence = {};
    };
    static Result<std::unique_ptr<Sequencer>> open(Parts parts, LogWriterOptions options);

    // Integrates what waits, at most kBatchLeavesMax leaves, and says how many it were. After an
    // error this sequencer is used up: open() another one.
    Result<std::size_t> step();

    // LogWriter::republish().
    Result<bool> republish() { return writer_.republish(); }

    const Checkpoint& checkpoint() const noexcept { return writer_.checkpoint(); }
    const std::string& signed_checkpoint() const noexcept { return writer_.signed_checkpoint(); }

private:
    struct Opened {};  // only open() can say that it was

public:
    Sequencer(Opened, Parts parts, LogWriter writer);
    ~Sequencer();
    Sequencer(const Sequencer&) = delete;
    Sequencer& operator=(const Sequencer&) = delete;
    Sequencer(Sequencer&&) = delete;
    Sequencer& operator=(Sequencer&&) = delete;

private:
    using Waiting = internal::WaitingLeaf;
    Result<std::map<Buffer, Waiting>> waiting_among(const std::set<Buffer>& entries);
    Result<void> settle(std::uint64_t first_index, std::span<const Waiting> leaves);
    Result<void> settle_batch(std::uint64_t first_index, std::span<const Waiting> leaves,
                              internal::FoundBy& found_by);
    Result<void> mend();

    Parts parts_;
    LogWriter writer_;
    std::unique_ptr<internal::RunKeeper> runs_;
};

// How far the log is behind the records.
struct Freshness {
    std::int64_t waiting = 0;            // leaves in the outbox, counted up to kFreshnessCountMax
    std::optional<Time> oldest_waiting;  // when the record that waits longest was made
};
inline constexpr std::int64_t kFreshnessCountMax = 100'000;
Result<Freshness> freshness(storage::Store& store, LogClass log);

// How old the oldest waiting leaf may be before somebody has to look: the sequencer needs a quarter
// of a second, and a lease that a dead node held ends within fifteen.
inline constexpr std::chrono::milliseconds kBehindMax{30'000};

struct BehindFinding {
    std::string code;  // "ledger.behind"
    std::string what;
};
// Nothing when no leaf has waited longer than `behind_max`.
std::optional<BehindFinding> judge_freshness(const Freshness& freshness, LogClass log, Time now,
                                             std::chrono::milliseconds behind_max = kBehindMax);

}  // namespace colophon::ledger
