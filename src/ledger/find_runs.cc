// SPDX-License-Identifier: Apache-2.0
#include "ledger/internal/find_runs.h"

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "ledger/internal/find_merge.h"
#include "ledger/likeness.h"
#include "ledger/records.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace colophon::ledger::internal {

namespace {

using storage::Statement;

constexpr std::size_t kKeyAt = 2;
constexpr std::size_t kRecordAt = 10;
constexpr std::size_t kNumberAt = 26;
// A run of this level is never merged.
constexpr std::int64_t kLastLevel = 100;
// Of a merged run: what one transaction writes while calls wait for it.
constexpr std::size_t kSegmentsAtOnce = 128;
constexpr std::size_t kFindsForgottenAtOnce = 64U << 10U;

void store_be16(Find& find, std::size_t at, std::int64_t value) {
    find[at] = static_cast<std::uint8_t>(value >> 8);
    find[at + 1] = static_cast<std::uint8_t>(value);
}

Bytes record_of(const Find& find) {
    return Bytes(find).subspan(kRecordAt, kNumberAt - kRecordAt);
}

FindPlace place_of(const Find& find) {
    FindPlace place;
    std::ranges::copy(record_of(find), place.first.bytes.begin());
    place.second = load_be16(Bytes(find).subspan(kNumberAt));
    return place;
}

Buffer packed(std::span<const Find> finds) {
    Buffer bytes;
    bytes.reserve(finds.size_bytes());
    for (const Find& find : finds) {
        append(bytes, find);
    }
    return bytes;
}

storage::Values segment_row(std::int64_t log, std::int64_t run, std::span<const Find> finds) {
    return {storage::integer(log), storage::integer(run), storage::bytes(finds.front()),
            storage::bytes(packed(finds))};
}

storage::BulkInsert no_segments() {
    return {"record_finds", {"log", "run", "first", "finds"}, {}};
}

// The row by which a run is seen.
storage::Operation run_row(std::int64_t log, std::int64_t run, std::int64_t level,
                           const FindExtent& extent) {
    static constexpr Statement kInsert{
        "INSERT INTO record_find_runs (log, run, level, entries, oldest, newest, changes) "
        "VALUES ($1, $2, $3, $4, $5, $6, 0)"};
    return {kInsert,
            {storage::integer(log), storage::integer(run), storage::integer(level),
             storage::integer(static_cast<std::int64_t>(extent.finds())),
             storage::bytes(extent.oldest()), storage::bytes(extent.newest())},
            storage::Affects::kOne};
}

storage::Operation run_row(std::int64_t log, std::int64_t run, std::int64_t level,
                           std::span<const Find> finds) {
    FindExtent extent;
    for (const Find& find : finds) {
        extent.add(find);
    }
    return run_row(log, run, level, extent);
}

// Kind and most of the key decide nearly always.
struct FindOrder {
    std::uint64_t head;
    std::uint32_t at;
};

// Where the finds of each record begin, records ascending: those of a record stand together.
std::vector<FindOrder> by_record(std::span<const Find> finds) {
    std::vector<FindOrder> records;
    for (std::size_t i = 0; i < finds.size(); ++i) {
        if (i == 0 || !std::ranges::equal(record_of(finds[i]), record_of(finds[i - 1]))) {
            records.push_back(
                {.head = load_be64(record_of(finds[i])), .at = static_cast<std::uint32_t>(i)});
        }
    }
    std::ranges::sort(records, [&](const FindOrder& a, const FindOrder& b) {
        return a.head != b.head ? a.head < b.head
                                : std::ranges::lexicographical_compare(record_of(finds[a.at]),
                                                                       record_of(finds[b.at]));
    });
    return records;
}

// Byte by byte from the last; each pass keeps the order of the one before. A byte that all have in
// common needs none.
void sort_by_head(std::vector<FindOrder>& order) {
    constexpr unsigned kHeadBytes = 8;
    std::array<std::array<std::uint32_t, 256>, kHeadBytes> starts{};
    const auto digit = [](const FindOrder& each, unsigned byte) {
        return (each.head >> 8U * byte) & 0xFFU;
    };
    for (const FindOrder& each : order) {
        for (unsigned byte = 0; byte < kHeadBytes; ++byte) {
            ++starts[byte][digit(each, byte)];
        }
    }
    std::vector<FindOrder> passed(order.size());
    for (unsigned byte = 0; byte < kHeadBytes && !order.empty(); ++byte) {
        std::array<std::uint32_t, 256>& start = starts[byte];
        if (start[digit(order.front(), byte)] == order.size()) {
            continue;
        }
        std::exclusive_scan(start.begin(), start.end(), start.begin(), std::uint32_t{0});
        for (const FindOrder& each : order) {
            passed[start[digit(each, byte)]++] = each;
        }
        order.swap(passed);
    }
}

}  // namespace

Error damaged_segment() {
    return Error{ErrorCode::kCorrupt, "a segment of what records are found by is damaged"};
}

Result<void> append_finds(Bytes segment, std::vector<Find>& finds) {
    if (segment.empty() || segment.size() % kFindBytes != 0) {
        return damaged_segment();
    }
    const std::size_t before = finds.size();
    finds.resize(before + segment.size() / kFindBytes);
    std::memcpy(finds.data() + before, segment.data(), segment.size());
    return {};
}

void FindExtent::add(const Find& find) {
    const auto is_older = [](const Find& a, const Find& b) {
        return std::memcmp(a.data() + kRecordAt, b.data() + kRecordAt, kNumberAt - kRecordAt) < 0;
    };
    const bool first = finds_++ == 0;
    if (first || is_older(find, oldest_)) {
        oldest_ = find;
    }
    if (first || is_older(newest_, find)) {
        newest_ = find;
    }
}

Bytes FindExtent::oldest() const noexcept {
    return record_of(oldest_);
}

Bytes FindExtent::newest() const noexcept {
    return record_of(newest_);
}

bool lies_in_runs(std::int64_t print_kind) noexcept {
    return print_kind == kTextPrint;
}

Find make_find(std::int64_t kind, std::uint64_t key, Bytes record, std::int64_t number) {
    Find find{};
    store_be16(find, 0, kind);
    store_be64(find, kKeyAt, key);
    std::ranges::copy(record.first(kNumberAt - kRecordAt), find.begin() + kRecordAt);
    store_be16(find, kNumberAt, number);
    return find;
}

std::uint64_t digest_find_key(Bytes digest) noexcept {
    return load_be64(digest);
}

std::uint64_t owner_find_key(Bytes id) noexcept {
    return load_be64(id);
}

FindRange FindRange::all() {
    FindRange range;
    range.below.bytes.fill(0xFF);
    return range;
}

void sort_finds(std::vector<Find>& finds) {
    std::vector<FindOrder> order;
    order.reserve(finds.size());
    for (const FindOrder& record : by_record(finds)) {
        for (std::size_t i = record.at;
             i < finds.size() &&
             (i == record.at || std::ranges::equal(record_of(finds[i]), record_of(finds[i - 1])));
             ++i) {
            order.push_back({.head = load_be64(finds[i]), .at = static_cast<std::uint32_t>(i)});
        }
    }
    sort_by_head(order);
    std::vector<Find> sorted;
    sorted.reserve(finds.size());
    for (const FindOrder& each : order) {
        sorted.push_back(finds[each.at]);
    }
    // Of one head they are in order already, but for the rest of the key.
    for (auto from = sorted.begin(); from != sorted.end();) {
        const std::uint64_t head = load_be64(*from);
        const auto to =
            std::find_if(from, sorted.end(), [&](const Find& f) { return load_be64(f) != head; });
        if (!std::is_sorted(from, to)) {
            std::sort(from, to);
        }
        from = to;
    }
    finds = std::move(sorted);
}

void add_run(storage::Batch& batch, std::int64_t log, std::int64_t run, std::int64_t level,
             std::vector<Find>& finds) {
    sort_finds(finds);
    batch.operations.push_back(run_row(log, run, level, finds));
    storage::BulkInsert segments = no_segments();
    segments.rows.reserve(finds.size() / kFindsOfSegment + 1);
    for (std::size_t at = 0; at < finds.size(); at += kFindsOfSegment) {
        const std::size_t count = std::min(kFindsOfSegment, finds.size() - at);
        segments.rows.push_back(segment_row(log, run, std::span(finds).subspan(at, count)));
    }
    batch.inserts.push_back(std::move(segments));
}

Result<FindRuns> FindRuns::open(storage::Snapshot& snapshot) {
    static constexpr Statement kRuns{
        "SELECT log, run, oldest, newest FROM record_find_runs ORDER BY newest DESC"};
    FindRuns all(snapshot);
    const storage::Rows rows = TRY(snapshot.query(kRuns, {}));
    all.runs_.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        Run run;
        run.log = TRY(rows.integer(row, 0));
        run.run = TRY(rows.integer(row, 1));
        run.oldest = TRY(storage::id_at<RecordId>(rows, row, 2));
        run.newest = TRY(storage::id_at<RecordId>(rows, row, 3));
        all.runs_.push_back(run);
    }
    return all;
}

// From the greatest find down, until `most` places are known or a lower key begins.
Result<void> FindRuns::look_into(const Run& run, const Wanted& wanted,
                                 std::vector<FindPlace>& places) {
    // Nearly always what is asked for lies in one segment, or is not there.
    static constexpr Statement kLast{
        "SELECT first, finds FROM record_finds WHERE log = $1 AND run = $2 AND first <= $3 "
        "ORDER BY first DESC LIMIT 1"};
    static constexpr Statement kBefore{
        "SELECT first, finds FROM record_finds WHERE log = $1 AND run = $2 AND first < $3 "
        "ORDER BY first DESC LIMIT 32"};
    const std::size_t full = places.size() + wanted.most;
    Statement statement = kLast;
    Find bound = wanted.greatest;
    for (;;) {
        const storage::Rows rows =
            TRY(snapshot_.query(statement, {storage::integer(run.log), storage::integer(run.run),
                                            storage::bytes(bound)}));
        for (std::size_t row = 0; row < rows.size(); ++row) {
            const Bytes first = TRY(rows.bytes(row, 0));
            const Bytes segment = TRY(rows.bytes(row, 1));
            std::vector<Find> finds;
            TRY(append_finds(segment, finds));
            if (first.size() != kFindBytes) {
                return damaged_segment();
            }
            std::ranges::copy(first, bound.begin());
            const auto end = std::ranges::upper_bound(finds, wanted.greatest);
            for (auto find = end; find != finds.begin();) {
                --find;
                if (*find < wanted.least || places.size() == full) {
                    return {};
                }
                const FindPlace place = place_of(*find);
                if (!wanted.number || place.second == *wanted.number) {
                    places.push_back(place);
                }
            }
            if (bound < wanted.least) {
                return {};
            }
        }
        if (rows.empty()) {
            return {};
        }
        statement = kBefore;
    }
}

Result<std::vector<FindPlace>> FindRuns::newest(std::int64_t kind, std::uint64_t key,
                                                std::size_t most, const FindRange& range) {
    std::vector<FindPlace> places;
    if (!(range.from < range.below)) {
        return places;
    }
    Wanted wanted{.least = make_find(kind, key, range.from.bytes, 0),
                  .greatest = make_find(kind, key, range.below.bytes, 0),
                  .most = most,
                  .number = range.number};
    // The greatest that lies below it.
    bool borrows = true;
    for (std::size_t i = wanted.greatest.size(); borrows && i > 0; --i) {
        borrows = wanted.greatest[i - 1] == 0;
        --wanted.greatest[i - 1];
    }
    for (const Run& run : runs_) {
        if (places.size() >= most && run.newest < places[most - 1].first) {
            break;  // and all that come now are older
        }
        if (run.newest < range.from || !(run.oldest < range.below)) {
            continue;
        }
        TRY(look_into(run, wanted, places));
        std::ranges::sort(places, std::ranges::greater());
        places.resize(std::min(places.size(), most));
    }
    return places;
}

Result<void> remove_finds(storage::Transaction& transaction, Bytes record,
                          std::span<const Find> finds) {
    static constexpr Statement kRuns{
        "SELECT log, run FROM record_find_runs WHERE oldest <= $1 AND newest >= $1"};
    static constexpr Statement kSegment{
        "SELECT first, finds FROM record_finds WHERE log = $1 AND run = $2 AND first <= $3 "
        "ORDER BY first DESC LIMIT 1"};
    static constexpr Statement kReplace{
        "UPDATE record_finds SET finds = $4 WHERE log = $1 AND run = $2 AND first = $3"};
    static constexpr Statement kRemove{
        "DELETE FROM record_finds WHERE log = $1 AND run = $2 AND first = $3"};
    static constexpr Statement kCount{
        "UPDATE record_find_runs SET entries = entries - $3, changes = changes + 1 "
        "WHERE log = $1 AND run = $2"};
    static constexpr Statement kEnd{
        "DELETE FROM record_find_runs WHERE log = $1 AND run = $2 AND entries = 0"};
    if (finds.empty()) {
        return {};
    }
    const storage::Rows runs = TRY(transaction.query(kRuns, {storage::bytes(record)}));
    for (std::size_t row = 0; row < runs.size(); ++row) {
        const storage::Value log = storage::integer(TRY(runs.integer(row, 0)));
        const storage::Value run = storage::integer(TRY(runs.integer(row, 1)));
        std::int64_t removed = 0;
        for (const Find& find : finds) {
            const storage::Rows found =
                TRY(transaction.query(kSegment, {log, run, storage::bytes(find)}));
            if (found.empty()) {
                continue;
            }
            const storage::Value first = storage::bytes(TRY(found.bytes(0, 0)));
            const Bytes stored = TRY(found.bytes(0, 1));
            std::vector<Find> segment;
            TRY(append_finds(stored, segment));
            const auto at = std::ranges::lower_bound(segment, find);
            if (at == segment.end() || *at != find) {
                continue;
            }
            segment.erase(at);
            ++removed;
            TRY(segment.empty() ? transaction.execute(kRemove, {log, run, first})
                                : transaction.execute(kReplace, {log, run, first,
                                                                 storage::bytes(packed(segment))}));
        }
        if (removed > 0) {
            TRY(transaction.execute(kCount, {log, run, storage::integer(removed)}));
            TRY(transaction.execute(kEnd, {log, run}));
        }
    }
    return {};
}

RunKeeper::RunKeeper(storage::Store& store, LogClass log, Fence fence)
    : store_(store), log_(static_cast<std::int64_t>(log)), fence_(std::move(fence)) {}

Result<void> RunKeeper::open() {
    static constexpr Statement kNext{
        "SELECT run FROM record_finds WHERE log = $1 AND run > $2 ORDER BY run LIMIT 1"};
    const std::vector<Run> seen = TRY(runs());
    std::int64_t last = 0;
    for (;;) {
        const storage::Rows rows =
            TRY(store_.query(kNext, {storage::integer(log_), storage::integer(last)}));
        if (rows.empty()) {
            break;
        }
        last = TRY(rows.integer(0, 0));
        if (std::ranges::find(seen, last, &Run::run) == seen.end()) {
            TRY(forget(std::span(&last, 1)));
        }
    }
    for (const Run& run : seen) {
        last = std::max(last, run.run);
    }
    next_ = last + 1;
    return {};
}

Result<void> RunKeeper::add(storage::Batch& batch, std::vector<Find> finds) {
    if (finds.empty()) {
        return {};
    }
    const std::int64_t run = next_++;
    if (finds.size() <= kSegmentsAtOnce * kFindsOfSegment) {
        add_run(batch, log_, run, 0, finds);
        return {};
    }
    sort_finds(finds);
    TRY(write_segments(run, finds));
    batch.operations.push_back(run_row(log_, run, 0, finds));
    return {};
}

// A few at a time; nobody sees them before the row of their run is there.
Result<void> RunKeeper::write_segments(std::int64_t run, std::span<const Find> finds) {
    while (!finds.empty()) {
        storage::BulkInsert segments = no_segments();
        while (!finds.empty() && segments.rows.size() < kSegmentsAtOnce) {
            const std::size_t count = std::min(kFindsOfSegment, finds.size());
            segments.rows.push_back(segment_row(log_, run, finds.first(count)));
            finds = finds.subspan(count);
        }
        storage::Batch batch;
        batch.inserts.push_back(std::move(segments));
        TRY(apply(std::move(batch)));
    }
    return {};
}

Result<std::vector<RunKeeper::Run>> RunKeeper::runs() {
    static constexpr Statement kRuns{
        "SELECT run, level, entries, changes FROM record_find_runs WHERE log = $1 ORDER BY run"};
    const storage::Rows rows = TRY(store_.query(kRuns, {storage::integer(log_)}));
    std::vector<Run> all;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        Run run;
        run.run = TRY(rows.integer(row, 0));
        run.level = TRY(rows.integer(row, 1));
        run.finds = static_cast<std::size_t>(TRY(rows.integer(row, 2)));
        run.changes = TRY(rows.integer(row, 3));
        all.push_back(run);
    }
    return all;
}

Result<void> RunKeeper::tend() {
    std::map<std::int64_t, std::vector<Run>> levels;
    for (const Run& run : TRY(runs())) {
        if (run.level < kLastLevel) {
            levels[run.level].push_back(run);
        }
    }
    for (const auto& [level, all] : levels) {
        std::size_t count = 0;
        std::size_t finds = 0;
        while (count < all.size() && count < kRunsMerged && finds < kFindsOfRun) {
            finds += all[count++].finds;
        }
        if (count == kRunsMerged || finds >= kFindsOfRun) {
            TRY(merge(std::span(all).first(count)));
        }
    }
    return {};
}

Result<void> RunKeeper::apply(storage::Batch batch) {
    if (fence_) {
        batch.operations.insert(batch.operations.begin(), fence_());
    }
    batch.leaves_remains = true;  // keyed, and merged into other runs
    return store_.apply(std::move(batch));
}

Result<void> RunKeeper::forget(std::span<const std::int64_t> runs) {
    static constexpr Statement kForget{"DELETE FROM record_finds WHERE log = $1 AND run = $2"};
    if (runs.empty()) {
        return {};
    }
    storage::Batch batch;
    for (const std::int64_t run : runs) {
        batch.operations.push_back({kForget, {storage::integer(log_), storage::integer(run)}});
    }
    return apply(std::move(batch));
}

Result<FindExtent> RunKeeper::write_merged(std::int64_t run, std::span<const Run> sources) {
    FindMerge sorted(store_, log_);
    for (const Run& source : sources) {
        TRY(sorted.add(source.run));
    }
    FindExtent extent;
    std::vector<Find> finds;
    finds.reserve(kSegmentsAtOnce * kFindsOfSegment);
    for (bool ended = false; !ended;) {
        const std::optional<Find> find = TRY(sorted.next());
        ended = !find;
        if (find) {
            extent.add(*find);
            finds.push_back(*find);
        }
        if (ended || finds.size() == kSegmentsAtOnce * kFindsOfSegment) {
            TRY(write_segments(run, finds));
            finds.clear();
        }
    }
    return extent;
}

// The segments of the new run come first; the last batch makes it visible instead of those that it
// was made of. Whatever was taken out of one of these meanwhile makes that batch fail: then nothing
// of the new run is kept, and the next time it is made anew.
Result<void> RunKeeper::merge(std::span<const Run> sources) {
    static constexpr Statement kReplaced{
        "DELETE FROM record_find_runs WHERE log = $1 AND run = $2 AND changes = $3"};
    const std::int64_t run = next_++;
    const auto merged = write_merged(run, sources);
    if (!merged.ok()) {
        (void)forget(std::span(&run, 1));
        return merged.error();
    }
    const FindExtent& extent = *merged;
    if (extent.finds() == 0) {
        return {};  // everything was taken out of them since
    }
    const std::int64_t level =
        extent.finds() >= kFindsOfRun ? kLastLevel : sources.front().level + 1;
    storage::Batch visible;
    for (const Run& source : sources) {
        visible.operations.push_back({kReplaced,
                                      {storage::integer(log_), storage::integer(source.run),
                                       storage::integer(source.changes)},
                                      storage::Affects::kOne});
    }
    visible.operations.push_back(run_row(log_, run, level, extent));
    const auto applied = apply(std::move(visible));
    if (!applied.ok()) {
        if (applied.error().code != ErrorCode::kConflict) {
            return applied.error();
        }
        return forget(std::span(&run, 1));  // which fails when it was the lease
    }
    std::vector<std::int64_t> gone;
    std::size_t finds_gone = 0;
    for (const Run& source : sources) {
        gone.push_back(source.run);
        finds_gone += source.finds;
        if (finds_gone >= kFindsForgottenAtOnce) {
            TRY(forget(std::exchange(gone, {})));
            finds_gone = 0;
        }
    }
    return forget(gone);
}

}  // namespace colophon::ledger::internal
