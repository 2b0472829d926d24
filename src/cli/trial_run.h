// SPDX-License-Identifier: Apache-2.0
#pragma once

// The trial of proposed entries of the feature library [DSP-10]: what they would have hit among
// contents that are known to be harmless, and among what went through the service of late.

#include "cli/installation.h"
#include "core/json.h"
#include "core/result.h"
#include "ledger/conduct.h"
#include "review/library.h"
#include "review/trial.h"

#include <cstdint>
#include <string>
#include <vector>

namespace colophon::cli {

inline constexpr std::int64_t kRecordsTriedMax = 1'000'000;

struct TrialRun {
    Installation& installation;
    review::Library& library;
    const ledger::Conduct& conduct;
    const std::string& who;
    std::string benign;  // a file of lines, pictures, or a folder
    std::int64_t benign_per_million_max = review::kBenignPerMillionMax;
    std::int64_t records = 1000;  // of the newest calls
    bool shows_progress = false;
};

struct TriedEntry {
    std::string id;
    review::Trial::Seen benign;
    review::Trial::Seen traffic;
    int approvals = 1;  // that it needs
};
json::Object tried_form(const TriedEntry& tried);

// Keeps what it found. kNotFound: nothing of the selection is proposed.
Result<std::vector<TriedEntry>> run_trial(const TrialRun& run, const review::Selection& selection);

}  // namespace colophon::cli
