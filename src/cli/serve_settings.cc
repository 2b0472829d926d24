// SPDX-License-Identifier: Apache-2.0
#include "cli/serve_settings.h"

#include "cli/check_template.h"
#include "cli/config.h"
#include "cli/label_request.h"
#include "cli/review_files.h"
#include "cli/review_policy.h"
#include "cli/serve_config.h"
#include "cli/upstream_template.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/random.h"
#include "core/result.h"
#include "gateway/cloud_classifiers.h"
#include "gateway/cost.h"
#include "gateway/course.h"
#include "gateway/settings.h"
#include "gateway/template_check.h"
#include "gateway/template_upstream.h"
#include "gateway/webhook_settings.h"
#include "http/limits.h"
#include "http/upstream.h"
#include "label/apply.h"
#include "label/format.h"
#include "label/record.h"
#include "review/entry.h"
#include "review/live_library.h"
#include "review/policy.h"
#include "review/scope.h"
#include "storage/secret_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace colophon::cli {
namespace {

constexpr std::size_t kWebhookNameBytesMax = 64;

template <class Value, std::size_t n>
Result<Value> choose(const std::array<std::pair<std::string_view, Value>, n>& choices,
                     std::string_view text, const std::string& where) {
    std::string known;
    for (const auto& [name, value] : choices) {
        if (name == text) {
            return value;
        }
        known += known.empty() ? "" : ", ";
        known += name;
    }
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}: \"{}\" is none of {}", where, text, known)};
}

std::string where_is(const Config& config, std::string_view what, const std::string& name,
                     std::int64_t line) {
    return fmt::format("{}, line {}: {} \"{}\"", config.path, line, what, name);
}

Result<std::string> secret_of(const std::string& source, const std::string& where) {
    if (source.empty()) {
        return std::string();
    }
    const auto secret = storage::read_secret(source, storage::SecretFile::kAny);
    if (!secret.ok()) {
        return with_context(secret.error(), where);
    }
    return std::string(secret->text());
}

Result<void> set_template(const UpstreamConfig& from, const std::string& where,
                          gateway::UpstreamSettings& to) {
    const bool wanted = to.dialect == gateway::Dialect::kTemplate;
    if (wanted == from.template_file.empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     where + ": dialect = \"template\" and template = \"FILE\" belong together"};
    }
    if (!wanted) {
        return {};
    }
    auto pattern = read_upstream_template(from.template_file);
    if (!pattern.ok()) {
        return with_context(pattern.error(), where);
    }
    to.pattern = std::make_shared<const gateway::UpstreamTemplate>(std::move(*pattern));
    return {};
}

Result<gateway::UpstreamSettings> make_upstream(const UpstreamConfig& from,
                                                const std::string& where) {
    constexpr std::array<std::pair<std::string_view, gateway::Dialect>, 5> kDialects{
        {{"openai", gateway::Dialect::kOpenai},
         {"anthropic", gateway::Dialect::kAnthropic},
         {"dashscope", gateway::Dialect::kDashscope},
         {"template", gateway::Dialect::kTemplate},
         {"builtin", gateway::Dialect::kBuiltin}}};
    gateway::UpstreamSettings to;
    to.name = from.name;
    if (from.name.empty()) {
        return Error{ErrorCode::kInvalidArgument, where + " has no name"};
    }
    to.dialect = TRY(choose(kDialects, from.dialect.empty() ? "openai" : from.dialect, where));
    if (to.dialect != gateway::Dialect::kBuiltin) {
        auto url = http::parse_url(from.url);
        if (!url.ok()) {
            return with_context(url.error(), where);
        }
        to.url = std::move(*url);
        while (to.url.path.ends_with('/')) {
            to.url.path.pop_back();
        }
    }
    to.key = TRY(secret_of(from.key, where));
    TRY(set_template(from, where, to));
    constexpr std::array<std::pair<std::string_view, gateway::Fetch>, 2> kFetch{
        {{"public", gateway::Fetch::kPublic}, {"own", gateway::Fetch::kOwn}}};
    to.fetch = TRY(choose(kFetch, from.fetch.empty() ? "public" : from.fetch, where));
    constexpr std::array<std::pair<std::string_view, bool>, 2> kKeys{
        {{"ignored", false}, {"honoured", true}}};
    to.keeps_keys = TRY(
        choose(kKeys, from.idempotency_keys.empty() ? "ignored" : from.idempotency_keys, where));
    if (to.keeps_keys && to.dialect != gateway::Dialect::kOpenai) {
        return Error{ErrorCode::kInvalidArgument,
                     where + ": idempotency keys are sent to upstreams of the dialect openai only"};
    }
    to.task_time = std::chrono::seconds(from.task_seconds);
    to.times = {.connect = std::chrono::seconds(from.connect_seconds),
                .first_byte = std::chrono::seconds(from.first_byte_seconds),
                .idle = std::chrono::seconds(from.idle_seconds)};
    return to;
}

// The prices that a model or one of its targets names; the others stay as they are.
template <class PriceConfig>
Result<void> set_price(const PriceConfig& from, const std::string& where, gateway::Price& to) {
    for (const auto& [text, price] :
         {std::pair{&from.input_price, &to.input}, std::pair{&from.output_price, &to.output},
          std::pair{&from.character_price, &to.characters},
          std::pair{&from.picture_price, &to.picture}, std::pair{&from.video_price, &to.video},
          std::pair{&from.second_price, &to.second}}) {
        if (text->empty()) {
            continue;
        }
        const auto parsed = gateway::parse_price(*text);
        if (!parsed.ok()) {
            return with_context(parsed.error(), where);
        }
        *price = *parsed;
    }
    return {};
}

Result<void> add_targets(const ModelConfig& from, const std::string& where,
                         gateway::ModelSettings& to, const gateway::Settings& settings) {
    if (from.upstream.empty() == from.targets.empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     where + " needs either upstream = \"NAME\" or targets = [...]"};
    }
    gateway::Price price;
    TRY(set_price(from, where, price));
    if (!from.upstream.empty()) {
        to.targets.push_back({.upstream = from.upstream, .model = from.model, .price = price});
    }
    for (const TargetConfig& each : from.targets) {
        to.targets.push_back({.upstream = each.upstream,
                              .model = each.model,
                              .weight = static_cast<unsigned>(each.weight),
                              .price = price});
        TRY(set_price(each, where, to.targets.back().price));
    }
    for (gateway::Target& each : to.targets) {
        if (each.model.empty()) {
            each.model = from.name;
        }
        const auto upstream = settings.upstreams.find(each.upstream);
        if (upstream == settings.upstreams.end()) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("{}: there is no upstream \"{}\"", where, each.upstream)};
        }
        const bool builtin = upstream->second.dialect == gateway::Dialect::kBuiltin;
        const bool anthropic = upstream->second.dialect == gateway::Dialect::kAnthropic;
        if (anthropic && to.kind != gateway::ModelKind::kText) {
            return Error{ErrorCode::kInvalidArgument,
                         where + ": an upstream of the dialect anthropic makes text only"};
        }
        const bool dashscope = upstream->second.dialect == gateway::Dialect::kDashscope;
        if (dashscope && to.kind != gateway::ModelKind::kImage &&
            to.kind != gateway::ModelKind::kVideo) {
            return Error{ErrorCode::kInvalidArgument,
                         where +
                             ": an upstream of the dialect dashscope makes pictures and videos "
                             "only; set kind = \"image\" or kind = \"video\""};
        }
        const bool task = upstream->second.pattern != nullptr && upstream->second.pattern->task;
        if (upstream->second.pattern != nullptr &&
            task != (to.kind == gateway::ModelKind::kVideo)) {
            return Error{ErrorCode::kInvalidArgument,
                         where +
                             ": a video comes of a template with a section [task], everything else "
                             "of one without"};
        }
        if (builtin && to.kind != gateway::ModelKind::kSpeech) {
            return Error{ErrorCode::kInvalidArgument,
                         where + ": the builtin upstream only speaks; set kind = \"speech\""};
        }
    }
    return {};
}

Result<gateway::ModelSettings> make_model(const ModelConfig& from, const std::string& where,
                                          const gateway::Settings& settings) {
    constexpr std::array<std::pair<std::string_view, gateway::ModelKind>, 4> kKinds{
        {{"text", gateway::ModelKind::kText},
         {"speech", gateway::ModelKind::kSpeech},
         {"image", gateway::ModelKind::kImage},
         {"video", gateway::ModelKind::kVideo}}};
    constexpr std::array<std::pair<std::string_view, gateway::TextLabelPlace>, 2> kPlaces{
        {{"text", gateway::TextLabelPlace::kText},
         {"interface", gateway::TextLabelPlace::kInterface}}};
    gateway::ModelSettings to;
    to.name = from.name;
    if (from.name.empty()) {
        return Error{ErrorCode::kInvalidArgument, where + " has no name"};
    }
    to.kind = TRY(choose(kKinds, from.kind.empty() ? "text" : from.kind, where));
    to.text_label = TRY(choose(kPlaces, from.text_label.empty() ? "text" : from.text_label, where));
    const std::string usual = to.kind == gateway::ModelKind::kText     ? "dialogue"
                              : to.kind == gateway::ModelKind::kSpeech ? "voice"
                                                                       : "content";
    const auto service = label::parse_service(from.service.empty() ? usual : from.service);
    if (!service) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("{}: there is no service \"{}\"; known are dialogue, voice, face, "
                                 "scene, content and other",
                                 where, from.service)};
    }
    to.service = *service;
    to.tenants = from.tenants;
    to.attempts = static_cast<unsigned>(from.attempts);
    TRY(add_targets(from, where, to, settings));
    return to;
}

Result<void> set_label(const Config& config, gateway::Settings& settings) {
    LabelArguments arguments;
    arguments.values = config.label;
    // Marks, place and kind follow from each model's service; the rest is checked as for files.
    SystemClock clock;
    const LabelRequest request = TRY(LabelRequest::create(arguments, config.verify, clock));
    SystemRandom random;
    label::ApplyOptions options = TRY(request.options_for(label::Format::kMarkdown, clock, random));
    settings.label.record = options.record;
    settings.label.record.content_id.reset();
    settings.label.profile = options.profile;
    settings.label.language = options.language;
    settings.label.text = options.text;
    settings.label.watermark_key = options.watermark_key;
    settings.label.issuer = options.issuer;
    settings.label.payload = options.payload;
    TRY(label::explicit_wording(options, label::Kind::kText));
    return {};
}

Result<void> set_review(const Config& config, gateway::Settings& settings) {
    const review::LocalRules rules = TRY(read_local_rules(config.serve));
    auto reviewer = review::make_reviewer(rules, {});
    if (!reviewer.ok()) {
        return with_context(reviewer.error(), config.serve.review.words);
    }
    settings.reviewer = std::move(*reviewer);
    return {};
}

std::size_t size_of(std::int64_t number) {
    return static_cast<std::size_t>(number);
}

Result<void> set_gateway(const GatewayConfig& from, gateway::Settings& settings) {
    constexpr std::array<std::pair<std::string_view, bool>, 2> kSubjects{
        {{"required", true}, {"optional", false}}};
    settings.subject_required =
        TRY(choose(kSubjects, from.subject.empty() ? "required" : from.subject, "gateway.subject"));
    constexpr std::array<std::pair<std::string_view, gateway::UnseenParts>, 3> kUnseen{
        {{"refuse", gateway::UnseenParts::kRefuse},
         {"pass", gateway::UnseenParts::kPass},
         {"hold", gateway::UnseenParts::kHold}}};
    settings.unseen_parts = TRY(choose(
        kUnseen, from.unseen_parts.empty() ? "refuse" : from.unseen_parts, "gateway.unseen_parts"));
    constexpr std::array<std::pair<std::string_view, gateway::ChatSounds>, 3> kSounds{
        {{"compare", gateway::ChatSounds::kCompare},
         {"hold", gateway::ChatSounds::kHold},
         {"refuse", gateway::ChatSounds::kRefuse}}};
    settings.chat_sounds = TRY(choose(
        kSounds, from.chat_sounds.empty() ? "compare" : from.chat_sounds, "gateway.chat_sounds"));
    constexpr std::array<std::pair<std::string_view, gateway::PicturePrints>, 2> kPrints{
        {{"always", gateway::PicturePrints::kAlways},
         {"compared", gateway::PicturePrints::kCompared}}};
    settings.picture_prints =
        TRY(choose(kPrints, from.picture_prints.empty() ? "always" : from.picture_prints,
                   "gateway.picture_prints"));
    settings.currency = from.currency.empty() ? "CNY" : from.currency;
    const bool is_code =
        settings.currency.size() == 3 &&
        std::ranges::all_of(settings.currency, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (!is_code) {
        return Error{ErrorCode::kInvalidArgument,
                     "gateway.currency must be a code of three capital letters, like CNY"};
    }
    settings.filing = from.filing;
    settings.appeal = from.appeal;
    settings.body_bytes_max = static_cast<std::uint64_t>(from.request_bytes_max);
    settings.file_bytes_max = static_cast<std::uint64_t>(from.file_bytes_max);
    for (const auto& [name, bytes_max] : {std::pair{"file_bytes_max", from.file_bytes_max},
                                          std::pair{"video_bytes_max", from.video_bytes_max}}) {
        if (bytes_max > from.spool_bytes_max / 2) {
            return Error{
                ErrorCode::kInvalidArgument,
                fmt::format("gateway.spool_bytes_max must have room for two of gateway.{}: "
                            "a file, and the same with its labels",
                            name)};
        }
    }
    settings.answer_bytes_max = size_of(from.answer_bytes_max);
    settings.idempotency_time = std::chrono::hours(from.idempotency_hours);
    settings.idempotency_bytes_max = size_of(from.idempotency_answer_bytes_max);
    settings.video = {.bytes_max = size_of(from.video_bytes_max),
                      .labelled_at_once = std::max<std::size_t>(size_of(from.workers) / 2, 1),
                      .jobs = {.kept = std::chrono::hours(from.video_hours),
                               .tenant_jobs_at_once = size_of(from.tenant_videos_at_once),
                               .subject_jobs_at_once = size_of(from.subject_videos_at_once),
                               .jobs_at_once = size_of(from.videos_at_once)}};
    settings.pictures = {.kept = std::chrono::hours(from.picture_job_hours),
                         .tenant_jobs_at_once = size_of(from.tenant_picture_jobs_at_once),
                         .subject_jobs_at_once = size_of(from.subject_picture_jobs_at_once),
                         .jobs_at_once = size_of(from.picture_jobs_at_once)};
    settings.tenant_quota = {.concurrency = size_of(from.tenant_calls_at_once),
                             .requests_a_minute = size_of(from.tenant_calls_a_minute),
                             .tokens_a_minute = size_of(from.tenant_tokens_a_minute)};
    settings.subject_quota = {.concurrency = size_of(from.subject_calls_at_once),
                              .requests_a_minute = size_of(from.subject_calls_a_minute),
                              .tokens_a_minute = size_of(from.subject_tokens_a_minute)};
    return {};
}

// LiteLLM gives guards their base address and adds the path, and so do we.
std::string_view path_of(gateway::CheckShape shape) {
    switch (shape) {
        case gateway::CheckShape::kGuardrail:
            return "/beta/litellm_basic_guardrail_api";
        case gateway::CheckShape::kModerations:
            return "/moderations";
        case gateway::CheckShape::kAliyun:
        case gateway::CheckShape::kTencent:
            return "/";
        case gateway::CheckShape::kTemplate:
            return "";
        case gateway::CheckShape::kLlamaGuard:
        case gateway::CheckShape::kQwen3Guard:
            break;
    }
    return "/chat/completions";
}

Result<http::Url> webhook_url(const std::string& text, gateway::CheckShape shape,
                              const std::string& where) {
    const std::string_view path = path_of(shape);
    auto url = http::parse_url(text);
    if (!url.ok()) {
        return with_context(url.error(), where);
    }
    while (url->path.ends_with('/')) {
        url->path.pop_back();
    }
    if (!url->path.ends_with(path)) {
        url->path += path;
    }
    return std::move(*url);
}

constexpr std::array<std::pair<std::string_view, review::Stage>, 3> kStages{
    {{"input", review::Stage::kInput},
     {"output", review::Stage::kOutput},
     {"both", review::Stage::kBoth}}};
constexpr std::array<std::pair<std::string_view, gateway::WhenMissed>, 3> kMissed{
    {{"refuse", gateway::WhenMissed::kRefuse},
     {"pass", gateway::WhenMissed::kPass},
     {"hold", gateway::WhenMissed::kHold}}};

Result<void> set_check_template(const WebhookConfig& from, const std::string& where,
                                gateway::WebhookSettings& to) {
    auto pattern = read_check_template(from.template_file);
    if (!pattern.ok()) {
        return with_context(pattern.error(), where);
    }
    if (!from.secret.empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     where + ": requests of a template are not signed; it has a key and no secret"};
    }
    const bool only_scores = !pattern->verdict && (pattern->score || pattern->label_score);
    if (only_scores && to.threshold_per_mille == 0) {
        return Error{ErrorCode::kInvalidArgument,
                     where + ": scores without a verdict need threshold_per_mille"};
    }
    to.pattern = std::make_shared<const gateway::CheckTemplate>(std::move(*pattern));
    return {};
}

Result<void> set_scope(const WebhookConfig& from, const std::string& where,
                       gateway::WebhookSettings& to) {
    to.scope.tenants = from.tenants;
    for (const std::string& service : from.services) {
        if (!label::parse_service(service)) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("{}: there is no service \"{}\"; known are dialogue, voice, "
                                     "face, scene, content and other",
                                     where, service)};
        }
    }
    to.scope.services = from.services;
    return {};
}

Result<gateway::WebhookSettings> make_webhook(const WebhookConfig& from, const std::string& where) {
    gateway::WebhookSettings to;
    to.name = from.name;
    if (from.name.empty()) {
        return Error{ErrorCode::kInvalidArgument, where + " has no name"};
    }
    if (from.name == review::kLibraryStep) {
        return Error{ErrorCode::kInvalidArgument,
                     where + ": \"library\" is the name of the own rules"};
    }
    if (from.name.size() > kWebhookNameBytesMax) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("{}: a name has at most {} bytes", where, kWebhookNameBytesMax)};
    }
    constexpr std::array<std::pair<std::string_view, gateway::CheckShape>, 7> kShapes{
        {{"guardrail", gateway::CheckShape::kGuardrail},
         {"moderations", gateway::CheckShape::kModerations},
         {"llama-guard", gateway::CheckShape::kLlamaGuard},
         {"qwen3guard", gateway::CheckShape::kQwen3Guard},
         {"aliyun", gateway::CheckShape::kAliyun},
         {"tencent", gateway::CheckShape::kTencent},
         {"template", gateway::CheckShape::kTemplate}}};
    constexpr std::array<std::pair<std::string_view, review::Decision>, 3> kActions{
        {{"block", review::Decision::kBlock},
         {"hold", review::Decision::kHold},
         {"flag", review::Decision::kFlag}}};
    to.shape = TRY(choose(kShapes, from.shape.empty() ? "guardrail" : from.shape, where));
    to.action = TRY(choose(kActions, from.action.empty() ? "block" : from.action, where));
    to.model = from.model;
    to.threshold_per_mille = from.threshold_per_mille;
    const bool guardrail = to.shape == gateway::CheckShape::kGuardrail;
    const bool cloud = gateway::is_cloud(to.shape);
    if (cloud && (from.key.empty() || from.secret.empty())) {
        return Error{ErrorCode::kInvalidArgument,
                     where + ": a cloud needs the id of its key (key) and the key (secret)"};
    }
    if (to.shape != gateway::CheckShape::kTencent && !from.region.empty()) {
        return Error{ErrorCode::kInvalidArgument, where + ": only tencent has a region"};
    }
    to.region = from.region.empty() ? "ap-guangzhou" : from.region;
    const bool described = to.shape == gateway::CheckShape::kTemplate;
    if (described == from.template_file.empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     where + ": shape = \"template\" and template = \"FILE\" belong together"};
    }
    if (described) {
        TRY(set_check_template(from, where, to));
    }
    if (!cloud && !described && guardrail != to.model.empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     where + ": a classifier needs a model, and a guardrail has none"};
    }
    if (guardrail && (!from.action.empty() || to.threshold_per_mille > 0)) {
        return Error{ErrorCode::kInvalidArgument,
                     where +
                         ": a guardrail decides for itself; action and threshold_per_mille are "
                         "for classifiers"};
    }
    to.url = TRY(webhook_url(from.url, to.shape, where));
    to.scope.stage = TRY(choose(kStages, from.stage.empty() ? "both" : from.stage, where));
    to.when_missed =
        TRY(choose(kMissed, from.on_failure.empty() ? "refuse" : from.on_failure, where));
    TRY(set_scope(from, where, to));
    to.time = std::chrono::milliseconds(from.timeout_ms);
    to.key = TRY(secret_of(from.key, where));
    to.secret = TRY(secret_of(from.secret, where));
    return to;
}

Result<void> set_webhooks(const Config& config, gateway::Settings& settings) {
    for (const WebhookConfig& each : config.serve.webhooks) {
        const std::string where = where_is(config, "webhook", each.name, each.line);
        gateway::WebhookSettings made = TRY(make_webhook(each, where));
        if (std::ranges::find(settings.webhooks, made.name, &gateway::WebhookSettings::name) !=
            settings.webhooks.end()) {
            return Error{ErrorCode::kInvalidArgument, where + " stands there twice"};
        }
        settings.webhooks.push_back(std::move(made));
    }
    auto rules = TRY(policy_rules(config.serve));
    auto courses = gateway::make_courses(std::move(rules), settings.webhooks);
    if (!courses.ok()) {
        return with_context(courses.error(), config.path);
    }
    settings.courses = std::move(*courses);
    return {};
}

// The voice that every installation has, where nobody named another model of that name.
void add_builtin_voice(gateway::Settings& settings) {
    const gateway::UpstreamSettings upstream{.name = "builtin",
                                             .dialect = gateway::Dialect::kBuiltin};
    settings.upstreams.try_emplace("builtin", upstream);
    if (settings.upstreams.find("builtin")->second.dialect != gateway::Dialect::kBuiltin) {
        return;
    }
    gateway::ModelSettings model{.name = "espeak-ng",
                                 .kind = gateway::ModelKind::kSpeech,
                                 .service = label::ServiceClass::kVoice};
    model.targets.push_back({.upstream = "builtin", .model = "espeak-ng"});
    settings.models.try_emplace("espeak-ng", std::move(model));
}

}  // namespace

Result<ServeAddress> parse_address(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    ServeAddress address;
    const std::string_view port =
        colon == std::string::npos ? std::string_view() : std::string_view(text).substr(colon + 1);
    const auto [end, failed] =
        std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (port.empty() || failed != std::errc{} || end != port.data() + port.size()) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("\"{}\" is no address; write 127.0.0.1:8080 or [::]:8080", text)};
    }
    address.host = text.substr(0, colon);
    if (address.host.starts_with('[') && address.host.ends_with(']')) {
        address.host = address.host.substr(1, address.host.size() - 2);
    }
    return address;
}

Result<std::shared_ptr<const gateway::Settings>> make_review_settings(const Config& config) {
    auto settings = std::make_shared<gateway::Settings>();
    TRY(set_gateway(config.serve.gateway, *settings));
    TRY(set_review(config, *settings));
    TRY(set_webhooks(config, *settings));
    return std::shared_ptr<const gateway::Settings>(std::move(settings));
}

Result<std::shared_ptr<const gateway::Settings>> make_settings(const Config& config) {
    auto settings = std::make_shared<gateway::Settings>();
    TRY(set_gateway(config.serve.gateway, *settings));
    if (config.serve.gateway.file_bytes_max > config.serve.server.body_bytes_max) {
        return Error{ErrorCode::kInvalidArgument,
                     "gateway.file_bytes_max is above server.body_bytes_max, so that no such file "
                     "would come in"};
    }
    TRY(set_label(config, *settings));
    TRY(set_review(config, *settings));
    for (const UpstreamConfig& each : config.serve.upstreams) {
        const std::string where = where_is(config, "upstream", each.name, each.line);
        gateway::UpstreamSettings made = TRY(make_upstream(each, where));
        if (!settings->upstreams.try_emplace(each.name, std::move(made)).second) {
            return Error{ErrorCode::kInvalidArgument, where + " stands there twice"};
        }
    }
    add_builtin_voice(*settings);
    for (const ModelConfig& each : config.serve.models) {
        const std::string where = where_is(config, "model", each.name, each.line);
        gateway::ModelSettings made = TRY(make_model(each, where, *settings));
        if (!settings->models.insert_or_assign(each.name, std::move(made)).second &&
            each.name != "espeak-ng") {
            return Error{ErrorCode::kInvalidArgument, where + " stands there twice"};
        }
    }
    TRY(set_webhooks(config, *settings));
    std::string told;
    for (const gateway::WebhookSettings& each : settings->webhooks) {
        told += each.name + " " + each.url.authority() + each.url.path + "\n";
    }
    for (const auto& [name, model] : settings->models) {
        told += name + "\n";
        for (const gateway::Target& each : model.targets) {
            told += each.upstream + " " + each.model + "\n";
        }
    }
    told += settings->reviewer->version();
    settings->version = to_hex(sha256(as_bytes(told))).substr(0, 12);
    return std::shared_ptr<const gateway::Settings>(std::move(settings));
}

http::ServerLimits make_limits(const ServerConfig& config) {
    http::ServerLimits limits;
    limits.head_bytes_max = size_of(config.head_bytes_max);
    limits.body_bytes_max = static_cast<std::uint64_t>(config.body_bytes_max);
    limits.connections_max = size_of(config.connections_max);
    limits.per_peer_max = size_of(config.per_peer_max);
    limits.head_time = std::chrono::seconds(config.head_seconds);
    limits.idle_time = std::chrono::seconds(config.idle_seconds);
    limits.body_time = std::chrono::seconds(config.body_seconds);
    limits.write_time = std::chrono::seconds(config.write_seconds);
    return limits;
}

}  // namespace colophon::cli
