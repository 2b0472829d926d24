// SPDX-License-Identifier: Apache-2.0
#include "gateway/sound_review.h"

#include "core/bytes.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/made_review.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "review/review.h"
#include "review/scope.h"

#include <functional>
#include <optional>

namespace colophon::gateway {

Task<std::optional<Refusal>> review_sound(Gateway& gateway, Call& call, Bytes sound) {
    if (!call.settings->reviewer->has_sounds()) {
        co_return std::nullopt;
    }
    const std::function<Result<review::Verdict>()> look = [&]() -> Result<review::Verdict> {
        const auto print = gateway.parts().media.sound_print(sound);
        if (!print.ok()) {
            return print.error();
        }
        return reviewer_of(call, review::Stage::kOutput)->review(*print);
    };
    co_return co_await review_made_file(gateway, call, sound, look);
}

}  // namespace colophon::gateway
