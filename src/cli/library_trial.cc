// SPDX-License-Identifier: Apache-2.0
// colophon library trial: what proposed entries would have hit, among contents that are known to be
// harmless and among what went through the service of late [DSP-10].

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/library_verbs.h"
#include "cli/staff_session.h"
#include "cli/terminal.h"
#include "cli/trial_run.h"
#include "core/json.h"
#include "core/result.h"
#include "review/trial.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace colophon::cli {
namespace {

struct Arguments : LibraryArguments {
    std::string benign;
    std::int64_t records = 1000;
};

std::string seen_text(const review::Trial::Seen& seen) {
    return fmt::format("{}/{}", seen.hits, seen.contents);
}

void report_trial(const Arguments& arguments, const std::vector<TriedEntry>& tried) {
    std::vector<json::Object> objects;
    std::vector<Columns> rows;
    for (const TriedEntry& each : tried) {
        objects.push_back(tried_form(each));
        std::string samples;
        for (const std::string& sample : each.benign.samples) {
            samples += (samples.empty() ? "" : " ") + printable(sample);
        }
        rows.push_back({printable(each.id), seen_text(each.benign), seen_text(each.traffic),
                        std::to_string(each.approvals), samples});
    }
    report_list(
        arguments, objects,
        {std::string(tr("ENTRY", "条目")), std::string(tr("HARMLESS HIT", "误中")),
         std::string(tr("TRAFFIC HIT", "近期命中")),
         std::string(tr("APPROVALS NEEDED", "须批准人数")), std::string(tr("SAMPLES", "误中示例"))},
        rows);
}

Result<void> run_verb(const Arguments& arguments) {
    const auto open = TRY(OpenLibrary::open(arguments, library_proposers()));
    const std::vector<TriedEntry> tried = TRY(
        run_trial({.installation = open->installation(),
                   .library = open->library(),
                   .conduct = open->conduct(),
                   .who = open->who(),
                   .benign = arguments.benign.empty() ? open->config().benign : arguments.benign,
                   .benign_per_million_max = open->config().benign_per_million_max,
                   .records = arguments.records,
                   .shows_progress = !arguments.json},
                  arguments.selection));
    report_trial(arguments, tried);
    return {};
}

}  // namespace

void add_library_trial_verb(CLI::App& library, Action& action) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* verb = library.add_subcommand(
        "trial",
        std::string(tr("what proposed entries would have hit", "试运行：待批准条目会命中什么")));
    add_selection_options(*verb, *arguments);
    verb->add_option(
        "--benign", arguments->benign,
        std::string(tr("harmless contents: a file of lines, pictures, sounds, or a folder; "
                       "default: review.benign",
                       "无害内容：逐行文本、图片、声音或文件夹；默认用 review.benign")));
    verb->add_option("--records", arguments->records,
                     std::string(tr("so many of the newest calls, 0 to 1000000; default 1000",
                                    "最近的调用条数，0 至 1000000；默认 1000")))
        ->check(CLI::Range(std::int64_t{0}, kRecordsTriedMax).description(""));
    add_admin_options(*verb, *arguments);
    add_session_option(*verb, arguments->session);
    set_admin_action(*verb, action, [arguments] { return run_verb(*arguments); });
}

}  // namespace colophon::cli
