// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a record is found by, apart from its ids: keyed digests of its contents and keyed bands of
// its prints. Both lie at random places of their indexes, so that writing them with each record
// would touch a page of each for every one of them. They wait beside the record's leaf in the
// outbox, and the sequencer writes those of a whole batch at once, in the order of the index; until
// then Records looks for them where they wait.
//
//   digests   32 bytes each, ascending, each once
//   bands     for each print  kind (2) number (2) count (2)  count x band (8), big-endian

#include "core/bytes.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/result.h"
#include "storage/store.h"

#include <cstddef>
#include <cstdint>
#include <span>
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

// Columns of a row of the outbox: the record, which comes first, and bytes that may be absent.
Result<RecordId> record_in(const storage::Values& row);
Bytes bytes_in(const storage::Values& row, std::size_t column) noexcept;

// The rows of several records, to be written in one batch.
class IndexRows {
public:
    // Either may be empty. kCorrupt as above.
    Result<void> add(Bytes record, Bytes digests, Bytes bands);
    std::size_t size() const noexcept { return digests_.size() + bands_.size(); }
    // Sorted as the indexes are.
    std::vector<storage::BulkInsert> take();

private:
    std::vector<storage::Values> digests_;
    std::vector<storage::Values> bands_;
};

}  // namespace colophon::ledger::internal
