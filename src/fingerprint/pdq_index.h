// SPDX-License-Identifier: Apache-2.0
#pragma once

// Finds all hashes of a list that differ from a given one in at most so many bits, exactly: by
// multi-index hashing (Norouzi, Punjani, Fleet, "Fast exact search in Hamming space with
// multi-index hashing", 2014).
//
//   256 bits = 16 slots of 16 bits; each slot has a table from its 65,536 values to the rows
//   that have it. Two hashes that differ in r bits have, in some slot, at most r / 16 different
//   bits: were there more in all of them, they would add up to more than r. So for r = 31 it is
//   enough to look up, in each slot, the value itself and its 16 neighbours, and to compare the
//   rows found there in full.
//
// An index is a value that never changes: with() gives a new one that shares the tables of the old
// one and carries what differs. Copies are cheap and may be used from several threads, so whoever
// serves a list keeps the newest index and hands it out.
//
// Memory: 104 bytes a hash and 4 MiB for the tables from kTablesFrom hashes on (32 for the hash, 8
// for the id, 64 for the rows in the tables); 40 bytes below, where all are compared.

#include "fingerprint/pdq.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace colophon::fingerprint {

// Of whoever keeps the list. Several hashes may have the same.
using PrintId = std::uint64_t;

struct PdqEntry {
    PdqHash hash;
    PrintId id = 0;
};

struct PdqNear {
    PrintId id = 0;
    int distance = 0;  // bits
    PdqHash hash;      // that was near

    bool operator==(const PdqNear&) const = default;
};

class PdqIndex {
public:
    static constexpr std::size_t kEntriesMax = 0xffffffffU;
    static constexpr std::size_t kTablesFrom = std::size_t{1} << 16U;
    // So many changes are carried before the tables are made anew.
    static constexpr std::size_t kChangesMax = std::size_t{1} << 15U;

    PdqIndex();  // empty
    // About 0.4 s for a million hashes. kLimit above kEntriesMax.
    static Result<PdqIndex> create(std::vector<PdqEntry> entries);

    // The same without all hashes of the ids `removed`, and then with `added`. Costs a copy of the
    // changes that are carried and, for new removals, a walk over the ids; or a create() when the
    // changes become more than kChangesMax. kLimit as there.
    Result<PdqIndex> with(std::span<const PdqEntry> added, std::span<const PrintId> removed) const;

    // All within `radius` (0 .. 256), the nearest first, then by id. Exact for every radius; above
    // 47 all hashes are compared, as they are when the tables say too little.
    std::vector<PdqNear> near(const PdqHash& hash, int radius = kPdqDistanceMax) const;

    std::size_t size() const noexcept;          // hashes
    std::size_t memory_bytes() const noexcept;  // tables shared with other indexes included

private:
    struct Tables;
    PdqIndex(std::shared_ptr<const Tables> tables, std::vector<PdqEntry> added,
             std::vector<PrintId> removed, std::size_t size);
    bool is_removed(PrintId id) const;

    // Shared by all indexes made from one another by with(); nobody changes it.
    std::shared_ptr<const Tables> tables_;
    std::vector<PdqEntry> added_;
    std::vector<PrintId> removed_;  // from tables_, ascending
    std::size_t size_ = 0;
};

}  // namespace colophon::fingerprint
