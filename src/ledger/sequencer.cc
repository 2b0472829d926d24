// SPDX-License-Identifier: Apache-2.0
#include "ledger/sequencer.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/result.h"
#include "ledger/internal/find_runs.h"
#include "ledger/internal/outbox.h"
#include "ledger/internal/waiting_finds.h"
#include "ledger/log_objects.h"
#include "ledger/log_writer.h"
#include "ledger/records.h"
#include "ledger/tiles.h"
#include "storage/migration.h"
#include "storage/objects.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {

namespace {

using storage::Statement;

// Of the index of prints, in one transaction: a few milliseconds, which calls wait for.
constexpr std::size_t kIndexRowsMax = 2'000;
constexpr std::uint64_t kLogFileBytesMax = 64ULL << 20U;

constexpr std::array kMigrations{
    storage::Migration{
        .module = "sequencer",
        .step = 1,
        .sql = "CREATE TABLE log_heads (log BIGINT NOT NULL PRIMARY KEY, head TEXT NOT NULL);\n"},
};

storage::Value log_value(LogClass log) {
    return storage::integer(static_cast<std::int64_t>(log));
}

}  // namespace

std::span<const storage::Migration> sequencer_migrations() {
    return kMigrations;
}

Result<std::optional<std::string>> StoredHead::read() {
    static constexpr Statement kRead{"SELECT head FROM log_heads WHERE log = $1"};
    const storage::Rows rows = TRY(store_.query(kRead, {log_value(log_)}));
    if (rows.empty()) {
        return std::optional<std::string>();
    }
    const std::string_view head = TRY(rows.text(0, 0));
    return std::optional<std::string>(head);
}

Result<void> StoredHead::swap(const std::optional<std::string>& expected, const std::string& next) {
    static constexpr Statement kInsert{"INSERT INTO log_heads (log, head) VALUES ($1, $2)"};
    static constexpr Statement kUpdate{
        "UPDATE log_heads SET head = $2 WHERE log = $1 AND head = $3"};
    storage::Batch batch;
    if (fence_) {
        batch.operations.push_back(fence_());
    }
    if (expected) {
        batch.operations.push_back(
            {kUpdate,
             {log_value(log_), storage::text(next), storage::text(*expected)},
             storage::Affects::kOne});
    } else {
        batch.operations.push_back(
            {kInsert, {log_value(log_), storage::text(next)}, storage::Affects::kOne});
    }
    auto applied = store_.apply(std::move(batch));
    if (!applied.ok() && applied.error().code == ErrorCode::kConflict) {
        return Error{ErrorCode::kConflict,
                     "the head of the log was moved by somebody else: two sequencers ran at once"};
    }
    return applied;
}

Result<void> StoredObjects::put(std::string_view name, Bytes content) {
    return objects_.put(path(name), content, storage::Existing::kReplace);
}

Result<void> StoredObjects::put_all(std::span<const NamedObject> objects) {
    std::vector<std::string> paths;
    paths.reserve(objects.size());
    std::vector<storage::NamedBytes> named;
    for (const NamedObject& each : objects) {
        named.push_back({.name = paths.emplace_back(path(each.name)), .content = each.content});
    }
    return objects_.put_all(named);
}

Result<std::optional<Buffer>> StoredObjects::get(std::string_view name) {
    auto content = objects_.get(path(name), kLogFileBytesMax);
    if (!content.ok()) {
        if (content.error().code == ErrorCode::kNotFound) {
            return std::optional<Buffer>();
        }
        return std::move(content).error();
    }
    return std::optional<Buffer>(std::move(content).value());
}

Result<void> StoredObjects::remove(std::string_view name) {
    TRY(objects_.remove(path(name)));
    std::vector<std::string> below;
    TRY(objects_.list(path(name) + "/", [&](std::string_view each) {
        below.emplace_back(each);
        return true;
    }));
    for (const std::string& each : below) {
        TRY(objects_.remove(each));
    }
    return {};
}

Result<std::unique_ptr<Sequencer>> Sequencer::open(Parts parts, LogWriterOptions options) {
    LogWriter writer = TRY(LogWriter::open(parts.objects, parts.head, std::move(options)));
    auto sequencer = std::make_unique<Sequencer>(Opened{}, std::move(parts), std::move(writer));
    TRY(sequencer->mend());
    return sequencer;
}

Sequencer::Sequencer(Opened, Parts parts, LogWriter writer)
    : parts_(std::move(parts)),
      writer_(std::move(writer)),
      runs_(std::make_unique<internal::RunKeeper>(parts_.store, parts_.log, parts_.fence)) {}

Sequencer::~Sequencer() = default;

// Those of the leaves that wait which are among these, by their bytes.
Result<std::map<Buffer, Sequencer::Waiting>> Sequencer::waiting_among(
    const std::set<Buffer>& entries) {
    std::map<Buffer, Waiting> found;
    const auto each = [&](const Waiting& waiting) -> Result<void> {
        if (entries.contains(waiting.leaf)) {
            found.emplace(waiting.leaf, waiting);
        }
        return {};
    };
    const auto body = [&](storage::Snapshot& snapshot) -> Result<void> {
        found.clear();
        return internal::visit_outbox(snapshot, parts_.log, each);
    };
    TRY(parts_.store.snapshot(body));
    return found;
}

Result<std::size_t> Sequencer::step() {
    const std::vector<Waiting> leaves =
        TRY(internal::next_of_outbox(parts_.store, parts_.log, kBatchLeavesMax));
    if (leaves.empty()) {
        return std::size_t{0};
    }
    std::vector<Bytes> entries;
    entries.reserve(leaves.size());
    for (const Waiting& waiting : leaves) {
        entries.emplace_back(waiting.leaf);
    }
    const Integrated integrated = TRY(writer_.integrate(entries));
    TRY(settle(integrated.first_index, leaves));
    TRY(runs_->tend());
    return leaves.size();
}

// Writes down which record is which entry and what it is found by, and takes the leaves from the
// outbox: in several batches when their prints are many, each for the leaves that come next.
Result<void> Sequencer::settle(std::uint64_t first_index, std::span<const Waiting> leaves) {
    while (!leaves.empty()) {
        internal::FoundBy found_by;
        std::size_t count = 0;
        while (count < leaves.size() && found_by.rows() < kIndexRowsMax) {
            TRY(found_by.add(leaves[count++]));
        }
        TRY(settle_batch(first_index, leaves.first(count), found_by));
        first_index += count;
        leaves = leaves.subspan(count);
    }
    return {};
}

Result<void> Sequencer::settle_batch(std::uint64_t first_index, std::span<const Waiting> leaves,
                                     internal::FoundBy& found_by) {
    storage::Batch batch;
    if (parts_.fence) {
        batch.operations.push_back(parts_.fence());
    }
    storage::BulkInsert entries{"log_entries", {"log", "entry", "record"}, {}};
    auto index = static_cast<std::int64_t>(first_index);
    for (const Waiting& waiting : leaves) {
        entries.rows.push_back(
            {log_value(parts_.log), storage::integer(index++), storage::bytes(waiting.record)});
    }
    // Bands go when their person is erased, and then whoever read them before must read again.
    batch.leaves_remains = true;  // leaves are public, and what a record is found by is keyed
    internal::take_from_outbox(batch, parts_.store.engine(), parts_.log, leaves);
    batch.inserts = found_by.take_rows();
    batch.inserts.push_back(std::move(entries));
    TRY(runs_->add(batch, found_by.take_finds()));
    return parts_.store.apply(std::move(batch));
}

Result<void> Sequencer::mend() {
    TRY(runs_->open());
    static constexpr Statement kKnown{
        "SELECT COALESCE(MAX(entry) + 1, 0) FROM log_entries WHERE log = $1"};
    const storage::Rows rows = TRY(parts_.store.query(kKnown, {log_value(parts_.log)}));
    if (rows.size() != 1) {
        return Error{ErrorCode::kCorrupt, "the table of log entries gives no count"};
    }
    const std::int64_t known_entries = TRY(rows.integer(0, 0));
    const auto known = static_cast<std::uint64_t>(known_entries);
    const std::uint64_t size = writer_.checkpoint().tree.size;
    if (known > size) {
        return Error{
            ErrorCode::kConflict,
            fmt::format("the database knows {} entries of the log, its head only {}: one of "
                        "them is an older backup",
                        known, size)};
    }
    if (known == size) {
        return {};
    }
    // At most one batch was under way.
    const ReadTile read_tile = tile_reader(parts_.objects);
    std::vector<Buffer> entries;
    for (std::uint64_t index = known; index < size; ++index) {
        entries.push_back(TRY(read_entry(read_tile, index, size)));
    }
    const auto by_leaf = TRY(waiting_among({entries.begin(), entries.end()}));
    std::vector<Waiting> integrated;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const auto found = by_leaf.find(entries[i]);
        if (found == by_leaf.end()) {
            return Error{ErrorCode::kCorrupt,
                         fmt::format("entry {} of the log belongs to no record that waits for it",
                                     known + i)};
        }
        integrated.push_back(found->second);
    }
    return settle(known, integrated);
}

Result<Freshness> freshness(storage::Store& store, LogClass log) {
    Freshness freshness;
    freshness.waiting = TRY(internal::count_outbox(store, log, kFreshnessCountMax));
    const std::optional<RecordId> oldest = TRY(internal::oldest_of_outbox(store, log));
    if (oldest) {
        // The first six bytes of a record's id are its time (make_record_id).
        const std::uint64_t milliseconds = load_be64(oldest->bytes) >> 16U;
        freshness.oldest_waiting =
            Time(std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds)));
    }
    return freshness;
}

std::optional<BehindFinding> judge_freshness(const Freshness& freshness, LogClass log, Time now,
                                             std::chrono::milliseconds behind_max) {
    if (!freshness.oldest_waiting || now - *freshness.oldest_waiting <= behind_max) {
        return std::nullopt;
    }
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(now - *freshness.oldest_waiting);
    return BehindFinding{
        .code = "ledger.behind",
        .what = fmt::format("the log of {} is behind: {} leaves wait, the oldest for {} seconds",
                            log_class_name(log), freshness.waiting, seconds.count())};
}

}  // namespace colophon::ledger
