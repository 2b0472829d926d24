// SPDX-License-Identifier: Apache-2.0
#pragma once

// Pictures for which their caller comes back (/v1/images/jobs), as a kind of job
// (gateway/job_work.h). DashScope has tasks; every other upstream answers with the pictures, and is
// waited for as long as for a task. What is kept is the answer that the call would have had.

#include "gateway/gateway.h"
#include "gateway/job_work.h"
#include "http/loop.h"

#include <memory>

namespace colophon::gateway {

// Both outlive the answer.
std::unique_ptr<JobMaker> make_picture_maker(Gateway& gateway, http::Loop& loop);

}  // namespace colophon::gateway
