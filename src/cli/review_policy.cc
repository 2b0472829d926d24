// SPDX-License-Identifier: Apache-2.0
#include "cli/review_policy.h"

#include "cli/review_files.h"
#include "cli/serve_config.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/settings.h"
#include "gateway/template_check.h"
#include "gateway/webhook_settings.h"
#include "http/upstream.h"
#include "label/record.h"
#include "review/classifier.h"
#include "review/entry.h"
#include "review/entry_list.h"
#include "review/live_library.h"
#include "review/policies.h"
#include "review/policy.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

using gateway::CheckShape;
using gateway::WebhookSettings;
using gateway::WhenMissed;
using review::Decision;
using review::PolicyRule;

constexpr std::int64_t kForm = 1;
constexpr double kThousand = 1000;

constexpr std::array<std::pair<std::string_view, CheckShape>, 7> kShapes{
    {{"guardrail", CheckShape::kGuardrail},
     {"moderations", CheckShape::kModerations},
     {"llama-guard", CheckShape::kLlamaGuard},
     {"qwen3guard", CheckShape::kQwen3Guard},
     {"aliyun", CheckShape::kAliyun},
     {"tencent", CheckShape::kTencent},
     {"template", CheckShape::kTemplate}}};
constexpr std::array<std::pair<std::string_view, WhenMissed>, 3> kMissed{
    {{"refuse", WhenMissed::kRefuse}, {"pass", WhenMissed::kPass}, {"hold", WhenMissed::kHold}}};
constexpr std::array<std::pair<std::string_view, Decision>, 4> kActions{
    {{"off", Decision::kAllow},
     {"flag", Decision::kFlag},
     {"hold", Decision::kHold},
     {"block", Decision::kBlock}}};

template <class Value, std::size_t n>
std::string_view name_in(const std::array<std::pair<std::string_view, Value>, n>& names,
                         Value value) {
    for (const auto& [name, each] : names) {
        if (each == value) {
            return name;
        }
    }
    return {};
}

template <class Value, std::size_t n>
std::optional<Value> value_in(const std::array<std::pair<std::string_view, Value>, n>& names,
                              std::string_view text) {
    for (const auto& [name, each] : names) {
        if (name == text) {
            return each;
        }
    }
    return std::nullopt;
}

Error wrong(const PolicyConfig& policy, std::string_view what) {
    return {ErrorCode::kInvalidArgument, fmt::format("policy \"{}\": {}", policy.name, what)};
}

Error misshapen() {
    return {ErrorCode::kCorrupt, "a policy that is kept has another form"};
}

Result<void> set_stops(const PolicyConfig& from, PolicyRule& to) {
    for (const auto& [text, stop] : {std::pair(&from.input_stop, &to.input_stop),
                                     std::pair(&from.output_stop, &to.output_stop)}) {
        if (text->empty()) {
            continue;
        }
        const auto parsed = review::parse_stop(*text);
        if (!parsed) {
            return wrong(from, "input_stop and output_stop are one of hold, block, never");
        }
        *stop = *parsed;
    }
    return {};
}

Result<PolicyRule> rule_of(const PolicyConfig& from) {
    PolicyRule to;
    to.name = from.name;
    to.scope.tenants = from.tenants;
    for (const std::string& service : from.services) {
        if (!label::parse_service(service)) {
            return wrong(from,
                         fmt::format("there is no service \"{}\"; known are dialogue, voice, face, "
                                     "scene, content and other",
                                     service));
        }
    }
    to.scope.services = from.services;
    to.input = from.input;
    to.output = from.output;
    TRY(set_stops(from, to));
    if (!from.classifier_action.empty()) {
        to.classifier_action = value_in(kActions, from.classifier_action);
        if (!to.classifier_action) {
            return wrong(from, "classifier_action is one of off, flag, hold, block");
        }
    }
    if (from.classifier_threshold_per_mille > 0) {
        to.classifier_threshold_per_mille = from.classifier_threshold_per_mille;
    }
    for (const auto& [name, value] : from.thresholds) {
        to.thresholds[name] = value;
    }
    for (const auto& [name, text] : from.actions) {
        const auto action = value_in(kActions, text);
        if (!action || *action == Decision::kAllow) {
            return wrong(from, "actions are one of flag, hold, block");
        }
        to.actions[name] = *action;
    }
    const auto good = review::check_policy_rule(to);
    if (!good.ok()) {
        return wrong(from, good.error().what);
    }
    return to;
}

json::Array texts(const std::vector<std::string>& list) {
    return {list.begin(), list.end()};
}

json::Object check_json(const WebhookSettings& check) {
    json::Object form{{"name", check.name},
                      {"shape", name_in(kShapes, check.shape)},
                      {"url", policy_url(check.url)},
                      {"model", check.model},
                      {"region", check.region},
                      {"stage", review::stage_name(check.scope.stage)},
                      {"tenants", texts(check.scope.tenants)},
                      {"services", texts(check.scope.services)},
                      {"timeout_ms", std::int64_t{check.time.count()}},
                      {"on_failure", name_in(kMissed, check.when_missed)},
                      {"action", name_in(kActions, check.action)},
                      {"threshold_per_mille", check.threshold_per_mille}};
    // What stands in its file may be secret; that it is another one is not.
    if (check.pattern != nullptr) {
        form.emplace_back("template", json::Object{{"sha256", check.pattern->digest}});
    }
    return form;
}

json::Value part_json(const std::string& bytes, std::vector<review::PolicyPart>& parts) {
    std::string digest = to_hex(sha256(as_bytes(bytes)));
    json::Object part{{"sha256", digest}, {"bytes", std::uint64_t{bytes.size()}}};
    parts.push_back({.sha256 = std::move(digest), .bytes = to_buffer(as_bytes(bytes))});
    return part;
}

Result<std::vector<std::string>> read_texts(const json::Value& value, std::string_view name) {
    std::vector<std::string> list;
    const json::Value* found = value.find(name);
    if (found == nullptr || found->if_array() == nullptr) {
        return misshapen();
    }
    for (const json::Value& each : *found->if_array()) {
        const std::string* text = each.if_string();
        if (text == nullptr) {
            return misshapen();
        }
        list.push_back(*text);
    }
    return list;
}

Result<std::int64_t> read_number(const json::Value& value, std::string_view name) {
    const json::Value* found = value.find(name);
    if (found == nullptr) {
        return misshapen();
    }
    return found->as_int();
}

Result<WebhookSettings> read_check(const json::Value& value) {
    WebhookSettings check;
    check.name = value.string_or("name", "");
    const auto shape = value_in(kShapes, value.string_or("shape", ""));
    const auto missed = value_in(kMissed, value.string_or("on_failure", ""));
    const auto action = value_in(kActions, value.string_or("action", ""));
    const auto stage = review::parse_stage(value.string_or("stage", ""));
    if (!shape || !missed || !action || !stage) {
        return misshapen();
    }
    check.shape = *shape;
    check.when_missed = *missed;
    check.action = *action;
    check.url = TRY(http::parse_url(value.string_or("url", "")));
    check.model = value.string_or("model", "");
    check.region = value.string_or("region", "");
    check.scope.stage = *stage;
    check.scope.tenants = TRY(read_texts(value, "tenants"));
    check.scope.services = TRY(read_texts(value, "services"));
    check.time = std::chrono::milliseconds(TRY(read_number(value, "timeout_ms")));
    check.threshold_per_mille = TRY(read_number(value, "threshold_per_mille"));
    if (const json::Value* file = value.find("template")) {
        gateway::CheckTemplate pattern;
        pattern.digest = file->string_or("sha256", "");
        check.pattern = std::make_shared<const gateway::CheckTemplate>(std::move(pattern));
    }
    return check;
}

// The bytes of that part; empty where the policy has none.
Result<std::optional<Buffer>> read_part(review::Policies& policies, const json::Value& content,
                                        std::string_view name) {
    const json::Value* part = content.find(name);
    if (part == nullptr || part->is_null()) {
        return std::optional<Buffer>();
    }
    return std::optional(TRY(policies.part(part->string_or("sha256", ""))));
}

Result<void> read_rules(review::Policies& policies, KeptPolicy& kept) {
    const auto words = TRY(read_part(policies, kept.content, "words"));
    if (words) {
        kept.rules.entries = TRY(review::parse_entry_list(as_text(*words)));
    }
    const auto model = TRY(read_part(policies, kept.content, "classifier"));
    if (!model) {
        return {};
    }
    auto classifier = TRY(review::Classifier::parse(*model));
    kept.rules.classifier.classifier =
        std::make_shared<const review::Classifier>(std::move(classifier));
    const auto action = value_in(kActions, kept.content.string_or("classifier_action", ""));
    if (!action) {
        return misshapen();
    }
    kept.rules.classifier.action = *action;
    const std::int64_t threshold = TRY(read_number(kept.content, "classifier_threshold_per_mille"));
    if (threshold > 0) {
        kept.rules.classifier.own_threshold = static_cast<double>(threshold) / kThousand;
    }
    return {};
}

}  // namespace

std::string policy_url(const http::Url& url) {
    return fmt::format("{}://{}{}", url.secure ? "https" : "http", url.authority(),
                       url.path.substr(0, url.path.find('?')));
}

Result<std::vector<PolicyRule>> policy_rules(const ServeConfig& config) {
    std::vector<PolicyRule> rules;
    if (config.policies.size() > review::kPolicyRulesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("there are at most {} policies", review::kPolicyRulesMax)};
    }
    for (const PolicyConfig& each : config.policies) {
        PolicyRule rule = TRY(rule_of(each));
        rules.push_back(std::move(rule));
    }
    return rules;
}

WrittenPolicy write_policy(const ServeConfig& config, const ReviewFiles& files,
                           const gateway::Settings& settings) {
    WrittenPolicy written;
    json::Array checks;
    for (const WebhookSettings& each : settings.webhooks) {
        checks.emplace_back(check_json(each));
    }
    json::Array rules;
    for (const PolicyRule& each : settings.courses.rules) {
        rules.emplace_back(review::write_policy_rule(each));
    }
    const ReviewConfig& review = config.review;
    json::Object content{{"form", kForm}};
    content.emplace_back(
        "words", review.words.empty() ? json::Value() : part_json(files.words, written.parts));
    content.emplace_back("classifier", review.classifier.empty()
                                           ? json::Value()
                                           : part_json(files.classifier, written.parts));
    const std::string action = review.classifier_action.empty() ? "flag" : review.classifier_action;
    content.emplace_back("classifier_action", action);
    content.emplace_back("classifier_threshold_per_mille", review.classifier_threshold_per_mille);
    content.emplace_back("flagged", review.flagged.empty() ? "pass" : review.flagged);
    content.emplace_back("unseen_parts", config.gateway.unseen_parts.empty()
                                             ? "refuse"
                                             : config.gateway.unseen_parts);
    content.emplace_back(
        "chat_sounds", config.gateway.chat_sounds.empty() ? "compare" : config.gateway.chat_sounds);
    content.emplace_back("checks", std::move(checks));
    content.emplace_back("policies", std::move(rules));
    written.content = json::write(content);
    return written;
}

Result<KeptPolicy> open_policy(review::Policies& policies, const review::PolicyVersion& version) {
    KeptPolicy kept;
    kept.content = TRY(json::parse(version.content, {.depth_max = review::kPolicyDepthMax,
                                                     .bytes_max = version.content.size() + 1}));
    if (TRY(read_number(kept.content, "form")) != kForm) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("{} is of another version of Colophon", version.id)};
    }
    TRY(read_rules(policies, kept));
    const json::Value* checks = kept.content.find("checks");
    const json::Value* rules = kept.content.find("policies");
    if (checks == nullptr || checks->if_array() == nullptr || rules == nullptr ||
        rules->if_array() == nullptr) {
        return misshapen();
    }
    for (const json::Value& each : *checks->if_array()) {
        WebhookSettings check = TRY(read_check(each));
        kept.checks.push_back(std::move(check));
    }
    for (const json::Value& each : *rules->if_array()) {
        PolicyRule rule = TRY(review::read_policy_rule(each));
        kept.rules.policies.push_back(std::move(rule));
    }
    return kept;
}

}  // namespace colophon::cli
