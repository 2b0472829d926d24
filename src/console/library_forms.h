// SPDX-License-Identifier: Apache-2.0
#pragma once

// Entries of the feature library and items of the review queue as JSON: the same for `colophon
// library ... --json` and for the management API. docs/reference/json.md names every member.

#include "core/json.h"
#include "review/library.h"
#include "review/queue.h"
#include "review/test_banks.h"

namespace colophon::console {

json::Object entry_form(const review::LibraryEntry& entry);
json::Object decided_form(const review::Decided& decided);
json::Object figure_form(const review::CategoryFigure& figure);
json::Object stock_form(const review::StandardStock& stock);

json::Object item_form(const review::Item& item);
json::Object evidence_form(const review::Evidence& evidence);
json::Object queue_figures_form(const review::QueueFigures& figures);

}  // namespace colophon::console
