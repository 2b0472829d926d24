// SPDX-License-Identifier: Apache-2.0
#include "gateway/course.h"

#include "core/ids.h"
#include "core/result.h"
#include "gateway/call.h"
#include "gateway/settings.h"
#include "gateway/webhook_settings.h"
#include "label/record.h"
#include "review/entry.h"
#include "review/policy.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

using review::PolicyRule;
using review::Stage;

Error wrong(const PolicyRule& rule, std::string_view what) {
    return {ErrorCode::kInvalidArgument, fmt::format("policy \"{}\": {}", rule.name, what)};
}

bool is_within(const std::vector<std::string>& some, const std::vector<std::string>& all) {
    return all.empty() || (!some.empty() && std::ranges::all_of(some, [&](const std::string& one) {
               return std::ranges::find(all, one) != all.end();
           }));
}

const WebhookSettings* find_check(const std::vector<WebhookSettings>& checks,
                                  std::string_view name) {
    const auto found = std::ranges::find(checks, name, &WebhookSettings::name);
    return found == checks.end() ? nullptr : &*found;
}

WebhookSettings as_wanted(const PolicyRule& rule, WebhookSettings check) {
    if (const auto own = rule.thresholds.find(check.name); own != rule.thresholds.end()) {
        check.threshold_per_mille = own->second;
    }
    if (const auto own = rule.actions.find(check.name); own != rule.actions.end()) {
        check.action = own->second;
    }
    return check;
}

// The named checks, in the order of the steps.
Result<void> add_named(const PolicyRule& rule, const review::Steps& steps, Stage stage,
                       const std::vector<WebhookSettings>& checks, StageCourse& course) {
    for (const std::string& step : steps) {
        if (step == review::kLibraryStep) {
            continue;
        }
        const WebhookSettings* check = find_check(checks, step);
        if (check == nullptr) {
            return wrong(rule, fmt::format("there is no check \"{}\"", step));
        }
        const bool at_stage = check->scope.stage == Stage::kBoth || check->scope.stage == stage;
        if (!at_stage || !is_within(rule.scope.tenants, check->scope.tenants) ||
            !is_within(rule.scope.services, check->scope.services)) {
            return wrong(rule,
                         fmt::format("the check \"{}\" is not for all of its calls: look at its "
                                     "stage, tenants and services",
                                     step));
        }
        course.checks.push_back(as_wanted(rule, *check));
    }
    return {};
}

Result<StageCourse> make_stage(const PolicyRule& rule, Stage stage,
                               const std::vector<WebhookSettings>& checks) {
    const bool input = stage == Stage::kInput;
    const review::Steps& steps = input ? rule.input : rule.output;
    StageCourse course;
    course.stop = input ? rule.input_stop : rule.output_stop;
    course.library_first = steps.empty() || steps.front() == review::kLibraryStep;
    if (!steps.empty()) {
        TRY(add_named(rule, steps, stage, checks, course));
        return course;
    }
    for (const WebhookSettings& each : checks) {
        course.checks.push_back(as_wanted(rule, each));
    }
    return course;
}

// What has neither scores nor an action of ours cannot be told any.
Result<void> check_overrides(const PolicyRule& rule, const std::vector<WebhookSettings>& checks) {
    const auto known = [&](const std::string& name) -> Result<void> {
        const WebhookSettings* check = find_check(checks, name);
        if (check == nullptr) {
            return wrong(rule, fmt::format("there is no check \"{}\"", name));
        }
        if (check->shape == CheckShape::kGuardrail) {
            return wrong(rule,
                         fmt::format("\"{}\" is a guardrail, which decides for itself", name));
        }
        return {};
    };
    for (const auto& [name, threshold] : rule.thresholds) {
        TRY(known(name));
    }
    for (const auto& [name, action] : rule.actions) {
        TRY(known(name));
    }
    return {};
}

}  // namespace

Result<Courses> make_courses(std::vector<PolicyRule> rules,
                             const std::vector<WebhookSettings>& checks) {
    Courses courses;
    for (const PolicyRule& rule : rules) {
        const auto good = review::check_policy_rule(rule);
        if (!good.ok()) {
            return wrong(rule, good.error().what);
        }
        if (std::ranges::count(rules, rule.name, &PolicyRule::name) > 1) {
            return wrong(rule, "it stands there twice");
        }
        TRY(check_overrides(rule, checks));
        Course course;
        course.input = TRY(make_stage(rule, Stage::kInput, checks));
        course.output = TRY(make_stage(rule, Stage::kOutput, checks));
        courses.of_rules.push_back(std::move(course));
    }
    const PolicyRule usual;
    courses.usual.input = TRY(make_stage(usual, Stage::kInput, checks));
    courses.usual.output = TRY(make_stage(usual, Stage::kOutput, checks));
    courses.rules = std::move(rules);
    return courses;
}

const StageCourse& course_on(const Courses& courses, const review::Occasion& occasion) {
    const PolicyRule* rule = review::rule_for(courses.rules, occasion);
    const Course& course =
        rule == nullptr ? courses.usual
                        : courses.of_rules[static_cast<std::size_t>(rule - courses.rules.data())];
    return occasion.stage == Stage::kOutput ? course.output : course.input;
}

review::Occasion occasion_of(const Call& call, Stage stage) {
    const label::ServiceClass service = call.model != nullptr ? call.model->service : call.service;
    return {.stage = stage,
            .tenant = to_string(call.caller.tenant),
            .service = std::string(label::service_name(service))};
}

const StageCourse& course_of(const Call& call, Stage stage) {
    return course_on(call.settings->courses, occasion_of(call, stage));
}

std::string policy_version(const Settings& settings) {
    const std::string& library = settings.reviewer->version();
    return settings.policy.empty() ? library : settings.policy + "/" + library;
}

bool goes_on_after(review::StopAt stop, review::Decision decision) noexcept {
    switch (decision) {
        case review::Decision::kBlock:
            return stop == review::StopAt::kNever;
        case review::Decision::kHold:
            return stop != review::StopAt::kHold;
        default:
            return true;
    }
}

}  // namespace colophon::gateway
