// SPDX-License-Identifier: Apache-2.0
#pragma once

// Pictures of DashScope (Wanx and its like): a task that is submitted, asked about until it has
// ended, and then names addresses. Behind our endpoint, which answers when the pictures are there.
//
//   POST {url}/services/aigc/text2image/image-synthesis   X-DashScope-Async: enable
//        {"model", "input": {"prompt", ...}, "parameters": {"size", "n", ...}}
//   GET  {url}/tasks/{task_id}    PENDING, RUNNING, SUCCEEDED, FAILED, CANCELED, UNKNOWN

#include "core/json.h"
#include "core/result.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/routing.h"
#include "gateway/settings.h"
#include "http/upstream.h"

#include <string>
#include <string_view>

namespace colophon::gateway {

// `body`: what /v1/images/generations was asked.
http::UpstreamRequest dashscope_request(const json::Value& body, const UpstreamSettings& upstream,
                                        const Target& target);

// Where a submitted task is, out of the answer; kCorrupt when it names none.
Result<std::string> dashscope_task(std::string_view answer);
// What an answer about a task says: nothing yet (null), or the pictures as our endpoint has them.
// kUnavailable says why the task failed.
Result<json::Value> dashscope_pictures(std::string_view answer);

// Waits for the task at the upstream that took it, at most its `task` time.
Task<Result<json::Value>> await_dashscope(Gateway& gateway, Call& call, Routing::Sent& sent,
                                          std::string submitted);

}  // namespace colophon::gateway
