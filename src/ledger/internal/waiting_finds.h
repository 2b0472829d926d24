// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a record is found by, apart from its ids: keyed digests of its contents, keyed bands of its
// prints, its tenant and its subject. They lie at random places of any index, so that writing them
// with each record would touch a page for every one of them. They wait beside the record's leaf in
// the outbox, and the sequencer writes those of a whole batch at once, in order: into runs
// (find_runs.h) or, for bands of pictures, sounds and films, into their index. Until then Records
// looks for them where they wait.
//
//   digests   32 bytes each, ascending, each once
//   bands     for each print  kind (2) number (2) count (2)  count x band (8), big-endian
//   owners    kind of the record (2), key of its tenant (8), and of its subject (8) if it has one

#include "core/bytes.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/result.h"
#include "ledger/internal/find_runs.h"
#include "ledger/internal/outbox.h"
#include "storage/store.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace colophon::ledger::internal {

struct PrintBands {
    std::int64_t kind = 0;            // 0 .. 65535
    std::int64_t number = 0;          // of the print within its record, below kRecordPrintsMax
    std::vector<std::int64_t> bands;  // at most kPrintBandsMax
    bool operator==(const PrintBands&) const = default;
};

Buffer pack_digests(std::vector<Digest256> digests);
// Each band of a print once.
Buffer pack_bands(std::span<const PrintBands> prints);
// kCorrupt when it is cut off.
Result<std::vector<PrintBands>> unpack_bands(Bytes packed);
Result<std::vector<Digest256>> unpack_digests(Bytes packed);

struct RecordOwners {
    std::int64_t kind = 0;
    std::uint64_t tenant = 0;  // owner_find_key()
    std::optional<std::uint64_t> subject;
    bool operator==(const RecordOwners&) const = default;
};
Buffer pack_owners(const RecordOwners& owners);
Result<RecordOwners> unpack_owners(Bytes packed);
void add_owner_finds(std::vector<Find>& finds, Bytes record, const RecordOwners& owners);

// A record's id, as rows have it.
Result<RecordId> record_id_of(Bytes record);
// A column's bytes, which may be absent.
Bytes bytes_in(const storage::Values& row, std::size_t column) noexcept;

// What several records are found by, to be written in one batch.
class FoundBy {
public:
    // kCorrupt as above.
    Result<void> add(const WaitingLeaf& leaf);
    // Rows of the index, which are what a batch is measured by.
    std::size_t rows() const noexcept { return bands_.size(); }
    // Sorted as the index is.
    std::vector<storage::BulkInsert> take_rows();
    std::vector<Find> take_finds() { return std::exchange(finds_, {}); }

private:
    std::vector<storage::Values> bands_;
    std::vector<Find> finds_;
};

}  // namespace colophon::ledger::internal
