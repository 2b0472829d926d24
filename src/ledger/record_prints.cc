// SPDX-License-Identifier: Apache-2.0
// Prints of what went out, as a record has them: bands to find them by, and the prints masked.

#include "core/bytes.h"
#include "core/digest.h"
#include "core/hmac.h"
#include "core/ids.h"
#include "ledger/internal/find_runs.h"
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
#include <map>
#include <optional>
#include <ranges>
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
        static constexpr Statement kWaiting{
            "SELECT record, bands FROM log_outbox WHERE bands IS NOT NULL ORDER BY record DESC"};
        std::vector<PrintPlace> places;
        const auto each = [&](const storage::Values& row) -> Result<void> {
            const RecordId record = TRY(internal::record_in(row));
            const auto prints = TRY(internal::unpack_bands(internal::bytes_in(row, 1)));
            for (const internal::PrintBands& print : prints) {
                if (print.kind != kind_ || !shares(print.bands)) {
                    continue;
                }
                cut_ = cut_ || places.size() == kSimilarCandidatesMax;
                if (!cut_) {
                    places.emplace_back(record, print.number);
                }
            }
            return {};
        };
        TRY(snapshot_.visit(kWaiting, {}, each));
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
        static constexpr Statement kPrint{
            "SELECT print FROM record_prints WHERE record = $1 AND number = $2"};
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
    std::map<PrintPlace, Buffer> found_;
    bool cut_ = false;
};

std::array<std::uint8_t, 8> eight_bytes(std::int64_t value) {
    std::array<std::uint8_t, 8> out{};
    store_be64(out, 0, static_cast<std::uint64_t>(value));
    return out;
}

}  // namespace

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
                           [&](std::int64_t band) { return keyed_band(kind, band); });
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
            newest.found.push_back({place.first, masked(place.first, place.second, print)});
        }
        return {};
    };
    TRY(store_.snapshot(body));
    return newest;
}

std::int64_t Records::keyed_band(std::int64_t kind, std::int64_t band) const {
    const Digest256 digest =
        digest_key_.of({as_bytes("print.band"), eight_bytes(kind), eight_bytes(band)});
    return static_cast<std::int64_t>(load_be64(digest));
}

// The same twice gives the print back: a stream of keyed blocks that no other print has.
Buffer Records::masked(const RecordId& record, std::int64_t number, Bytes print) const {
    Buffer out = to_buffer(print);
    for (std::size_t at = 0; at < out.size(); at += 32) {
        const Digest256 block =
            digest_key_.of({as_bytes("print.mask"), record.bytes, eight_bytes(number),
                            eight_bytes(static_cast<std::int64_t>(at))});
        for (std::size_t i = at; i < std::min(out.size(), at + block.size()); ++i) {
            out[i] ^= block[i - at];
        }
    }
    return out;
}

Buffer Records::add_prints(storage::Batch& batch, const RecordId& record,
                           std::span<const Print> prints) const {
    std::vector<internal::PrintBands> waiting;
    std::int64_t number = 0;
    for (const Print& print : prints) {
        Buffer bands;
        internal::PrintBands& keyed = waiting.emplace_back();
        keyed.kind = print.kind;
        keyed.number = number;
        for (const std::int64_t plain : print.bands) {
            const std::int64_t band = keyed_band(print.kind, plain);
            append_be64(bands, static_cast<std::uint64_t>(band));
            keyed.bands.push_back(band);
        }
        batch.operations.push_back(
            {kInsertPrint,
             {id_value(record), storage::integer(number), storage::integer(print.kind),
              storage::bytes(masked(record, number, print.print)), storage::bytes(bands)}});
        ++number;
    }
    return internal::pack_bands(waiting);
}

Result<std::vector<Print>> Records::prints_of(RecordId record) {
    static constexpr Statement kFind{
        "SELECT number, kind, print FROM record_prints WHERE record = $1 ORDER BY number"};
    const storage::Rows rows = TRY(store_.query(kFind, {id_value(record)}));
    std::vector<Print> prints;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const std::int64_t number = TRY(rows.integer(row, 0));
        const Bytes print = TRY(rows.bytes(row, 2));
        Print& found = prints.emplace_back();
        found.kind = TRY(rows.integer(row, 1));
        found.print = masked(record, number, print);
    }
    return prints;
}

Result<std::optional<Print>> Records::print_of_text(std::string_view text) const {
    return text_print(text, text_printer_);
}

Result<void> internal::remove_prints(storage::Transaction& transaction, Bytes record) {
    static constexpr Statement kFind{
        "SELECT number, kind, bands FROM record_prints WHERE record = $1"};
    static constexpr Statement kRemoveBand{
        "DELETE FROM record_print_bands WHERE kind = $1 AND band = $2 AND record = $3 "
        "AND number = $4"};
    static constexpr Statement kRemove{"DELETE FROM record_prints WHERE record = $1"};
    const storage::Rows rows = TRY(transaction.query(kFind, {storage::bytes(record)}));
    std::vector<Find> finds;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const std::int64_t number = TRY(rows.integer(row, 0));
        const std::int64_t kind = TRY(rows.integer(row, 1));
        const Bytes bands = TRY(rows.bytes(row, 2));
        for (std::size_t at = 0; at + 8 <= bands.size(); at += 8) {
            const std::uint64_t band = load_be64(bands.subspan(at));
            if (lies_in_runs(kind)) {
                finds.push_back(make_find(kind, band, record, number));
            }
            TRY(transaction.execute(
                kRemoveBand,
                {storage::integer(kind), storage::integer(static_cast<std::int64_t>(band)),
                 storage::bytes(record), storage::integer(number)}));
        }
    }
    TRY(remove_finds(transaction, record, finds));
    TRY(transaction.execute(kRemove, {storage::bytes(record)}));
    return {};
}

Result<void> Records::forget_prints(SubjectId subject) {
    static constexpr Statement kFind{
        "SELECT DISTINCT p.record FROM records r JOIN record_prints p ON p.record = r.id "
        "WHERE r.subject = $1 LIMIT 200"};
    static constexpr Statement kForgetWaiting{
        "UPDATE log_outbox SET bands = NULL WHERE log IN (1, 2) AND record = $1"};
    for (;;) {
        std::size_t removed = 0;
        const auto body = [&](storage::Transaction& transaction) -> Result<void> {
            const storage::Rows rows = TRY(transaction.query(kFind, {id_value(subject)}));
            removed = rows.size();
            for (std::size_t row = 0; row < rows.size(); ++row) {
                const Bytes record = TRY(rows.bytes(row, 0));
                TRY(internal::remove_prints(transaction, record));
                TRY(transaction.execute(kForgetWaiting, {storage::bytes(record)}));
            }
            return {};
        };
        TRY(store_.transact(body));
        if (removed == 0) {
            return {};
        }
    }
}

}  // namespace colophon::ledger
