// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the verbs of `colophon ledger` share: for any log (ledger_command.cc), and for the logs of
// an installation (ledger_own.cc).

#include "cli/exit_code.h"
#include "cli/log_source.h"
#include "cli/store_options.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "ledger/leaf.h"
#include "ledger/verify/log.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace colophon::cli {

struct LedgerArguments {
    std::vector<std::string> inputs;  // of check
    std::string log;                  // of the others
    std::vector<std::string> keys;
    std::vector<std::string> older;
    std::vector<std::string> opened;  // fields that evidence shows
    std::string policy;
    std::string entry;
    std::string content;  // of check
    std::string output;
    std::string log_class;
    std::string kind;   // of records
    std::string since;  // of records and hold
    std::string until;
    std::string tenant;           // name
    std::string subject;          // name at its tenant, or 32 digits
    std::string record;           // content id or number of a record
    std::string digest;           // SHA-256 in hexadecimal
    std::string role = "output";  // of a record's content
    std::string like;             // a file of which near copies are looked for
    std::string file;             // whose digest is looked for
    std::string reason;           // of hold
    std::string hold;             // of release
    std::size_t limit = 100;
    StoreChoice store;
    std::optional<std::uint64_t> index;
    std::uint64_t from = 0;  // minimum index of the log
    int service_days = 366;  // of purge
    int conduct_days = 3 * 366;
    bool bare = false;
    bool json = false;
    unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
};

void print_ledger(const LedgerArguments& arguments, const json::Value& value,
                  const std::string& text);
ledger::verify::Finding no_quorum();
// SHA-256 of a file of any size.
Result<Digest256> digest_of_file(const std::string& path);
Result<void> write_ledger_output(const std::string& path, std::string_view text);
Result<std::string> read_log_checkpoint(const ledger::verify::Fetch& fetch,
                                        const std::string& folder);
// A log, checked whole; shows how far it is on a terminal.
Result<ledger::verify::LogReport> check_whole_log(const LedgerArguments& arguments,
                                                  const Trust& trust,
                                                  const ledger::verify::Fetch& fetch,
                                                  const std::string& name);
// The evidence of one entry out of a log, judged and written to `output`.
struct ProofRequest {
    std::string name;  // of the log, for messages
    std::uint64_t index = 0;
    std::vector<ledger::Opening> openings;
};
Result<ExitCode> prove_entry(const LedgerArguments& arguments, const Trust& trust,
                             const ledger::verify::Fetch& fetch, const ProofRequest& request);

// The logs of the installation that the options or the configuration name. Without --key the
// installation's own public keys are believed, which shows that a log is whole, not whose it is.
Result<ExitCode> run_own_checkpoint(const LedgerArguments& arguments);
Result<ExitCode> run_own_prove(const LedgerArguments& arguments);
// The newest records of the installation; the sequencers until a signal ends them.
Result<ExitCode> run_records(const LedgerArguments& arguments);
Result<ExitCode> run_content(const LedgerArguments& arguments);
Result<ExitCode> run_sequence(const LedgerArguments& arguments);
// Records that no purge removes, until they are released.
Result<ExitCode> run_hold(const LedgerArguments& arguments);
Result<ExitCode> run_holds(const LedgerArguments& arguments);
Result<ExitCode> run_release(const LedgerArguments& arguments);
// Removes records past their time, then what the logs need no longer.
Result<ExitCode> run_purge(const LedgerArguments& arguments);
// `folder` is a data folder, or empty for what the options name.
Result<bool> check_own_logs(const LedgerArguments& arguments, const std::string& folder);

}  // namespace colophon::cli
