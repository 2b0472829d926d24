// SPDX-License-Identifier: Apache-2.0
#pragma once

// A streamed answer on its way: what the upstream says goes through review and label to the client
// as it comes, and the record is written before the last event.
//
// Where an entry holds, nothing more goes out. The rest of the answer is still taken, reviewed
// without the holds and labelled, and waits for a person (gateway/held.h): the client's stream ends
// with a ticket for the whole of it.

#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/refusal.h"
#include "gateway/routing.h"
#include "gateway/text_stream.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace colophon::gateway {

// So much of a stream is kept until it is known that nothing of it is held; with more, what is held
// is refused.
inline constexpr std::size_t kHeldStreamBytesMax = 32U << 20U;

// Where webhooks look at outputs, all events are collected first, and nothing goes out before they
// have seen the texts.
Task<std::optional<Refusal>> answer_stream(Gateway& gateway, Call& call, Routing::Sent sent,
                                           AnswerRules rules);

// For answers that come at once, too.
// What an upstream answered, in the shape of its dialect; that of a template is chat completions.
Result<json::Value> read_answer(const Gateway& gateway, const Routing::Sent& sent,
                                const std::string& body, TextShape shape);
Error too_long();
// Nothing of the answer goes out.
Refusal end_unsaid(Call& call, Refusal refusal);
Refusal gone_refusal();
void note_usage(Call& call, const Usage& usage);
std::int64_t seconds_now(const Gateway& gateway);

}  // namespace colophon::gateway
