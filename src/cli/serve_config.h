// SPDX-License-Identifier: Apache-2.0
#pragma once

// The sections of colophon.toml that the server reads: [server], [gateway], [review], [sign_in],
// [[upstream]], [[model]], [[webhook]] and [[policy]]. docs/reference/configuration.md explains
// every key.

#include "core/result.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace colophon::cli {

// NOLINTBEGIN(readability-redundant-member-init)
struct ServerConfig {
    std::string address = {};  // HOST:PORT
    std::string tls_certificate = {};
    std::string tls_key = {};
    std::string access_log = {};  // "stderr", "none"
    std::string metrics = {};     // "local", "all"
    std::int64_t threads = 1;
    std::int64_t drain_seconds = 300;
    std::int64_t head_bytes_max = 16 << 10;
    std::int64_t body_bytes_max = 256 << 20;
    std::int64_t connections_max = 10'000;
    std::int64_t per_peer_max = 10'000;
    std::int64_t head_seconds = 10;
    std::int64_t idle_seconds = 75;
    std::int64_t body_seconds = 30;
    std::int64_t write_seconds = 30;
};

struct GatewayConfig {
    std::string subject = {};  // "required", "optional"
    std::string currency = {};
    std::string filing = {};
    std::string appeal = {};
    std::string ca_file = {};         // of upstreams
    std::string unseen_parts = {};    // "refuse", "pass", "hold"
    std::string chat_sounds = {};     // "compare", "hold", "refuse"
    std::string picture_prints = {};  // "always", "compared"
    std::int64_t workers = 2;
    std::int64_t request_bytes_max = 16 << 20;
    std::int64_t file_bytes_max = 256 << 20;
    std::string spool = {};  // folder
    std::int64_t spool_bytes_max = std::int64_t{4} << 30;
    std::int64_t answer_bytes_max = 64 << 20;
    std::int64_t idempotency_hours = 24;
    std::int64_t idempotency_answer_bytes_max = 8 << 20;
    std::int64_t tenant_calls_at_once = 0;
    std::int64_t tenant_calls_a_minute = 0;
    std::int64_t tenant_tokens_a_minute = 0;
    std::int64_t subject_calls_at_once = 0;
    std::int64_t subject_calls_a_minute = 0;
    std::int64_t subject_tokens_a_minute = 0;
    // Of videos.
    std::int64_t video_bytes_max = 256 << 20;
    std::int64_t video_hours = 24;
    std::int64_t video_label_seconds = 3600;
    std::int64_t videos_at_once = 32;
    std::int64_t tenant_videos_at_once = 100;
    std::int64_t subject_videos_at_once = 10;
    // Of pictures that are made by jobs.
    std::int64_t picture_job_hours = 24;
    std::int64_t picture_jobs_at_once = 16;
    std::int64_t tenant_picture_jobs_at_once = 100;
    std::int64_t subject_picture_jobs_at_once = 10;
};

struct ReviewConfig {
    std::string words = {};   // file of words that may not pass
    std::string benign = {};  // harmless contents, for trials: a file of lines, or a folder
    std::int64_t benign_per_million_max = 5000;
    std::string test_banks = {};                      // file of questions (review/test_banks.h)
    std::string classifier = {};                      // file of a model (review/classifier.h)
    std::string classifier_action = {};               // "flag", "hold", "block"
    std::int64_t classifier_threshold_per_mille = 0;  // 0: the classifier's own
    // The queue of what was held.
    std::string four_eyes = {};  // categories with commas, in which two must agree
    std::string urgent = {};     // categories that come first
    std::int64_t claim_minutes = 15;
    std::int64_t due_minutes = 60;
    std::int64_t expire_hours = 72;
    std::int64_t undo_minutes = 10;
    std::int64_t sample_per_mille = 20;
    std::int64_t decisions_a_day_max = 800;
    std::int64_t claims_at_once_max = 5;
    std::string flagged = {};  // "pass", "queue"
};

// Staff who sign in by an OpenID Connect provider.
struct SignInConfig {
    std::string issuer = {};
    std::string client_id = {};
    std::string client_secret = {};    // file:PATH or env:NAME
    std::string redirect_url = {};     // of this server, as browsers reach it
    std::string required_method = {};  // what the provider must have asked for, such as "mfa"
    std::string ca_file = {};
};

struct UpstreamConfig {
    std::string name = {};
    std::string dialect = {};  // "openai", "anthropic", "dashscope", "template", "builtin"
    std::string url = {};
    std::string key = {};               // may be file:PATH or env:NAME
    std::string template_file = {};     // of the dialect template
    std::string fetch = {};             // "public", "own"
    std::string idempotency_keys = {};  // "ignored", "honoured"
    std::int64_t task_seconds = 300;
    std::int64_t connect_seconds = 5;
    std::int64_t first_byte_seconds = 60;
    std::int64_t idle_seconds = 60;
    std::int64_t line = 0;  // where it stands
};

struct TargetConfig {
    std::string upstream = {};
    std::string model = {};
    std::string input_price = {};  // these six instead of the model's
    std::string output_price = {};
    std::string character_price = {};
    std::string picture_price = {};
    std::string video_price = {};
    std::string second_price = {};
    std::int64_t weight = 1;
};

struct ModelConfig {
    std::string name = {};
    std::string kind = {};         // "text", "speech", "image", "video"
    std::string service = {};      // of article 17
    std::string text_label = {};   // "text", "interface"
    std::string upstream = {};     // the only target, by name; or targets
    std::string model = {};        // as the upstream calls it; empty: the same name
    std::string input_price = {};  // of a million tokens
    std::string output_price = {};
    std::string character_price = {};  // of a million characters
    std::string picture_price = {};    // of one
    std::string video_price = {};      // of one
    std::string second_price = {};     // of one second of video
    std::vector<TargetConfig> targets = {};
    std::vector<std::string> tenants = {};
    std::int64_t attempts = 2;
    std::int64_t line = 0;
};

struct WebhookConfig {
    std::string name = {};
    std::string url = {};
    std::string stage = {};          // "input", "output", "both"
    std::string on_failure = {};     // "refuse", "pass", "hold"
    std::string key = {};            // may be file:PATH or env:NAME
    std::string secret = {};         // the same
    std::string shape = {};          // "guardrail", "moderations", "llama-guard", ...
    std::string model = {};          // of a classifier
    std::string region = {};         // of tencent
    std::string template_file = {};  // of template
    std::string action = {};         // "block", "hold", "flag"
    std::int64_t threshold_per_mille = 0;
    std::vector<std::string> tenants = {};
    std::vector<std::string> services = {};
    std::int64_t timeout_ms = 2000;
    std::int64_t line = 0;
};

// How some calls are reviewed instead of as usual.
struct PolicyConfig {
    std::string name = {};
    std::vector<std::string> tenants = {};
    std::vector<std::string> services = {};
    std::vector<std::string> input = {};  // steps in their order
    std::vector<std::string> output = {};
    std::string input_stop = {};  // "hold", "block", "never"
    std::string output_stop = {};
    std::string classifier_action = {};  // "off", "flag", "hold", "block"
    std::int64_t classifier_threshold_per_mille = 0;
    std::vector<std::pair<std::string, std::int64_t>> thresholds = {};  // of checks, per mille
    std::vector<std::pair<std::string, std::string>> actions = {};      // of checks
    std::int64_t line = 0;
};

struct ServeConfig {
    ServerConfig server = {};
    GatewayConfig gateway = {};
    ReviewConfig review = {};
    SignInConfig sign_in = {};
    std::vector<UpstreamConfig> upstreams = {};
    std::vector<ModelConfig> models = {};
    std::vector<WebhookConfig> webhooks = {};
    std::vector<PolicyConfig> policies = {};
};
// NOLINTEND(readability-redundant-member-init)

}  // namespace colophon::cli
