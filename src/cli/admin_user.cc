// SPDX-License-Identifier: Apache-2.0
// colophon admin user create, list, show, roles, reset, disable, enable: the staff of the console.

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/installation.h"
#include "cli/secret_prompt.h"
#include "cli/staff_session.h"
#include "cli/terminal.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "identity/staff.h"
#include "storage/secret_source.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

struct Arguments : AdminArguments {
    std::string name;
    std::string roles;
    std::string password;
    std::string issuer;
    std::string person;
    std::string code;
    std::string old_password;
};

json::Object entry_json(const identity::StaffEntry& entry) {
    return {{"user", to_string(entry.id)},
            {"name", entry.name},
            {"roles", identity::format_roles(entry.roles)},
            {"state", entry.disabled ? "disabled" : "active"},
            {"must_change", entry.must_change},
            {"created", format_time(entry.created)}};
}

std::string state_of(const identity::StaffEntry& entry) {
    return std::string(entry.disabled ? tr("disabled", "已停用") : tr("active", "启用"));
}

Result<void> show(const Arguments& arguments, identity::Staff& staff) {
    const identity::StaffEntry entry = TRY(staff.find(arguments.name));
    report(arguments, entry_json(entry),
           fmt::format("{}: {} {} {}", entry.name, to_string(entry.id), state_of(entry),
                       identity::format_roles(entry.roles)));
    return {};
}

// Everything that is shown once.
Result<void> show_secrets(const Arguments& arguments, identity::Staff& staff,
                          const identity::StaffSecrets& secrets) {
    const identity::StaffEntry entry = TRY(staff.find(arguments.name));
    json::Object fields = entry_json(entry);
    std::string words = fmt::format("{}: {}\n", entry.name, identity::format_roles(entry.roles));
    const auto line = [&words](std::string_view title, std::string_view value) {
        words += fmt::format("{} {}\n", title, value);
    };
    if (!secrets.password.empty()) {
        fields.emplace_back("password", secrets.password);
        line(tr("password, to be changed at the first sign-in:", "初始密码（首次登录须修改）："),
             secrets.password);
    }
    fields.emplace_back("totp_secret", secrets.totp_secret);
    fields.emplace_back("totp_address", secrets.totp_address);
    line(tr("for the authenticator:", "验证器密钥："), secrets.totp_secret);
    line("", secrets.totp_address);
    json::Array codes;
    words += std::string(tr("recovery codes, each good once:", "恢复码（每个限用一次）：")) + "\n";
    for (const std::string& code : secrets.recovery_codes) {
        codes.emplace_back(code);
        words += "  " + code + "\n";
    }
    fields.emplace_back("recovery_codes", std::move(codes));
    words += tr("This is the only time that these are shown.", "以上内容仅在此显示一次。");
    report(arguments, fields, words);
    return {};
}

Result<void> run_create(const Arguments& arguments, Installation& installation) {
    identity::Staff staff = installation.staff(installation.recorder(command_actor()));
    const std::uint32_t roles = TRY(identity::parse_roles(arguments.roles));
    if (arguments.password.empty()) {
        const identity::StaffSecrets secrets = TRY(staff.create(arguments.name, roles));
        return show_secrets(arguments, staff, secrets);
    }
    const storage::SecretText password = TRY(read_password(arguments.password));
    const identity::StaffSecrets secrets =
        TRY(staff.create(arguments.name, roles, password.text()));
    return show_secrets(arguments, staff, secrets);
}

Result<void> run_list(const Arguments& arguments, Installation& installation) {
    const std::vector<identity::StaffEntry> entries = TRY(installation.staff().list());
    std::vector<json::Object> objects;
    std::vector<Columns> rows;
    for (const identity::StaffEntry& entry : entries) {
        objects.push_back(entry_json(entry));
        rows.push_back({to_string(entry.id), state_of(entry), format_time(entry.created),
                        identity::format_roles(entry.roles), entry.name});
    }
    report_list(arguments, objects,
                {std::string(tr("USER", "账号编号")), std::string(tr("STATE", "状态")),
                 std::string(tr("CREATED", "创建时间")), std::string(tr("ROLES", "角色")),
                 std::string(tr("NAME", "名称"))},
                rows);
    return {};
}

Result<void> run_show(const Arguments& arguments, Installation& installation) {
    identity::Staff staff = installation.staff();
    return show(arguments, staff);
}

Result<void> run_roles(const Arguments& arguments, Installation& installation) {
    identity::Staff staff = installation.staff(installation.recorder(command_actor()));
    const std::uint32_t roles = TRY(identity::parse_roles(arguments.roles));
    const identity::StaffEntry entry = TRY(staff.find(arguments.name));
    TRY(staff.set_roles(entry.id, roles));
    return show(arguments, staff);
}

Result<void> run_link(const Arguments& arguments, Installation& installation) {
    identity::Staff staff = installation.staff(installation.recorder(command_actor()));
    const identity::StaffEntry entry = TRY(staff.find(arguments.name));
    TRY(staff.link(entry.id, {.issuer = arguments.issuer, .subject = arguments.person}));
    return show(arguments, staff);
}

Result<void> run_reset(const Arguments& arguments, Installation& installation) {
    identity::Staff staff = installation.staff(installation.recorder(command_actor()));
    const identity::StaffEntry entry = TRY(staff.find(arguments.name));
    const identity::StaffSecrets secrets = TRY(staff.reset(entry.id));
    return show_secrets(arguments, staff, secrets);
}

Result<void> run_disable(const Arguments& arguments, Installation& installation, bool disabled) {
    identity::Staff staff = installation.staff(installation.recorder(command_actor()));
    const identity::StaffEntry entry = TRY(staff.find(arguments.name));
    TRY(staff.set_disabled(entry.id, disabled));
    return show(arguments, staff);
}

// For the environment of what follows in the same shell: the token alone on standard output.
Result<void> run_sign_in(const Arguments& arguments, Installation& installation) {
    const storage::SecretText password = TRY(read_hidden(
        arguments.password.empty() ? "prompt" : arguments.password, tr("Password: ", "密码：")));
    const storage::SecretText code =
        TRY(read_hidden(arguments.code.empty() ? "prompt" : arguments.code,
                        tr("Six digits, or a recovery code: ", "六位验证码或恢复码：")));
    const std::string token =
        TRY(installation.staff().sign_in({.name = arguments.name,
                                          .password = std::string(password.text()),
                                          .second = std::string(code.text()),
                                          .address = command_actor().source_address}));
    report(arguments, {{"session", token}}, token);
    return {};
}

Result<void> run_password(const Arguments& arguments, Installation& installation) {
    const storage::SecretText token =
        TRY(storage::read_secret(kSessionVariable, storage::SecretFile::kAny));
    const storage::SecretText old =
        TRY(read_hidden(arguments.old_password.empty() ? "prompt" : arguments.old_password,
                        tr("Old password: ", "原密码：")));
    const storage::SecretText fresh =
        TRY(read_password(arguments.password.empty() ? "prompt" : arguments.password));
    TRY(installation.staff().change_password(token.text(), old.text(), fresh.text()));
    report(arguments, {{"changed", true}}, std::string(tr("changed", "已修改")));
    return {};
}

void add_name(CLI::App& verb, Arguments& arguments) {
    verb.add_option("NAME", arguments.name, std::string(tr("name of the account", "账号名称")))
        ->required();
}

void add_roles(CLI::App& verb, Arguments& arguments) {
    verb.add_option(
            "--roles", arguments.roles,
            std::string(tr("reviewer, lead, operator, auditor, inspector, admin, with commas",
                           "reviewer、lead、operator、auditor、inspector、admin，以逗号分隔")))
        ->required();
}

void add_link_verb(CLI::App& group, Action& action) {
    auto linking = std::make_shared<Arguments>();
    CLI::App* link = group.add_subcommand(
        "link", std::string(tr("let an account sign in by an OpenID Connect provider alone",
                               "将账号关联到 OpenID Connect 登录服务（仅以此登录）")));
    add_name(*link, *linking);
    link->add_option("--issuer", linking->issuer,
                     std::string(tr("address of the provider", "登录服务的地址（issuer）")))
        ->required();
    link->add_option(
            "--person", linking->person,
            std::string(tr("its name for the person: the claim sub", "该服务对此人的标识（sub）")))
        ->required();
    act_on_installation(*link, linking, action, run_link);
}

void add_session_verbs(CLI::App& group, Action& action) {
    auto signing = std::make_shared<Arguments>();
    CLI::App* sign_in = group.add_subcommand(
        "sign-in", std::string(tr("begin a session and print its token, for COLOPHON_SESSION",
                                  "登录并输出会话令牌，供 COLOPHON_SESSION 使用")));
    add_name(*sign_in, *signing);
    sign_in->add_option("--password", signing->password,
                        std::string(tr("prompt, file:PATH or env:NAME; default prompt",
                                       "prompt、file:路径 或 env:变量名；默认 prompt")));
    sign_in->add_option("--code", signing->code,
                        std::string(tr("the second factor: prompt, file:PATH or env:NAME",
                                       "第二因素：prompt、file:路径 或 env:变量名")));
    act_on_installation(*sign_in, signing, action, run_sign_in);

    auto changing = std::make_shared<Arguments>();
    CLI::App* password = group.add_subcommand(
        "password",
        std::string(tr("change the password of whoever is signed in", "修改当前登录者的密码")));
    password->add_option("--old", changing->old_password,
                         std::string(tr("prompt, file:PATH or env:NAME; default prompt",
                                        "prompt、file:路径 或 env:变量名；默认 prompt")));
    password->add_option("--new", changing->password,
                         std::string(tr("prompt, file:PATH or env:NAME; default prompt",
                                        "prompt、file:路径 或 env:变量名；默认 prompt")));
    act_on_installation(*password, changing, action, run_password);
}

}  // namespace

void add_admin_user_verbs(CLI::App& admin, Action& action) {
    CLI::App* group =
        admin.add_subcommand("user", std::string(tr("accounts of the console", "控制台的账号")));
    group->require_subcommand(1);

    auto creating = std::make_shared<Arguments>();
    CLI::App* create =
        group->add_subcommand("create", std::string(tr("make an account and show its secrets once",
                                                       "创建账号，并显示一次其机密信息")));
    add_name(*create, *creating);
    add_roles(*create, *creating);
    create->add_option(
        "--password", creating->password,
        std::string(tr("prompt, file:PATH or env:NAME; default: a random one, to be changed",
                       "prompt、file:路径 或 env:变量名；默认随机生成并须修改")));
    act_on_installation(*create, creating, action, run_create);

    auto setting = std::make_shared<Arguments>();
    CLI::App* roles = group->add_subcommand(
        "roles", std::string(tr("give an account other roles", "更改账号的角色")));
    add_name(*roles, *setting);
    add_roles(*roles, *setting);
    act_on_installation(*roles, setting, action, run_roles);

    add_link_verb(*group, action);
    add_session_verbs(*group, action);

    auto listing = std::make_shared<Arguments>();
    CLI::App* list = group->add_subcommand("list", std::string(tr("all accounts", "列出所有账号")));
    act_on_installation(*list, listing, action, run_list);

    const auto add = [&](const char* name, std::string_view what, auto run) {
        auto arguments = std::make_shared<Arguments>();
        CLI::App* verb = group->add_subcommand(name, std::string(what));
        add_name(*verb, *arguments);
        act_on_installation(*verb, arguments, action, run);
    };
    add("show", tr("one account", "显示一个账号"), run_show);
    add("reset",
        tr("new password, authenticator and codes, shown once; sessions end",
           "重置密码、验证器与恢复码（仅显示一次）；会话终止"),
        run_reset);
    add("disable",
        tr("end the sessions of an account and let it sign in no more",
           "停用账号：终止会话并禁止登录"),
        [](const Arguments& arguments, Installation& installation) {
            return run_disable(arguments, installation, true);
        });
    add("enable", tr("let a disabled account sign in again", "重新启用账号"),
        [](const Arguments& arguments, Installation& installation) {
            return run_disable(arguments, installation, false);
        });
}

}  // namespace colophon::cli
