// SPDX-License-Identifier: Apache-2.0
#include "console/library_forms.h"

#include "console/forms.h"
#include "core/base64.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "review/entry_json.h"
#include "review/library.h"
#include "review/policies.h"
#include "review/policy.h"
#include "review/queue.h"
#include "review/scope.h"
#include "review/taxonomy.h"
#include "review/test_banks.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::console {
namespace {

json::Object trial_json(const review::LibraryEntry& entry) {
    return {{"at", time_or_null(entry.trialled)},
            {"benign", entry.trial.benign},
            {"benign_hits", entry.trial.benign_hits},
            {"traffic", entry.trial.traffic},
            {"traffic_hits", entry.trial.traffic_hits}};
}

}  // namespace

json::Object entry_form(const review::LibraryEntry& entry) {
    json::Object fields{{"id", review::entry_id(entry.entry)},
                        {"revision", entry.revision},
                        {"state", review::entry_state_name(entry.state)},
                        {"entry", review::write_entry(entry.entry)},
                        {"reason", entry.about.reason},
                        {"evidence", entry.about.evidence},
                        {"source", entry.about.source},
                        {"owner", entry.about.owner},
                        {"batch", entry.batch},
                        {"proposed_by", entry.proposed_by},
                        {"proposed", format_time(entry.proposed)},
                        {"expires", time_or_null(entry.about.expires)},
                        {"live", time_or_null(entry.live)},
                        {"ended", time_or_null(entry.ended)},
                        {"review_due", time_or_null(entry.review_due)},
                        {"trial", trial_json(entry)},
                        {"hits", entry.hits},
                        {"overturned", entry.overturned}};
    json::Array opinions;
    for (const review::Opinion& each : entry.opinions) {
        opinions.emplace_back(json::Object{{"step", review::step_name(each.step)},
                                           {"by", each.by},
                                           {"at", format_time(each.at)},
                                           {"reason", each.reason}});
    }
    if (!opinions.empty()) {
        fields.emplace_back("opinions", std::move(opinions));
    }
    return fields;
}

json::Object decided_form(const review::Decided& decided) {
    return {{"done", decided.done},
            {"waiting", decided.waiting},
            {"own", decided.own},
            {"untried", decided.untried}};
}

json::Object figure_form(const review::CategoryFigure& figure) {
    return {{"category", figure.category},
            {"live", figure.live},
            {"newest", format_time(figure.newest)},
            {"hits", figure.hits}};
}

namespace {

json::Object have_and_wanted(const review::Stock& stock) {
    return {{"have", stock.have}, {"wanted", stock.wanted}};
}

}  // namespace

json::Object stock_form(const review::StandardStock& stock) {
    json::Array risks;
    for (const review::RiskStock& each : stock.risks) {
        risks.emplace_back(json::Object{{"code", each.risk->code},
                                        {"entries", have_and_wanted(each.entries)},
                                        {"questions", have_and_wanted(each.questions)},
                                        {"refuse", have_and_wanted(each.refuse)}});
    }
    json::Array banks;
    for (const review::BankStock& each : stock.banks) {
        json::Object bank{{"bank", review::bank_name(each.bank)}};
        json::Object size = have_and_wanted(each.size);
        std::ranges::move(size, std::back_inserter(bank));
        bank.emplace_back("stopped", each.stopped);
        banks.emplace_back(std::move(bank));
    }
    return {{"entries", have_and_wanted(stock.entries)},
            {"newest", time_or_null(stock.newest)},
            {"entries_fresh", stock.entries_fresh},
            {"banks_changed", time_or_null(stock.changed)},
            {"banks_fresh", stock.banks_fresh},
            {"risks", std::move(risks)},
            {"banks", std::move(banks)}};
}

namespace {

json::Value text_or_null(std::string_view text) {
    json::Value value;
    if (!text.empty()) {
        value = std::string(text);
    }
    return value;
}

json::Object act_form(const review::Act& act) {
    return {{"act", review::act_name(act.kind)},
            {"by", text_or_null(act.by)},
            {"at", format_time(act.at)},
            {"ruling", text_or_null(act.ruling ? review::ruling_name(*act.ruling) : "")},
            {"reason", act.reason},
            {"note", act.note},
            {"undone", act.undone}};
}

json::Value seconds_or_null(const std::optional<std::chrono::milliseconds>& time) {
    json::Value value;
    if (time) {
        value = std::chrono::duration<double>(*time).count();
    }
    return value;
}

}  // namespace

json::Object policy_form(const review::PolicyVersion& version) {
    return {{"policy", version.id},        {"number", version.number},
            {"sha256", version.digest},    {"made", format_time(version.made)},
            {"made_by", version.made_by},  {"used", format_time(version.used)},
            {"in_force", version.in_force}};
}

json::Object policy_form(const review::PolicyVersion& version,
                         const std::vector<review::PolicyUse>& uses) {
    json::Object form = policy_form(version);
    json::Array all;
    for (const review::PolicyUse& each : uses) {
        all.emplace_back(json::Object{{"at", format_time(each.at)}, {"by", each.by}});
    }
    form.emplace_back("uses", std::move(all));
    auto content = json::parse(version.content, {.depth_max = review::kPolicyDepthMax,
                                                 .bytes_max = version.content.size() + 1});
    form.emplace_back("content", content.ok() ? std::move(*content) : json::Value());
    return form;
}

json::Array differences_form(const std::vector<review::PolicyDifference>& differences) {
    json::Array all;
    for (const review::PolicyDifference& each : differences) {
        all.emplace_back(
            json::Object{{"place", each.place}, {"before", each.before}, {"after", each.after}});
    }
    return all;
}

json::Object item_form(const review::Item& item) {
    const review::HeldCall& call = item.call;
    json::Object form{{"item", to_string(item.id)},
                      {"cause", review::cause_name(item.cause)},
                      {"state", review::item_state_name(item.state)},
                      {"tenant", to_string(call.tenant)},
                      {"subject", text_or_null(call.subject ? to_string(*call.subject) : "")},
                      {"record", to_string(call.record)},
                      {"stage", review::stage_name(call.stage)},
                      {"operation", call.operation},
                      {"model", call.model},
                      {"category", call.category},
                      {"rule", call.rule},
                      {"entries", json::Array(call.entries.begin(), call.entries.end())},
                      {"sample_of", text_or_null(item.sample_of ? to_string(*item.sample_of) : "")},
                      {"urgent", item.priority > 0},
                      {"opinions", item.opinions},
                      {"created", format_time(item.created)},
                      {"due", format_time(item.due)},
                      {"expires", format_time(item.expires)},
                      {"claimed_by", text_or_null(item.claimed_by)},
                      {"claimed_until", time_or_null(item.claimed_until)},
                      {"decided", time_or_null(item.decided)},
                      {"delivered", time_or_null(item.delivered)},
                      {"content_sha256", item.evidence_digest}};
    if (item.likeness) {
        form.emplace_back("likeness", *item.likeness);
    }
    if (!item.acts.empty()) {
        json::Array acts;
        for (const review::Act& each : item.acts) {
            acts.emplace_back(act_form(each));
        }
        form.emplace_back("acts", std::move(acts));
    }
    return form;
}

namespace {

json::Object file_form(const review::Viewed& viewed) {
    const review::Evidence& evidence = viewed.evidence;
    const Bytes file = review::shown_file(evidence);
    const bool veiled = viewed.veil.has_value();
    json::Object form{{"media_type", veiled ? viewed.veil->media_type : evidence.media_type},
                      {"base64", to_base64(veiled ? Bytes(viewed.veil->file) : file)},
                      {"view", veiled ? "veiled" : "original"},
                      {"blur", veiled},
                      {"greyscale", veiled},
                      {"muted", true},
                      {"original", json::Object{{"media_type", evidence.media_type},
                                                {"bytes", std::uint64_t{file.size()}}}}};
    if (veiled) {
        form.emplace_back("pictures", viewed.veil->pictures);
        form.emplace_back("speed", viewed.veil->speed);
    }
    return form;
}

}  // namespace

json::Object viewed_form(const review::Viewed& viewed) {
    const review::Evidence& evidence = viewed.evidence;
    json::Array spans;
    for (const review::Span& each : evidence.spans) {
        spans.emplace_back(json::Object{{"entry", each.entry},
                                        {"begin", std::uint64_t{each.begin}},
                                        {"end", std::uint64_t{each.end}}});
    }
    json::Object form{
        {"text", evidence.text}, {"spans", std::move(spans)}, {"context", evidence.context}};
    if (!review::shown_file(evidence).empty()) {
        form.emplace_back("file", file_form(viewed));
    }
    return form;
}

json::Object queue_figures_form(const review::QueueFigures& figures) {
    json::Array people;
    for (const review::PersonFigures& each : figures.people) {
        people.emplace_back(json::Object{{"user", each.name},
                                         {"decided", each.decided},
                                         {"sampled", each.sampled},
                                         {"differed", each.differed}});
    }
    json::Value kappa;
    if (figures.kappa) {
        kappa = *figures.kappa;
    }
    return {{"waiting", figures.waiting},
            {"second", figures.second},
            {"escalated", figures.escalated},
            {"overdue", figures.overdue},
            {"oldest", time_or_null(figures.oldest)},
            {"released", figures.released},
            {"refused", figures.refused},
            {"expired", figures.expired},
            {"median_wait_seconds", seconds_or_null(figures.median_wait)},
            {"p95_wait_seconds", seconds_or_null(figures.p95_wait)},
            {"pairs", figures.pairs},
            {"agreed", figures.agreed},
            {"kappa", std::move(kappa)},
            {"people", std::move(people)}};
}

}  // namespace colophon::console
