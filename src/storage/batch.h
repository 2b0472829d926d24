// SPDX-License-Identifier: Apache-2.0
#pragma once

// A batch that was prepared beforehand, as a part of a larger change: the record of an act inside
// the transaction of the act.

#include "core/result.h"
#include "storage/store.h"

#include <cstdint>

namespace colophon::storage {

// Its operations in their order; such a batch has no inserts and no notifications.
inline Result<void> execute_batch(Transaction& transaction, const Batch& batch) {
    for (const Operation& operation : batch.operations) {
        const std::int64_t changed =
            TRY(transaction.execute(operation.statement, operation.parameters));
        const auto wanted = operation.wanted_rows();
        if (wanted && changed != *wanted) {
            return Error{ErrorCode::kConflict, "a change did not meet as many rows as it should"};
        }
    }
    return {};
}

}  // namespace colophon::storage
