// SPDX-License-Identifier: Apache-2.0
#pragma once

// What callers do with jobs, of whichever kind: add one, ask how far it is, list theirs, have what
// was made, delete it. Each kind has a face of its own: paths, names and words.
//
//   GET    {path}?limit=&after=&order=    the caller's, the newest first
//   GET    {path}/{id}                    how far it is
//   GET    {path}/{id}/content            what was made; a call with a record of its own
//   DELETE {path}/{id}                    ends it, or removes it

#include "core/json.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/job_order.h"
#include "gateway/refusal.h"
#include "gateway/settings.h"
#include "ledger/media_jobs.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::gateway {

struct JobFace {
    ledger::JobKind kind = ledger::JobKind::kVideo;
    const char* path = "";        // "/v1/videos"
    const char* parameter = "";   // of the path: "video"
    const char* operation = "";   // "videos": operations are videos.retrieve, ...
    const char* id_start = "";    // "video_"
    const char* object = "";      // "video"
    const char* code_start = "";  // "video": codes are video_not_ready, video_failed
    int status_added = 200;
    // Members that clients of this kind of object know and that are always null.
    std::array<const char*, 2> null_members{};
    const JobSettings& (*settings)(const Settings&) = nullptr;
    // For people.
    const char* none = "";
    const char* no_store = "";
    const char* no_after = "";
    const char* not_ready = "";
    const char* failed = "";
    const char* unreadable = "";
    // Of the routes.
    const char* list_summary = "";
    const char* show_summary = "";
    const char* content_summary = "";
    const char* delete_summary = "";
};

const JobFace& video_face();
const JobFace& picture_face();

// A call has gone its way up to the upstream: the job is kept with the record of the call, and
// answered.
struct JobAdded {
    json::Value shown;  // what of the request stands in every answer; no personal data
    JobOrder order;
    bool preferred = false;  // by the header Prefer: respond-async (RFC 7240)
};
Task<std::optional<Refusal>> add_job(Gateway& gateway, Call& call, const JobFace& face,
                                     JobAdded added);

// All but adding.
void add_job_routes(Gateway& gateway, const JobFace& face);

}  // namespace colophon::gateway
