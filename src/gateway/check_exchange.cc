// SPDX-License-Identifier: Apache-2.0
#include "gateway/check_exchange.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/hmac.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/cloud_classifiers.h"
#include "gateway/guard_models.h"
#include "gateway/json_edit.h"
#include "gateway/template_check.h"
#include "gateway/webhook_settings.h"
#include "http/message.h"
#include "http/upstream.h"
#include "ledger/record_contents.h"
#include "review/entry.h"
#include "review/review.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr std::size_t kDepthMax = 16;
constexpr std::size_t kReasonBytesMax = 500;

Error wrong_answer(std::string_view what) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("the check's answer is not of its form: {}", what)};
}

// Nothing when the member is missing or null.
Result<std::optional<std::vector<std::string>>> list_member(const json::Value& answer,
                                                            std::string_view name) {
    std::optional<std::vector<std::string>> list;
    const json::Value* found = answer.find(name);
    if (found == nullptr || found->is_null()) {
        return list;
    }
    const json::Array* items = found->if_array();
    if (items == nullptr) {
        return wrong_answer("texts and images are lists");
    }
    list.emplace();
    for (const json::Value& each : *items) {
        const std::string* text = each.if_string();
        if (text == nullptr) {
            return wrong_answer("texts and images are lists of texts");
        }
        list->push_back(*text);
    }
    return list;
}

// Guards may repeat what they were sent.
bool repeats(const json::Value& answer, std::string_view name, const json::Value& sent) {
    const json::Value* found = answer.find(name);
    return found == nullptr || found->is_null() || json::write(*found) == json::write(sent);
}

Result<void> read_changes(const json::Value& value, const WebhookView& view,
                          WebhookAnswer& answer) {
    answer.texts = TRY(list_member(value, "texts"));
    answer.images = TRY(list_member(value, "images"));
    if (answer.images && *answer.images == view.images) {
        answer.images.reset();
    }
    // A change that cannot be made would leave what the check did not want.
    if (!repeats(value, "structured_messages", view.messages) ||
        !repeats(value, "tools", view.tools) || !repeats(value, "tool_calls", view.tool_calls)) {
        return wrong_answer("messages, tools and calls of tools cannot be changed here");
    }
    if (answer.images && !view.images_may_change) {
        return wrong_answer("these images cannot be changed");
    }
    if ((answer.texts && answer.texts->size() != view.texts.size()) ||
        (answer.images && answer.images->size() != view.images.size())) {
        return wrong_answer("it has more or fewer texts or images than it was asked about");
    }
    if (!answer.texts && !answer.images) {
        return wrong_answer("it changes something, but does not say what");
    }
    std::size_t bytes = 0;
    for (const std::string& each : answer.texts ? *answer.texts : std::vector<std::string>()) {
        bytes += each.size();
    }
    if (bytes > ledger::kRecordContentBytesMax) {
        return wrong_answer("its texts are too long");
    }
    return {};
}

std::string plain_reason(std::string_view said) {
    std::string reason(said.substr(0, kReasonBytesMax));
    std::ranges::replace_if(
        reason, [](char c) { return static_cast<unsigned char>(c) < 0x20U; }, ' ');
    return reason;
}

std::string body_of(const CheckAbout& about, const WebhookView& view) {
    json::Object who{{"user_api_key_hash", about.key}, {"user_api_key_team_id", about.tenant}};
    if (!about.subject.empty()) {
        who.emplace_back("user_api_key_end_user_id", about.subject);
    }
    json::Object body{{"texts", json::Array(view.texts.begin(), view.texts.end())}};
    if (!view.images.empty()) {
        body.emplace_back("images", json::Array(view.images.begin(), view.images.end()));
    }
    for (const auto& [name, value] :
         {std::pair("tools", &view.tools), std::pair("tool_calls", &view.tool_calls),
          std::pair("structured_messages", &view.messages)}) {
        if (!value->is_null()) {
            body.emplace_back(name, *value);
        }
    }
    body.emplace_back("request_data", std::move(who));
    body.emplace_back("input_type", view.stage == review::Stage::kInput ? "request" : "response");
    body.emplace_back("litellm_call_id", about.record);
    body.emplace_back("litellm_trace_id",
                      about.trace.empty() ? json::Value() : json::Value(about.trace));
    body.emplace_back("model", about.model);
    body.emplace_back("additional_provider_specific_params",
                      json::Object{{"operation", about.operation}, {"service", about.service}});
    return json::write(body);
}

// What else there is stands beside the first.
std::vector<WebhookView> one_picture_each(const WebhookView& view) {
    std::vector<WebhookView> pieces;
    for (const std::string& image : view.images) {
        WebhookView one;
        one.stage = view.stage;
        one.images.push_back(image);
        if (pieces.empty()) {
            one.texts = view.texts;
            one.tool_calls = view.tool_calls;
        }
        pieces.push_back(std::move(one));
    }
    return pieces;
}

}  // namespace

Result<http::UpstreamRequest> check_request(const CheckAbout& about, const WebhookSettings& webhook,
                                            const WebhookView& view, Time now,
                                            std::string_view nonce) {
    const bool classifier = webhook.shape != CheckShape::kGuardrail;
    if (is_cloud(webhook.shape)) {
        return cloud_request(webhook, view, now, nonce);
    }
    if (webhook.shape == CheckShape::kTemplate) {
        return template_check_request(about, webhook, view);
    }
    http::UpstreamRequest request;
    request.url = webhook.url;
    request.headers.push_back({"content-type", "application/json"});
    request.headers.push_back({"accept", "application/json"});
    if (!webhook.key.empty()) {
        request.headers.push_back(classifier
                                      ? http::Header{"authorization", "Bearer " + webhook.key}
                                      : http::Header{"x-api-key", webhook.key});
    }
    request.body =
        classifier ? TRY(guard_request_body(about.asked, webhook, view)) : body_of(about, view);
    if (!webhook.secret.empty()) {
        const auto seconds =
            std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
        const std::string time = std::to_string(seconds);
        const std::string message = time + "." + request.body;
        request.headers.push_back({"colophon-timestamp", time});
        request.headers.push_back(
            {"colophon-signature",
             "sha256=" + to_hex(hmac_sha256(as_bytes(webhook.secret), as_bytes(message)))});
    }
    // The whole exchange has one limit (TimeLimit).
    request.times = {.connect = webhook.time, .first_byte = webhook.time, .idle = webhook.time};
    return request;
}

Result<WebhookAnswer> read_webhook_answer(std::string_view body, const WebhookView& view) {
    const auto parsed = json::parse(
        body, {.depth_max = kDepthMax, .bytes_max = body.size() + 1, .unique_names = true});
    if (!parsed.ok() || parsed->if_object() == nullptr) {
        return wrong_answer("it is no JSON object");
    }
    WebhookAnswer answer;
    const std::string_view action = text_member(*parsed, "action");
    if (action == "NONE") {
        return answer;
    }
    if (action == "BLOCKED") {
        answer.action = WebhookAnswer::Action::kBlocked;
        answer.reason = plain_reason(text_member(*parsed, "blocked_reason"));
        return answer;
    }
    if (action != "GUARDRAIL_INTERVENED") {
        return wrong_answer("its action is none of NONE, BLOCKED and GUARDRAIL_INTERVENED");
    }
    answer.action = WebhookAnswer::Action::kIntervened;
    TRY(read_changes(*parsed, view, answer));
    return answer;
}

Result<WebhookAnswer> read_check_answer(const WebhookSettings& webhook, std::string_view body,
                                        const WebhookView& view) {
    if (is_cloud(webhook.shape)) {
        return read_cloud_answer(webhook, body);
    }
    if (webhook.shape == CheckShape::kGuardrail) {
        return read_webhook_answer(body, view);
    }
    if (webhook.shape == CheckShape::kTemplate) {
        return read_template_answer(*webhook.pattern, webhook, body);
    }
    return read_guard_answer(webhook, body);
}

Result<std::vector<WebhookView>> check_pieces(const WebhookSettings& webhook,
                                              const WebhookView& view) {
    if (is_cloud(webhook.shape)) {
        return cloud_pieces(webhook, view);
    }
    const bool one_each =
        webhook.shape == CheckShape::kModerations ||
        (webhook.shape == CheckShape::kTemplate && webhook.pattern->takes_one_image());
    if (one_each && view.images.size() > 1) {
        return one_picture_each(view);
    }
    return std::vector<WebhookView>{view};
}

void add_answer(WebhookAnswer answer, WebhookAnswer& worst) {
    const bool found = worst.action == WebhookAnswer::Action::kFound;
    const bool finds = answer.action == WebhookAnswer::Action::kFound;
    const bool surer = answer.score.value_or(0) > worst.score.value_or(0);
    // Who is sure counts before who is not.
    const bool is_worse = finds && (!found || (worst.is_unsure && !answer.is_unsure) ||
                                    (surer && worst.is_unsure == answer.is_unsure));
    const double score = std::max(answer.score.value_or(0), worst.score.value_or(0));
    const bool scored = answer.score || worst.score;
    if (is_worse) {
        worst = std::move(answer);
    }
    worst.score = scored ? std::optional(score) : std::nullopt;
}

bool is_for(const WebhookSettings& webhook, const WebhookView& view) {
    if (webhook.shape == CheckShape::kTemplate) {
        const bool texts = !view.texts.empty() || !view.tool_calls.is_null();
        return (texts && webhook.pattern->takes_texts()) ||
               (!view.images.empty() && webhook.pattern->takes_images());
    }
    const bool reads_only =
        webhook.shape == CheckShape::kLlamaGuard || webhook.shape == CheckShape::kQwen3Guard;
    return reads_only ? !view.texts.empty() || !view.tool_calls.is_null() : !view.is_empty();
}

review::Verdict check_verdict(const WebhookSettings& webhook, const WebhookAnswer& answer) {
    review::Verdict verdict;
    verdict.decision = webhook.action;
    // Whoever is not sure does not block by himself.
    if (answer.is_unsure && verdict.decision == review::Decision::kBlock) {
        verdict.decision = review::Decision::kHold;
    }
    verdict.category = answer.category;
    verdict.rule = fmt::format("webhook:{}/{}", webhook.name, answer.code);
    verdict.entries = {verdict.rule};
    return verdict;
}

}  // namespace colophon::gateway
