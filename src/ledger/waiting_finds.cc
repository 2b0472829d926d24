// SPDX-License-Identifier: Apache-2.0
#include "ledger/internal/waiting_finds.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/result.h"
#include "ledger/internal/find_runs.h"
#include "ledger/internal/outbox.h"
#include "storage/store.h"
#include "storage/value.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::ledger::internal {

namespace {

constexpr std::size_t kHeadBytes = 6;
constexpr std::size_t kBandBytes = 8;
constexpr std::size_t kKeyBytes = 8;
constexpr std::size_t kDigestBytes = Digest256().size();

Error cut_off() {
    return Error{ErrorCode::kCorrupt, "what a waiting record is found by is cut off"};
}

}  // namespace

Buffer pack_digests(std::vector<Digest256> digests) {
    std::ranges::sort(digests);
    const auto doubled = std::ranges::unique(digests);
    digests.erase(doubled.begin(), doubled.end());
    Buffer packed;
    packed.reserve(digests.size() * kDigestBytes);
    for (const Digest256& digest : digests) {
        append(packed, digest);
    }
    return packed;
}

Result<std::vector<Digest256>> unpack_digests(Bytes packed) {
    if (packed.size() % kDigestBytes != 0) {
        return cut_off();
    }
    std::vector<Digest256> digests(packed.size() / kDigestBytes);
    for (std::size_t i = 0; i < digests.size(); ++i) {
        std::ranges::copy(packed.subspan(i * kDigestBytes, kDigestBytes), digests[i].begin());
    }
    return digests;
}

Buffer pack_bands(std::span<const PrintBands> prints) {
    Buffer packed;
    for (const PrintBands& print : prints) {
        std::vector<std::int64_t> bands = print.bands;
        std::ranges::sort(bands);
        const auto doubled = std::ranges::unique(bands);
        bands.erase(doubled.begin(), doubled.end());
        append_be16(packed, static_cast<std::uint16_t>(print.kind));
        append_be16(packed, static_cast<std::uint16_t>(print.number));
        append_be16(packed, static_cast<std::uint16_t>(bands.size()));
        for (const std::int64_t band : bands) {
            append_be64(packed, static_cast<std::uint64_t>(band));
        }
    }
    return packed;
}

Result<std::vector<PrintBands>> unpack_bands(Bytes packed) {
    std::vector<PrintBands> prints;
    while (!packed.empty()) {
        if (packed.size() < kHeadBytes) {
            return cut_off();
        }
        PrintBands print{.kind = load_be16(packed),
                         .number = load_be16(packed.subspan(2)),
                         .bands = std::vector<std::int64_t>(load_be16(packed.subspan(4)))};
        packed = packed.subspan(kHeadBytes);
        if (packed.size() / kBandBytes < print.bands.size()) {
            return cut_off();
        }
        for (std::int64_t& band : print.bands) {
            band = static_cast<std::int64_t>(load_be64(packed));
            packed = packed.subspan(kBandBytes);
        }
        prints.push_back(std::move(print));
    }
    return prints;
}

Buffer pack_owners(const RecordOwners& owners) {
    Buffer packed;
    packed.reserve(2 + 2 * kKeyBytes);
    append_be16(packed, static_cast<std::uint16_t>(owners.kind));
    append_be64(packed, owners.tenant);
    if (owners.subject) {
        append_be64(packed, *owners.subject);
    }
    return packed;
}

Result<RecordOwners> unpack_owners(Bytes packed) {
    if (packed.size() != 2 + kKeyBytes && packed.size() != 2 + 2 * kKeyBytes) {
        return cut_off();
    }
    RecordOwners owners{
        .kind = load_be16(packed), .tenant = load_be64(packed.subspan(2)), .subject = std::nullopt};
    if (packed.size() > 2 + kKeyBytes) {
        owners.subject = load_be64(packed.subspan(2 + kKeyBytes));
    }
    return owners;
}

void add_owner_finds(std::vector<Find>& finds, Bytes record, const RecordOwners& owners) {
    finds.push_back(make_find(kTenantFind, owners.tenant, record, owners.kind));
    if (owners.subject) {
        finds.push_back(make_find(kSubjectFind, *owners.subject, record, owners.kind));
    }
}

Result<RecordId> record_id_of(Bytes record) {
    RecordId id;
    if (record.size() != id.bytes.size()) {
        return Error{ErrorCode::kCorrupt, "a stored record id has not 16 bytes"};
    }
    std::ranges::copy(record, id.bytes.begin());
    return id;
}

Bytes bytes_in(const storage::Values& row, std::size_t column) noexcept {
    const auto* bytes = std::get_if<Buffer>(&row[column]);
    return bytes == nullptr ? Bytes() : Bytes(*bytes);
}

Result<void> FoundBy::add(const WaitingLeaf& leaf) {
    const Bytes record = leaf.record;
    const std::vector<Digest256> keyed = TRY(unpack_digests(leaf.digests));
    const std::vector<PrintBands> prints = TRY(unpack_bands(leaf.bands));
    if (!leaf.owners.empty()) {  // those of before are found by their row
        add_owner_finds(finds_, record, TRY(unpack_owners(leaf.owners)));
    }
    for (const Digest256& digest : keyed) {
        finds_.push_back(make_find(kDigestFind, digest_find_key(digest), record, 0));
    }
    for (const PrintBands& print : prints) {
        for (const std::int64_t band : print.bands) {
            if (lies_in_runs(print.kind)) {
                finds_.push_back(
                    make_find(print.kind, static_cast<std::uint64_t>(band), record, print.number));
            } else {
                bands_.push_back({storage::integer(print.kind), storage::integer(band),
                                  storage::bytes(record), storage::integer(print.number)});
            }
        }
    }
    return {};
}

std::vector<storage::BulkInsert> FoundBy::take_rows() {
    std::vector<storage::BulkInsert> inserts;
    if (!bands_.empty()) {
        std::ranges::sort(bands_);
        inserts.push_back({"record_print_bands",
                           {"kind", "band", "record", "number"},
                           std::exchange(bands_, {})});
    }
    return inserts;
}

}  // namespace colophon::ledger::internal
