// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the rules say of calls that were made, under any version of the policy of review and with
// the entries of any time, beside what was decided then [DSP-10].

#include "cli/installation.h"
#include "cli/serve_config.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/settings.h"
#include "gateway/webhook_settings.h"
#include "ledger/conduct.h"
#include "review/library.h"
#include "review/live_library.h"
#include "review/policies.h"
#include "review/review.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace colophon::cli {

inline constexpr std::size_t kReplayedAtOnceMax = 1000;  // records

// The versions of the policy that an installation keeps.
review::Policies open_policies(Installation& installation);
// The policy of this configuration is in force from now on; its version.
Result<review::PolicyVersion> put_policy_in_force(Installation& installation,
                                                  const ServeConfig& config,
                                                  const gateway::Settings& settings);
// The version before is in force again: what came after it could not be taken.
Result<void> put_policy_back(Installation& installation, const review::PolicyVersion& before);

struct ReplayAsked {
    std::vector<std::string> records;  // numbers of records, or of contents
    // A version of the policy; "recorded": that of each record; empty: the usual of ReplayRun.
    std::string policy;
    // A time, or "recorded": that of each record; empty: now, with policy "recorded" that of each.
    std::string at;
    bool ask = false;  // the checks of others too; otherwise they are named and not asked
};

struct ReplayRun {
    Installation& installation;
    review::Library& library;
    const ledger::Conduct& conduct;
    // What holds where no version is named, and its id.
    review::LocalRules rules;
    std::vector<gateway::WebhookSettings> rules_checks;
    std::string rules_id;
    bool hold_sounds = false;  // gateway.chat_sounds
    // Of the configuration as it is: with their keys, for those that are asked.
    std::vector<gateway::WebhookSettings> checks;
    std::string ca_file;
};

// What one check of others is about a text.
struct ReplayedCheck {
    std::string name;
    // "not_asked", "left_out", "allow", "flag", "hold", "block", "change", "failed"
    std::string said;
    std::string why;  // of what failed or was left out
};

// Which file of the call it was, where it was none of its texts.
struct ReplayedFile {
    std::string kind;        // "picture", "sound", "video"; or what is never compared
    std::size_t number = 1;  // among those of its stage and kind, from 1
    bool labelled = false;   // judged as it was given out, with its label
};

struct Replayed {
    std::string record;
    std::string stage;     // "input", "output", "both"; empty where nothing of the call is kept
    std::string then;      // the decision that was made; empty when none was
    std::string recorded;  // the policy that it was made under
    review::Verdict now;   // where it was judged
    std::string policy;
    Time at;
    std::vector<ReplayedCheck> checks;
    // Whether all steps of that policy had their say, on all of it.
    bool complete = true;
    std::optional<ReplayedFile> file;
    std::vector<json::Object> matches;  // of a file: how near which entry is (cli/print_matches.h)
    bool judged = true;                 // false: nothing could be compared, and `now` says nothing
    std::vector<std::string> left_out;  // why not, or what could not be compared
};
json::Object replayed_form(const Replayed& replayed);

// Private texts are opened, which is on record before the first is. kInvalidArgument, kNotFound and
// kCorrupt name the record or the version.
Result<std::vector<Replayed>> run_replay(const ReplayRun& run, const ReplayAsked& asked);

}  // namespace colophon::cli
