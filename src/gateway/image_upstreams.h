// SPDX-License-Identifier: Apache-2.0
#pragma once

// Pictures (and sound) as the upstreams of each dialect give them, in OpenAI's shape.

#include "core/bytes.h"
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

// A call of /v1/images/generations or /v1/audio/speech for this upstream; `path` is OpenAI's.
// `prompt` is what the content is of.
Result<http::UpstreamRequest> media_request(json::Value body, const std::string& prompt,
                                            const std::string& path,
                                            const UpstreamSettings& upstream, const Target& target);

// An answer that is the pictures, in OpenAI's shape.
Result<json::Value> pictures_in(const UpstreamSettings& upstream, std::string_view answer);
// The answer of the upstream that was asked for pictures; waits for tasks.
Task<Result<json::Value>> image_answer(Gateway& gateway, Call& call, Routing::Sent& sent);
Task<Result<Buffer>> sound_answer(Gateway& gateway, Call& call, Routing::Sent& sent);

// What the upstream only names: fetched here, because the address that it gave must not reach
// anybody. It is somebody else's text, so only public addresses are followed, and the upstream's
// own where the configuration says so.
Task<Result<Buffer>> fetch_content(Gateway& gateway, Call& call, const UpstreamSettings& upstream,
                                   std::string address);

}  // namespace colophon::gateway
