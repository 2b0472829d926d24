// SPDX-License-Identifier: Apache-2.0
#pragma once

// Videos that were asked for at /v1/videos, as a kind of job (gateway/job_work.h). Only a few of a
// node are fetched, reviewed and labelled at a time (VideoSettings::labelled_at_once).

#include "gateway/gateway.h"
#include "gateway/job_work.h"
#include "http/loop.h"

#include <memory>

namespace colophon::gateway {

// Both outlive the answer.
std::unique_ptr<JobMaker> make_video_maker(Gateway& gateway, http::Loop& loop);

}  // namespace colophon::gateway
