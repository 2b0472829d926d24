// SPDX-License-Identifier: Apache-2.0
#include "gateway/picture_review.h"

#include "core/bytes.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/file_prints.h"
#include "gateway/gateway.h"
#include "gateway/held.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "label/format.h"
#include "ledger/file_prints.h"
#include "review/entry.h"
#include "review/review.h"
#include "review/scope.h"

#include <chrono>
#include <optional>
#include <string_view>

namespace colophon::gateway {

std::string_view media_type_of(Bytes picture) {
    const auto format = label::detect_format(picture, "");
    return format ? label::facts(*format).media_type : std::string_view("application/octet-stream");
}

Task<std::optional<Refusal>> review_picture(Gateway& gateway, Call& call, review::Stage stage,
                                            Bytes picture) {
    if (!call.settings->reviewer->has_pictures()) {
        co_await print_picture(gateway, call, stage, picture);
        co_return std::nullopt;
    }
    const auto began = std::chrono::steady_clock::now();
    const auto hash = [&] { return gateway.parts().media.picture_hashes(picture); };
    const auto hashes = co_await gateway.parts().workers.run(call.loop(), hash);
    if (!hashes.ok()) {
        keep_unprinted(call, stage, ledger::kPictureFile, hashes.error().what);
        const bool theirs = hashes.error().code == ErrorCode::kCorrupt ||
                            hashes.error().code == ErrorCode::kUnsupported;
        if (theirs && stage == review::Stage::kInput) {
            co_return invalid_request("a picture cannot be reviewed: " + hashes.error().what,
                                      "image");
        }
        if (theirs) {
            co_return upstream_failure(hashes.error());
        }
        co_return own_failure("review_failed", "a picture could not be reviewed now");
    }
    keep_print(call, stage, ledger::picture_file(*hashes));
    review::Verdict verdict = reviewer_of(call, stage)->review(*hashes);
    call.facts().durations.review_ms =
        call.facts().durations.review_ms.value_or(0) + milliseconds_since(began);
    if (stage == review::Stage::kInput && verdict.decision == review::Decision::kHold) {
        const HeldInput input{.text = call.record.personal.input,
                              .file = picture,
                              .media_type = media_type_of(picture),
                              .verdict = verdict};
        co_return co_await held_input(gateway.stages(), call, input);
    }
    auto refusal = note_verdict(call, stage, verdict);
    if (verdict.decision == review::Decision::kFlag) {
        note_flagged(gateway.stages(), call, picture, media_type_of(picture));
    }
    co_return refusal;
}

}  // namespace colophon::gateway
