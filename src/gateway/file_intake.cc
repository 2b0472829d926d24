// SPDX-License-Identifier: Apache-2.0
#include "gateway/file_intake.h"

#include "core/bytes.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "worker/spool.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

constexpr std::size_t kPendingBytes = 1U << 20U;  // so much is written at a time

}  // namespace

Task<Result<void>> FileIntake::put(std::string_view piece) {
    size_ += piece.size();
    pending_ += piece;
    if (pending_.size() < kPendingBytes) {
        co_return Result<void>();
    }
    const auto work = [this] { return write(); };
    co_return co_await parts_.blocking.run(loop_, work);
}

Result<void> FileIntake::write() {
    if (!file_) {
        file_ = TRY(parts_.spool.file(std::max<std::uint64_t>(expected_, pending_.size())));
    }
    TRY(file_->append(as_bytes(pending_)));
    hasher_.update(as_bytes(pending_));
    pending_.clear();
    return {};
}

Task<Result<FileIntake::Taken>> FileIntake::finish() {
    const auto work = [this] { return write(); };
    const auto written = co_await parts_.blocking.run(loop_, work);
    if (!written.ok()) {
        co_return written.error();
    }
    Taken taken{.file = std::move(*file_), .digest = hasher_.finish()};
    co_return taken;
}

Refusal spool_failure(const Error& error) {
    return own_failure(error.code == ErrorCode::kLimit ? "busy" : "file_unavailable",
                       "the file cannot be kept while it is looked at: " + error.what);
}

}  // namespace colophon::gateway
