// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a database says about its own tables. Tables whose names begin with "colophon_" are those of
// the storage module's machinery and are left out.

#include "storage/archive.h"
#include "storage/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace colophon::storage {

// In the order of names, columns in their own order.
Result<std::vector<ArchiveTable>> tables_of(Snapshot& snapshot);

struct SerialKey {
    std::string column;
    std::optional<std::int64_t> last;  // the largest number given; nothing without a SERIAL_KEY
};
Result<SerialKey> serial_of(Snapshot& snapshot, const std::string& table);
Result<void> set_serial(Transaction& transaction, const std::string& table,
                        const SerialKey& serial);

// Foreign keys wait until check_foreign_keys(), so that tables can be filled in any order.
Result<void> defer_foreign_keys(Transaction& transaction);
Result<void> check_foreign_keys(Transaction& transaction);

}  // namespace colophon::storage
