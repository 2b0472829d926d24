// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the endpoints of content have in common when they read what a client sent.

#include "core/json.h"
#include "gateway/call.h"
#include "gateway/refusal.h"

#include <optional>
#include <string_view>

namespace colophon::gateway {

// The JSON object of a body that was read within its limit. A name that stands twice in one object
// is refused: what we review and what the model obeys could differ.
std::optional<Refusal> read_json_body(std::string_view text, json::Value& to);

// Of a request for pictures or videos: the model and the prompt must be there; an end user that the
// body does not name may stand in the header Colophon-Subject.
std::optional<Refusal> check_ask(const Call& call, Ask& ask);

}  // namespace colophon::gateway
