// SPDX-License-Identifier: Apache-2.0
#pragma once

// A record of a change, inside the transaction of the change.

#include "identity/recorder.h"
#include "storage/batch.h"
#include "storage/store.h"

namespace colophon::identity::internal {

inline Result<storage::Batch> prepare_record(const Recorder& recorder, const Change& change) {
    return recorder ? recorder(change) : Result<storage::Batch>(storage::Batch{});
}

inline Result<void> write_record(storage::Transaction& transaction, const storage::Batch& record) {
    return storage::execute_batch(transaction, record);
}

}  // namespace colophon::identity::internal
