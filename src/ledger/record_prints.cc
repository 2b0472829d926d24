// SPDX-License-Identifier: Apache-2.0
// Prints of what went out, as a record has them: bands to find them by, and the prints masked.

#include "core/bytes.h"
#include "core/digest.h"
#include "core/hmac.h"
#include "core/ids.h"
#include "ledger/internal/find_runs.h"
#include "ledger/internal/outbox.h"
#include "ledger/internal/owned_records.h"
#include "ledger/internal/record_rows.h"
#include "ledger/internal/waiting_finds.h"
#include "ledger/likeness.h"
#include "ledger/records.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <ranges>
#include <set>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace colophon::ledger {

using storage::id_value;
using storage::Statement;

namespace {

constexpr Statement kInsertPrint{
    "INSERT INTO record_prints (record, number, kind, print, bands) VALUES ($1, $2, $3, $4, $5)"};

using PrintPlace = std::pair<RecordId, std::int64_t>;

// Prints that share a band with a question, in the order of their records.
class SharedBands {
public:
    SharedBands(storage::Snapshot& snapshot, std::int64_t kind,
                const std::vector<std::int64_t>& bands)
        : snapshot_(snapshot), kind_(kind) {
        for (const std::int64_t band : bands) {
            left_.emplace(band, static_cast<std::int64_t>(kRecordPageMax));
        }
    }

    // Of records that the sequencer has not taken yet: the newest first.
    Result<void> look_at_waiting() {
        std::vector<PrintPlace> places;
        const auto each = [&](const internal::WaitingLeaf& leaf) -> Result<void> {
            const RecordId record = TRY(internal::record_id_of(leaf.record));
            for (const internal::PrintBands& print : TRY(internal::unpack_bands(leaf.bands))) {
                if (print.kind == kind_) {
                    waiting_.emplace(PrintPlace(record, print.number), print.bands);
                }
            }
            return {};
        };
        TRY(internal::visit_outboxes(snapshot_, each));
        for (const auto& [place, bands] : std::views::reverse(waiting_)) {
            if (!shares(bands)) {
                continue;
            }
            cut_ = cut_ || places.size() == kSimilarCandidatesMax;
            if (!cut_) {
                places.push_back(place);
            }
        }
        for (const PrintPlace& place : places) {
            TRY(read_print(place));
        }
        return {};
    }

    // The newest that have this band.
    Result<void> look_at(std::int64_t band) {
        if (internal::lies_in_runs(kind_)) {
            TRY(look_into_runs(band));
        }
        return look_into_index(band);
    }

    bool cut() const noexcept { return cut_; }  // there are more than kSimilarCandidatesMax
    const std::map<PrintPlace, Buffer>& found() const noexcept { return found_; }

private:
    Result<void> look_into_runs(std::int64_t band) {
        std::int64_t& left = left_.at(band);
        if (left <= 0) {
            return {};
        }
        if (!runs_) {
            runs_.emplace(TRY(internal::FindRuns::open(snapshot_)));
        }
        for (const PrintPlace& place : TRY(runs_->newest(kind_, static_cast<std::uint64_t>(band),
                                                         static_cast<std::size_t>(left)))) {
            if (found_.size() >= kSimilarCandidatesMax) {
                cut_ = true;
                return {};
            }
            --left;
            if (!found_.contains(place)) {
                TRY(read_print(place));
            }
        }
        return {};
    }

    // Of kinds that have an index, and of texts that were kept before there were runs.
    Result<void> look_into_index(std::int64_t band) {
        static constexpr Statement kFind{
            "SELECT b.record, b.number, p.print FROM record_print_bands b "
            "JOIN record_prints p ON p.record = b.record AND p.number = b.number "
            "WHERE b.kind = $1 AND b.band = $2 ORDER BY b.record DESC LIMIT $3"};
        const std::int64_t left = left_.at(band);
        if (left <= 0) {
            return {};
        }
        const storage::Rows rows = TRY(snapshot_.query(
            kFind, {storage::integer(kind_), storage::integer(band), storage::integer(left)}));
        for (std::size_t row = 0; row < rows.size(); ++row) {
            if (found_.size() >= kSimilarCandidatesMax) {
                cut_ = true;
                return {};
            }
            const RecordId record = TRY(storage::id_at<RecordId>(rows, row, 0));
            const std::int64_t number = TRY(rows.integer(row, 1));
            const Bytes print = TRY(rows.bytes(row, 2));
            found_.try_emplace({record, number}, to_buffer(print));
        }
        return {};
    }

    bool shares(const std::vector<std::int64_t>& bands) {
        bool shared = false;
        for (const std::int64_t band : bands) {
            const auto asked = left_.find(band);
            if (asked != left_.end() && asked->second > 0) {
                --asked->second;
                shared = true;
            }
        }
        return shared;
    }

    Result<void> read_print(const PrintPlace& place) {
        static constexpr Statement kKept{"SELECT prints FROM records WHERE id = $1"};
        static constexpr Statement kPrint{
            "SELECT print FROM record_prints WHERE record = $1 AND number = $2"};
        if (internal::lies_in_runs(kind_)) {
            const storage::Rows rows = TRY(snapshot_.query(kKept, {id_value(place.first)}));
            for (internal::KeptPrint& kept : TRY(internal::kept_prints_at(rows, 0))) {
                if (kept.number == place.second) {
                    found_.try_emplace(place, std::move(kept.print));
                    return {};
                }
            }
        }
        const storage::Rows rows =
            TRY(snapshot_.query(kPrint, {id_value(place.first), storage::integer(place.second)}));
        if (!rows.empty()) {
            const Bytes print = TRY(rows.bytes(0, 0));
            found_.try_emplace(place, to_buffer(print));
        }
        return {};
    }

    storage::Snapshot& snapshot_;
    std::int64_t kind_;
    std::unordered_map<std::int64_t, std::int64_t> left_;  // how many more of each band are read
    std::optional<internal::FindRuns> runs_;               // once somebody looks
    std::map<PrintPlace, std::vector<std::int64_t>> waiting_;
    std::map<PrintPlace, Buffer> found_;
    bool cut_ = false;
};

std::array<std::uint8_t, 8> eight_bytes(std::int64_t value) {
    std::array<std::uint8_t, 8> out{};
    store_be64(out, 0, static_cast<std::uint64_t>(value));
    return out;
}

}  // namespace

void internal::append_kept_print(Buffer& kept, const KeptPrint& print) {
    append_be16(kept, static_cast<std::uint16_t>(print.kind));
    append_be16(kept, static_cast<std::uint16_t>(print.number));
    append_be16(kept, static_cast<std::uint16_t>(print.print.size()));
    append_be16(kept, static_cast<std::uint16_t>(print.bands_of_print ? kBandsOfPrint
                                                                      : print.bands.size()));
    append(kept, print.print);
    if (print.bands_of_print) {
        return;
    }
    for (const std::uint64_t band : print.bands) {
        append_be64(kept, band);
    }
}

Result<std::vector<internal::KeptPrint>> internal::read_kept_prints(Bytes kept) {
    constexpr std::size_t kHead = 8;
    std::vector<KeptPrint> prints;
    while (!kept.empty()) {
        const std::size_t size = kept.size() < kHead ? 0 : load_be16(kept.subspan(4));
        const std::size_t said = kept.size() < kHead ? 0 : load_be16(kept.subspan(6));
        const std::size_t bands = said == kBandsOfPrint ? 0 : said;
        if (kept.size() < kHead + size + bands * 8) {
            return Error{ErrorCode::kCorrupt, "what a record keeps of its texts is cut off"};
        }
        KeptPrint& print = prints.emplace_back();
        print.kind = load_be16(kept);
        print.number = load_be16(kept.subspan(2));
        print.print = to_buffer(kept.subspan(kHead, size));
        print.bands_of_print = said == kBandsOfPrint;
        for (std::size_t i = 0; i < bands; ++i) {
            print.bands.push_back(load_be64(kept.subspan(kHead + size + i * 8)));
        }
        kept = kept.subspan(kHead + size + bands * 8);
    }
    return prints;
}

Result<std::vector<internal::KeptPrint>> internal::kept_prints_at(const storage::Rows& rows,
                                                                  std::size_t column) {
    if (rows.empty() || rows.is_null(0, column)) {
        return std::vector<KeptPrint>();
    }
    const Bytes kept = TRY(rows.bytes(0, column));
    return read_kept_prints(kept);
}

Result<void> internal::check_prints(std::span<const Print> prints) {
    if (prints.size() > kRecordPrintsMax) {
        return Error{ErrorCode::kLimit, fmt::format("a record has {} prints, more than {}",
                                                    prints.size(), kRecordPrintsMax)};
    }
    for (const Print& print : prints) {
        if (print.bands.size() > kPrintBandsMax) {
            return Error{ErrorCode::kLimit, fmt::format("a print has {} bands, more than {}",
                                                        print.bands.size(), kPrintBandsMax)};
        }
        if (print.print.size() > kPrintBytesMax) {
            return Error{ErrorCode::kLimit, fmt::format("a print has {} bytes, more than {}",
                                                        print.print.size(), kPrintBytesMax)};
        }
    }
    return {};
}

Result<SimilarRecords> Records::find_similar(std::int64_t kind,
                                             std::span<const std::int64_t> bands) {
    if (bands.size() > kSimilarBandsMax) {
        return Error{ErrorCode::kLimit, fmt::format("a question has {} bands, more than {}",
                                                    bands.size(), kSimilarBandsMax)};
    }
    std::vector<std::int64_t> keyed(bands.size());
    std::ranges::transform(bands, keyed.begin(),
                           [&](std::int64_t band) { return print_keys().band(kind, band); });
    SimilarRecords newest;
    // Of one state: what the sequencer takes meanwhile is in one of both.
    const auto body = [&](storage::Snapshot& snapshot) -> Result<void> {
        SharedBands shared(snapshot, kind, keyed);
        TRY(shared.look_at_waiting());
        for (auto band = keyed.begin(); band != keyed.end() && !shared.cut(); ++band) {
            TRY(shared.look_at(*band));
        }
        newest.cut = shared.cut();
        // Ids begin with their time: the newest are the last.
        for (const auto& [place, print] : std::views::reverse(shared.found())) {
            newest.found.push_back(
                {place.first, print_keys().masked(place.first, place.second, print)});
        }
        return {};
    };
    TRY(store_.snapshot(body));
    return newest;
}

std::int64_t internal::PrintKeys::band(std::int64_t kind, std::int64_t band) const {
    const Digest256 digest =
        key_.of({as_bytes("print.band"), eight_bytes(kind), eight_bytes(band)});
    return static_cast<std::int64_t>(load_be64(digest));
}

Buffer internal::PrintKeys::masked(const RecordId& record, std::int64_t number, Bytes print) const {
    Buffer out = to_buffer(print);
    for (std::size_t at = 0; at < out.size(); at += 32) {
        const Digest256 block = key_.of({as_bytes("print.mask"), record.bytes, eight_bytes(number),
                                         eight_bytes(static_cast<std::int64_t>(at))});
        for (std::size_t i = at; i < std::min(out.size(), at + block.size()); ++i) {
            out[i] ^= block[i - at];
        }
    }
    return out;
}

internal::PrintKeys Records::print_keys() const {
    return internal::PrintKeys(digest_key_);
}

Records::PrintColumns Records::add_prints(storage::Batch& batch, const RecordId& record,
                                          std::span<const Print> prints) const {
    const internal::PrintKeys keys = print_keys();
    PrintColumns columns;
    std::vector<internal::PrintBands> waiting;
    std::int64_t number = 0;
    for (const Print& print : prints) {
        internal::PrintBands& keyed = waiting.emplace_back();
        keyed.kind = print.kind;
        keyed.number = number;
        internal::KeptPrint kept{.kind = print.kind,
                                 .number = number,
                                 .print = keys.masked(record, number, print.print),
                                 .bands_of_print = false,
                                 .bands = {}};
        for (const std::int64_t plain : print.bands) {
            const std::int64_t band = keys.band(print.kind, plain);
            kept.bands.push_back(static_cast<std::uint64_t>(band));
            keyed.bands.push_back(band);
        }
        if (internal::lies_in_runs(print.kind)) {
            const auto usual = text_print_bands(print.print);
            kept.bands_of_print = usual.ok() && *usual == print.bands;
            internal::append_kept_print(columns.kept, kept);
        } else {
            Buffer bands;
            for (const std::uint64_t band : kept.bands) {
                append_be64(bands, band);
            }
            batch.operations.push_back(
                {kInsertPrint,
                 {id_value(record), storage::integer(number), storage::integer(print.kind),
                  storage::bytes(kept.print), storage::bytes(bands)}});
        }
        ++number;
    }
    columns.waiting = internal::pack_bands(waiting);
    return columns;
}

Result<std::vector<Print>> Records::prints_of(RecordId record) {
    static constexpr Statement kKept{"SELECT prints FROM records WHERE id = $1"};
    static constexpr Statement kFind{
        "SELECT number, kind, print FROM record_prints WHERE record = $1"};
    std::map<std::int64_t, Print> prints;
    const auto body = [&](storage::Snapshot& snapshot) -> Result<void> {
        prints.clear();
        const auto add = [&](std::int64_t number, std::int64_t kind, Bytes print) {
            prints[number] = {
                .kind = kind, .print = print_keys().masked(record, number, print), .bands = {}};
        };
        const storage::Rows kept = TRY(snapshot.query(kKept, {id_value(record)}));
        for (const internal::KeptPrint& print : TRY(internal::kept_prints_at(kept, 0))) {
            add(print.number, print.kind, print.print);
        }
        const storage::Rows rows = TRY(snapshot.query(kFind, {id_value(record)}));
        for (std::size_t row = 0; row < rows.size(); ++row) {
            const std::int64_t number = TRY(rows.integer(row, 0));
            const std::int64_t kind = TRY(rows.integer(row, 1));
            const Bytes print = TRY(rows.bytes(row, 2));
            add(number, kind, print);
        }
        return {};
    };
    TRY(store_.snapshot(body));
    std::vector<Print> found;
    found.reserve(prints.size());
    for (auto& [number, print] : prints) {
        found.push_back(std::move(print));
    }
    return found;
}

Result<std::optional<Print>> Records::print_of_text(std::string_view text) const {
    return text_print(text, text_printer_);
}

Result<void> internal::remove_prints(storage::Transaction& transaction, const PrintKeys& keys,
                                     const RecordId& record, std::vector<Find>& finds) {
    static constexpr Statement kKept{"SELECT prints FROM records WHERE id = $1"};
    static constexpr Statement kFind{
        "SELECT number, kind, bands FROM record_prints WHERE record = $1"};
    static constexpr Statement kRemoveBand{
        "DELETE FROM record_print_bands WHERE kind = $1 AND band = $2 AND record = $3 "
        "AND number = $4"};
    static constexpr Statement kRemove{"DELETE FROM record_prints WHERE record = $1"};
    const storage::Rows row_of_record = TRY(transaction.query(kKept, {id_value(record)}));
    for (KeptPrint& print : TRY(kept_prints_at(row_of_record, 0))) {
        if (print.bands_of_print) {
            const Buffer plain = keys.masked(record, print.number, print.print);
            const auto bands = TRY(text_print_bands(plain));
            print.bands.reserve(bands.size());
            for (const std::int64_t band : bands) {
                print.bands.push_back(static_cast<std::uint64_t>(keys.band(print.kind, band)));
            }
        }
        std::ranges::transform(print.bands, std::back_inserter(finds), [&](std::uint64_t band) {
            return make_find(print.kind, band, record.bytes, print.number);
        });
    }
    const storage::Rows rows = TRY(transaction.query(kFind, {id_value(record)}));
    if (rows.empty()) {
        return {};
    }
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const std::int64_t number = TRY(rows.integer(row, 0));
        const std::int64_t kind = TRY(rows.integer(row, 1));
        const Bytes bands = TRY(rows.bytes(row, 2));
        for (std::size_t at = 0; at + 8 <= bands.size(); at += 8) {
            const std::uint64_t band = load_be64(bands.subspan(at));
            if (lies_in_runs(kind)) {
                finds.push_back(make_find(kind, band, record.bytes, number));
            }
            TRY(transaction.execute(kRemoveBand, {storage::integer(kind),
                                                  storage::integer(static_cast<std::int64_t>(band)),
                                                  id_value(record), storage::integer(number)}));
        }
    }
    TRY(transaction.execute(kRemove, {id_value(record)}));
    return {};
}

Result<void> Records::forget_prints(SubjectId subject) {
    static constexpr std::size_t kRecordsAtOnce = 200;
    static constexpr Statement kForget{
        "UPDATE records SET prints = NULL WHERE id = $1 AND prints IS NOT NULL"};
    internal::FindRange range = internal::FindRange::all();
    for (;;) {
        std::vector<RecordId> ids;
        const auto body = [&](storage::Transaction& transaction) -> Result<void> {
            internal::OwnedRecords owned =
                TRY(internal::OwnedRecords::open(transaction, std::nullopt, subject));
            ids = TRY(owned.newest(range, kRecordsAtOnce));
            std::set<Buffer> records;
            for (const RecordId& id : ids) {
                std::vector<internal::Find> finds;
                TRY(internal::remove_prints(transaction, print_keys(), id, finds));
                TRY(internal::remove_finds(transaction, id.bytes, finds));
                TRY(transaction.execute(kForget, {id_value(id)}));
                records.insert(to_buffer(id.bytes));
            }
            return internal::forget_waiting_bands(transaction, records);
        };
        TRY(store_.transact(body));
        if (ids.size() < kRecordsAtOnce) {
            return {};
        }
        range.below = ids.back();
    }
}

}  // namespace colophon::ledger
