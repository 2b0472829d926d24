// SPDX-License-Identifier: Apache-2.0
#pragma once

// Files of entries for review, for every verb that reads them.

#include "cli/serve_config.h"
#include "core/result.h"
#include "review/classifier.h"
#include "review/entry_list.h"
#include "review/live_library.h"
#include "review/queue.h"
#include "review/test_banks.h"

#include <memory>
#include <string>

namespace colophon::cli {

// kInvalidArgument and kLimit name the file and the line.
Result<review::EntryList> read_entry_list(const std::string& path);

// kCorrupt, kUnsupported: no model.
Result<std::shared_ptr<const review::Classifier>> read_classifier(const std::string& path);

// The files that review.words and review.classifier name, as they are; empty where there is none.
struct ReviewFiles {
    std::string words;
    std::string classifier;
};
Result<ReviewFiles> read_review_files(const ReviewConfig& config);
// The rules that they and the rest of the configuration make, without [[policy]].
Result<review::LocalRules> local_rules(const ReviewConfig& config, const ReviewFiles& files);
// Both in one, with [[policy]] as it is written down.
Result<review::LocalRules> read_local_rules(const ServeConfig& config);

// None where the path is empty. kInvalidArgument and kLimit name the file and the line.
Result<review::TestBanks> read_test_banks(const std::string& path);

// What the configuration says of the queue. kInvalidArgument: a category that is none.
Result<review::QueueRules> queue_rules(const ReviewConfig& config);

}  // namespace colophon::cli
