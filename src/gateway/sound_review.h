// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sounds that come out, and those within a chat, compared with those of the feature library
// [DSP-10].

#include "core/bytes.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/refusal.h"

#include <optional>

namespace colophon::gateway {

// A refusal when an entry blocks or holds it, and when it cannot be compared: what was not reviewed
// does not pass. Nothing is decoded where the library has no sounds. The bytes outlive the task.
Task<std::optional<Refusal>> review_sound(Gateway& gateway, Call& call, Bytes sound);

// Of one that goes in: a refusal when an entry blocks or holds it, or when people are to hear all
// of them (gateway.chat_sounds). kCorrupt, kUnsupported: it cannot be compared; kUnavailable: not
// now.
Task<Result<std::optional<Refusal>>> review_input_sound(Gateway& gateway, Call& call, Bytes sound);

}  // namespace colophon::gateway
