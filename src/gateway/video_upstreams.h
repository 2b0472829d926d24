// SPDX-License-Identifier: Apache-2.0
#pragma once

// Videos as the upstreams of each dialect make them: a task that is submitted, asked about until it
// has ended, and then had from an address.
//
//   openai      POST {url}/videos
//               GET {url}/videos/{id}, .../content          DELETE {url}/videos/{id}
//   dashscope   POST {url}/services/aigc/video-generation/video-synthesis
//               GET {url}/tasks/{id}  its "video_url"                POST {url}/tasks/{id}/cancel
//   template    as its section [task] says

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/settings.h"
#include "http/upstream.h"
#include "worker/spool.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::gateway {

// What is to be made, kept until it is.
struct VideoAsk {
    std::string model;
    std::string prompt;
    json::Value body;       // the request's fields but for user and input_reference; an object
    bool form = false;      // it came as a form, and goes on as one
    std::string reference;  // the bytes of input_reference
    std::string reference_type;
};

// `key`: the same for the same job, for upstreams that know idempotency keys. kInvalidArgument when
// this upstream cannot do that.
Result<http::UpstreamRequest> video_request(const VideoAsk& ask, const std::string& key,
                                            const UpstreamSettings& upstream, const Target& target);
// The task in the answer; kCorrupt when it names none.
Result<std::string> video_task(const UpstreamSettings& upstream, std::string_view answer);

http::UpstreamRequest video_question(const UpstreamSettings& upstream, const Target& target,
                                     std::string_view task);

struct VideoStatus {
    bool done = false;
    std::optional<int> progress;  // 0 .. 100
    std::int64_t seconds = 0;     // how long the video is; 0: not said
    std::string video;            // its address, or base64; empty: where the dialect has it
};
// kUnavailable says why the task failed, kCorrupt what is wrong with the answer.
Result<VideoStatus> video_status(const UpstreamSettings& upstream, std::string_view answer);

// Ends the task at the upstream; nothing where that cannot be done.
std::optional<http::UpstreamRequest> video_cancel(const UpstreamSettings& upstream,
                                                  const Target& target, std::string_view task);

struct VideoPlace {
    const UpstreamSettings& upstream;
    const Target& target;
    std::string task;
    std::string video;  // of VideoStatus
};
struct FetchedVideo {
    Result<worker::SpooledFile> file;
    bool spool_failed = false;  // the error is no fault of the upstream's
};
// The video itself, put into the spool; kUnsupported above settings.video.bytes_max.
Task<FetchedVideo> fetch_video(Gateway& gateway, Call& call, VideoPlace place);

// An answer of an upstream as a whole. kUnavailable for a status that is not good.
Task<Result<std::string>> good_answer(http::UpstreamResponse& response, std::size_t bytes_max);
// How large an answer about a task may be: the video may stand in it.
std::size_t status_bytes_max(const UpstreamSettings& upstream, const Settings& settings);

}  // namespace colophon::gateway
