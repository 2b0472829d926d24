// SPDX-License-Identifier: Apache-2.0
// colophon library decisions, replay: what people decided, for a classifier to learn from; and what
// the rules of now or of then say of a call that was made [DSP-10].

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/installation.h"
#include "cli/library_verbs.h"
#include "cli/review_files.h"
#include "cli/staff_session.h"
#include "cli/terminal.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "identity/staff.h"
#include "ledger/conduct.h"
#include "ledger/record.h"
#include "ledger/record_contents.h"
#include "ledger/records.h"
#include "review/entry.h"
#include "review/labelled_texts.h"
#include "review/live_library.h"
#include "review/queue.h"
#include "review/review.h"
#include "review/scope.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

struct DecisionsArguments : LibraryArguments {
    std::string category;
    std::string since;
    std::string output;
};

struct ReplayArguments : LibraryArguments {
    std::vector<std::string> records;
    std::string at;
};

Result<void> run_decisions(const DecisionsArguments& arguments) {
    const Time since = arguments.since.empty() ? Time() : TRY(parse_time(arguments.since));
    const auto open = TRY(OpenLibrary::open(arguments, library_leads()));
    Installation& installation = open->installation();
    const review::ReviewQueue queue({.store = installation.store(),
                                     .sealer = installation.sealer(),
                                     .clock = installation.clock(),
                                     .random = installation.randomness()},
                                    {});
    OutputFile out = TRY(OutputFile::create(arguments.output));
    std::uint64_t refused = 0;
    std::uint64_t released = 0;
    std::string table = review::write_labelled_row("text", "label");
    const auto take = [&](const review::Item& item,
                          const review::Evidence& evidence) -> Result<void> {
        if (evidence.text.empty() || !review::shown_file(evidence).empty()) {
            return {};  // a picture is no text to learn from
        }
        const bool is_refused = item.state == review::ItemState::kRefused;
        ++(is_refused ? refused : released);
        table += review::write_labelled_row(evidence.text, is_refused ? "1" : "0");
        if (!write_text(out.descriptor(), std::exchange(table, {}))) {
            return Error{ErrorCode::kUnavailable, arguments.output + " cannot be written"};
        }
        return {};
    };
    TRY(queue.visit_decided({.category = arguments.category, .since = since}, open->conduct(),
                            take));
    if (!write_text(out.descriptor(), table)) {
        return Error{ErrorCode::kUnavailable, arguments.output + " cannot be written"};
    }
    TRY(out.commit());
    report(arguments, {{"file", arguments.output}, {"refused", refused}, {"released", released}},
           fmt::format("{}: {} {}, {} {}", printable(arguments.output), tr("refused", "拒绝"),
                       refused, tr("released", "放行"), released));
    return {};
}

struct Replayed {
    std::string record;
    std::string stage;
    std::string then;  // the decision that was made
    review::Verdict now;
};

json::Object replayed_json(const Replayed& replayed, const std::string& policy) {
    return {{"record", replayed.record},
            {"stage", replayed.stage},
            {"recorded", replayed.then},
            {"decision", review::decision_name(replayed.now.decision)},
            {"category", replayed.now.category},
            {"entries", json::Array(replayed.now.entries.begin(), replayed.now.entries.end())},
            {"policy", policy}};
}

// The number of a call, or of the content that it made.
Result<ledger::Facts> facts_of(Installation& installation, const std::string& name) {
    if (const auto id = parse_random_id<RecordId>(name); id.ok()) {
        return installation.records().find(*id);
    }
    const ContentId content = TRY(parse_content_id(name));
    return installation.records().find(content);
}

// What was decided about that stage; empty when nothing was.
std::string recorded_decision(const ledger::Facts& facts, std::string_view stage) {
    const auto of = std::ranges::find(facts.verdicts, stage, &ledger::Verdict::stage);
    return of == facts.verdicts.end() ? std::string() : of->decision;
}

Result<void> replay(Installation& installation, const review::Reviewer& rules,
                    const std::string& name, std::vector<Replayed>& all) {
    const ledger::Facts facts = TRY(facts_of(installation, name));
    struct Role {
        std::string_view name;
        review::Stage stage;
    };
    for (const Role& role :
         {Role{"input", review::Stage::kInput}, Role{"output", review::Stage::kOutput}}) {
        const auto content = installation.contents().read(facts.id, role.name);
        if (!content.ok() && content.error().code == ErrorCode::kNotFound) {
            continue;
        }
        const Buffer text = TRY(content);
        if (text.empty()) {
            continue;
        }
        const auto reviewer = rules.on(
            {.stage = role.stage, .tenant = to_string(facts.tenant), .service = std::string()});
        all.push_back({.record = to_string(facts.id),
                       .stage = std::string(role.name),
                       .then = recorded_decision(facts, role.name),
                       .now = reviewer->review(as_text(text))});
    }
    return {};
}

Result<void> run_replay(const ReplayArguments& arguments) {
    const auto open = TRY(OpenLibrary::open(
        arguments, library_leads() | static_cast<std::uint32_t>(identity::Role::kAuditor)));
    Installation& installation = open->installation();
    const Time at =
        arguments.at.empty() ? installation.clock().now() : TRY(parse_time(arguments.at));
    const auto entries = TRY(open->library().live_at(at));
    const review::LocalRules local = TRY(read_local_rules(open->config()));
    const auto rules = TRY(review::make_reviewer(local, entries));
    // Private texts are opened: that is on record before the first is.
    TRY(open->conduct().append(
        {.operation = "library.replay",
         .facts = {{"records", json::Array(arguments.records.begin(), arguments.records.end())},
                   {"at", format_time(at)}},
         .names = {}}));
    std::vector<Replayed> all;
    for (const std::string& name : arguments.records) {
        const auto done = replay(installation, *rules, name, all);
        if (!done.ok()) {
            return with_context(done.error(), name);
        }
    }
    std::vector<json::Object> objects;
    std::vector<Columns> rows;
    for (const Replayed& each : all) {
        objects.push_back(replayed_json(each, rules->version()));
        std::string entries_text;
        for (const std::string& id : each.now.entries) {
            entries_text += (entries_text.empty() ? "" : " ") + printable(id);
        }
        rows.push_back({each.record, each.stage, each.then.empty() ? "-" : each.then,
                        std::string(review::decision_name(each.now.decision)),
                        printable(each.now.category), entries_text});
    }
    report_list(arguments, objects,
                {std::string(tr("RECORD", "记录")), std::string(tr("STAGE", "阶段")),
                 std::string(tr("THEN", "当时")), std::string(tr("BY THESE RULES", "按此规则")),
                 std::string(tr("CATEGORY", "类别")), std::string(tr("ENTRIES", "条目"))},
                rows);
    return {};
}

}  // namespace

void add_library_decisions_verbs(CLI::App& library, Action& action) {
    auto decided = std::make_shared<DecisionsArguments>();
    CLI::App* decisions = library.add_subcommand(
        "decisions", std::string(tr("texts with what people decided about them, to train on",
                                    "导出经人工决定的文本，用于训练")));
    decisions->add_option("--category", decided->category,
                          std::string(tr("of this category", "限该类别")));
    decisions->add_option("--since", decided->since,
                          std::string(tr("decided since then: 2026-11-26T08:00:00Z",
                                         "自该时间起的决定：2026-11-26T08:00:00Z")));
    decisions
        ->add_option("-o,--output", decided->output,
                     std::string(tr("table (CSV) to write", "要写入的表（CSV）")))
        ->required();
    add_admin_options(*decisions, *decided);
    add_session_option(*decisions, decided->session);
    set_admin_action(*decisions, action, [decided] { return run_decisions(*decided); });

    auto replayed = std::make_shared<ReplayArguments>();
    CLI::App* verb = library.add_subcommand(
        "replay", std::string(tr("what the rules of now or of then say of calls that were made",
                                 "按现在或当时的规则重新判断既往调用")));
    verb->add_option("RECORD", replayed->records,
                     std::string(tr("numbers of records or of contents", "记录编号或内容编号")))
        ->required();
    verb->add_option("--at", replayed->at,
                     std::string(tr("with the entries that were in force then; default now",
                                    "使用该时间生效的条目；默认现在")));
    add_admin_options(*verb, *replayed);
    add_session_option(*verb, replayed->session);
    set_admin_action(*verb, action, [replayed] { return run_replay(*replayed); });
}

}  // namespace colophon::cli
