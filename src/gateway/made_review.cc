// SPDX-License-Identifier: Apache-2.0
#include "gateway/made_review.h"

#include "core/bytes.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/held.h"
#include "gateway/parts.h"
#include "gateway/picture_review.h"
#include "gateway/refusal.h"
#include "review/entry.h"
#include "review/review.h"
#include "review/scope.h"

#include <chrono>
#include <functional>
#include <optional>

namespace colophon::gateway {

Task<std::optional<Refusal>> review_made_file(
    Gateway& gateway, Call& call, Bytes file,
    const std::function<Result<review::Verdict>()>& look) {
    const auto began = std::chrono::steady_clock::now();
    const auto verdict = co_await gateway.parts().workers.run(call.loop(), look);
    call.facts().durations.review_ms =
        call.facts().durations.review_ms.value_or(0) + milliseconds_since(began);
    if (!verdict.ok()) {
        const bool theirs = verdict.error().code == ErrorCode::kCorrupt ||
                            verdict.error().code == ErrorCode::kUnsupported;
        co_return theirs
            ? upstream_failure(verdict.error())
            : own_failure("review_failed", "a file could not be reviewed: " + verdict.error().what);
    }
    auto refusal = note_verdict(call, review::Stage::kOutput, *verdict);
    if (verdict->decision == review::Decision::kFlag) {
        note_flagged(gateway.stages(), call, file, media_type_of(file));
    }
    co_return refusal;
}

}  // namespace colophon::gateway
