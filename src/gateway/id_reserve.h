// SPDX-License-Identifier: Apache-2.0
#pragma once

// Content ids in store, so that a call does not wait for the transaction that takes a block.

#include "core/ids.h"
#include "core/result.h"
#include "core/thread_pool.h"
#include "http/loop.h"
#include "ledger/content_ids.h"

#include <cstddef>
#include <mutex>
#include <vector>

namespace colophon::gateway {

class IdReserve {
public:
    IdReserve(ledger::ContentIds& ids, ThreadPool& blocking) : ids_(ids), blocking_(blocking) {}

    Task<Result<ContentId>> take(Executor& executor);

private:
    static constexpr std::size_t kLow = 256;
    static constexpr std::size_t kFull = 1024;
    void refill();

    ledger::ContentIds& ids_;
    ThreadPool& blocking_;
    std::mutex mutex_;
    std::vector<ContentId> ready_;  // guarded by mutex_
    bool refilling_ = false;        // guarded by mutex_
};

}  // namespace colophon::gateway
