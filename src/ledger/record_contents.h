// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a record does not hold itself: texts beyond kRecordTextBytesMax go to blobs, sealed under
// the key of the record's owner, addressed by their digest and named by the record [DSP-10]
// [DSP-16].
//
//   intent      a row that says: release the blobs of this record in a day
//   blob        written, sealed, held by the record's name
//   record      its transaction takes the intent away
//
// A crash or a failure anywhere leaves an intent, and nothing that release_due() does not find. A
// purge turns the record into an intent that is due at once, an erasure those of all records of its
// subject. Legal holds hold blobs by holding records.
//
// Threads: any method from any thread. Every method blocks.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "storage/blobs.h"
#include "storage/store.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace colophon::ledger {

// Longer than any append is tried.
inline constexpr std::chrono::hours kContentIntentMax{24};
inline constexpr std::uint64_t kRecordContentBytesMax = 64ULL << 20U;

// Whether move_out() has something to do.
bool has_large_content(const ServiceRecord& record) noexcept;

class RecordContents {
public:
    // All that is passed in outlives this.
    RecordContents(storage::Store& store, storage::Blobs& blobs, Records& records, Clock& clock)
        : store_(store), blobs_(blobs), records_(records), clock_(clock) {}

    // Input and output that are too long for a record become blobs; the record then names them in
    // personal.contents and their digests stand in content_digests. To be called before append(),
    // again after it failed: what was moved stays so. kLimit above kRecordContentBytesMax.
    Result<void> move_out(ServiceRecord& record);

    // The whole content of one role ("input", "output"), from the record or its blob. kNotFound: no
    // such record, or nothing of that role; kDenied: the person was erased; kCorrupt: what is kept
    // is not what was put.
    Result<Buffer> read(RecordId record, std::string_view role);

    // Releases the blobs of records that are gone or never came; how many records that were.
    Result<std::size_t> release_due();

private:
    storage::Store& store_;
    storage::Blobs& blobs_;
    Records& records_;
    Clock& clock_;
};

}  // namespace colophon::ledger
