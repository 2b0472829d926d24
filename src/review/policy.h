// SPDX-License-Identifier: Apache-2.0
#pragma once

// How content is reviewed, as data: which steps look at it, in which order, what ends them, and
// over which thresholds; for each tenant and class of service [DSP-10].
//
// The steps of a stage are the library, which is the own entries and the own classifier, and the
// checks of others. The library is never left out.

#include "core/json.h"
#include "core/result.h"
#include "review/entry.h"
#include "review/scope.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {

inline constexpr std::string_view kLibraryStep = "library";
inline constexpr std::size_t kPolicyRulesMax = 1000;
inline constexpr std::int64_t kThresholdPerMilleMax = 1000;

// Which finding ends the steps of a stage: those that are left are not asked.
enum class StopAt : std::uint8_t {
    kHold,   // what holds or blocks
    kBlock,  // what blocks: what only holds may still be blocked by another
    kNever,  // none: all are asked, and each verdict is on record
};
std::string_view stop_name(StopAt stop) noexcept;  // "hold", "block", "never"
std::optional<StopAt> parse_stop(std::string_view name) noexcept;

// The steps of one stage. Empty: the library, then each check that is for the call.
using Steps = std::vector<std::string>;

// What holds instead of the usual for some calls.
struct PolicyRule {
    std::string name;
    Scope scope;  // tenants and services; of both stages
    Steps input;
    Steps output;
    StopAt input_stop = StopAt::kHold;
    StopAt output_stop = StopAt::kBlock;
    // Of the own classifier: kAllow is not to ask it at all.
    std::optional<Decision> classifier_action;
    std::optional<std::int64_t> classifier_threshold_per_mille;  // 1 to kThresholdPerMilleMax
    // Of checks, by their names.
    std::map<std::string, std::int64_t, std::less<>> thresholds;  // per mille, 0 to 1000
    std::map<std::string, Decision, std::less<>> actions;         // flag, hold, block
};

// The first that is for the occasion; nullptr: the usual. One for some tenants or services is for
// no call of which they are not known: who that is may be anybody, so the usual holds.
const PolicyRule* rule_for(const std::vector<PolicyRule>& rules, const Occasion& occasion) noexcept;

// kInvalidArgument says what is wrong: a step twice or without the library, the library between
// checks, a number out of its range.
Result<void> check_policy_rule(const PolicyRule& rule);

json::Object write_policy_rule(const PolicyRule& rule);
// kCorrupt: not what write_policy_rule() writes.
Result<PolicyRule> read_policy_rule(const json::Value& value);

// Where two policies differ: "/checks/guard/threshold_per_mille", with what stands there, null for
// nothing. Objects of lists are found by their member "name".
struct PolicyDifference {
    std::string place;
    json::Value before;
    json::Value after;
};
std::vector<PolicyDifference> compare_policies(const json::Value& before, const json::Value& after);

}  // namespace colophon::review
