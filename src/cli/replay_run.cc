// SPDX-License-Identifier: Apache-2.0
#include "cli/replay_run.h"

#include "cli/admin.h"
#include "cli/installation.h"
#include "cli/replay_files.h"
#include "cli/review_files.h"
#include "cli/review_policy.h"
#include "cli/serve_config.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/http_exchange.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/check_exchange.h"
#include "gateway/course.h"
#include "gateway/settings.h"
#include "gateway/template_check.h"  // IWYU pragma: keep
#include "gateway/webhook_settings.h"
#include "http/client.h"
#include "http/upstream.h"
#include "ledger/conduct.h"
#include "ledger/record.h"
#include "ledger/record_contents.h"
#include "ledger/records.h"
#include "review/entry.h"
#include "review/live_library.h"
#include "review/policies.h"
#include "review/review.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

using gateway::WebhookAnswer;
using gateway::WebhookSettings;
using gateway::WebhookView;
using review::Decision;
using review::Stage;

constexpr std::string_view kRecorded = "recorded";

// The rules of a version and a time, ready.
struct Ready {
    std::shared_ptr<const review::Reviewer> reviewer;
    gateway::Courses courses;
    bool hold_sounds = false;
    std::string name;
    Time at;
};

// "policy-.../library-..." is the first of both.
std::string policy_of_record(const ledger::Facts& facts) {
    return facts.policy_version.substr(0, facts.policy_version.find('/'));
}

// The number of a call, or of the content that it made.
Result<ledger::Facts> facts_of(Installation& installation, const std::string& name) {
    if (const auto id = parse_random_id<RecordId>(name); id.ok()) {
        return installation.records().find(*id);
    }
    const ContentId content = TRY(parse_content_id(name));
    return installation.records().find(content);
}

class Replay {
public:
    Replay(const ReplayRun& run, const ReplayAsked& asked)
        : run_(run), asked_(asked), policies_(open_policies(run.installation)) {}

    Result<void> begin();
    Result<void> replay(const std::string& name, std::vector<Replayed>& all);

private:
    Result<const Ready*> rules_for(const ledger::Facts& facts);
    Result<Ready> make(const std::string& policy, Time at);
    void ask_checks(const ledger::Facts& facts, std::string_view input, std::string_view text,
                    const gateway::StageCourse& course, Replayed& replayed);
    void ask_one(const gateway::CheckAbout& about, const WebhookSettings& check,
                 const WebhookView& view, Replayed& replayed);
    Result<WebhookAnswer> exchange(const gateway::CheckAbout& about, const WebhookSettings& check,
                                   const WebhookView& view);
    Result<WebhookSettings> with_keys(const WebhookSettings& check) const;

    const ReplayRun& run_;
    const ReplayAsked& asked_;
    review::Policies policies_;
    std::optional<Time> at_;
    std::optional<RecordId> last_without_files_;
    HttpExchange client_;
    // By policy and time: making them takes longer than judging by them.
    std::map<std::pair<std::string, Time>, std::unique_ptr<Ready>> ready_;
};

Result<void> Replay::begin() {
    if (asked_.records.empty() || asked_.records.size() > kReplayedAtOnceMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("1 to {} records are replayed at once", kReplayedAtOnceMax)};
    }
    if (!asked_.at.empty() && asked_.at != kRecorded) {
        at_ = TRY(parse_time(asked_.at));
    }
    if (asked_.ask) {
        client_ = TRY(http::make_client_exchange({.ca_file = run_.ca_file}));
    }
    last_without_files_ = TRY(run_.installation.records().last_without_files());
    return {};
}

Result<Ready> Replay::make(const std::string& policy, Time at) {
    Ready ready;
    ready.at = at;
    const auto entries = TRY(run_.library.live_at(at));
    if (policy.empty()) {
        ready.reviewer = TRY(review::make_reviewer(run_.rules, entries));
        ready.courses = TRY(gateway::make_courses(run_.rules.policies, run_.rules_checks));
        ready.hold_sounds = run_.hold_sounds;
        ready.name = run_.rules_id;
    } else {
        const review::PolicyVersion version = TRY(policies_.find(policy));
        const KeptPolicy kept = TRY(open_policy(policies_, version));
        ready.reviewer = TRY(review::make_reviewer(kept.rules, entries));
        ready.courses = TRY(gateway::make_courses(kept.rules.policies, kept.checks));
        ready.hold_sounds = kept.content.string_or("chat_sounds", "") == "hold";
        ready.name = version.id;
    }
    ready.name += "/" + ready.reviewer->version();
    return ready;
}

Result<const Ready*> Replay::rules_for(const ledger::Facts& facts) {
    const bool own_policy = asked_.policy == kRecorded;
    const bool own_time = asked_.at == kRecorded || (asked_.at.empty() && own_policy);
    const std::string policy = own_policy ? policy_of_record(facts) : asked_.policy;
    if (own_policy && !policy.starts_with("policy-")) {
        return Error{ErrorCode::kNotFound,
                     "the record is older than versions of the policy: it names none"};
    }
    const Time now = run_.installation.clock().now();
    const Time at = own_time ? facts.at : at_.value_or(now);
    // All "now" are one.
    const Time key = own_time || at_ ? at : Time();
    auto& found = ready_[{policy, key}];
    if (!found) {
        found = std::make_unique<Ready>(TRY(make(policy, at)));
    }
    return found.get();
}

Result<WebhookSettings> Replay::with_keys(const WebhookSettings& check) const {
    const auto now = std::ranges::find(run_.checks, check.name, &WebhookSettings::name);
    const bool same = now != run_.checks.end() && now->shape == check.shape &&
                      policy_url(now->url) == policy_url(check.url);
    if (!same) {
        // Its key would go to an address that it is not for.
        return Error{ErrorCode::kNotFound,
                     "the configuration has no check of that name at that address now"};
    }
    const bool same_file =
        (now->pattern == nullptr) == (check.pattern == nullptr) &&
        (check.pattern == nullptr || now->pattern->digest == check.pattern->digest);
    if (!same_file) {
        return Error{ErrorCode::kNotFound, "the file that describes this check is another one now"};
    }
    WebhookSettings with = check;
    with.url = now->url;
    with.pattern = now->pattern;
    with.key = now->key;
    with.secret = now->secret;
    return with;
}

Result<WebhookAnswer> Replay::exchange(const gateway::CheckAbout& about,
                                       const WebhookSettings& check, const WebhookView& view) {
    std::array<std::uint8_t, 16> nonce{};
    TRY(run_.installation.randomness().fill(nonce));
    const http::UpstreamRequest request = TRY(
        gateway::check_request(about, check, view, run_.installation.clock().now(), to_hex(nonce)));
    HttpRequest ask;
    ask.method = request.method;
    ask.url = fmt::format("{}://{}{}", request.url.secure ? "https" : "http",
                          request.url.authority(), request.url.path);
    ask.headers = request.headers;
    ask.body = as_bytes(request.body);
    ask.connect_max = check.time;
    ask.total_max = check.time;
    ask.response_bytes_max = 2 * request.body.size() + gateway::kCheckAnswerBytesMore;
    const HttpResponse response = TRY(client_(ask));
    if (response.status != 200) {
        return Error{ErrorCode::kUnavailable,
                     fmt::format("it answered with status {}", response.status)};
    }
    return gateway::read_check_answer(check, as_text(response.body), view);
}

void Replay::ask_one(const gateway::CheckAbout& about, const WebhookSettings& check,
                     const WebhookView& view, Replayed& replayed) {
    ReplayedCheck said{.name = check.name, .said = "failed", .why = {}};
    const auto look = [&]() -> Result<WebhookAnswer> {
        const WebhookSettings with = TRY(with_keys(check));
        const auto pieces = TRY(gateway::check_pieces(with, view));
        WebhookAnswer worst;
        for (const WebhookView& piece : pieces) {
            WebhookAnswer answer = TRY(exchange(about, with, piece));
            if (with.shape == gateway::CheckShape::kGuardrail) {
                return answer;
            }
            gateway::add_answer(std::move(answer), worst);
        }
        return worst;
    };
    const auto answer = look();
    review::Verdict& now = replayed.now;
    if (!answer.ok()) {
        said.why = answer.error().what;
        replayed.complete = false;
    } else if (answer->action == WebhookAnswer::Action::kFound) {
        const review::Verdict found = gateway::check_verdict(check, *answer);
        said.said = review::decision_name(found.decision);
        now.entries.insert(now.entries.end(), found.entries.begin(), found.entries.end());
        if (found.decision > now.decision) {
            now.decision = found.decision;
            now.category = found.category;
            now.rule = found.rule;
        }
    } else if (answer->action == WebhookAnswer::Action::kBlocked) {
        said.said = "block";
        if (now.decision != Decision::kBlock) {
            now.decision = Decision::kBlock;
            now.category = "webhook";
            now.rule = "webhook:" + check.name;
        }
    } else {
        said.said = answer->action == WebhookAnswer::Action::kIntervened ? "change" : "allow";
    }
    replayed.checks.push_back(std::move(said));
}

void Replay::ask_checks(const ledger::Facts& facts, std::string_view input, std::string_view text,
                        const gateway::StageCourse& course, Replayed& replayed) {
    const bool input_stage = replayed.stage == "input";
    const review::Occasion occasion{.stage = input_stage ? Stage::kInput : Stage::kOutput,
                                    .tenant = to_string(facts.tenant),
                                    .service = service_of_record(facts)};
    if (course.library_first && !gateway::goes_on_after(course.stop, replayed.now.decision)) {
        return;  // they were not asked either
    }
    const gateway::CheckAbout about{
        .asked = input,
        .operation = facts.operation,
        .model = facts.model,
        .service = occasion.service,
        .trace = {},
        .record = to_string(facts.id),
        .key = {},
        .tenant = occasion.tenant,
        .subject = facts.subject ? to_string(*facts.subject) : std::string()};
    WebhookView view;
    view.stage = occasion.stage;
    view.texts.emplace_back(text);
    for (const WebhookSettings& check : course.checks) {
        if (!covers(check.scope, occasion)) {
            continue;
        }
        if (!asked_.ask) {
            replayed.checks.push_back({.name = check.name, .said = "not_asked", .why = {}});
            replayed.complete = false;
            continue;
        }
        ask_one(about, check, view, replayed);
        if (!gateway::goes_on_after(course.stop, replayed.now.decision)) {
            break;
        }
    }
}

Result<void> Replay::replay(const std::string& name, std::vector<Replayed>& all) {
    const ledger::Facts facts = TRY(facts_of(run_.installation, name));
    const Ready* rules = TRY(rules_for(facts));
    const std::size_t before = all.size();
    std::string input;
    for (const auto& [role, stage] :
         {std::pair("input", Stage::kInput), std::pair("output", Stage::kOutput)}) {
        const auto content = run_.installation.contents().read(facts.id, role);
        if (!content.ok() && content.error().code == ErrorCode::kNotFound) {
            continue;
        }
        const Buffer text = TRY(content);
        if (stage == Stage::kInput) {
            input = as_text(text);
        }
        if (text.empty()) {
            continue;
        }
        const review::Occasion occasion{
            .stage = stage, .tenant = to_string(facts.tenant), .service = service_of_record(facts)};
        Replayed replayed;
        replayed.record = to_string(facts.id);
        replayed.stage = role;
        replayed.then = recorded_decision(facts, role);
        replayed.recorded = facts.policy_version;
        replayed.now = rules->reviewer->on(occasion)->review(as_text(text));
        replayed.policy = rules->name;
        replayed.at = rules->at;
        ask_checks(facts, input, as_text(text), gateway::course_on(rules->courses, occasion),
                   replayed);
        all.push_back(std::move(replayed));
    }
    Replayed base;
    base.record = to_string(facts.id);
    base.recorded = facts.policy_version;
    base.policy = rules->name;
    base.at = rules->at;
    const RecordFiles files =
        TRY(files_of_record(run_.installation.records(), facts, last_without_files_));
    const FileRules file_rules{
        .reviewer = *rules->reviewer, .courses = rules->courses, .hold_sounds = rules->hold_sounds};
    TRY(replay_files(facts, files, file_rules, base, all));
    if (all.size() == before) {
        base.complete = false;
        base.judged = false;
        all.push_back(std::move(base));
    }
    return {};
}

}  // namespace

review::Policies open_policies(Installation& installation) {
    return review::Policies({.store = installation.store(),
                             .objects = installation.objects(),
                             .sealer = installation.sealer(),
                             .owner = kInstallationOwner,
                             .clock = installation.clock()});
}

namespace {

Result<review::PolicyVersion> put_in_force(Installation& installation,
                                           const WrittenPolicy& written) {
    ledger::Actor actor = command_actor();
    actor.client = "colophon serve " COLOPHON_VERSION;
    const ledger::Conduct conduct = installation.conduct(actor);
    review::Policies policies = open_policies(installation);
    return policies.put_in_force(written.content, written.parts, actor.account, conduct);
}

}  // namespace

Result<review::PolicyVersion> put_policy_in_force(Installation& installation,
                                                  const ServeConfig& config,
                                                  const gateway::Settings& settings) {
    const ReviewFiles files = TRY(read_review_files(config.review));
    return put_in_force(installation, write_policy(config, files, settings));
}

Result<void> put_policy_back(Installation& installation, const review::PolicyVersion& before) {
    const auto back = put_in_force(installation, {.content = before.content, .parts = {}});
    return back.ok() ? Result<void>() : Result<void>(back.error());
}

json::Object replayed_form(const Replayed& replayed) {
    json::Array checks;
    for (const ReplayedCheck& each : replayed.checks) {
        json::Object check{{"name", each.name}, {"said", each.said}};
        if (!each.why.empty()) {
            check.emplace_back("why", each.why);
        }
        checks.emplace_back(std::move(check));
    }
    const auto known = [](const std::string& text) {
        return text.empty() ? json::Value() : json::Value(text);
    };
    json::Object form{
        {"record", replayed.record}, {"stage", known(replayed.stage)}, {"recorded", replayed.then}};
    if (!replayed.judged) {
        form.emplace_back("decision", json::Value());
    } else {
        form.emplace_back("decision", review::decision_name(replayed.now.decision));
    }
    form.emplace_back("category", replayed.now.category);
    form.emplace_back("entries",
                      json::Array(replayed.now.entries.begin(), replayed.now.entries.end()));
    form.emplace_back("score",
                      replayed.now.score ? json::Value(*replayed.now.score) : json::Value());
    form.emplace_back("recorded_policy", replayed.recorded);
    form.emplace_back("policy", replayed.policy);
    form.emplace_back("at", format_time(replayed.at));
    form.emplace_back("checks", std::move(checks));
    form.emplace_back("complete", replayed.complete);
    if (replayed.file) {
        form.emplace_back(
            "file", json::Object{{"kind", replayed.file->kind},
                                 {"number", static_cast<std::uint64_t>(replayed.file->number)},
                                 {"labelled", replayed.file->labelled}});
        form.emplace_back("matches", json::Array(replayed.matches.begin(), replayed.matches.end()));
        form.emplace_back("left_out",
                          json::Array(replayed.left_out.begin(), replayed.left_out.end()));
    }
    return form;
}

Result<std::vector<Replayed>> run_replay(const ReplayRun& run, const ReplayAsked& asked) {
    Replay replay(run, asked);
    TRY(replay.begin());
    TRY(run.conduct.append(
        {.operation = "library.replay",
         .facts = {{"records", json::Array(asked.records.begin(), asked.records.end())},
                   {"policy", asked.policy},
                   {"at", asked.at},
                   {"ask", asked.ask}},
         .names = {}}));
    std::vector<Replayed> all;
    for (const std::string& name : asked.records) {
        const auto done = replay.replay(name, all);
        if (!done.ok()) {
            return with_context(done.error(), name);
        }
    }
    return all;
}

}  // namespace colophon::cli
