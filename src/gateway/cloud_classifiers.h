// SPDX-License-Identifier: Apache-2.0
#pragma once

// The moderation of two clouds as checks (gateway/webhooks.h): what they are asked, signed as they
// want it, and what they say [DSP-10].
//   aliyun    Green 2022-03-02 of Alibaba Cloud, signed by ACS3-HMAC-SHA256: TextModerationPlus for
//             texts, MultiModalGuardForBase64 for pictures (MultiModalGuard for one that is named)
//   tencent   TMS and IMS 2020-12-29 of Tencent Cloud, signed by TC3-HMAC-SHA256: TextModeration
//             and ImageModeration
// They take one text of a few thousand characters, or one picture, a call; what is longer is asked
// about in pieces that overlap, and the worst counts. What they are not sure of (RiskLevel medium,
// Suggestion Review) goes before a person.

#include "core/clock.h"
#include "core/result.h"
#include "gateway/check_exchange.h"
#include "gateway/webhook_settings.h"
#include "http/upstream.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::gateway {

inline constexpr std::size_t kCloudPiecesMax = 64;                // of one question
inline constexpr std::size_t kCloudOverlapChars = 100;            // of two pieces of a text
inline constexpr std::size_t kCloudPictureBytesMax = 10U << 20U;  // of base64

constexpr bool is_cloud(CheckShape shape) noexcept {
    return shape == CheckShape::kAliyun || shape == CheckShape::kTencent;
}

// Views with one text or one picture each. kLimit when there would be more than kCloudPiecesMax, or
// a picture is larger than they take: nothing is left out that nobody would look at then.
Result<std::vector<WebhookView>> cloud_pieces(const WebhookSettings& webhook,
                                              const WebhookView& view);

// Of one piece. `nonce` is used once. The body does not depend on time and nonce.
http::UpstreamRequest cloud_request(const WebhookSettings& webhook, const WebhookView& piece,
                                    Time now, std::string_view nonce);

// kCorrupt: an answer of another form, or one that is an error of theirs; it agrees to nothing.
Result<WebhookAnswer> read_cloud_answer(const WebhookSettings& webhook, std::string_view body);

// The risk of TC260-003 that a label of theirs stands for; "A1h" where none is closer.
std::string_view cloud_risk(CheckShape shape, std::string_view label) noexcept;

}  // namespace colophon::gateway
