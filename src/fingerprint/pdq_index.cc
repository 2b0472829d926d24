// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/pdq_index.h"

#include "core/assert.h"
#include "core/result.h"
#include "fingerprint/internal/scan.h"
#include "fingerprint/pdq.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace colophon::fingerprint {
namespace {

using internal::Hit;

constexpr std::size_t kSlots = 16;
constexpr unsigned kSlotBits = 16;
constexpr std::size_t kSlotValues = std::size_t{1} << kSlotBits;
// Neighbours of a slot's value that are looked up; with three bits there would be 697 of them, and
// comparing all hashes is faster.
constexpr int kSlotRadiusMax = 2;
// Above this part of all rows, walking through memory in order is faster than jumping.
constexpr std::size_t kCandidatesPart = 8;

std::size_t slot_value(const PdqHash& hash, std::size_t slot) noexcept {
    return static_cast<std::size_t>((hash.words[slot / 4] >> (slot % 4 * kSlotBits)) & 0xffffU);
}

// All 16-bit values with at most `bits` bits set.
std::vector<std::size_t> flips(int bits) {
    std::vector<std::size_t> all;
    for (std::size_t value = 0; value < kSlotValues; ++value) {
        if (std::popcount(value) <= bits) {
            all.push_back(value);
        }
    }
    return all;
}

const std::vector<std::size_t>& flips_within(int bits) {
    static const std::array<std::vector<std::size_t>, kSlotRadiusMax + 1> kAll{flips(0), flips(1),
                                                                               flips(2)};
    return kAll[static_cast<std::size_t>(bits)];
}

Error too_many(std::size_t entries) {
    return Error{ErrorCode::kLimit,
                 fmt::format("a list of {} picture hashes is above the limit of {}", entries,
                             PdqIndex::kEntriesMax)};
}

}  // namespace

struct PdqIndex::Tables {
    std::vector<PdqHash> hashes;
    std::vector<PrintId> ids;
    // For each slot where each value's rows begin in `rows`, and where the last ones end; empty for
    // short lists.
    std::vector<std::uint32_t> starts;
    std::vector<std::uint32_t> rows;  // slot after slot

    explicit Tables(std::vector<PdqEntry> entries) {
        hashes.reserve(entries.size());
        ids.reserve(entries.size());
        for (const PdqEntry& entry : entries) {
            hashes.push_back(entry.hash);
            ids.push_back(entry.id);
        }
        entries = std::vector<PdqEntry>();
        if (hashes.size() < kTablesFrom) {
            return;
        }
        starts.resize(kSlots * (kSlotValues + 1));
        rows.resize(kSlots * hashes.size());
        for (std::size_t slot = 0; slot < kSlots; ++slot) {
            fill(slot);
        }
    }

    std::span<const std::uint32_t> rows_of(std::size_t slot, std::size_t value) const noexcept {
        const std::uint32_t* start = starts.data() + slot * (kSlotValues + 1) + value;
        return {rows.data() + slot * hashes.size() + start[0], start[1] - start[0]};
    }

    std::vector<Hit> find(const PdqHash& wanted, int radius) const {
        std::vector<Hit> hits;
        const auto candidates = rows_to_compare(wanted, radius);
        if (!candidates) {
            internal::scan_all(hashes, wanted, radius, hits);
            return hits;
        }
        internal::scan_rows(hashes, *candidates, wanted, radius, hits);
        // A row that is near in several slots was found as often.
        std::ranges::sort(hits, {}, &Hit::row);
        const auto [first, last] = std::ranges::unique(hits, {}, &Hit::row);
        hits.erase(first, last);
        return hits;
    }

private:
    // Counting sort of the rows by the slot's value.
    void fill(std::size_t slot) {
        std::uint32_t* start = starts.data() + slot * (kSlotValues + 1);
        for (const PdqHash& hash : hashes) {
            ++start[slot_value(hash, slot) + 1];
        }
        for (std::size_t value = 0; value < kSlotValues; ++value) {
            start[value + 1] += start[value];
        }
        std::vector<std::uint32_t> next(start, start + kSlotValues);
        std::uint32_t* out = rows.data() + slot * hashes.size();
        for (std::size_t row = 0; row < hashes.size(); ++row) {
            out[next[slot_value(hashes[row], slot)]++] = static_cast<std::uint32_t>(row);
        }
    }

    // Nothing when all are to be compared.
    std::optional<std::vector<std::uint32_t>> rows_to_compare(const PdqHash& wanted,
                                                              int radius) const {
        const int slot_radius = radius / static_cast<int>(kSlots);
        if (starts.empty() || slot_radius > kSlotRadiusMax) {
            return std::nullopt;
        }
        std::vector<std::uint32_t> candidates;
        const std::vector<std::size_t>& near_values = flips_within(slot_radius);
        for (std::size_t slot = 0; slot < kSlots; ++slot) {
            const std::size_t value = slot_value(wanted, slot);
            for (const std::size_t flip : near_values) {
                const auto part = rows_of(slot, value ^ flip);
                if (candidates.size() + part.size() > hashes.size() / kCandidatesPart) {
                    return std::nullopt;
                }
                candidates.insert(candidates.end(), part.begin(), part.end());
            }
        }
        return candidates;
    }
};

PdqIndex::PdqIndex() : tables_(std::make_shared<const Tables>(std::vector<PdqEntry>())) {}

PdqIndex::PdqIndex(std::shared_ptr<const Tables> tables, std::vector<PdqEntry> added,
                   std::vector<PrintId> removed, std::size_t size)
    : tables_(std::move(tables)),
      added_(std::move(added)),
      removed_(std::move(removed)),
      size_(size) {}

Result<PdqIndex> PdqIndex::create(std::vector<PdqEntry> entries) {
    if (entries.size() > kEntriesMax) {
        return too_many(entries.size());
    }
    const std::size_t size = entries.size();
    return PdqIndex(std::make_shared<const Tables>(std::move(entries)), {}, {}, size);
}

bool PdqIndex::is_removed(PrintId id) const {
    return std::ranges::binary_search(removed_, id);
}

Result<PdqIndex> PdqIndex::with(std::span<const PdqEntry> added,
                                std::span<const PrintId> removed) const {
    std::vector<PrintId> gone(removed.begin(), removed.end());
    std::ranges::sort(gone);
    const auto twice = std::ranges::unique(gone);
    gone.erase(twice.begin(), twice.end());
    std::vector<PdqEntry> kept;
    kept.reserve(added_.size() + added.size());
    std::ranges::copy_if(added_, std::back_inserter(kept), [&](const PdqEntry& entry) {
        return !std::ranges::binary_search(gone, entry.id);
    });
    kept.insert(kept.end(), added.begin(), added.end());

    std::vector<PrintId> newly_gone;
    std::ranges::set_difference(gone, removed_, std::back_inserter(newly_gone));
    std::size_t left = size_ - added_.size();
    if (!newly_gone.empty()) {
        left -= static_cast<std::size_t>(std::ranges::count_if(
            tables_->ids, [&](PrintId id) { return std::ranges::binary_search(newly_gone, id); }));
    }
    std::vector<PrintId> all_gone;
    std::ranges::set_union(removed_, gone, std::back_inserter(all_gone));
    if (left + kept.size() > kEntriesMax) {
        return too_many(left + kept.size());
    }
    if (kept.size() + all_gone.size() <= kChangesMax) {
        const std::size_t size = left + kept.size();
        return PdqIndex(tables_, std::move(kept), std::move(all_gone), size);
    }
    std::vector<PdqEntry> entries;
    entries.reserve(left + kept.size());
    for (std::size_t row = 0; row < tables_->ids.size(); ++row) {
        if (!std::ranges::binary_search(all_gone, tables_->ids[row])) {
            entries.push_back({tables_->hashes[row], tables_->ids[row]});
        }
    }
    entries.insert(entries.end(), kept.begin(), kept.end());
    return create(std::move(entries));
}

std::vector<PdqNear> PdqIndex::near(const PdqHash& hash, int radius) const {
    COLOPHON_ASSERT(radius >= 0 && radius <= static_cast<int>(kPdqBits));
    std::vector<PdqNear> result;
    for (const Hit& hit : tables_->find(hash, radius)) {
        if (!is_removed(tables_->ids[hit.row])) {
            result.push_back({.id = tables_->ids[hit.row],
                              .distance = static_cast<int>(hit.distance),
                              .hash = tables_->hashes[hit.row]});
        }
    }
    for (const PdqEntry& entry : added_) {
        const int bits = distance(entry.hash, hash);
        if (bits <= radius) {
            result.push_back({.id = entry.id, .distance = bits, .hash = entry.hash});
        }
    }
    std::ranges::sort(result, [](const PdqNear& a, const PdqNear& b) {
        return std::tie(a.distance, a.id, a.hash) < std::tie(b.distance, b.id, b.hash);
    });
    return result;
}

std::size_t PdqIndex::size() const noexcept {
    return size_;
}

std::size_t PdqIndex::memory_bytes() const noexcept {
    return tables_->hashes.size() * (sizeof(PdqHash) + sizeof(PrintId)) +
           (tables_->starts.size() + tables_->rows.size()) * sizeof(std::uint32_t) +
           added_.size() * sizeof(PdqEntry) + removed_.size() * sizeof(PrintId);
}

}  // namespace colophon::fingerprint
