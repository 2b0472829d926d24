// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which checks of others are asked about calls (gateway/webhooks.h).

#include "http/upstream.h"
#include "review/entry.h"
#include "review/scope.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace colophon::gateway {

// What follows when a check does not answer properly.
enum class WhenMissed : std::uint8_t {
    kRefuse,
    kPass,
    kHold,  // a person decides
};

// What a check speaks: the guardrail API, or that of a classifier (gateway/guard_models.h,
// gateway/cloud_classifiers.h).
enum class CheckShape : std::uint8_t {
    kGuardrail,
    kModerations,
    kLlamaGuard,
    kQwen3Guard,
    kAliyun,
    kTencent,
    kTemplate,  // of its own (gateway/template_check.h)
};

struct CheckTemplate;

// NOLINTBEGIN(readability-redundant-member-init)
struct WebhookSettings {
    std::string name;
    http::Url url = {};                     // with the whole path
    review::Scope scope = {};               // stages, tenants and services it is for
    std::chrono::milliseconds time{2'000};  // from the call to the last byte of the answer
    WhenMissed when_missed = WhenMissed::kRefuse;
    // Sent as X-Api-Key; to classifiers as Authorization: Bearer; of a cloud the id of its key.
    std::string key = {};
    std::string secret = {};  // signs requests; empty: they are not signed
    // Of classifiers:
    CheckShape shape = CheckShape::kGuardrail;
    std::string model = {};   // of aliyun the service, of tencent the BizType; may be empty there
    std::string region = {};  // of tencent
    review::Decision action = review::Decision::kBlock;  // when they find something
    std::int64_t threshold_per_mille = 0;  // of scores; 0: what the classifier itself flags
    std::shared_ptr<const CheckTemplate> pattern = {};  // of kTemplate
};
// NOLINTEND(readability-redundant-member-init)

}  // namespace colophon::gateway
