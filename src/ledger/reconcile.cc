// SPDX-License-Identifier: Apache-2.0
#include "ledger/reconcile.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "ledger/internal/outbox.h"
#include "ledger/internal/packed_facts.h"
#include "ledger/leaf.h"
#include "ledger/log_objects.h"
#include "ledger/log_writer.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "ledger/retention.h"
#include "ledger/tiles.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::ledger {
namespace {

using storage::Statement;

struct PurgedRange {
    std::string kind;
    std::string first;  // ids in hexadecimal
    std::string last;
};

storage::Value number(std::uint64_t value) {
    return storage::integer(static_cast<std::int64_t>(value));
}

class Reconciliation {
public:
    Reconciliation(storage::Store& store, LogObjects& objects, const ReconcileOptions& options)
        : store_(store), objects_(objects), options_(options) {}

    Result<ReconcileReport> run() {
        TRY(read_purges());
        for (std::uint64_t at = options_.minimum; at < options_.size; at += kTileWidth) {
            TRY(compare_bundle(at));
        }
        TRY(find_unlogged());
        TRY(find_beyond());
        return std::move(report_);
    }

private:
    void find(std::string_view code, std::string where, std::string what) {
        ++report_.findings_count;
        if (report_.findings.size() < options_.findings_max) {
            report_.findings.push_back({std::string(code), std::move(where), std::move(what)});
        }
    }
    void find_entry(std::uint64_t entry, std::string what) {
        find("ledger.record", fmt::format("entry {}", entry), std::move(what));
    }
    storage::Value log() const { return storage::integer(static_cast<std::int64_t>(options_.log)); }

    Result<void> read_purges() {
        // As the index of kinds wants to be asked (records.cc).
        static constexpr Statement kPurges{
            "SELECT facts, facts_packed FROM records WHERE kind = $1 AND kind <> 1"};
        const auto read = [this](const storage::Values& row) -> Result<void> {
            const auto* plain = std::get_if<std::string>(row.data());
            const auto* packed = std::get_if<Buffer>(&row[1]);
            const std::string text = packed == nullptr ? (plain == nullptr ? std::string() : *plain)
                                                       : TRY(internal::unpack_facts(*packed));
            const Facts facts = TRY(read_facts(text));
            const json::Value detail = TRY(json::parse(facts.detail));
            purges_.push_back({detail.string_or("kind", ""), detail.string_or("first", ""),
                               detail.string_or("last", "")});
            return {};
        };
        return store_.snapshot([&](storage::Snapshot& snapshot) {
            purges_.clear();
            return snapshot.visit(
                kPurges, {storage::integer(static_cast<std::int64_t>(RecordKind::kPurge))}, read);
        });
    }

    bool was_purged(const Leaf& leaf, const RecordId& record) const {
        const std::string id = to_string(record);
        return leaf.time + kRetentionLeast < options_.now &&
               std::ranges::any_of(
                   purges_,
                   [&](const PurgedRange& range) {
                       return range.kind == leaf.type && range.first <= id && id <= range.last;
                   });
    }

    Result<void> compare_bundle(std::uint64_t first) {
        static constexpr Statement kRows{
            "SELECT e.entry, e.record, r.facts, r.facts_packed, r.salt, r.kind FROM log_entries e"
            " LEFT JOIN records r ON r.id = e.record"
            " WHERE e.log = $1 AND e.entry >= $2 AND e.entry < $3 ORDER BY e.entry"};
        const std::uint64_t width = std::min(kTileWidth, options_.size - first);
        const Tile tile{
            .kind = TileKind::kEntries, .level = 0, .index = first / kTileWidth, .width = width};
        const Buffer bundle = TRY(read_bundle(tile));
        const std::vector<Bytes> entries = TRY(parse_bundle(bundle, width));
        storage::Rows rows;
        std::set<Digest256> waiting;
        const auto body = [&](storage::Snapshot& snapshot) -> Result<void> {
            rows = TRY(snapshot.query(kRows, {log(), number(first), number(first + width)}));
            if (rows.size() < width) {
                waiting = TRY(waiting_leaves(snapshot));
            }
            return {};
        };
        TRY(store_.snapshot(body));
        std::size_t row = 0;
        for (std::uint64_t i = 0; i < width; ++i) {
            ++report_.entries;
            const std::uint64_t entry = first + i;
            const bool known =
                row < rows.size() && static_cast<std::uint64_t>(TRY(rows.integer(row, 0))) == entry;
            if (known) {
                TRY(compare(entry, entries[i], rows, row));
                ++row;
            } else if (row < rows.size() || !waiting.contains(sha256(entries[i]))) {
                find_entry(entry, "the database does not know which record this entry is");
            }
        }
        return {};
    }

    // A sequencer that was stopped between publishing a batch and writing down whose entries these
    // are leaves the leaves in the outbox; the next one finishes its work (Sequencer::mend).
    Result<std::set<Digest256>> waiting_leaves(storage::Snapshot& snapshot) const {
        std::set<Digest256> leaves;
        TRY(internal::visit_outbox(snapshot, options_.log,
                                   [&](const auto& waiting) -> Result<void> {
                                       leaves.insert(sha256(waiting.leaf));
                                       return {};
                                   }));
        return leaves;
    }

    // A partial bundle may have been replaced by the full one while this runs.
    Result<Buffer> read_bundle(const Tile& tile) {
        const ReadTile read = tile_reader(objects_);
        auto bundle = read(tile);
        if (bundle.ok() || !tile.partial() || bundle.error().code != ErrorCode::kNotFound) {
            return bundle;
        }
        Tile full = tile;
        full.width = kTileWidth;
        const Buffer all = TRY(read(full));
        const std::vector<Bytes> entries = TRY(parse_bundle(all, kTileWidth));
        return encode_bundle(std::span(entries).first(tile.width));
    }

    Result<void> compare(std::uint64_t entry, Bytes bytes, const storage::Rows& rows,
                         std::size_t row) {
        const auto leaf = parse_leaf(bytes);
        if (!leaf.ok()) {
            find_entry(entry, "the entry is no leaf of a record");
            return {};
        }
        const RecordId record = TRY(storage::id_at<RecordId>(rows, row, 1));
        if (rows.is_null(row, 2)) {
            if (was_purged(*leaf, record)) {
                ++report_.purged;
            } else {
                find_entry(entry, fmt::format("its record {} is gone, and no purge removed it",
                                              to_string(record)));
            }
            return {};
        }
        const auto facts = internal::facts_text_at(rows, row, 2);
        const Bytes salt = TRY(rows.bytes(row, 4));
        const auto kind = static_cast<RecordKind>(TRY(rows.integer(row, 5)));
        const auto read = facts.ok() ? read_facts(*facts) : Result<Facts>(facts.error());
        if (!facts.ok() || !opens(*leaf, open_field(salt, "facts", *facts)) || !read.ok() ||
            read->id != record || read->kind != kind || record_kind_name(kind) != leaf->type) {
            find_entry(entry, fmt::format("its record {} is not what was logged: it was changed",
                                          to_string(record)));
        }
        return {};
    }

    Result<void> find_unlogged() {
        static constexpr Statement kUnlogged{
            "SELECT r.id, r.kind FROM records r"
            " WHERE NOT EXISTS (SELECT 1 FROM log_entries e WHERE e.record = r.id)"};
        std::set<Buffer> waiting;
        const auto each = [&](const storage::Values& row) -> Result<void> {
            const auto* id = std::get_if<Buffer>(row.data());
            const auto* kind = std::get_if<std::int64_t>(&row[1]);
            if (id == nullptr || kind == nullptr) {
                return Error{ErrorCode::kCorrupt, "a stored record id has not 16 bytes"};
            }
            if (log_class(static_cast<RecordKind>(*kind)) == options_.log &&
                !waiting.contains(*id)) {
                find("ledger.unlogged", fmt::format("record {}", to_hex(*id)),
                     "is in no log and does not wait for one: it was slipped in, or its entry was "
                     "taken from the tables");
            }
            return {};
        };
        const auto body = [&](storage::Snapshot& snapshot) -> Result<void> {
            waiting.clear();
            TRY(internal::visit_outbox(snapshot, options_.log,
                                       [&](const auto& leaf) -> Result<void> {
                                           waiting.insert(leaf.record);
                                           return {};
                                       }));
            report_.waiting = waiting.size();
            return snapshot.visit(kUnlogged, {}, each);
        };
        return store_.snapshot(body);
    }

    // Rows for entries that the log does not have and no batch that is under way explains.
    Result<void> find_beyond() {
        static constexpr Statement kDoubled{
            "SELECT record, COUNT(*) FROM log_entries WHERE log = $1 AND entry < $2"
            " GROUP BY record HAVING COUNT(*) > 1 ORDER BY record LIMIT 1000"};
        const storage::Rows rows = TRY(store_.query(kDoubled, {log(), number(options_.size)}));
        for (std::size_t row = 0; row < rows.size(); ++row) {
            const RecordId record = TRY(storage::id_at<RecordId>(rows, row, 0));
            find("ledger.record", fmt::format("record {}", to_string(record)),
                 "stands for more than one entry of the log");
        }
        return {};
    }

    storage::Store& store_;
    LogObjects& objects_;
    const ReconcileOptions& options_;
    ReconcileReport report_;
    std::vector<PurgedRange> purges_;
};

}  // namespace

Result<ReconcileReport> reconcile(storage::Store& store, LogObjects& objects,
                                  const ReconcileOptions& options) {
    return Reconciliation(store, objects, options).run();
}

}  // namespace colophon::ledger
