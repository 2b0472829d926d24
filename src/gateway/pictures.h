// SPDX-License-Identifier: Apache-2.0
#pragma once

// Pictures that were asked for, and what comes of them: for a call that waits for them
// (image_endpoint.cc) and for a job that makes them later (picture_jobs.h) alike.

#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/refusal.h"
#include "gateway/settings.h"
#include "http/multipart.h"
#include "http/upstream.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace colophon::gateway {

// What is to be made.
struct PictureAsk {
    std::string model;
    std::string prompt;
    json::Value body = json::Object{};  // of a generation: the fields of the request, an object
    // Of an edit: the parts of the form that came, but for model and user, which point into it.
    bool edit = false;
    std::shared_ptr<const std::string> form;
    std::vector<http::FormPart> parts;
};

// One that stands in no part of an edit.
std::string boundary_of(const PictureAsk& ask);

// `key`: the same for the same job, for upstreams that know idempotency keys; may be empty.
// kInvalidArgument when this upstream cannot do that.
Result<http::UpstreamRequest> picture_request(const PictureAsk& ask, const std::string& key,
                                              const UpstreamSettings& upstream,
                                              const Target& target);

enum class PictureForm { kBase64, kUrl };  // "b64_json", or "url" with a data: URL (RFC 2397)
// As the request says it (response_format).
PictureForm form_of(const PictureAsk& ask);

// Turns an upstream's answer into ours: each picture fetched, shown to the checks, reviewed and
// labelled; what is held waits with all of them. A refusal leaves nothing to be given out.
// How many pictures are done, of how many.
using PicturesTold = std::function<void(std::size_t done, std::size_t all)>;
struct PictureTerms {
    PictureForm form = PictureForm::kBase64;
    PicturesTold told;  // may be empty
};
Task<std::optional<Refusal>> finish_pictures(Gateway& gateway, Call& call,
                                             const UpstreamSettings& upstream, json::Value& answer,
                                             PictureTerms terms);

}  // namespace colophon::gateway
