// SPDX-License-Identifier: Apache-2.0
// colophon library decisions, replay: what people decided, for a classifier to learn from; and what
// the rules of now or of then say of a call that was made [DSP-10].

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/files.h"
#include "cli/installation.h"
#include "cli/library_verbs.h"
#include "cli/print_matches.h"
#include "cli/replay_run.h"
#include "cli/review_files.h"
#include "cli/review_policy.h"
#include "cli/serve_settings.h"
#include "cli/staff_session.h"
#include "cli/terminal.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/settings.h"
#include "identity/staff.h"
#include "review/entry.h"
#include "review/labelled_texts.h"
#include "review/policies.h"
#include "review/queue.h"
#include "review/review.h"

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
    std::string policy;
    std::string at;
    bool ask = false;
};

Result<void> run_decisions(const DecisionsArguments& arguments) {
    const Time since = arguments.since.empty() ? Time() : TRY(parse_time(arguments.since));
    const auto open = TRY(OpenLibrary::open(arguments, library_leads()));
    Installation& installation = open->installation();
    const review::ReviewQueue queue(installation.queue_parts(), {});
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

// Checks as they would be asked, in the column of what they said.
std::string checks_text(const Replayed& replayed) {
    std::string all;
    for (const ReplayedCheck& each : replayed.checks) {
        all += (all.empty() ? "" : " ") + printable(each.name) + ":" + each.said;
    }
    return all.empty() ? "-" : all;
}

// "input", "output picture 2"
std::string place_of(const Replayed& replayed) {
    if (replayed.stage.empty()) {
        return std::string(tr("nothing is kept", "未保存内容"));
    }
    if (!replayed.file) {
        return replayed.stage;
    }
    return fmt::format("{} {} {}", replayed.stage, printable(replayed.file->kind),
                       replayed.file->number);
}

// Each with how near the nearest of its matches is: "a-1 (3 bits)".
std::string entries_text(const Replayed& replayed) {
    std::string all;
    for (const std::string& id : replayed.now.entries) {
        all += (all.empty() ? "" : " ") + printable(id);
        const auto match = std::ranges::find_if(replayed.matches, [&](const json::Object& each) {
            return each.front().second.if_string() != nullptr &&
                   *each.front().second.if_string() == id;
        });
        if (match != replayed.matches.end()) {
            all += fmt::format(" ({})", match_text(*match));
        }
    }
    return all;
}

void report_replayed(const ReplayArguments& arguments, const std::vector<Replayed>& all) {
    std::vector<json::Object> objects;
    std::vector<Columns> rows;
    for (const Replayed& each : all) {
        objects.push_back(replayed_form(each));
        const std::string entries = entries_text(each);
        rows.push_back(
            {each.record, place_of(each), each.then.empty() ? "-" : each.then,
             each.judged ? std::string(review::decision_name(each.now.decision)) : std::string("-"),
             each.now.category.empty() ? "-" : printable(each.now.category), checks_text(each),
             entries});
    }
    report_list(
        arguments, objects,
        {std::string(tr("RECORD", "记录")), std::string(tr("STAGE", "阶段")),
         std::string(tr("THEN", "当时")), std::string(tr("BY THESE RULES", "按此规则")),
         std::string(tr("CATEGORY", "类别")), std::string(tr("CHECKS OF OTHERS", "外部检查")),
         std::string(tr("ENTRIES", "条目"))},
        rows);
    const bool unasked = std::ranges::any_of(all, [](const Replayed& each) {
        return std::ranges::any_of(
            each.checks, [](const ReplayedCheck& check) { return check.said == "not_asked"; });
    });
    if (arguments.json) {
        return;
    }
    for (const Replayed& each : all) {
        for (const std::string& what : each.left_out) {
            write_text(2,
                       fmt::format("colophon: {}, {}: {} {}\n", each.record, place_of(each),
                                   tr("left out:", "未判断："), printable(in_user_language(what))));
        }
    }
    if (unasked) {
        write_text(
            2, fmt::format("colophon: {}\n", tr("checks of others were not asked; --ask asks them",
                                                "未询问外部检查；用 --ask 询问")));
    }
}

Result<void> run_replay_verb(const ReplayArguments& arguments) {
    const auto open = TRY(OpenLibrary::open(
        arguments, library_leads() | static_cast<std::uint32_t>(identity::Role::kAuditor)));
    const Config& config = open->whole_config();
    const auto settings = TRY(make_review_settings(config));
    const ReviewFiles files = TRY(read_review_files(config.serve.review));
    ReplayRun run{
        .installation = open->installation(),
        .library = open->library(),
        .conduct = open->conduct(),
        .rules = TRY(read_local_rules(config.serve)),
        .rules_checks = settings->webhooks,
        .rules_id = review::Policies::id_of(write_policy(config.serve, files, *settings).content),
        .hold_sounds = settings->chat_sounds == gateway::ChatSounds::kHold,
        .checks = settings->webhooks,
        .ca_file = config.serve.gateway.ca_file};
    report_replayed(arguments, TRY(run_replay(run, {.records = arguments.records,
                                                    .policy = arguments.policy,
                                                    .at = arguments.at,
                                                    .ask = arguments.ask})));
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
                     std::string(tr("with the entries that were in force then, or when each call "
                                    "was made (recorded); default now",
                                    "使用该时间生效的条目；recorded 为各次调用之时；默认现在")));
    verb->add_option("--policy", replayed->policy,
                     std::string(tr("under this version of the policy, or that of each record "
                                    "(recorded); default the configuration",
                                    "按该策略版本；recorded 为各记录之版本；默认当前配置")));
    verb->add_flag("--ask", replayed->ask,
                   std::string(tr("ask the checks of others too; the texts go to them",
                                  "也询问外部检查（文本将发送给它们）")));
    add_admin_options(*verb, *replayed);
    add_session_option(*verb, replayed->session);
    set_admin_action(*verb, action, [replayed] { return run_replay_verb(*replayed); });
}

}  // namespace colophon::cli
