// SPDX-License-Identifier: Apache-2.0
#include "gateway/made_review.h"

#include "core/bytes.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/call.h"
#include "gateway/file_intake.h"
#include "gateway/file_prints.h"
#include "gateway/gateway.h"
#include "gateway/held.h"
#include "gateway/parts.h"
#include "gateway/picture_review.h"
#include "gateway/refusal.h"
#include "ledger/file_prints.h"
#include "ledger/record.h"
#include "review/entry.h"
#include "review/review.h"
#include "review/scope.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace colophon::gateway {

Task<std::optional<Refusal>> review_made_file(Gateway& gateway, Call& call, const MadeFile& made,
                                              const JudgeFile& look) {
    const auto began = std::chrono::steady_clock::now();
    ledger::FilePrint print;
    const auto judge = [&] { return look(print); };
    const auto verdict = co_await gateway.parts().workers.run(call.loop(), judge);
    if (print.kind.empty()) {
        const std::string why =
            verdict.ok() ? "no print could be made of it" : verdict.error().what;
        print = ledger::file_without_print(made.kind, why);
    }
    keep_print(call, review::Stage::kOutput, std::move(print));
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
    if (verdict->decision == review::Decision::kFlag &&
        keep_flagged(gateway.stages(), call, made.bytes)) {
        const auto content = co_await gateway.parts().blocking.run(call.loop(), made.content);
        if (!content.ok()) {
            co_return spool_failure(content.error());
        }
        note_flagged(gateway.stages(), call, *content, media_type_of(*content));
    }
    co_return refusal;
}

}  // namespace colophon::gateway
