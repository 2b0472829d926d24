// SPDX-License-Identifier: Apache-2.0
#include "cli/trial_run.h"

#include "cli/files.h"
#include "cli/installation.h"
#include "cli/terminal.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "label/format.h"
#include "ledger/conduct.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "review/entry_json.h"
#include "review/library.h"
#include "review/scope.h"
#include "review/trial.h"
#include "worker/channel.h"
#include "worker/client.h"
#include "worker/mapping.h"
#include "worker/prints.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

Result<std::vector<review::LibraryEntry>> proposed_entries(review::Library& library,
                                                           const review::Selection& selection) {
    std::vector<review::LibraryEntry> entries;
    const auto take = [&](std::vector<review::LibraryEntry> from) {
        for (review::LibraryEntry& each : from) {
            if (each.state == review::EntryState::kProposed) {
                entries.push_back(std::move(each));
            }
        }
    };
    for (const std::string& id : selection.ids) {
        take(TRY(library.find(id)));
    }
    review::LibraryQuery query{.state = review::EntryState::kProposed,
                               .batch = selection.batch,
                               .category = {},
                               .due = {},
                               .after = {},
                               .entries_max = review::kLibraryPageMax};
    while (!selection.batch.empty()) {
        std::vector<review::LibraryEntry> page = TRY(library.list(query));
        const bool last = page.size() < query.entries_max;
        if (!page.empty()) {
            query.after = review::entry_id(page.back().entry);
            query.after_revision = page.back().revision;
        }
        take(std::move(page));
        if (last) {
            break;
        }
    }
    if (entries.empty()) {
        return Error{ErrorCode::kNotFound, "no entry of these is proposed"};
    }
    return entries;
}

void add_lines(std::string_view text, const std::string& path, review::Trial& trial) {
    std::size_t number = 0;
    while (!text.empty()) {
        ++number;
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.empty()) {
            trial.add_text(line, {}, fmt::format("{}:{}", path, number));
        }
    }
}

Result<void> add_benign_file(worker::Worker& worker, const Input& input, review::Trial& trial) {
    const worker::Fd in = TRY(open_input(input.path));
    const label::Format format = TRY(worker.probe(in.get(), input.relative));
    if (label::is_written_text(format)) {
        const worker::Mapping mapping = TRY(worker::Mapping::create(in.get()));
        add_lines(as_text(mapping.bytes()), input.path, trial);
        return {};
    }
    if (!worker::takes_prints(format)) {
        return Error{ErrorCode::kUnsupported, "this version does not review files of that kind"};
    }
    const worker::FilePrints prints = TRY(worker.prints(in.get(), format));
    if (prints.picture) {
        trial.add_picture(prints.picture->hashes, {}, input.path);
    }
    if (prints.video) {
        trial.add_video(*prints.video, {}, input.path);
    } else if (prints.sound) {
        trial.add_sound(*prints.sound, {}, input.path);
    }
    return {};
}

Result<void> add_benign(const TrialRun& run, review::Trial& trial) {
    const std::vector<Input> inputs = TRY(collect_inputs({run.benign}));
    worker::Worker worker({.font_path = {}, .expects_media = false});
    Progress progress(inputs.size(), run.shows_progress);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const auto added = add_benign_file(worker, inputs[i], trial);
        if (!added.ok()) {
            return with_context(added.error(), inputs[i].path);
        }
        progress.done(i + 1, inputs[i].path);
    }
    return {};
}

// Texts of calls, the newest first. What was erased or is gone meanwhile is passed over.
Result<void> add_traffic(const TrialRun& run, review::Trial& trial) {
    Installation& installation = run.installation;
    ledger::RecordQuery query;
    query.kind = ledger::RecordKind::kCall;
    query.until = installation.clock().now() + std::chrono::seconds(1);
    std::int64_t left = run.records;
    while (left > 0) {
        query.records_max =
            std::min<std::size_t>(ledger::kRecordPageMax, static_cast<std::size_t>(left));
        const std::vector<ledger::Facts> page = TRY(installation.records().list(query));
        for (const ledger::Facts& facts : page) {
            const auto open = installation.records().open(facts.id);
            if (!open.ok() && open.error().code != ErrorCode::kDenied &&
                open.error().code != ErrorCode::kNotFound) {
                return open.error();
            }
            query.after = facts.id;
            if (!open.ok()) {
                continue;
            }
            const std::string name = to_string(facts.id);
            const std::string tenant = to_string(facts.tenant);
            if (!open->input.empty()) {
                trial.add_text(open->input, {review::Stage::kInput, tenant, {}}, name);
            }
            if (!open->output.empty()) {
                trial.add_text(open->output, {review::Stage::kOutput, tenant, {}}, name);
            }
        }
        if (page.size() < query.records_max) {
            break;
        }
        left -= static_cast<std::int64_t>(page.size());
    }
    return {};
}

json::Value seen_json(const review::Trial::Seen& seen) {
    return json::Object{{"contents", seen.contents},
                        {"hits", seen.hits},
                        {"samples", json::Array(seen.samples.begin(), seen.samples.end())}};
}

}  // namespace

json::Object tried_form(const TriedEntry& tried) {
    return {{"id", tried.id},
            {"benign", seen_json(tried.benign)},
            {"traffic", seen_json(tried.traffic)},
            {"approvals", tried.approvals}};
}

Result<std::vector<TriedEntry>> run_trial(const TrialRun& run, const review::Selection& selection) {
    if (run.benign.empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     "a trial needs contents that are known to be harmless: give --benign PATH, or "
                     "review.benign in the configuration"};
    }
    const std::vector<review::LibraryEntry> proposed =
        TRY(proposed_entries(run.library, selection));
    std::vector<review::AnyEntry> entries;
    entries.reserve(proposed.size());
    for (const review::LibraryEntry& each : proposed) {
        entries.push_back(each.entry);
    }
    const review::LiveEntries live = TRY(run.library.live());
    review::Trial benign = TRY(review::Trial::create(entries, live.entries));
    TRY(add_benign(run, benign));
    review::Trial traffic = TRY(review::Trial::create(entries, live.entries));
    // Private texts are opened: that is on record before the first is.
    if (run.records > 0) {
        TRY(run.conduct.append({.operation = "library.open_traffic",
                                .facts = {{"records_max", run.records}},
                                .names = {}}));
    }
    TRY(add_traffic(run, traffic));
    std::vector<review::Library::TrialResult> results;
    std::vector<TriedEntry> tried;
    for (const review::AnyEntry& each : entries) {
        const std::string& id = review::entry_id(each);
        review::Trial::Seen harmless = benign.seen(id);
        review::Trial::Seen recent = traffic.seen(id);
        results.push_back({id,
                           {.benign = harmless.contents,
                            .benign_hits = harmless.hits,
                            .traffic = recent.contents,
                            .traffic_hits = recent.hits}});
        const bool too_often =
            harmless.hits * 1'000'000 >
            static_cast<std::uint64_t>(run.benign_per_million_max) * harmless.contents;
        tried.push_back({.id = id,
                         .benign = std::move(harmless),
                         .traffic = std::move(recent),
                         .approvals = too_often ? 2 : 1});
    }
    TRY(run.library.note_trial(results, run.who));
    return tried;
}

}  // namespace colophon::cli
