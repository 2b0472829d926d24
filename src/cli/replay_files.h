// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the rules say of the files of a call that was made, by what its record keeps of them
// (ledger/file_prints.h): compared by the same functions as in the gateway, at the same stage, for
// the same tenant and class of service [DSP-10]. What a print cannot tell is named, never allowed.

#include "cli/replay_run.h"
#include "core/ids.h"
#include "core/result.h"
#include "gateway/course.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "review/review.h"

#include <optional>
#include <vector>

namespace colophon::cli {

struct FileRules {
    const review::Reviewer& reviewer;
    const gateway::Courses& courses;
    bool hold_sounds = false;  // within chats: a person hears each (gateway.chat_sounds)
};

// The class of service of the call; empty when its record does not say.
std::string service_of_record(const ledger::Facts& facts);
// The strictest decision about that stage; empty when there was none.
std::string recorded_decision(const ledger::Facts& facts, std::string_view stage);

// What is known of the files of a record: what it keeps, and of records of before what is left.
// `last_without`: Records::last_without_files(). Opens the private half, kDenied: it was erased.
struct RecordFiles {
    std::vector<ledger::FilePrint> files;
    // Files that nobody knows of for sure: the stage is that where they would be.
    std::vector<ledger::FilePrint> unknown;
};
Result<RecordFiles> files_of_record(ledger::Records& records, const ledger::Facts& facts,
                                    const std::optional<RecordId>& last_without);

// One for each file. `base` has what is the same for all of them. kCorrupt: a print is damaged.
Result<void> replay_files(const ledger::Facts& facts, const RecordFiles& files,
                          const FileRules& rules, const Replayed& base, std::vector<Replayed>& all);

}  // namespace colophon::cli
