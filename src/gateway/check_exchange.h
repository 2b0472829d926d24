// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a check of others is asked and what it says, without the call that it is about and without
// the connection. A check of the shape "guardrail" speaks LiteLLM's generic guardrail API
// (docs.litellm.ai, "Generic Guardrail API"), so that a guard that was written for it works here
// unchanged.
//
//   POST {url}/beta/litellm_basic_guardrail_api
//   {"texts": [...], "images": [...], "tools": [...], "tool_calls": [...],
//    "structured_messages": [...], "request_data": {...}, "input_type": "request" | "response",
//    "litellm_call_id": ..., "litellm_trace_id": ..., "model": ...,
//    "additional_provider_specific_params": {...}}
//   -> {"action": "NONE" | "BLOCKED" | "GUARDRAIL_INTERVENED", "blocked_reason": ...,
//       "texts": [...], "images": [...]}
//
// Classifiers speak what guard_models.h, cloud_classifiers.h and template_check.h say.

#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/webhook_settings.h"
#include "http/upstream.h"
#include "review/review.h"
#include "review/scope.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::gateway {

// What is to be looked at. Null members are not sent.
struct WebhookView {
    review::Stage stage = review::Stage::kInput;
    std::vector<std::string> texts;   // may come back changed
    std::vector<std::string> images;  // base64 or addresses
    bool images_may_change = false;   // base64 of pictures that we hold
    json::Value tools;
    json::Value tool_calls;
    json::Value messages;
    bool changed = false;  // afterwards: texts or images are other ones

    bool is_empty() const noexcept {
        return texts.empty() && images.empty() && tool_calls.is_null();
    }
};

struct WebhookAnswer {
    enum class Action : std::uint8_t { kNone, kBlocked, kIntervened, kFound };
    Action action = Action::kNone;
    // Of kFound, by classifiers: their name for it, and the risk that it stands for.
    std::string code;
    std::string category;
    bool is_unsure = false;       // then a person shall look at it
    std::optional<double> score;  // the highest, where they give any
    std::string reason;           // of kBlocked, as the caller may read it; may be empty
    std::optional<std::vector<std::string>> texts;
    std::optional<std::vector<std::string>> images;
};

// Whose content it is. Views end with what they look at.
struct CheckAbout {
    std::string_view asked;  // what the end user asked, beside an answer
    std::string operation;
    std::string model;
    std::string service;
    std::string trace;
    std::string record;
    std::string key;
    std::string tenant;
    std::string subject;  // may be empty
};

// An answer repeats the texts at most; this much is for what stands around them.
inline constexpr std::size_t kCheckAnswerBytesMore = 1U << 20U;

// kLimit: nothing is cut off that nobody would look at then. `nonce`: hexadecimal.
Result<http::UpstreamRequest> check_request(const CheckAbout& about, const WebhookSettings& webhook,
                                            const WebhookView& view, Time now,
                                            std::string_view nonce);
// kCorrupt: an answer of another form; it agrees to nothing.
Result<WebhookAnswer> read_check_answer(const WebhookSettings& webhook, std::string_view body,
                                        const WebhookView& view);
// kCorrupt says what is wrong with an answer to `view`: other actions, lists of another length,
// a change that cannot be made.
Result<WebhookAnswer> read_webhook_answer(std::string_view body, const WebhookView& view);

// Services of moderation take one picture a call, clouds one text or picture: each is asked about.
Result<std::vector<WebhookView>> check_pieces(const WebhookSettings& webhook,
                                              const WebhookView& view);
// The worst of both counts, and the highest score.
void add_answer(WebhookAnswer answer, WebhookAnswer& worst);
// Guard models read texts only: a picture alone is nothing that they could agree to.
bool is_for(const WebhookSettings& webhook, const WebhookView& view);

// What a classifier found, as review would say it.
review::Verdict check_verdict(const WebhookSettings& webhook, const WebhookAnswer& answer);

}  // namespace colophon::gateway
