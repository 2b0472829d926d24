// SPDX-License-Identifier: Apache-2.0
#pragma once

// What webhooks are shown of requests and answers, and how their changes get back into them.

#include "core/bytes.h"
#include "core/json.h"
#include "gateway/answer_texts.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/refusal.h"
#include "gateway/text_stream.h"
#include "gateway/webhooks.h"
#include "review/review.h"
#include "worker/spool.h"

#include <optional>
#include <string>
#include <vector>

namespace colophon::gateway {

// A request as webhooks see it, and where its texts stand: `slots` belong to view.texts one by one
// and point into the body.
struct RequestTexts {
    std::vector<json::Value*> slots;
    WebhookView view;
};
RequestTexts texts_of_request(TextShape shape, json::Value& body);

// Asks the webhooks for inputs, before or after the own rules as the policy wants it, and settles
// what all of them said. What they change is written into the request and reviewed like any other
// input; `text` is then all texts of the request. The request outlives the task.
Task<std::optional<Refusal>> guard_request(Gateway& gateway, Call& call, RequestTexts request,
                                           std::string& text);
// The same for a request that is one text (a prompt), with the pictures that come with it.
Task<std::optional<Refusal>> guard_prompt(Gateway& gateway, Call& call, json::Value* prompt,
                                          std::string& text,
                                          std::vector<std::string> pictures = {});

// Asks the webhooks for outputs. `texts` are those of a first pass; their changes stand in them.
Task<std::optional<Refusal>> guard_answer(Gateway& gateway, Call& call, AnswerTexts& texts);
// What the own rules would say of the texts of a first pass.
struct OwnView {
    const review::Reviewer& reviewer;
    AnswerTexts& texts;
};
// Whether checks are still to be asked after it.
bool asks_checks(const Call& call, OwnView own);
// Where nothing ends the steps, what the own rules say is on record beside what the checks refused.
void note_own_verdict(Call& call, const std::optional<Refusal>& refused, OwnView own);
// The same for a text that becomes sound, which may be replaced. What a check wants to put before
// people is no refusal yet: it stands in `held`, the sound is made and waits.
Task<std::optional<Refusal>> guard_spoken(Gateway& gateway, Call& call, std::string& text,
                                          std::optional<Refusal>& held);
// The same for a picture, which may be replaced.
Task<std::optional<Refusal>> guard_picture(Gateway& gateway, Call& call, Buffer& picture);
// And for a video: pictures out of it (worker/frames.h) are shown, none of which may be replaced.
// A refusal when none can be had and a check may not be missed.
Task<std::optional<Refusal>> guard_video(Gateway& gateway, Call& call,
                                         const worker::SpooledFile& video);

}  // namespace colophon::gateway
