// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows that belong to a record, for those who remove records.

#include "core/bytes.h"
#include "core/hmac.h"
#include "core/ids.h"
#include "core/result.h"
#include "ledger/internal/find_runs.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "storage/store.h"
#include "storage/value.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace colophon::ledger::internal {

// Whose data key seals the private half: the subject's, or the tenant's where no end user is known.
std::string owner_of(const Facts& facts);

// kLimit for more prints, bands or bytes than a record may have.
Result<void> check_prints(std::span<const Print> prints);

// What makes prints and bands say nothing without the installation's key.
class PrintKeys {
public:
    explicit PrintKeys(const HmacSha256& key) : key_(key) {}
    std::int64_t band(std::int64_t kind, std::int64_t band) const;
    // The same twice gives the print back: a stream of keyed blocks that no other print has.
    Buffer masked(const RecordId& record, std::int64_t number, Bytes print) const;

private:
    const HmacSha256& key_;
};

// Prints that stand with their record, in its row: kind (2) number (2) bytes (2) bands (2)
// print bands (8 each), big-endian. Bands that follow from the print (likeness.h) are left out, and
// their number is kBandsOfPrint.
inline constexpr std::size_t kBandsOfPrint = 0xFFFF;
struct KeptPrint {
    std::int64_t kind = 0;
    std::int64_t number = 0;
    Buffer print;  // masked
    bool bands_of_print = false;
    std::vector<std::uint64_t> bands;  // keyed
    bool operator==(const KeptPrint&) const = default;
};
void append_kept_print(Buffer& kept, const KeptPrint& print);
// kCorrupt when it is cut off.
Result<std::vector<KeptPrint>> read_kept_prints(Bytes kept);
// Of the column `prints` of the first row, if there is one.
Result<std::vector<KeptPrint>> kept_prints_at(const storage::Rows& rows, std::size_t column);

// Removes the prints of the record with this id, and their bands, but for what its own row has;
// what they are found by in runs joins `finds`.
Result<void> remove_prints(storage::Transaction& transaction, const PrintKeys& keys,
                           const RecordId& record, std::vector<Find>& finds);

}  // namespace colophon::ledger::internal
