// SPDX-License-Identifier: Apache-2.0
#include "cli/review_files.h"

#include "cli/files.h"
#include "cli/serve_config.h"
#include "core/bytes.h"
#include "core/result.h"
#include "review/classifier.h"
#include "review/entry.h"
#include "review/entry_list.h"
#include "review/live_library.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace colophon::cli {
namespace {

constexpr std::size_t kEntryFileBytesMax = 64U << 20U;
constexpr std::size_t kClassifierFileBytesMax = 16U << 20U;

}  // namespace

Result<review::EntryList> read_entry_list(const std::string& path) {
    const std::string text = TRY(read_small_file(path, kEntryFileBytesMax));
    auto list = review::parse_entry_list(text);
    if (!list.ok()) {
        return with_context(list.error(), path);
    }
    return list;
}

Result<std::shared_ptr<const review::Classifier>> read_classifier(const std::string& path) {
    const std::string file = TRY(read_small_file(path, kClassifierFileBytesMax));
    auto model = review::Classifier::parse(as_bytes(file));
    if (!model.ok()) {
        return with_context(model.error(), path);
    }
    return std::shared_ptr<const review::Classifier>(
        std::make_shared<const review::Classifier>(std::move(*model)));
}

Result<review::LocalRules> read_local_rules(const ReviewConfig& config) {
    review::LocalRules rules;
    if (!config.words.empty()) {
        rules.entries = TRY(read_entry_list(config.words));
    }
    if (config.classifier.empty()) {
        return rules;
    }
    rules.classifier.classifier = TRY(read_classifier(config.classifier));
    const std::string& action = config.classifier_action;
    if (!action.empty() && action != "flag" && action != "hold" && action != "block") {
        return Error{ErrorCode::kInvalidArgument,
                     "review.classifier_action is one of flag, hold, block"};
    }
    rules.classifier.action = action == "block"  ? review::Decision::kBlock
                              : action == "hold" ? review::Decision::kHold
                                                 : review::Decision::kFlag;
    return rules;
}

}  // namespace colophon::cli
