// SPDX-License-Identifier: Apache-2.0
// colophon library policies: the versions of the policy of review that were in force [DSP-10].

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/library_verbs.h"
#include "cli/replay_run.h"
#include "cli/staff_session.h"
#include "cli/terminal.h"
#include "console/library_forms.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "review/policies.h"
#include "review/policy.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace colophon::cli {
namespace {

struct Arguments : LibraryArguments {
    std::string version;
    std::string against;
};

Result<json::Value> content_of(const review::PolicyVersion& version) {
    return json::parse(version.content, {.depth_max = review::kPolicyDepthMax,
                                         .bytes_max = version.content.size() + 1});
}

Result<void> list_versions(const Arguments& arguments, review::Policies& policies) {
    std::vector<json::Object> objects;
    std::vector<Columns> rows;
    std::optional<std::int64_t> before;
    while (true) {
        const auto page = TRY(policies.list(before, review::kPolicyPageMax));
        for (const review::PolicyVersion& each : page) {
            objects.push_back(console::policy_form(each));
            rows.push_back({fmt::format("{}", each.number), each.id, format_time(each.made),
                            printable(each.made_by), format_time(each.used),
                            each.in_force ? std::string(tr("yes", "是")) : std::string("-")});
        }
        if (page.size() < review::kPolicyPageMax) {
            break;
        }
        before = page.back().number;
    }
    report_list(arguments, objects,
                {std::string(tr("NUMBER", "序号")), std::string(tr("POLICY", "策略版本")),
                 std::string(tr("FIRST", "首次生效")), std::string(tr("BY", "由")),
                 std::string(tr("LAST", "最近生效")), std::string(tr("IN FORCE", "现行"))},
                rows);
    return {};
}

Result<void> show_version(const Arguments& arguments, review::Policies& policies) {
    const review::PolicyVersion version = TRY(policies.find(arguments.version));
    const auto uses = TRY(policies.uses(version.number));
    std::string words =
        fmt::format("{} {}{}\n", version.id, version.number,
                    version.in_force ? fmt::format(", {}", tr("in force", "现行")) : "");
    for (const review::PolicyUse& each : uses) {
        words += fmt::format("{} {}  {}\n", tr("in force from", "生效于"), format_time(each.at),
                             printable(each.by));
    }
    const json::Value content = TRY(content_of(version));
    for (const review::PolicyDifference& each : review::compare_policies({}, content)) {
        words += fmt::format("{}  {}\n", printable(each.place), printable(json::write(each.after)));
    }
    words.pop_back();
    report(arguments, console::policy_form(version, uses), words);
    return {};
}

Result<void> compare_versions(const Arguments& arguments, review::Policies& policies) {
    const review::PolicyVersion before = TRY(policies.find(arguments.against));
    const review::PolicyVersion after = TRY(policies.find(arguments.version));
    const json::Value old_content = TRY(content_of(before));
    const json::Value new_content = TRY(content_of(after));
    const auto differences = review::compare_policies(old_content, new_content);
    std::vector<Columns> rows;
    std::vector<json::Object> objects;
    for (const review::PolicyDifference& each : differences) {
        objects.push_back({{"place", each.place}, {"before", each.before}, {"after", each.after}});
        rows.push_back({printable(each.place), printable(json::write(each.before)),
                        printable(json::write(each.after))});
    }
    report_list(arguments, objects, {std::string(tr("PLACE", "位置")), before.id, after.id}, rows);
    return {};
}

Result<void> run_verb(const Arguments& arguments) {
    const auto open = TRY(OpenLibrary::open(arguments, kLibraryReaders));
    review::Policies policies = open_policies(open->installation());
    if (arguments.version.empty()) {
        return arguments.against.empty()
                   ? list_versions(arguments, policies)
                   : Result<void>(Error{ErrorCode::kInvalidArgument,
                                        "--against needs the version that is compared with it"});
    }
    return arguments.against.empty() ? show_version(arguments, policies)
                                     : compare_versions(arguments, policies);
}

}  // namespace

void add_library_policies_verb(CLI::App& library, Action& action) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* verb = library.add_subcommand(
        "policies", std::string(tr("versions of the policy of review: list, show, compare",
                                   "审核策略的版本：列出、查看、比较")));
    verb->add_option("VERSION", arguments->version,
                     std::string(tr("number or id: show it", "序号或编号：查看该版本")));
    verb->add_option("--against", arguments->against,
                     std::string(tr("what is other than in that version", "与该版本的差异")));
    add_admin_options(*verb, *arguments);
    add_session_option(*verb, arguments->session);
    set_admin_action(*verb, action, [arguments] { return run_verb(*arguments); });
}

}  // namespace colophon::cli
