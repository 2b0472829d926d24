// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which steps of review look at a call, in which order, and what ends them (review/policy.h), made
// ready: each rule with its checks, as it wants them.

#include "core/result.h"
#include "gateway/webhook_settings.h"
#include "review/policy.h"
#include "review/scope.h"

#include <string>
#include <vector>

namespace colophon::gateway {

struct Call;
struct Settings;

struct StageCourse {
    bool library_first = true;  // or after all checks
    review::StopAt stop = review::StopAt::kHold;
    std::vector<WebhookSettings> checks;  // in the order of asking
};

struct Course {
    StageCourse input;
    StageCourse output;
};

// The rules of a configuration with what follows from each.
struct Courses {
    std::vector<review::PolicyRule> rules;
    std::vector<Course> of_rules;  // one for each
    Course usual;                  // where no rule is for the call
};

// kInvalidArgument says which rule is wrong: a step that is no check, or none for that stage, those
// tenants or services; a threshold or an action of what has none.
Result<Courses> make_courses(std::vector<review::PolicyRule> rules,
                             const std::vector<WebhookSettings>& checks);

const StageCourse& course_on(const Courses& courses, const review::Occasion& occasion);
// Of this call.
review::Occasion occasion_of(const Call& call, review::Stage stage);
const StageCourse& course_of(const Call& call, review::Stage stage);
// Which policy, and which state of the library under it: goes into the service record.
std::string policy_version(const Settings& settings);
// Whether the checks are still asked when the own rules have said this.
bool goes_on_after(review::StopAt stop, review::Decision decision) noexcept;

}  // namespace colophon::gateway
