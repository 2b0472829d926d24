// SPDX-License-Identifier: Apache-2.0
#include "cli/serve_sections.h"

#include "cli/serve_config.h"
#include "core/result.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

// One row a key: a text or a number from `least` to `most`.
template <class Section>
struct Key {
    std::string_view name;
    std::string Section::* text = nullptr;
    std::int64_t Section::* number = nullptr;
    std::int64_t least = 0;
    std::int64_t most = 0;
};

constexpr std::int64_t kGigabyte = std::int64_t{1} << 30U;
constexpr std::int64_t kDaySeconds = 86'400;

constexpr std::array kServerKeys{
    Key<ServerConfig>{"address", &ServerConfig::address},
    Key<ServerConfig>{"tls_certificate", &ServerConfig::tls_certificate},
    Key<ServerConfig>{"tls_key", &ServerConfig::tls_key},
    Key<ServerConfig>{"access_log", &ServerConfig::access_log},
    Key<ServerConfig>{"metrics", &ServerConfig::metrics},
    Key<ServerConfig>{"threads", nullptr, &ServerConfig::threads, 1, 64},
    Key<ServerConfig>{"drain_seconds", nullptr, &ServerConfig::drain_seconds, 0, kDaySeconds},
    Key<ServerConfig>{"head_bytes_max", nullptr, &ServerConfig::head_bytes_max, 1024, 1 << 20},
    Key<ServerConfig>{"body_bytes_max", nullptr, &ServerConfig::body_bytes_max, 1024,
                      16 * kGigabyte},
    Key<ServerConfig>{"connections_max", nullptr, &ServerConfig::connections_max, 1, 1'000'000},
    Key<ServerConfig>{"per_peer_max", nullptr, &ServerConfig::per_peer_max, 1, 1'000'000},
    Key<ServerConfig>{"head_seconds", nullptr, &ServerConfig::head_seconds, 1, 3600},
    Key<ServerConfig>{"idle_seconds", nullptr, &ServerConfig::idle_seconds, 1, 3600},
    Key<ServerConfig>{"body_seconds", nullptr, &ServerConfig::body_seconds, 1, 3600},
    Key<ServerConfig>{"write_seconds", nullptr, &ServerConfig::write_seconds, 1, 3600},
};

constexpr std::array kGatewayKeys{
    Key<GatewayConfig>{"subject", &GatewayConfig::subject},
    Key<GatewayConfig>{"currency", &GatewayConfig::currency},
    Key<GatewayConfig>{"filing", &GatewayConfig::filing},
    Key<GatewayConfig>{"appeal", &GatewayConfig::appeal},
    Key<GatewayConfig>{"ca_file", &GatewayConfig::ca_file},
    Key<GatewayConfig>{"unseen_parts", &GatewayConfig::unseen_parts},
    Key<GatewayConfig>{"chat_sounds", &GatewayConfig::chat_sounds},
    Key<GatewayConfig>{"picture_prints", &GatewayConfig::picture_prints},
    Key<GatewayConfig>{"workers", nullptr, &GatewayConfig::workers, 1, 64},
    Key<GatewayConfig>{"request_bytes_max", nullptr, &GatewayConfig::request_bytes_max, 1024,
                       kGigabyte},
    Key<GatewayConfig>{"file_bytes_max", nullptr, &GatewayConfig::file_bytes_max, 1024,
                       16 * kGigabyte},
    Key<GatewayConfig>{"spool", &GatewayConfig::spool},
    Key<GatewayConfig>{"spool_bytes_max", nullptr, &GatewayConfig::spool_bytes_max, 1024,
                       1024 * kGigabyte},
    Key<GatewayConfig>{"answer_bytes_max", nullptr, &GatewayConfig::answer_bytes_max, 1024,
                       kGigabyte},
    Key<GatewayConfig>{"idempotency_hours", nullptr, &GatewayConfig::idempotency_hours, 1, 720},
    Key<GatewayConfig>{"idempotency_answer_bytes_max", nullptr,
                       &GatewayConfig::idempotency_answer_bytes_max, 1024, 64 << 20},
    Key<GatewayConfig>{"tenant_calls_at_once", nullptr, &GatewayConfig::tenant_calls_at_once, 0,
                       1'000'000},
    Key<GatewayConfig>{"tenant_calls_a_minute", nullptr, &GatewayConfig::tenant_calls_a_minute, 0,
                       kGigabyte},
    Key<GatewayConfig>{"tenant_tokens_a_minute", nullptr, &GatewayConfig::tenant_tokens_a_minute, 0,
                       kGigabyte},
    Key<GatewayConfig>{"subject_calls_at_once", nullptr, &GatewayConfig::subject_calls_at_once, 0,
                       1'000'000},
    Key<GatewayConfig>{"subject_calls_a_minute", nullptr, &GatewayConfig::subject_calls_a_minute, 0,
                       kGigabyte},
    Key<GatewayConfig>{"subject_tokens_a_minute", nullptr, &GatewayConfig::subject_tokens_a_minute,
                       0, kGigabyte},
    Key<GatewayConfig>{"video_bytes_max", nullptr, &GatewayConfig::video_bytes_max, 1024,
                       kGigabyte},
    Key<GatewayConfig>{"video_hours", nullptr, &GatewayConfig::video_hours, 1, 8760},
    Key<GatewayConfig>{"video_label_seconds", nullptr, &GatewayConfig::video_label_seconds, 120,
                       kDaySeconds},
    Key<GatewayConfig>{"videos_at_once", nullptr, &GatewayConfig::videos_at_once, 1, 1000},
    Key<GatewayConfig>{"tenant_videos_at_once", nullptr, &GatewayConfig::tenant_videos_at_once, 0,
                       1'000'000},
    Key<GatewayConfig>{"subject_videos_at_once", nullptr, &GatewayConfig::subject_videos_at_once, 0,
                       1'000'000},
    Key<GatewayConfig>{"picture_job_hours", nullptr, &GatewayConfig::picture_job_hours, 1, 8760},
    Key<GatewayConfig>{"picture_jobs_at_once", nullptr, &GatewayConfig::picture_jobs_at_once, 1,
                       1000},
    Key<GatewayConfig>{"tenant_picture_jobs_at_once", nullptr,
                       &GatewayConfig::tenant_picture_jobs_at_once, 0, 1'000'000},
    Key<GatewayConfig>{"subject_picture_jobs_at_once", nullptr,
                       &GatewayConfig::subject_picture_jobs_at_once, 0, 1'000'000},
};

constexpr std::array kReviewKeys{
    Key<ReviewConfig>{"words", &ReviewConfig::words},
    Key<ReviewConfig>{"benign", &ReviewConfig::benign},
    Key<ReviewConfig>{"benign_per_million_max", nullptr, &ReviewConfig::benign_per_million_max, 0,
                      1'000'000},
    Key<ReviewConfig>{"test_banks", &ReviewConfig::test_banks},
    Key<ReviewConfig>{"classifier", &ReviewConfig::classifier},
    Key<ReviewConfig>{"classifier_action", &ReviewConfig::classifier_action},
    Key<ReviewConfig>{"classifier_threshold_per_mille", nullptr,
                      &ReviewConfig::classifier_threshold_per_mille, 0, 1000},
    Key<ReviewConfig>{"four_eyes", &ReviewConfig::four_eyes},
    Key<ReviewConfig>{"urgent", &ReviewConfig::urgent},
    Key<ReviewConfig>{"claim_minutes", nullptr, &ReviewConfig::claim_minutes, 1, 1440},
    Key<ReviewConfig>{"due_minutes", nullptr, &ReviewConfig::due_minutes, 1, 100'000},
    Key<ReviewConfig>{"expire_hours", nullptr, &ReviewConfig::expire_hours, 1, 8760},
    Key<ReviewConfig>{"undo_minutes", nullptr, &ReviewConfig::undo_minutes, 0, 1440},
    Key<ReviewConfig>{"sample_per_mille", nullptr, &ReviewConfig::sample_per_mille, 0, 1000},
    Key<ReviewConfig>{"decisions_a_day_max", nullptr, &ReviewConfig::decisions_a_day_max, 0,
                      1'000'000},
    Key<ReviewConfig>{"claims_at_once_max", nullptr, &ReviewConfig::claims_at_once_max, 1, 1000},
    Key<ReviewConfig>{"flagged", &ReviewConfig::flagged},
};

constexpr std::array kSignInKeys{
    Key<SignInConfig>{"issuer", &SignInConfig::issuer},
    Key<SignInConfig>{"client_id", &SignInConfig::client_id},
    Key<SignInConfig>{"client_secret", &SignInConfig::client_secret},
    Key<SignInConfig>{"redirect_url", &SignInConfig::redirect_url},
    Key<SignInConfig>{"required_method", &SignInConfig::required_method},
    Key<SignInConfig>{"ca_file", &SignInConfig::ca_file},
};

constexpr std::array kUpstreamKeys{
    Key<UpstreamConfig>{"name", &UpstreamConfig::name},
    Key<UpstreamConfig>{"dialect", &UpstreamConfig::dialect},
    Key<UpstreamConfig>{"url", &UpstreamConfig::url},
    Key<UpstreamConfig>{"key", &UpstreamConfig::key},
    Key<UpstreamConfig>{"template", &UpstreamConfig::template_file},
    Key<UpstreamConfig>{"fetch", &UpstreamConfig::fetch},
    Key<UpstreamConfig>{"idempotency_keys", &UpstreamConfig::idempotency_keys},
    Key<UpstreamConfig>{"task_seconds", nullptr, &UpstreamConfig::task_seconds, 1, kDaySeconds},
    Key<UpstreamConfig>{"connect_seconds", nullptr, &UpstreamConfig::connect_seconds, 1, 600},
    Key<UpstreamConfig>{"first_byte_seconds", nullptr, &UpstreamConfig::first_byte_seconds, 1,
                        3600},
    Key<UpstreamConfig>{"idle_seconds", nullptr, &UpstreamConfig::idle_seconds, 1, 3600},
};

constexpr std::array kModelKeys{
    Key<ModelConfig>{"name", &ModelConfig::name},
    Key<ModelConfig>{"kind", &ModelConfig::kind},
    Key<ModelConfig>{"service", &ModelConfig::service},
    Key<ModelConfig>{"text_label", &ModelConfig::text_label},
    Key<ModelConfig>{"upstream", &ModelConfig::upstream},
    Key<ModelConfig>{"model", &ModelConfig::model},
    Key<ModelConfig>{"input_price", &ModelConfig::input_price},
    Key<ModelConfig>{"output_price", &ModelConfig::output_price},
    Key<ModelConfig>{"character_price", &ModelConfig::character_price},
    Key<ModelConfig>{"picture_price", &ModelConfig::picture_price},
    Key<ModelConfig>{"video_price", &ModelConfig::video_price},
    Key<ModelConfig>{"second_price", &ModelConfig::second_price},
    Key<ModelConfig>{"attempts", nullptr, &ModelConfig::attempts, 1, 10},
};

constexpr std::array kTargetKeys{
    Key<TargetConfig>{"upstream", &TargetConfig::upstream},
    Key<TargetConfig>{"model", &TargetConfig::model},
    Key<TargetConfig>{"input_price", &TargetConfig::input_price},
    Key<TargetConfig>{"output_price", &TargetConfig::output_price},
    Key<TargetConfig>{"character_price", &TargetConfig::character_price},
    Key<TargetConfig>{"picture_price", &TargetConfig::picture_price},
    Key<TargetConfig>{"video_price", &TargetConfig::video_price},
    Key<TargetConfig>{"second_price", &TargetConfig::second_price},
    Key<TargetConfig>{"weight", nullptr, &TargetConfig::weight, 1, 1'000'000},
};

constexpr std::array kWebhookKeys{
    Key<WebhookConfig>{"name", &WebhookConfig::name},
    Key<WebhookConfig>{"url", &WebhookConfig::url},
    Key<WebhookConfig>{"stage", &WebhookConfig::stage},
    Key<WebhookConfig>{"on_failure", &WebhookConfig::on_failure},
    Key<WebhookConfig>{"key", &WebhookConfig::key},
    Key<WebhookConfig>{"secret", &WebhookConfig::secret},
    Key<WebhookConfig>{"shape", &WebhookConfig::shape},
    Key<WebhookConfig>{"model", &WebhookConfig::model},
    Key<WebhookConfig>{"region", &WebhookConfig::region},
    Key<WebhookConfig>{"template", &WebhookConfig::template_file},
    Key<WebhookConfig>{"action", &WebhookConfig::action},
    Key<WebhookConfig>{"threshold_per_mille", nullptr, &WebhookConfig::threshold_per_mille, 0,
                       1000},
    Key<WebhookConfig>{"timeout_ms", nullptr, &WebhookConfig::timeout_ms, 10, 60'000},
};

constexpr std::array kPolicyKeys{
    Key<PolicyConfig>{"name", &PolicyConfig::name},
    Key<PolicyConfig>{"input_stop", &PolicyConfig::input_stop},
    Key<PolicyConfig>{"output_stop", &PolicyConfig::output_stop},
    Key<PolicyConfig>{"classifier_action", &PolicyConfig::classifier_action},
    Key<PolicyConfig>{"classifier_threshold_per_mille", nullptr,
                      &PolicyConfig::classifier_threshold_per_mille, 0, 1000},
};

struct Place {
    const std::string& path;
    std::string_view section;
};

Error wrong(const Place& place, const toml::node& node, std::string_view what) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}, line {}: {}", place.path, node.source().begin.line, what)};
}

template <class Section>
Result<void> set_value(const Place& place, const toml::node& node, const Key<Section>& key,
                       Section& section) {
    if (key.text != nullptr) {
        const auto value = node.value<std::string>();
        if (!value) {
            return wrong(place, node, fmt::format("{} must be a text in quotes", key.name));
        }
        section.*(key.text) = *value;
        return {};
    }
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < key.least || *value > key.most) {
        return wrong(
            place, node,
            fmt::format("{} must be a number from {} to {}", key.name, key.least, key.most));
    }
    section.*(key.number) = *value;
    return {};
}

// Everything but the keys of `others`, which the caller reads.
template <class Section, std::size_t n>
Result<void> read_keys(const Place& place, const toml::node& node,
                       const std::array<Key<Section>, n>& keys, Section& section,
                       const std::vector<std::string_view>& others = {}) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return wrong(place, node, fmt::format("{} must be a section", place.section));
    }
    for (const auto& [key, value] : *table) {
        const auto* row = std::ranges::find(keys, key.str(), &Key<Section>::name);
        if (row != keys.end()) {
            TRY(set_value(place, value, *row, section));
        } else if (std::ranges::find(others, key.str()) == others.end()) {
            return wrong(place, value,
                         fmt::format("[{}] has no key \"{}\"", place.section, key.str()));
        }
    }
    return {};
}

Result<void> read_targets(const Place& place, const toml::table& table, ModelConfig& model) {
    const toml::node* node = table.get("targets");
    if (node == nullptr) {
        return {};
    }
    const toml::array* list = node->as_array();
    if (list == nullptr) {
        return wrong(place, *node, "targets must be a list of {upstream, model, weight}");
    }
    const Place inner{.path = place.path, .section = "model.targets"};
    for (const toml::node& each : *list) {
        TargetConfig target;
        TRY(read_keys(inner, each, kTargetKeys, target));
        model.targets.push_back(std::move(target));
    }
    return {};
}

// A list of texts; `what` says of which.
Result<void> read_list(const Place& place, const toml::table& table, std::string_view name,
                       std::string_view what, std::vector<std::string>& to) {
    const toml::node* node = table.get(name);
    if (node == nullptr) {
        return {};
    }
    const toml::array* list = node->as_array();
    if (list == nullptr) {
        return wrong(place, *node, what);
    }
    for (const toml::node& each : *list) {
        const auto text = each.value<std::string>();
        if (!text) {
            return wrong(place, each, what);
        }
        to.push_back(*text);
    }
    return {};
}

constexpr std::string_view kTenantList = "tenants must be a list of ids";

Result<void> read_models(const Place& place, const toml::array& list, ServeConfig& config) {
    for (const toml::node& each : list) {
        ModelConfig model;
        model.line = each.source().begin.line;
        TRY(read_keys(place, each, kModelKeys, model, {"targets", "tenants"}));
        TRY(read_targets(place, *each.as_table(), model));
        TRY(read_list(place, *each.as_table(), "tenants", kTenantList, model.tenants));
        config.models.push_back(std::move(model));
    }
    return {};
}

Result<void> read_upstreams(const Place& place, const toml::array& list, ServeConfig& config) {
    for (const toml::node& each : list) {
        UpstreamConfig upstream;
        upstream.line = each.source().begin.line;
        TRY(read_keys(place, each, kUpstreamKeys, upstream));
        config.upstreams.push_back(std::move(upstream));
    }
    return {};
}

Result<void> read_webhooks(const Place& place, const toml::array& list, ServeConfig& config) {
    for (const toml::node& each : list) {
        WebhookConfig webhook;
        webhook.line = each.source().begin.line;
        TRY(read_keys(place, each, kWebhookKeys, webhook, {"tenants", "services"}));
        const toml::table& table = *each.as_table();
        TRY(read_list(place, table, "tenants", kTenantList, webhook.tenants));
        TRY(read_list(place, table, "services", "services must be a list of names",
                      webhook.services));
        config.webhooks.push_back(std::move(webhook));
    }
    return {};
}

// [policy.thresholds] and [policy.actions]: the name of a check, and what is for it.
template <class Value>
Result<void> read_pairs(const Place& place, const toml::table& table, std::string_view name,
                        std::string_view what, std::vector<std::pair<std::string, Value>>& to) {
    const toml::node* node = table.get(name);
    if (node == nullptr) {
        return {};
    }
    const toml::table* pairs = node->as_table();
    if (pairs == nullptr) {
        return wrong(place, *node, what);
    }
    for (const auto& [key, value] : *pairs) {
        const auto read = value.template value_exact<Value>();
        if (!read) {
            return wrong(place, value, what);
        }
        to.emplace_back(std::string(key.str()), *read);
    }
    return {};
}

Result<void> read_policies(const Place& place, const toml::array& list, ServeConfig& config) {
    for (const toml::node& each : list) {
        PolicyConfig policy;
        policy.line = each.source().begin.line;
        TRY(read_keys(place, each, kPolicyKeys, policy,
                      {"tenants", "services", "input", "output", "thresholds", "actions"}));
        const toml::table& table = *each.as_table();
        constexpr std::string_view kNames = "services must be a list of names";
        constexpr std::string_view kSteps =
            "input and output must be lists of steps: \"library\" and names of checks";
        TRY(read_list(place, table, "tenants", kTenantList, policy.tenants));
        TRY(read_list(place, table, "services", kNames, policy.services));
        TRY(read_list(place, table, "input", kSteps, policy.input));
        TRY(read_list(place, table, "output", kSteps, policy.output));
        TRY(read_pairs<std::int64_t>(place, table, "thresholds",
                                     "thresholds must be a section of names of checks with numbers",
                                     policy.thresholds));
        TRY(read_pairs<std::string>(place, table, "actions",
                                    "actions must be a section of names of checks with actions",
                                    policy.actions));
        config.policies.push_back(std::move(policy));
    }
    return {};
}

template <class Section, std::size_t n>
Result<void> read_variables(std::string_view prefix, const std::array<Key<Section>, n>& keys,
                            Section& section) {
    for (const Key<Section>& key : keys) {
        std::string name = fmt::format("COLOPHON_{}_{}", prefix, key.name);
        std::ranges::transform(name, name.begin(), [](char c) {
            return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        });
        const char* value = std::getenv(name.c_str());
        if (value == nullptr) {
            continue;
        }
        const std::string_view text(value);
        if (key.text != nullptr) {
            section.*(key.text) = text;
            continue;
        }
        std::int64_t number = 0;
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (failed != std::errc{} || end != text.data() + text.size() || number < key.least ||
            number > key.most) {
            return Error{
                ErrorCode::kInvalidArgument,
                fmt::format("{} must be a number from {} to {}", name, key.least, key.most)};
        }
        section.*(key.number) = number;
    }
    return {};
}

}  // namespace

bool is_serve_section(std::string_view name) noexcept {
    return name == "server" || name == "gateway" || name == "review" || name == "sign_in" ||
           name == "upstream" || name == "model" || name == "webhook" || name == "policy";
}

Result<void> read_serve_section(const std::string& path, std::string_view name,
                                const toml::node& node, ServeConfig& config) {
    const Place place{.path = path, .section = name};
    if (name == "server") {
        return read_keys(place, node, kServerKeys, config.server);
    }
    if (name == "gateway") {
        return read_keys(place, node, kGatewayKeys, config.gateway);
    }
    if (name == "review") {
        return read_keys(place, node, kReviewKeys, config.review);
    }
    if (name == "sign_in") {
        return read_keys(place, node, kSignInKeys, config.sign_in);
    }
    const toml::array* list = node.as_array();
    if (list == nullptr) {
        return wrong(place, node, fmt::format("write [[{}]], with two brackets", name));
    }
    if (name == "webhook") {
        return read_webhooks(place, *list, config);
    }
    if (name == "policy") {
        return read_policies(place, *list, config);
    }
    return name == "upstream" ? read_upstreams(place, *list, config)
                              : read_models(place, *list, config);
}

Result<void> read_serve_environment(ServeConfig& config) {
    TRY(read_variables("SERVER", kServerKeys, config.server));
    TRY(read_variables("GATEWAY", kGatewayKeys, config.gateway));
    TRY(read_variables("REVIEW", kReviewKeys, config.review));
    return read_variables("SIGN_IN", kSignInKeys, config.sign_in);
}

}  // namespace colophon::cli
