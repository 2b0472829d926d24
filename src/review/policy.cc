// SPDX-License-Identifier: Apache-2.0
#include "review/policy.h"

#include "core/json.h"
#include "core/result.h"
#include "review/entry.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

constexpr std::array<std::string_view, 3> kStops{"hold", "block", "never"};
// Of classifiers: what an action is called that asks none.
constexpr std::string_view kOff = "off";

Error wrong(std::string_view what) {
    return {ErrorCode::kInvalidArgument, std::string(what)};
}

Error misshapen() {
    return {ErrorCode::kCorrupt, "a policy that is kept has another form"};
}

Result<void> check_steps(const Steps& steps) {
    if (steps.empty()) {
        return {};
    }
    for (const std::string& each : steps) {
        if (std::ranges::count(steps, each) > 1) {
            return wrong(fmt::format("the step \"{}\" stands there twice", each));
        }
    }
    if (steps.front() != kLibraryStep && steps.back() != kLibraryStep) {
        return wrong("\"library\" is the first or the last step; it cannot be left out");
    }
    return {};
}

bool is_per_mille(std::int64_t value, std::int64_t least) {
    return value >= least && value <= kThresholdPerMilleMax;
}

json::Array texts(const std::vector<std::string>& list) {
    return {list.begin(), list.end()};
}

std::string_view action_name(Decision action) {
    return action == Decision::kAllow ? kOff : decision_name(action);
}

std::optional<Decision> parse_action(std::string_view name) {
    for (const Decision each :
         {Decision::kAllow, Decision::kFlag, Decision::kHold, Decision::kBlock}) {
        if (action_name(each) == name) {
            return each;
        }
    }
    return std::nullopt;
}

Result<std::vector<std::string>> read_texts(const json::Value& value, std::string_view name) {
    std::vector<std::string> list;
    const json::Value* found = value.find(name);
    const json::Array* items = found == nullptr ? nullptr : found->if_array();
    if (items == nullptr) {
        return misshapen();
    }
    for (const json::Value& each : *items) {
        const std::string* text = each.if_string();
        if (text == nullptr) {
            return misshapen();
        }
        list.push_back(*text);
    }
    return list;
}

Result<void> read_checks(const json::Value& value, PolicyRule& rule) {
    const json::Value* thresholds = value.find("thresholds");
    const json::Value* actions = value.find("actions");
    if (thresholds == nullptr || thresholds->if_object() == nullptr || actions == nullptr ||
        actions->if_object() == nullptr) {
        return misshapen();
    }
    for (const auto& [name, each] : *thresholds->if_object()) {
        rule.thresholds[name] = TRY(each.as_int());
    }
    for (const auto& [name, each] : *actions->if_object()) {
        const auto action = parse_action(each.if_string() == nullptr ? "" : *each.if_string());
        if (!action) {
            return misshapen();
        }
        rule.actions[name] = *action;
    }
    return {};
}

using Leaves = std::map<std::string, const json::Value*, std::less<>>;

// The parser bounds the depth.
void collect(const json::Value& value, const std::string& place,  // NOLINT(misc-no-recursion)
             Leaves& leaves) {
    const json::Array* list = value.if_array();
    const json::Object* members = value.if_object();
    if ((members != nullptr && members->empty()) || (list != nullptr && list->empty())) {
        return;  // as good as not there
    }
    const bool named =
        list != nullptr && std::ranges::all_of(*list, [](const json::Value& each) {
            return each.if_object() != nullptr && !each.string_or("name", "").empty();
        });
    if (members != nullptr) {
        for (const auto& [name, inner] : *members) {
            collect(inner, place + "/" + name, leaves);
        }
        return;
    }
    if (!named) {
        leaves.emplace(place, &value);
        return;
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
        collect((*list)[i], place + "/" + (*list)[i].string_or("name", ""), leaves);
    }
}

// The names of the objects of a list, in their order.
std::vector<std::string> names_at(const json::Value& policy, std::string_view member) {
    std::vector<std::string> names;
    const json::Value* list = policy.find(member);
    if (list == nullptr || list->if_array() == nullptr) {
        return names;
    }
    for (const json::Value& each : *list->if_array()) {
        if (each.if_object() != nullptr) {
            names.push_back(each.string_or("name", ""));
        }
    }
    return names;
}

// The same objects in another order are another policy: checks are asked in theirs, and the first
// rule that is for a call holds.
void add_other_order(const json::Value& before, const json::Value& after, std::string_view member,
                     std::vector<PolicyDifference>& to) {
    std::vector<std::string> was = names_at(before, member);
    std::vector<std::string> is = names_at(after, member);
    if (was == is || !std::ranges::is_permutation(was, is)) {
        return;
    }
    to.push_back({.place = "/" + std::string(member), .before = texts(was), .after = texts(is)});
}

}  // namespace

std::string_view stop_name(StopAt stop) noexcept {
    return kStops[static_cast<std::size_t>(stop)];
}

std::optional<StopAt> parse_stop(std::string_view name) noexcept {
    const auto* found = std::ranges::find(kStops, name);
    if (found == kStops.end()) {
        return std::nullopt;
    }
    return static_cast<StopAt>(found - kStops.begin());
}

const PolicyRule* rule_for(const std::vector<PolicyRule>& rules,
                           const Occasion& occasion) noexcept {
    const auto names = [](const std::vector<std::string>& all, const std::string& one) {
        return all.empty() || std::ranges::find(all, one) != all.end();
    };
    const auto found = std::ranges::find_if(rules, [&](const PolicyRule& rule) {
        return names(rule.scope.tenants, occasion.tenant) &&
               names(rule.scope.services, occasion.service);
    });
    return found == rules.end() ? nullptr : &*found;
}

Result<void> check_policy_rule(const PolicyRule& rule) {
    if (rule.name.empty()) {
        return wrong("it has no name");
    }
    for (const Steps* steps : {&rule.input, &rule.output}) {
        TRY(check_steps(*steps));
    }
    if (rule.classifier_threshold_per_mille &&
        !is_per_mille(*rule.classifier_threshold_per_mille, 1)) {
        return wrong("classifier_threshold_per_mille is a number from 1 to 1000");
    }
    for (const auto& [name, value] : rule.thresholds) {
        if (!is_per_mille(value, 0)) {
            return wrong(fmt::format("the threshold of \"{}\" is a number from 0 to 1000", name));
        }
    }
    return {};
}

json::Object write_policy_rule(const PolicyRule& rule) {
    json::Object out{{"name", rule.name},
                     {"tenants", texts(rule.scope.tenants)},
                     {"services", texts(rule.scope.services)},
                     {"input", texts(rule.input)},
                     {"output", texts(rule.output)},
                     {"input_stop", stop_name(rule.input_stop)},
                     {"output_stop", stop_name(rule.output_stop)}};
    out.emplace_back("classifier_action", rule.classifier_action
                                              ? json::Value(action_name(*rule.classifier_action))
                                              : json::Value());
    out.emplace_back("classifier_threshold_per_mille",
                     rule.classifier_threshold_per_mille
                         ? json::Value(*rule.classifier_threshold_per_mille)
                         : json::Value());
    json::Object thresholds;
    for (const auto& [name, value] : rule.thresholds) {
        thresholds.emplace_back(name, value);
    }
    out.emplace_back("thresholds", std::move(thresholds));
    json::Object actions;
    for (const auto& [name, value] : rule.actions) {
        actions.emplace_back(name, action_name(value));
    }
    out.emplace_back("actions", std::move(actions));
    return out;
}

Result<PolicyRule> read_policy_rule(const json::Value& value) {
    PolicyRule rule;
    rule.name = value.string_or("name", "");
    rule.scope.tenants = TRY(read_texts(value, "tenants"));
    rule.scope.services = TRY(read_texts(value, "services"));
    rule.input = TRY(read_texts(value, "input"));
    rule.output = TRY(read_texts(value, "output"));
    const auto input_stop = parse_stop(value.string_or("input_stop", ""));
    const auto output_stop = parse_stop(value.string_or("output_stop", ""));
    if (!input_stop || !output_stop) {
        return misshapen();
    }
    rule.input_stop = *input_stop;
    rule.output_stop = *output_stop;
    if (const std::string action = value.string_or("classifier_action", ""); !action.empty()) {
        rule.classifier_action = parse_action(action);
        if (!rule.classifier_action) {
            return misshapen();
        }
    }
    const json::Value* threshold = value.find("classifier_threshold_per_mille");
    if (threshold != nullptr && !threshold->is_null()) {
        rule.classifier_threshold_per_mille = TRY(threshold->as_int());
    }
    TRY(read_checks(value, rule));
    const auto good = check_policy_rule(rule);
    if (!good.ok()) {
        return misshapen();
    }
    return rule;
}

std::vector<PolicyDifference> compare_policies(const json::Value& before,
                                               const json::Value& after) {
    Leaves old_leaves;
    Leaves new_leaves;
    collect(before, "", old_leaves);
    collect(after, "", new_leaves);
    std::map<std::string, PolicyDifference> places;
    for (const auto& [place, value] : old_leaves) {
        places[place] = {.place = place, .before = *value, .after = {}};
    }
    for (const auto& [place, value] : new_leaves) {
        PolicyDifference& at = places[place];
        at.place = place;
        at.after = *value;
    }
    std::vector<PolicyDifference> out;
    for (auto& [place, difference] : places) {
        if (json::write(difference.before) != json::write(difference.after)) {
            out.push_back(std::move(difference));
        }
    }
    if (const json::Object* members = after.if_object()) {
        for (const auto& [name, value] : *members) {
            add_other_order(before, after, name, out);
        }
    }
    return out;
}

}  // namespace colophon::review
