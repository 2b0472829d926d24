// SPDX-License-Identifier: Apache-2.0
#include "cli/api_service.h"

#include "cli/installation.h"
#include "cli/ledger_installation.h"
#include "cli/media_service.h"
#include "cli/replay_run.h"
#include "cli/review_files.h"
#include "cli/trial_run.h"
#include "console/api.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/gateway.h"
#include "gateway/settings.h"
#include "identity/erasure.h"
#include "label/record.h"
#include "ledger/conduct.h"
#include "ledger/log_keys.h"
#include "ledger/log_service.h"
#include "ledger/records.h"
#include "review/library.h"
#include "review/queue.h"
#include "worker/veil.h"

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::cli {
namespace {

std::string_view dialect_name(gateway::Dialect dialect) {
    switch (dialect) {
        case gateway::Dialect::kOpenai:
            return "openai";
        case gateway::Dialect::kAnthropic:
            return "anthropic";
        case gateway::Dialect::kDashscope:
            return "dashscope";
        case gateway::Dialect::kTemplate:
            return "template";
        case gateway::Dialect::kBuiltin:
            break;
    }
    return "builtin";
}

std::string_view kind_name(gateway::ModelKind kind) {
    switch (kind) {
        case gateway::ModelKind::kText:
            return "text";
        case gateway::ModelKind::kSpeech:
            return "speech";
        case gateway::ModelKind::kVideo:
            return "video";
        case gateway::ModelKind::kImage:
            break;
    }
    return "image";
}

json::Object model_json(const gateway::ModelSettings& model) {
    json::Array targets;
    for (const gateway::Target& each : model.targets) {
        targets.emplace_back(json::Object{{"upstream", each.upstream},
                                          {"model", each.model},
                                          {"weight", std::int64_t{each.weight}}});
    }
    json::Array tenants;
    for (const std::string& each : model.tenants) {
        tenants.emplace_back(each);
    }
    return {
        {"model", model.name},
        {"kind", kind_name(model.kind)},
        {"service", label::service_name(model.service)},
        {"text_label", model.text_label == gateway::TextLabelPlace::kText ? "text" : "interface"},
        {"targets", std::move(targets)},
        {"tenants", std::move(tenants)},
        {"attempts", std::int64_t{model.attempts}}};
}

// Without the key, and without what a URL might carry behind a question mark.
json::Object upstream_json(const gateway::UpstreamSettings& upstream) {
    const bool builtin = upstream.dialect == gateway::Dialect::kBuiltin;
    const std::string path = upstream.url.path.substr(0, upstream.url.path.find('?'));
    return {{"upstream", upstream.name},
            {"dialect", dialect_name(upstream.dialect)},
            {"url",
             builtin ? json::Value()
                     : json::Value(fmt::format("{}://{}{}", upstream.url.secure ? "https" : "http",
                                               upstream.url.authority(), path))},
            {"has_key", !upstream.key.empty()}};
}

json::Object quota_json(const gateway::Quota& quota) {
    return {{"calls_at_once", std::uint64_t{quota.concurrency}},
            {"calls_a_minute", std::uint64_t{quota.requests_a_minute}},
            {"tokens_a_minute", std::uint64_t{quota.tokens_a_minute}}};
}

Result<json::Array> logs_json(const ApiSources& sources) {
    const auto keys = TRY(ledger::log_keys(sources.installation.store()));
    json::Array all;
    for (const ledger::LogHealth& each : sources.logs.health()) {
        json::Array texts;
        for (const std::string& key : keys_of_log(keys, each.log)) {
            texts.emplace_back(key);
        }
        all.emplace_back(
            json::Object{{"log", ledger::log_class_name(each.log)},
                         {"keys", std::move(texts)},
                         {"holds_lease", each.holds_lease},
                         {"size", each.size},
                         {"waiting", each.waiting},
                         {"finding", each.behind ? json::Value(each.behind->code) : json::Value()},
                         {"error", each.error}});
    }
    return all;
}

struct TrialAsked {
    std::int64_t records;
    const std::string& who;
    const ledger::Actor& actor;
};

// One at a time: a trial reads a lot.
Result<json::Array> try_entries(const ApiSources& sources, std::mutex& one,
                                const review::Selection& selection, const TrialAsked& asked) {
    const std::unique_lock lock(one, std::try_to_lock);
    if (!lock.owns_lock()) {
        return Error{ErrorCode::kUnavailable,
                     "another trial is running; ask again when it is over"};
    }
    Installation& installation = sources.installation;
    const ledger::Conduct conduct = installation.conduct(asked.actor);
    review::Library library(installation.store(), installation.clock(), conduct,
                            {.benign_per_million_max = sources.benign_per_million_max});
    const auto tried = TRY(run_trial({.installation = installation,
                                      .library = library,
                                      .conduct = conduct,
                                      .who = asked.who,
                                      .benign = sources.benign,
                                      .benign_per_million_max = sources.benign_per_million_max,
                                      .records = asked.records},
                                     selection));
    json::Array all;
    for (const TriedEntry& each : tried) {
        all.emplace_back(tried_form(each));
    }
    return all;
}

// By the policy that is in force on this node, where no other is named.
Result<json::Array> replay_calls(const ApiSources& sources, const console::ReplayOrder& order,
                                 const ledger::Actor& actor) {
    Installation& installation = sources.installation;
    const ledger::Conduct conduct = installation.conduct(actor);
    review::Library library(installation.store(), installation.clock(), conduct, {});
    const auto settings = sources.gateway.settings();
    const ReplayRun run{.installation = installation,
                        .library = library,
                        .conduct = conduct,
                        .rules = {},
                        .rules_checks = {},
                        .rules_id = {},
                        .hold_sounds = false,
                        .checks = settings->webhooks,
                        .ca_file = sources.ca_file};
    const auto all =
        TRY(run_replay(run, {.records = order.records,
                             .policy = order.policy.empty() ? settings->policy : order.policy,
                             .at = order.at,
                             .ask = order.ask}));
    json::Array data;
    for (const Replayed& each : all) {
        data.emplace_back(replayed_form(each));
    }
    return data;
}

Result<review::Veil> veil_of(MediaService& lookers, Bytes file) {
    worker::Veil veil = TRY(lookers.veil(file));
    std::string type(worker::veil_media_type(veil));
    return review::Veil{.file = std::move(veil.file),
                        .media_type = std::move(type),
                        .pictures = veil.pictures,
                        .speed = veil.speed};
}

}  // namespace

std::unique_ptr<console::ApiParts> make_api_parts(const ApiSources& sources) {
    Installation& installation = sources.installation;
    gateway::Gateway& gateway = sources.gateway;
    return std::make_unique<console::ApiParts>(console::ApiParts{
        .clock = installation.clock(),
        .random = installation.randomness(),
        .keys = sources.keys,
        .records = installation.records(),
        .store = installation.store(),
        .blocking = sources.blocking,
        .tenants =
            [&installation](const ledger::Actor& actor) {
                return installation.tenants(installation.recorder(actor));
            },
        .subjects =
            [&installation](const ledger::Actor& actor) {
                return installation.subjects(installation.recorder(actor),
                                             installation.verification_recorder(actor));
            },
        .staff =
            [&installation](const ledger::Actor& actor) {
                return installation.staff(installation.recorder(actor));
            },
        .conduct =
            [&installation](const ledger::Actor& actor) { return installation.conduct(actor); },
        .provider = sources.provider,
        .providers = [&installation] { return installation.providers(); },
        .erase =
            [&installation](const identity::Erasure& erasure, const ledger::Actor& actor) {
                return erase_person(installation, erasure, actor);
            },
        .queue = sources.queue,
        .veil = [&lookers = sources.lookers](Bytes file) { return veil_of(lookers, file); },
        .looking = sources.looking,
        .benign_per_million_max = sources.benign_per_million_max,
        .trial = [sources, one = std::make_shared<std::mutex>()](
                     const review::Selection& selection, std::int64_t records,
                     const std::string& who, const ledger::Actor& actor) -> Result<json::Array> {
            return try_entries(sources, *one, selection, {records, who, actor});
        },
        .test_banks = [path = sources.test_banks] { return read_test_banks(path); },
        .policies = [&installation] { return open_policies(installation); },
        .replay = [sources](const console::ReplayOrder& order, const ledger::Actor& actor)
            -> Result<json::Array> { return replay_calls(sources, order, actor); },
        .models =
            [&gateway] {
                json::Array all;
                const auto settings = gateway.settings();
                for (const auto& [name, model] : settings->models) {
                    all.emplace_back(model_json(model));
                }
                return all;
            },
        .upstreams =
            [&gateway] {
                json::Array all;
                const auto settings = gateway.settings();
                for (const auto& [name, upstream] : settings->upstreams) {
                    all.emplace_back(upstream_json(upstream));
                }
                return all;
            },
        .quotas =
            [&gateway] {
                const auto settings = gateway.settings();
                return json::Object{{"tenant", quota_json(settings->tenant_quota)},
                                    {"subject", quota_json(settings->subject_quota)}};
            },
        .logs = [sources] { return logs_json(sources); }});
}

}  // namespace colophon::cli
