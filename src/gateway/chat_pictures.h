// SPDX-License-Identifier: Apache-2.0
#pragma once

// Pictures within the messages of a chat, compared with those of the feature library [DSP-10].

#include "core/json.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/refusal.h"

#include <cstddef>
#include <optional>

namespace colophon::gateway {

inline constexpr std::size_t kChatPicturesMax = 64;  // of one request

// A refusal when one is blocked or held, cannot be had, or cannot be compared. A picture that is
// only named is fetched and stands in the body from then on, so that the model sees what was
// reviewed. Where the library has no pictures none is fetched and none refused; the record keeps
// the prints of those that stand in the request (gateway/file_prints.h). To be called after
// review_unseen_parts(), which says whether there are any.
Task<std::optional<Refusal>> review_chat_pictures(Gateway& gateway, Call& call, json::Value& body);
// Of a call that is refused before that: the record says that nobody looked at them.
void keep_unlooked_pictures(Call& call, json::Value& body);

}  // namespace colophon::gateway
