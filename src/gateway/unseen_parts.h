// SPDX-License-Identifier: Apache-2.0
#pragma once

// Parts of a chat that nobody here can look at: sounds, videos, documents, and what lies at the
// upstream already. Where inputs owe a review, what was not reviewed does not pass [DSP-10].

#include "core/json.h"
#include "gateway/call.h"
#include "gateway/refusal.h"

#include <cstddef>
#include <optional>

namespace colophon::gateway {

// How many such parts the messages, or items of input, have.
std::size_t unseen_parts(const json::Value& body);

// A refusal when there are some, and the library has anything, or a check of inputs may not be
// missed; unless the configuration lets them pass (gateway.unseen_parts), which goes into the
// record. A check that may not be missed refuses them in any case.
std::optional<Refusal> refuse_unseen_parts(Call& call, const json::Value& body);

}  // namespace colophon::gateway
