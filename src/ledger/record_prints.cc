// SPDX-License-Identifier: Apache-2.0
// Prints of what went out, as a record has them: bands to find them by, and the prints masked.

#include "core/bytes.h"
#include "core/digest.h"
#include "core/hmac.h"
#include "core/ids.h"
#include "fingerprint/text.h"
#include "ledger/internal/record_rows.h"
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
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {

using storage::id_value;
using storage::Statement;

namespace {

constexpr Statement kInsertPrint{
    "INSERT INTO record_prints (record, number, kind, print, bands) VALUES ($1, $2, $3, $4, $5)"};
constexpr Statement kInsertBand{
    "INSERT INTO record_print_bands (kind, band, record, number) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT DO NOTHING"};

using PrintPlace = std::pair<RecordId, std::int64_t>;

// The newest prints that have this band; false when there are enough.
Result<bool> add_band(storage::Snapshot& snapshot, std::int64_t kind, std::int64_t band,
                      std::map<PrintPlace, Buffer>& found) {
    static constexpr Statement kFind{
        "SELECT b.record, b.number, p.print FROM record_print_bands b "
        "JOIN record_prints p ON p.record = b.record AND p.number = b.number "
        "WHERE b.kind = $1 AND b.band = $2 ORDER BY b.record DESC LIMIT 1000"};
    static_assert(kRecordPageMax == 1000);
    const storage::Rows rows =
        TRY(snapshot.query(kFind, {storage::integer(kind), storage::integer(band)}));
    for (std::size_t row = 0; row < rows.size(); ++row) {
        if (found.size() >= kSimilarCandidatesMax) {
            return false;
        }
        const RecordId record = TRY(storage::id_at<RecordId>(rows, row, 0));
        const std::int64_t number = TRY(rows.integer(row, 1));
        const Bytes print = TRY(rows.bytes(row, 2));
        found.try_emplace({record, number}, to_buffer(print));
    }
    return true;
}

std::array<std::uint8_t, 8> eight_bytes(std::int64_t value) {
    std::array<std::uint8_t, 8> out{};
    auto rest = static_cast<std::uint64_t>(value);
    for (std::size_t i = out.size(); i-- > 0;) {
        out[i] = static_cast<std::uint8_t>(rest);
        rest >>= 8U;
    }
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
    std::map<PrintPlace, Buffer> found;
    SimilarRecords newest;
    const auto body = [&](storage::Snapshot& snapshot) -> Result<void> {
        for (const std::int64_t band : bands) {
            newest.cut = !TRY(add_band(snapshot, kind, keyed_band(kind, band), found));
            if (newest.cut) {
                break;
            }
        }
        return {};
    };
    TRY(store_.snapshot(body));
    // Ids begin with their time: the newest are the last.
    for (auto each = found.rbegin(); each != found.rend(); ++each) {
        const auto& [record, number] = each->first;
        newest.found.push_back({record, masked(record, number, each->second)});
    }
    return newest;
}

std::int64_t Records::keyed_band(std::int64_t kind, std::int64_t band) const {
    const Digest256 digest =
        digest_key_.of({as_bytes("print.band"), eight_bytes(kind), eight_bytes(band)});
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        number = (number << 8U) | digest[i];
    }
    return static_cast<std::int64_t>(number);
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

void Records::add_prints(storage::Batch& batch, const RecordId& record,
                         std::span<const Print> prints) const {
    std::int64_t number = 0;
    for (const Print& print : prints) {
        Buffer bands;
        for (const std::int64_t plain : print.bands) {
            const std::int64_t band = keyed_band(print.kind, plain);
            colophon::append(bands, eight_bytes(band));
            batch.operations.push_back({kInsertBand,
                                        {storage::integer(print.kind), storage::integer(band),
                                         id_value(record), storage::integer(number)}});
        }
        batch.operations.push_back(
            {kInsertPrint,
             {id_value(record), storage::integer(number), storage::integer(print.kind),
              storage::bytes(masked(record, number, print.print)), storage::bytes(bands)}});
        ++number;
    }
}

Result<std::optional<Print>> Records::print_of_text(std::string_view text) const {
    fingerprint::TextPrintKey key;
    key.bytes = digest_key_.of({as_bytes("print.text")});
    return text_print(text, key);
}

Result<void> internal::remove_prints(storage::Transaction& transaction, Bytes record) {
    static constexpr Statement kFind{
        "SELECT number, kind, bands FROM record_prints WHERE record = $1"};
    static constexpr Statement kRemoveBand{
        "DELETE FROM record_print_bands WHERE kind = $1 AND band = $2 AND record = $3 "
        "AND number = $4"};
    static constexpr Statement kRemove{"DELETE FROM record_prints WHERE record = $1"};
    const storage::Rows rows = TRY(transaction.query(kFind, {storage::bytes(record)}));
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const std::int64_t number = TRY(rows.integer(row, 0));
        const std::int64_t kind = TRY(rows.integer(row, 1));
        const Bytes bands = TRY(rows.bytes(row, 2));
        for (std::size_t at = 0; at + 8 <= bands.size(); at += 8) {
            std::uint64_t band = 0;
            for (std::size_t i = at; i < at + 8; ++i) {
                band = (band << 8U) | bands[i];
            }
            TRY(transaction.execute(
                kRemoveBand,
                {storage::integer(kind), storage::integer(static_cast<std::int64_t>(band)),
                 storage::bytes(record), storage::integer(number)}));
        }
    }
    TRY(transaction.execute(kRemove, {storage::bytes(record)}));
    return {};
}

Result<void> Records::forget_prints(SubjectId subject) {
    static constexpr Statement kFind{
        "SELECT DISTINCT p.record FROM records r JOIN record_prints p ON p.record = r.id "
        "WHERE r.subject = $1 LIMIT 200"};
    for (;;) {
        std::size_t removed = 0;
        const auto body = [&](storage::Transaction& transaction) -> Result<void> {
            const storage::Rows rows = TRY(transaction.query(kFind, {id_value(subject)}));
            removed = rows.size();
            for (std::size_t row = 0; row < rows.size(); ++row) {
                const Bytes record = TRY(rows.bytes(row, 0));
                TRY(internal::remove_prints(transaction, record));
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
