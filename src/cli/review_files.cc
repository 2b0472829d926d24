// SPDX-License-Identifier: Apache-2.0
#include "cli/review_files.h"

#include "cli/files.h"
#include "cli/review_policy.h"
#include "cli/serve_config.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/result.h"
#include "review/classifier.h"
#include "review/entry.h"
#include "review/entry_list.h"
#include "review/library.h"
#include "review/live_library.h"
#include "review/queue.h"
#include "review/test_banks.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

constexpr std::size_t kEntryFileBytesMax = 64U << 20U;
constexpr std::size_t kBankFileBytesMax = 64U << 20U;
constexpr std::size_t kClassifierFileBytesMax = 16U << 20U;

// Names with commas between them.
Result<std::vector<std::string>> read_categories(std::string_view list, std::string_view key) {
    std::vector<std::string> names;
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        std::string_view name = list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
        while (name.starts_with(' ')) {
            name.remove_prefix(1);
        }
        while (name.ends_with(' ')) {
            name.remove_suffix(1);
        }
        if (name.empty() || name.size() > review::kEntryIdBytesMax) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("{} names categories, with commas between them", key)};
        }
        names.emplace_back(name);
    }
    return names;
}

}  // namespace

Result<review::QueueRules> queue_rules(const ReviewConfig& config) {
    review::QueueRules rules;
    rules.claim = std::chrono::minutes(config.claim_minutes);
    rules.due = std::chrono::minutes(config.due_minutes);
    rules.expires = std::chrono::hours(config.expire_hours);
    rules.undo = std::chrono::minutes(config.undo_minutes);
    rules.four_eyes = TRY(read_categories(config.four_eyes, "review.four_eyes"));
    rules.urgent = TRY(read_categories(config.urgent, "review.urgent"));
    rules.sample_per_mille = config.sample_per_mille;
    rules.decisions_a_day = config.decisions_a_day_max;
    rules.claims_at_once = config.claims_at_once_max;
    if (!config.flagged.empty() && config.flagged != "pass" && config.flagged != "queue") {
        return Error{ErrorCode::kInvalidArgument, "review.flagged is one of pass, queue"};
    }
    rules.takes_flagged = config.flagged == "queue";
    return rules;
}

namespace {

Result<review::EntryList> entry_list_of(std::string_view text, const std::string& path) {
    auto list = review::parse_entry_list(text);
    if (!list.ok()) {
        return with_context(list.error(), path);
    }
    return list;
}

Result<std::shared_ptr<const review::Classifier>> classifier_of(std::string_view file,
                                                                const std::string& path) {
    auto model = review::Classifier::parse(as_bytes(file));
    if (!model.ok()) {
        return with_context(model.error(), path);
    }
    return std::shared_ptr<const review::Classifier>(
        std::make_shared<const review::Classifier>(std::move(*model)));
}

}  // namespace

Result<review::EntryList> read_entry_list(const std::string& path) {
    const std::string text = TRY(read_small_file(path, kEntryFileBytesMax));
    return entry_list_of(text, path);
}

Result<std::shared_ptr<const review::Classifier>> read_classifier(const std::string& path) {
    const std::string file = TRY(read_small_file(path, kClassifierFileBytesMax));
    return classifier_of(file, path);
}

Result<ReviewFiles> read_review_files(const ReviewConfig& config) {
    ReviewFiles files;
    if (!config.words.empty()) {
        files.words = TRY(read_small_file(config.words, kEntryFileBytesMax));
    }
    if (!config.classifier.empty()) {
        files.classifier = TRY(read_small_file(config.classifier, kClassifierFileBytesMax));
    }
    return files;
}

Result<review::LocalRules> local_rules(const ReviewConfig& config, const ReviewFiles& files) {
    review::LocalRules rules;
    if (!config.words.empty()) {
        rules.entries = TRY(entry_list_of(files.words, config.words));
    }
    if (config.classifier.empty()) {
        return rules;
    }
    rules.classifier.classifier = TRY(classifier_of(files.classifier, config.classifier));
    const std::string& action = config.classifier_action;
    if (!action.empty() && action != "flag" && action != "hold" && action != "block") {
        return Error{ErrorCode::kInvalidArgument,
                     "review.classifier_action is one of flag, hold, block"};
    }
    rules.classifier.action = action == "block"  ? review::Decision::kBlock
                              : action == "hold" ? review::Decision::kHold
                                                 : review::Decision::kFlag;
    if (config.classifier_threshold_per_mille > 0) {
        constexpr double kThousand = 1000;
        rules.classifier.own_threshold =
            static_cast<double>(config.classifier_threshold_per_mille) / kThousand;
    }
    return rules;
}

Result<review::LocalRules> read_local_rules(const ServeConfig& config) {
    const ReviewFiles files = TRY(read_review_files(config.review));
    review::LocalRules rules = TRY(local_rules(config.review, files));
    rules.policies = TRY(policy_rules(config));
    return rules;
}

Result<review::TestBanks> read_test_banks(const std::string& path) {
    review::TestBanks banks;
    if (path.empty()) {
        return banks;
    }
    const std::string table = TRY(read_small_file(path, kBankFileBytesMax));
    auto questions = review::read_test_banks(table);
    if (!questions.ok()) {
        return with_context(questions.error(), path);
    }
    banks.questions = std::move(*questions);
    std::error_code error;
    const auto changed = std::filesystem::last_write_time(path, error);
    if (error) {
        return Error{ErrorCode::kUnavailable,
                     fmt::format("{}: when it was changed cannot be told", path)};
    }
    banks.changed =
        std::chrono::time_point_cast<Time::duration>(std::chrono::file_clock::to_sys(changed));
    return banks;
}

}  // namespace colophon::cli
