// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is kept of a call that asked for a job, sealed (ledger/media_jobs.h): all that is needed to
// do what it asked for, and who asked. A JSON object; members that were added later may be missing.

#include "core/result.h"
#include "gateway/pictures.h"
#include "gateway/video_upstreams.h"
#include "ledger/media_jobs.h"
#include "ledger/record.h"

#include <string>
#include <string_view>
#include <variant>

namespace colophon::gateway {

struct JobOrder {
    std::variant<VideoAsk, PictureAsk> ask;
    ledger::Private from;     // who asked, from where, and for what
    bool unlabelled = false;  // under an agreement
    std::string trace;
};

std::string write_order(const JobOrder& order);
// kCorrupt says that it is none of that kind.
Result<JobOrder> read_order(ledger::JobKind kind, std::string_view text);

}  // namespace colophon::gateway
