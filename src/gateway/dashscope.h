// SPDX-License-Identifier: Apache-2.0
#pragma once

// Pictures of DashScope (Wanx and its like): a task that is submitted, asked about until it has
// ended, and then names addresses. Behind our endpoint, which answers when the pictures are there.
//
//   POST {url}/services/aigc/text2image/image-synthesis   X-DashScope-Async: enable
//        {"model", "input": {"prompt", ...}, "parameters": {"size", "n", ...}}
//   GET  {url}/tasks/{task_id}    PENDING, RUNNING, SUCCEEDED, FAILED, CANCELED, UNKNOWN
//
// Edits: of wanx2.1-imageedit and its like a task too, with one picture and perhaps a mask; of
// models whose names begin with "qwen-image" an answer at once, with up to three pictures. Files go
// as data: addresses.
//
//   POST {url}/services/aigc/image2image/image-synthesis   X-DashScope-Async: enable
//        {"model", "input": {"function", "prompt", "base_image_url", "mask_image_url"},
//        "parameters"}
//   POST {url}/services/aigc/multimodal-generation/generation
//        {"model", "input": {"messages": [{"role": "user", "content": [{"image"}, {"text"}]}]},
//        ...}
//   ->   {"output": {"choices": [{"message": {"content": [{"image": address}]}}]}}

#include "core/json.h"
#include "core/result.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/pictures.h"
#include "gateway/routing.h"
#include "gateway/settings.h"
#include "http/upstream.h"

#include <optional>
#include <string>
#include <string_view>

namespace colophon::gateway {

// `body`: what /v1/images/generations was asked.
http::UpstreamRequest dashscope_request(const json::Value& body, const UpstreamSettings& upstream,
                                        const Target& target);

// The same of an edit. kInvalidArgument where the model cannot do that.
Result<http::UpstreamRequest> dashscope_edit(const PictureAsk& ask,
                                             const UpstreamSettings& upstream,
                                             const Target& target);
// Whether the answer to an edit is its pictures, not a task.
bool dashscope_edits_at_once(const Target& target) noexcept;
// Those pictures; nothing where the answer is of another kind.
std::optional<Result<json::Value>> dashscope_choices(std::string_view answer);

// Where a submitted task is, out of the answer; kCorrupt when it names none.
Result<std::string> dashscope_task(std::string_view answer);
// What an answer about a task says: nothing yet (null), or the pictures as our endpoint has them.
// kUnavailable says why the task failed.
Result<json::Value> dashscope_pictures(std::string_view answer);
// How many of its pictures are done, in percent, where it says so.
std::optional<int> dashscope_progress(std::string_view answer);

// Waits for the task at the upstream that took it, at most its `task` time.
Task<Result<json::Value>> await_dashscope(Gateway& gateway, Call& call, Routing::Sent& sent,
                                          std::string submitted);

}  // namespace colophon::gateway
