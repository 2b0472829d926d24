// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is the same for files of any kind that a model made, when they are compared with the feature
// library [DSP-10].

#include "core/bytes.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/refusal.h"
#include "ledger/record.h"
#include "review/review.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace colophon::gateway {

// What the file is judged to be, and its print for the record, as far as one could be made.
using JudgeFile = std::function<Result<review::Verdict>(ledger::FilePrint& print)>;

struct MadeFile {
    std::uint64_t bytes = 0;
    std::function<Result<Buffer>()> content;  // all of it, for people; blocks
    std::string kind;                         // as the record calls it
};

// Runs `look` among the workers, notes its verdict and how long it took. A refusal when the file is
// blocked or held, and when it cannot be compared: the upstream's fault when the file cannot be
// read, otherwise ours. All that is passed in outlives the task.
Task<std::optional<Refusal>> review_made_file(Gateway& gateway, Call& call, const MadeFile& made,
                                              const JudgeFile& look);

}  // namespace colophon::gateway
