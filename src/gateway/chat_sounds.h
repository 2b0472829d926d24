// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sounds within the messages of a chat, compared with those of the feature library [DSP-10]:
//   {"type":"input_audio","input_audio":{"data":BASE64 or an address,"format":"wav"}}
//   {"type":"audio_url","audio_url":{"url":"data:audio/mpeg;base64,..." or an address}}
// Words that are said in them are heard by nobody here; who needs that lets people listen
// (gateway.chat_sounds = "hold").

#include "core/json.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/refusal.h"

#include <cstddef>
#include <optional>

namespace colophon::gateway {

inline constexpr std::size_t kChatSoundsMax = 16;  // of one request

// Whether the part is a sound that stands in the request or whose address does, and nothing else.
// One that lies at the upstream already is none.
bool is_chat_sound(const json::Value& part);
// Whether sounds of this call are compared: the library has some, the configuration wants it, and
// no check of inputs that may not be missed would have to hear them.
bool compares_chat_sounds(const Call& call);

// A refusal when one is blocked or held, and what gateway.unseen_parts says of one that cannot be
// had or compared. A sound that is only named is fetched and stands in the body from then on, so
// that the model hears what was reviewed. Nothing is done where none are compared.
Task<std::optional<Refusal>> review_chat_sounds(Gateway& gateway, Call& call, json::Value& body);

}  // namespace colophon::gateway
