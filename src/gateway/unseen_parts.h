// SPDX-License-Identifier: Apache-2.0
#pragma once

// Parts of a chat that nobody here can look at: videos, documents, what lies at the upstream
// already, and sounds where none are compared (gateway/chat_sounds.h). Where inputs owe a review,
// what was not reviewed does not pass [DSP-10].

#include "core/bytes.h"
#include "core/json.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/refusal.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace colophon::gateway {

// The parts of the messages, or items of input, that are such. Sounds that stand in the request are
// none where they are compared.
enum class Sounds : std::uint8_t { kUnseen, kCompared };
// `pictures`: set when there is something that looks like a picture; may be nullptr.
std::vector<const json::Value*> unseen_parts(const json::Value& body,
                                             Sounds sounds = Sounds::kUnseen,
                                             bool* pictures = nullptr);

// What follows when there are some, and the library has anything, or a check of inputs may not be
// missed: a refusal, a person who decides, or nothing (gateway.unseen_parts), which goes into the
// record. A check that may not be missed refuses them in any case.
Task<std::optional<Refusal>> review_unseen_parts(Gateway& gateway, Call& call,
                                                 const json::Value& body);

// The same of one part, which was to be looked at and cannot be.
struct UnseenPart {
    const std::string& what;  // "a sound cannot be reviewed: ..."
    Bytes file;               // what a person may look at; may be empty
};
Task<std::optional<Refusal>> unseen_part(Gateway& gateway, Call& call, UnseenPart part);

}  // namespace colophon::gateway
