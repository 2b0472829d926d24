// SPDX-License-Identifier: Apache-2.0
#pragma once

// The policy of review as data: what the configuration says about it, as the one content that every
// node of that configuration has, and back [DSP-10]. No keys, no secrets and no paths stand in it.

#include "cli/review_files.h"
#include "cli/serve_config.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/settings.h"
#include "gateway/webhook_settings.h"
#include "http/upstream.h"
#include "review/live_library.h"
#include "review/policies.h"
#include "review/policy.h"

#include <string>
#include <vector>

namespace colophon::cli {

// [[policy]]; kInvalidArgument names the policy. gateway::make_courses() checks them as a whole.
Result<std::vector<review::PolicyRule>> policy_rules(const ServeConfig& config);

// As a policy has it: without what a URL might carry behind a question mark.
std::string policy_url(const http::Url& url);

struct WrittenPolicy {
    std::string content;  // JSON
    std::vector<review::PolicyPart> parts;
};
// `files` and `settings` are of the same configuration.
WrittenPolicy write_policy(const ServeConfig& config, const ReviewFiles& files,
                           const gateway::Settings& settings);

// What a version that is kept says: the own rules, and the checks as they were, without their keys.
struct KeptPolicy {
    json::Value content;
    review::LocalRules rules;
    std::vector<gateway::WebhookSettings> checks;
};
// kNotFound, kCorrupt: a part is gone or another one; kUnsupported: of a later version of Colophon.
Result<KeptPolicy> open_policy(review::Policies& policies, const review::PolicyVersion& version);

}  // namespace colophon::cli
