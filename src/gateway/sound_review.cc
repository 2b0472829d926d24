// SPDX-License-Identifier: Apache-2.0
#include "gateway/sound_review.h"

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
#include <optional>

namespace colophon::gateway {

Task<std::optional<Refusal>> review_sound(Gateway& gateway, Call& call, Bytes sound) {
    if (!call.settings->reviewer->has_sounds()) {
        co_return std::nullopt;
    }
    const auto began = std::chrono::steady_clock::now();
    const auto look = [&]() -> Result<review::Verdict> {
        const auto print = gateway.parts().media.sound_print(sound);
        if (!print.ok()) {
            return print.error();
        }
        return reviewer_of(call, review::Stage::kOutput)->review(*print);
    };
    const auto verdict = co_await gateway.parts().workers.run(call.loop(), look);
    call.facts().durations.review_ms =
        call.facts().durations.review_ms.value_or(0) + milliseconds_since(began);
    if (!verdict.ok()) {
        const bool theirs = verdict.error().code == ErrorCode::kCorrupt ||
                            verdict.error().code == ErrorCode::kUnsupported;
        co_return theirs ? upstream_failure(verdict.error())
                         : own_failure("review_failed",
                                       "a sound could not be reviewed: " + verdict.error().what);
    }
    auto refusal = note_verdict(call, review::Stage::kOutput, *verdict);
    if (verdict->decision == review::Decision::kFlag) {
        note_flagged(gateway.stages(), call, sound, media_type_of(sound));
    }
    co_return refusal;
}

}  // namespace colophon::gateway
