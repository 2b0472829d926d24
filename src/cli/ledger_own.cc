// SPDX-License-Identifier: Apache-2.0
// colophon ledger checkpoint, prove and check, for the logs of an installation.

#include "cli/exit_code.h"
#include "cli/installation.h"
#include "cli/ledger_arguments.h"
#include "cli/ledger_installation.h"
#include "cli/ledger_report.h"
#include "cli/log_source.h"
#include "cli/store_options.h"
#include "cli/terminal.h"
#include "core/json.h"
#include "core/result.h"
#include "ledger/log_keys.h"
#include "ledger/log_service.h"
#include "ledger/records.h"
#include "ledger/sequencer.h"
#include "ledger/verify/checkpoint.h"
#include "ledger/verify/log.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

namespace verify = ledger::verify;

// Keys of the command line, or those that the installation itself names.
Result<Trust> trust_for(const LedgerArguments& arguments, const std::vector<ledger::LogKey>& own,
                        ledger::LogClass log) {
    if (!arguments.keys.empty() || !arguments.policy.empty()) {
        return open_trust(arguments.keys, arguments.policy);
    }
    return open_trust(keys_of_log(own, log), {});
}

struct Shown {
    ledger::LogClass log = ledger::LogClass::kService;
    ledger::SequencedOnce done;
    ledger::Freshness freshness;
    std::vector<std::string> keys;
};

json::Value own_checkpoint_json(const std::string& name, const verify::CheckpointReport& report,
                                const Shown& shown) {
    json::Value value = checkpoint_json(name, report);
    json::Object& object = *value.if_object();
    json::Array keys;
    for (const std::string& key : shown.keys) {
        keys.emplace_back(key);
    }
    object.emplace_back("log", ledger::log_class_name(shown.log));
    object.emplace_back("keys", std::move(keys));
    object.emplace_back("integrated", static_cast<std::uint64_t>(shown.done.integrated));
    object.emplace_back("sequenced_elsewhere", shown.done.held);
    object.emplace_back("waiting", shown.freshness.waiting);
    return value;
}

std::string own_checkpoint_text(const std::string& name, const verify::CheckpointReport& report,
                                const Shown& shown) {
    std::string text = checkpoint_text(name, report);
    for (const std::string& key : shown.keys) {
        text += fmt::format("  {} {}\n", pad_right(std::string(tr("key", "公钥")), 11), key);
    }
    if (shown.freshness.waiting > 0) {
        text += fmt::format("  {} {}\n", pad_right(std::string(tr("waiting", "等待")), 11),
                            shown.freshness.waiting);
    }
    return text;
}

Result<bool> show_checkpoint(const LedgerArguments& arguments, Installation& installation,
                             ledger::LogClass log) {
    Shown shown;
    shown.log = log;
    shown.done = TRY(sequence_log(installation, log));
    shown.freshness = TRY(ledger::freshness(installation.store(), log));
    const auto own = TRY(ledger::log_keys(installation.store()));
    shown.keys = keys_of_log(own, log);
    const std::string name = ledger::log_prefix(log);
    const Trust trust = TRY(trust_for(arguments, own, log));
    const verify::Fetch fetch = objects_fetch(installation.objects(), log);
    const std::string note = TRY(read_log_checkpoint(fetch, name));
    verify::CheckpointReport report = verify::check_checkpoint(note, trust.keys);
    if (report.good && !quorum_met(trust, report.checkpoint)) {
        report.good = false;
        report.findings.push_back(no_quorum());
    }
    const bool good = report.good;
    if (const auto behind =
            ledger::judge_freshness(shown.freshness, log, installation.clock().now())) {
        report.findings.push_back({.code = behind->code, .where = name, .what = behind->what});
    }
    if (good && !arguments.output.empty()) {
        TRY(write_ledger_output(arguments.output, note));
    }
    if (arguments.output != "-") {
        print_ledger(arguments, own_checkpoint_json(name, report, shown),
                     own_checkpoint_text(name, report, shown));
    }
    return good;
}

}  // namespace

Result<ExitCode> run_own_checkpoint(const LedgerArguments& arguments) {
    const auto logs = TRY(parse_log_classes(arguments.log_class));
    if (!arguments.output.empty() && logs.size() != 1) {
        return Error{ErrorCode::kInvalidArgument,
                     "-o holds the checkpoint of one log: say --log service or --log conduct"};
    }
    const Places places = TRY(resolve_places(arguments.store));
    const auto installation = TRY(Installation::open(places));
    bool good = true;
    for (const ledger::LogClass log : logs) {
        const bool one = TRY(show_checkpoint(arguments, *installation, log));
        good = good && one;
    }
    return good ? ExitCode::kGood : ExitCode::kBad;
}

Result<ExitCode> run_own_prove(const LedgerArguments& arguments) {
    const Places places = TRY(resolve_places(arguments.store));
    const auto installation = TRY(Installation::open(places));
    const RecordPlace place = TRY(place_of_record(*installation, arguments.log));
    const std::vector<std::string> fields =
        arguments.opened.empty() ? std::vector<std::string>{"facts"} : arguments.opened;
    ProofRequest request{
        .name = ledger::log_prefix(place.log), .index = place.entry, .openings = {}};
    request.openings = TRY(installation->records().openings(place.record, fields));
    const auto own = TRY(ledger::log_keys(installation->store()));
    const Trust trust = TRY(trust_for(arguments, own, place.log));
    return prove_entry(arguments, trust, objects_fetch(installation->objects(), place.log),
                       request);
}

Result<bool> check_own_logs(const LedgerArguments& arguments, const std::string& folder) {
    StoreChoice choice = arguments.store;
    if (!folder.empty()) {
        choice = {.data = folder, .url = {}};
    }
    Places places = TRY(resolve_places(choice));
    if (!folder.empty()) {
        // What lies in the folder, whatever a configuration says of another one.
        places.objects = {};
        places.objects.folder = folder + "/objects";
    }
    const auto view = TRY(LogView::open(places));
    bool good = true;
    for (const ledger::LogClass log : TRY(parse_log_classes(arguments.log_class))) {
        const std::string name =
            fmt::format("{}{}{}", folder, folder.empty() ? "" : ": ", ledger::log_prefix(log));
        const Trust trust = TRY(trust_for(arguments, view->keys(), log));
        const verify::Fetch fetch = objects_fetch(view->objects(), log);
        const verify::LogReport report = TRY(check_whole_log(arguments, trust, fetch, name));
        print_ledger(arguments, log_json(name, report), log_text(name, report));
        good = good && report.good;
    }
    return good;
}

}  // namespace colophon::cli
