// SPDX-License-Identifier: Apache-2.0
#pragma once

// A batch that was prepared beforehand, as a part of a larger change: the record of an act inside
// the transaction of the act.

#include "core/result.h"
#include "storage/store.h"

namespace colophon::storage {

// Its operations in their order; such a batch has no inserts and no notifications.
inline Result<void> execute_batch(Transaction& transaction, const Batch& batch) {
    for (const Operation& operation : batch.operations) {
        TRY(transaction.execute(operation.statement, operation.parameters));
    }
    return {};
}

}  // namespace colophon::storage
