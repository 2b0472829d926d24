// SPDX-License-Identifier: Apache-2.0
#pragma once

// Classifiers of others as checks (gateway/webhooks.h): what they are asked and what they say
// [DSP-10].
//   moderations   OpenAI's /v1/moderations, and whoever speaks it: scores of categories
//   llama-guard   Llama Guard behind a chat endpoint: "safe", or "unsafe" and S-codes below it
//   qwen3guard    Qwen3Guard the same: "Safety: Unsafe" and "Categories: ..."
// What they find is named by the risk of TC260-003 that it stands for (review/taxonomy.h).

#include "core/result.h"
#include "gateway/check_exchange.h"
#include "gateway/webhook_settings.h"

#include <string>
#include <string_view>

namespace colophon::gateway {

inline constexpr std::size_t kGuardTextBytesMax = 1U << 20U;  // of one question

// `asked`: what the end user asked, beside an answer. kLimit above kGuardTextBytesMax: nothing is
// cut off that nobody would look at then.
Result<std::string> guard_request_body(std::string_view asked, const WebhookSettings& webhook,
                                       const WebhookView& view);
// kCorrupt: an answer of another form; it agrees to nothing.
Result<WebhookAnswer> read_guard_answer(const WebhookSettings& webhook, std::string_view body);

}  // namespace colophon::gateway
