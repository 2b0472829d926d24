// SPDX-License-Identifier: Apache-2.0
#include "gateway/video_review.h"

#include "core/bytes.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/file_prints.h"
#include "gateway/gateway.h"
#include "gateway/made_review.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "label/format.h"
#include "ledger/file_prints.h"
#include "ledger/record.h"
#include "review/review.h"
#include "review/scope.h"
#include "worker/prints.h"
#include "worker/spool.h"

#include <optional>

namespace colophon::gateway {

Result<review::Verdict> judge_video(Media& media, const review::Reviewer& reviewer,
                                    const worker::SpooledFile& video, ledger::FilePrint& print) {
    if (!reviewer.has_videos()) {
        return review::Verdict();
    }
    const worker::FilePrints prints = TRY(media.video_prints(video));
    print = print_of_file(prints, label::Kind::kVideo);
    if (prints.sound_unread && reviewer.has_sounds()) {
        return Error{ErrorCode::kUnsupported,
                     "the sound of the video cannot be decoded, so it cannot be compared"};
    }
    return reviewer.review(*prints.video, prints.sound ? &*prints.sound : nullptr);
}

Task<std::optional<Refusal>> review_video(Gateway& gateway, Call& call,
                                          const worker::SpooledFile& video) {
    if (!call.settings->reviewer->has_videos()) {
        co_return std::nullopt;
    }
    const JudgeFile look = [&](ledger::FilePrint& print) {
        return judge_video(gateway.parts().media, *reviewer_of(call, review::Stage::kOutput), video,
                           print);
    };
    const MadeFile made{.bytes = video.size(),
                        .content = [&] { return video.content(); },
                        .kind = ledger::kVideoFile};
    co_return co_await review_made_file(gateway, call, made, look);
}

}  // namespace colophon::gateway
