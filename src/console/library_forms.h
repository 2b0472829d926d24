// SPDX-License-Identifier: Apache-2.0
#pragma once

// Entries of the feature library and items of the review queue as JSON: the same for `colophon
// library ... --json` and for the management API. docs/reference/json.md names every member.

#include "core/json.h"
#include "review/library.h"
#include "review/policies.h"
#include "review/policy.h"
#include "review/queue.h"
#include "review/test_banks.h"

#include <vector>

namespace colophon::console {

json::Object entry_form(const review::LibraryEntry& entry);
json::Object decided_form(const review::Decided& decided);
json::Object figure_form(const review::CategoryFigure& figure);
json::Object stock_form(const review::StandardStock& stock);

// `content`: as JSON, where it is wanted; with `uses`, the newest first.
json::Object policy_form(const review::PolicyVersion& version);
json::Object policy_form(const review::PolicyVersion& version,
                         const std::vector<review::PolicyUse>& uses);
json::Array differences_form(const std::vector<review::PolicyDifference>& differences);

json::Object item_form(const review::Item& item);
json::Object viewed_form(const review::Viewed& viewed);
json::Object queue_figures_form(const review::QueueFigures& figures);

}  // namespace colophon::console
