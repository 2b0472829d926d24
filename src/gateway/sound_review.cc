// SPDX-License-Identifier: Apache-2.0
#include "gateway/sound_review.h"

#include "core/bytes.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/file_prints.h"
#include "gateway/gateway.h"
#include "gateway/held.h"
#include "gateway/made_review.h"
#include "gateway/parts.h"
#include "gateway/picture_review.h"
#include "gateway/refusal.h"
#include "gateway/settings.h"
#include "ledger/file_prints.h"
#include "ledger/record.h"
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
    const JudgeFile look = [&](ledger::FilePrint& print) -> Result<review::Verdict> {
        const auto heard = gateway.parts().media.sound_print(sound);
        if (!heard.ok()) {
            return heard.error();
        }
        print = ledger::sound_file(*heard);
        return reviewer_of(call, review::Stage::kOutput)->review(*heard);
    };
    const MadeFile made{.bytes = sound.size(),
                        .content = [&] { return Result<Buffer>(to_buffer(sound)); },
                        .kind = ledger::kSoundFile};
    co_return co_await review_made_file(gateway, call, made, look);
}

Task<Result<std::optional<Refusal>>> review_input_sound(Gateway& gateway, Call& call, Bytes sound) {
    const auto began = std::chrono::steady_clock::now();
    const auto look = [&] { return gateway.parts().media.sound_print(sound); };
    const auto print = co_await gateway.parts().workers.run(call.loop(), look);
    if (!print.ok()) {
        keep_unprinted(call, review::Stage::kInput, ledger::kSoundFile, print.error().what);
        const bool theirs = print.error().code == ErrorCode::kCorrupt ||
                            print.error().code == ErrorCode::kUnsupported;
        co_return theirs ? print.error() : Error{ErrorCode::kUnavailable, print.error().what};
    }
    keep_print(call, review::Stage::kInput, ledger::sound_file(*print));
    review::Verdict verdict = reviewer_of(call, review::Stage::kInput)->review(*print);
    call.facts().durations.review_ms =
        call.facts().durations.review_ms.value_or(0) + milliseconds_since(began);
    if (!verdict.blocked() && call.settings->chat_sounds == ChatSounds::kHold) {
        verdict.decision = review::Decision::kHold;
        verdict.category = "unheard";
        verdict.rule = "chat_sounds";
        verdict.entries.push_back(verdict.rule);
    }
    std::optional<Refusal> refusal;
    if (verdict.decision == review::Decision::kHold) {
        // The text is what was asked beside it; both are what people release.
        const HeldInput input{.text = call.record.personal.input,
                              .file = sound,
                              .media_type = media_type_of(sound),
                              .verdict = verdict};
        refusal = co_await held_input(gateway.stages(), call, input);
        co_return refusal;
    }
    refusal = note_verdict(call, review::Stage::kInput, verdict);
    if (verdict.decision == review::Decision::kFlag) {
        note_flagged(gateway.stages(), call, sound, media_type_of(sound));
    }
    co_return refusal;
}

}  // namespace colophon::gateway
