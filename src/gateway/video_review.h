// SPDX-License-Identifier: Apache-2.0
#pragma once

// Videos that are to go out, compared with the videos, pictures and sounds of the feature library
// [DSP-10].

#include "core/bytes.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "ledger/record.h"
#include "review/review.h"
#include "worker/spool.h"

#include <optional>

namespace colophon::gateway {

// All of it: as a video, its pictures, four a second, and its sound. Nothing is decoded where the
// library has none of these. kUnsupported when the library has sounds and the video's sound is in a
// codec that is not known: what cannot be compared does not pass. Blocks.
// `print`: what was compared, for the record.
Result<review::Verdict> judge_video(Media& media, const review::Reviewer& reviewer,
                                    const worker::SpooledFile& video, ledger::FilePrint& print);

// The same of what a model made. A refusal when an entry blocks or holds it, and when it cannot be
// compared. The file outlives the task.
Task<std::optional<Refusal>> review_video(Gateway& gateway, Call& call,
                                          const worker::SpooledFile& video);

}  // namespace colophon::gateway
