// SPDX-License-Identifier: Apache-2.0
// colophon admin tenant create, list, show, disable, enable.

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/installation.h"
#include "cli/terminal.h"
#include "console/forms.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "identity/tenants.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::cli {
namespace {

struct Arguments : AdminArguments {
    std::string name;
};

std::string state_of(const identity::Tenant& tenant) {
    return std::string(tenant.suspended ? tr("disabled", "已停用") : tr("active", "启用"));
}

void show(const Arguments& arguments, const identity::Tenant& tenant) {
    report(
        arguments, console::tenant_form(tenant),
        fmt::format("{}: {} {}", printable(tenant.name), to_string(tenant.id), state_of(tenant)));
}

Result<void> run_create(const Arguments& arguments, Installation& installation) {
    identity::Tenants tenants = installation.tenants(installation.recorder(command_actor()));
    TRY(tenants.create(arguments.name));
    show(arguments, TRY(tenants.find(arguments.name)));
    return {};
}

Result<void> run_list(const Arguments& arguments, Installation& installation) {
    const std::vector<identity::Tenant> tenants = TRY(installation.tenants().list());
    std::vector<json::Object> objects;
    std::vector<Columns> rows;
    for (const identity::Tenant& tenant : tenants) {
        objects.push_back(console::tenant_form(tenant));
        rows.push_back({to_string(tenant.id), state_of(tenant), format_time(tenant.created),
                        printable(tenant.name)});
    }
    report_list(arguments, objects,
                {std::string(tr("TENANT", "租户")), std::string(tr("STATE", "状态")),
                 std::string(tr("CREATED", "创建时间")), std::string(tr("NAME", "名称"))},
                rows);
    return {};
}

Result<void> run_show(const Arguments& arguments, Installation& installation) {
    show(arguments, TRY(installation.tenants().find(arguments.name)));
    return {};
}

Result<void> run_suspend(const Arguments& arguments, Installation& installation, bool suspended) {
    identity::Tenants tenants = installation.tenants(installation.recorder(command_actor()));
    const identity::Tenant tenant = TRY(tenants.find(arguments.name));
    TRY(tenants.set_suspended(tenant.id, suspended));
    show(arguments, TRY(tenants.find(arguments.name)));
    return {};
}

void add_name(CLI::App& verb, Arguments& arguments) {
    verb.add_option("NAME", arguments.name, std::string(tr("name of the tenant", "租户名称")))
        ->required();
}

}  // namespace

void add_admin_tenant_verbs(CLI::App& admin, Action& action) {
    CLI::App* group = admin.add_subcommand(
        "tenant", std::string(tr("who runs a service with this installation", "使用本系统的租户")));
    group->require_subcommand(1);
    const auto add = [&](const char* name, std::string_view what, bool named, auto run) {
        auto arguments = std::make_shared<Arguments>();
        CLI::App* verb = group->add_subcommand(name, std::string(what));
        if (named) {
            add_name(*verb, *arguments);
        }
        act_on_installation(*verb, arguments, action, run);
    };
    add("create", tr("make a tenant", "创建租户"), true, run_create);
    add("list", tr("all tenants", "列出所有租户"), false, run_list);
    add("show", tr("one tenant", "显示一个租户"), true, run_show);
    add("disable", tr("refuse all calls of a tenant from now on", "停用租户：拒绝其所有调用"), true,
        [](const Arguments& arguments, Installation& installation) {
            return run_suspend(arguments, installation, true);
        });
    add("enable", tr("let a disabled tenant call again", "重新启用租户"), true,
        [](const Arguments& arguments, Installation& installation) {
            return run_suspend(arguments, installation, false);
        });
}

}  // namespace colophon::cli
