// SPDX-License-Identifier: Apache-2.0
#pragma once

// What most records are found by, in sorted runs: keyed digests of contents, keyed bands of texts,
// tenants and subjects. As rows of an index most of them would change a page of their own, and a
// call has ten;
// as runs they are written once when the sequencer takes them, and a few times more when runs are
// merged, always in order.
//
//   find      kind (2)  key (8)  record (16)  number (2), big-endian; so they are in the order of
//             kinds, keys, and then of time
//   segment   one row: up to kFindsOfSegment finds, ascending, and a bound below them
//   run       segments of one number; its row in record_find_runs makes it visible and says
//             how many finds it has and how often some were taken out (`changes`); its records lie
//             between `oldest` and `newest`
//
// The sequencer of a log makes its runs: a small one for each batch, sixteen of one level become
// one of the next, until one has kFindsOfRun and stays. A question looks into each run once: at
// most some forty, and one more for each 52,000 calls. What is removed (a record that is purged, a
// person who is erased) leaves its segment at once.

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "ledger/records.h"
#include "storage/store.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace colophon::ledger::internal {

inline constexpr std::size_t kFindBytes = 28;
using Find = std::array<std::uint8_t, kFindBytes>;

// Two segments fit into a page of SQLite, and one into a row that PostgreSQL leaves whole.
inline constexpr std::size_t kFindsOfSegment = 68;
inline constexpr std::size_t kFindsOfRun = 512U << 10U;
inline constexpr std::size_t kRunsMerged = 16;

// Kinds of finds; others are those of prints.
inline constexpr std::int64_t kDigestFind = 0;
inline constexpr std::int64_t kTenantFind = 0x8001;  // number: the kind of the record
inline constexpr std::int64_t kSubjectFind = 0x8002;
// Whether bands of this kind of prints lie in runs. Of pictures, sounds and films there are fewer,
// and a question about one asks for thousands of bands: these have an index.
bool lies_in_runs(std::int64_t print_kind) noexcept;

// `record` has 16 bytes, kind and number 16 bits.
Find make_find(std::int64_t kind, std::uint64_t key, Bytes record, std::int64_t number);
// The key of a keyed digest. Others may have the same: whoever asks compares the digests.
std::uint64_t digest_find_key(Bytes digest) noexcept;
// The key of a tenant or subject, whose id is as good as random; others may have the same.
std::uint64_t owner_find_key(Bytes id) noexcept;

// What the row of a run says of its finds.
class FindExtent {
public:
    void add(const Find& find);

    std::size_t finds() const noexcept { return finds_; }
    Bytes oldest() const noexcept;  // of their records; where there are finds
    Bytes newest() const noexcept;

private:
    std::size_t finds_ = 0;
    Find oldest_{};
    Find newest_{};
};

void sort_finds(std::vector<Find>& finds);
// Those of a row; kCorrupt when it is damaged, as in damaged_segment().
Result<void> append_finds(Bytes segment, std::vector<Find>& finds);
Error damaged_segment();
// What a batch writes to add a run. `finds`, in any order, not empty. Sorts them.
void add_run(storage::Batch& batch, std::int64_t log, std::int64_t run, std::int64_t level,
             std::vector<Find>& finds);

// A record, and the number of the print in it.
using FindPlace = std::pair<RecordId, std::int64_t>;

// Which places are asked for.
struct FindRange {
    RecordId from;   // inclusive
    RecordId below;  // exclusive
    std::optional<std::int64_t> number;

    static FindRange all();
};

// The runs of one state of the data.
class FindRuns {
public:
    static Result<FindRuns> open(storage::Snapshot& snapshot);

    // The newest `most` places under a key, newest first.
    Result<std::vector<FindPlace>> newest(std::int64_t kind, std::uint64_t key, std::size_t most,
                                          const FindRange& range = FindRange::all());

private:
    struct Run {
        std::int64_t log = 0;
        std::int64_t run = 0;
        RecordId oldest;
        RecordId newest;
    };
    explicit FindRuns(storage::Snapshot& snapshot) : snapshot_(snapshot) {}
    struct Wanted {
        Find least{};
        Find greatest{};
        std::size_t most = 0;
        std::optional<std::int64_t> number;
    };
    Result<void> look_into(const Run& run, const Wanted& wanted, std::vector<FindPlace>& places);

    storage::Snapshot& snapshot_;
    std::vector<Run> runs_;  // the one with the newest record first
};

// Takes the finds of one record out of every run that may have them.
Result<void> remove_finds(storage::Transaction& transaction, Bytes record,
                          std::span<const Find> finds);

// The runs of one log, for its sequencer.
class RunKeeper {
public:
    // The operation that fails when the lease is gone; may be empty.
    using Fence = std::function<storage::Operation()>;

    RunKeeper(storage::Store& store, LogClass log, Fence fence);

    // Removes segments of runs that a crash left invisible.
    Result<void> open();
    // Adds the finds of a batch as a run; nothing for none. Of many, the segments are written at
    // once, so that the batch has only to make them visible.
    Result<void> add(storage::Batch& batch, std::vector<Find> finds);
    // Merges what is due, at most one merge for each level.
    Result<void> tend();

private:
    struct Run {
        std::int64_t run = 0;
        std::int64_t level = 0;
        std::size_t finds = 0;
        std::int64_t changes = 0;
    };
    Result<std::vector<Run>> runs();
    Result<void> merge(std::span<const Run> sources);
    Result<FindExtent> write_merged(std::int64_t run, std::span<const Run> sources);
    Result<void> write_segments(std::int64_t run, std::span<const Find> finds);
    Result<void> apply(storage::Batch batch);
    Result<void> forget(std::span<const std::int64_t> runs);

    storage::Store& store_;
    std::int64_t log_;
    Fence fence_;
    std::int64_t next_ = 1;
};

}  // namespace colophon::ledger::internal
