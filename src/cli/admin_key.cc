// SPDX-License-Identifier: Apache-2.0
// colophon admin key create, list, show, rotate, revoke: the keys with which programs call.

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/installation.h"
#include "cli/terminal.h"
#include "console/forms.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "identity/api_key.h"
#include "identity/tenants.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::cli {
namespace {

constexpr int kOverlapHoursDefault = 24;
constexpr int kOverlapHoursMax = 24 * 90;

struct Arguments : AdminArguments {
    std::string tenant;
    std::string key;
    std::string name = "default";
    std::string scopes = "all";
    std::string expires;
    bool test = false;
    int overlap_hours = kOverlapHoursDefault;
};

std::string state_words(std::string_view state) {
    if (state == "revoked") {
        return std::string(tr("revoked", "已吊销"));
    }
    return std::string(state == "expired" ? tr("expired", "已过期") : tr("active", "有效"));
}

Result<identity::ApiKeyId> parse_key_id(const std::string& text) {
    return parse_random_id<identity::ApiKeyId>(text);
}

// The text of a key goes out once; nobody can ask for it again.
Result<void> show_issued(const Arguments& arguments, identity::Tenants& tenants, Time now,
                         const identity::IssuedKey& issued) {
    const identity::ApiKeyEntry entry = TRY(tenants.key(issued.id));
    json::Object fields = console::key_form(entry, now);
    fields.emplace_back("secret", issued.text);
    report(arguments, fields,
           fmt::format("{}\n{} {}  {} {}\n{}", issued.text, tr("key", "密钥编号"),
                       to_string(issued.id), tr("scopes", "权限"),
                       identity::format_scopes(entry.scopes),
                       tr("This is the only time that the key is shown.", "密钥仅在此显示一次。")));
    return {};
}

Result<void> run_create(const Arguments& arguments, Installation& installation) {
    identity::Tenants tenants = installation.tenants(installation.recorder(command_actor()));
    const identity::Tenant tenant = TRY(tenants.find(arguments.tenant));
    identity::KeyOptions options{
        .name = arguments.name,
        .kind = arguments.test ? identity::ApiKeyKind::kTest : identity::ApiKeyKind::kLive};
    options.scopes = TRY(identity::parse_scopes(arguments.scopes));
    if (!arguments.expires.empty()) {
        options.expires = TRY(parse_time(arguments.expires));
    }
    const identity::IssuedKey issued = TRY(tenants.create_key(tenant.id, options));
    return show_issued(arguments, tenants, installation.clock().now(), issued);
}

Result<void> run_rotate(const Arguments& arguments, Installation& installation) {
    identity::Tenants tenants = installation.tenants(installation.recorder(command_actor()));
    const identity::ApiKeyId id = TRY(parse_key_id(arguments.key));
    const identity::IssuedKey issued =
        TRY(tenants.rotate_key(id, std::chrono::hours(arguments.overlap_hours)));
    return show_issued(arguments, tenants, installation.clock().now(), issued);
}

void show(const Arguments& arguments, const std::vector<identity::ApiKeyEntry>& keys, Time now) {
    std::vector<json::Object> objects;
    std::vector<Columns> rows;
    for (const identity::ApiKeyEntry& key : keys) {
        objects.push_back(console::key_form(key, now));
        rows.push_back({to_string(key.id), "..." + key.hint,
                        state_words(console::key_state(key, now)),
                        identity::format_scopes(key.scopes), time_or_dash(key.expires),
                        time_or_dash(key.used), printable(key.name)});
    }
    report_list(arguments, objects,
                {std::string(tr("KEY", "密钥编号")), std::string(tr("ENDS IN", "结尾")),
                 std::string(tr("STATE", "状态")), std::string(tr("SCOPES", "权限")),
                 std::string(tr("EXPIRES", "到期")), std::string(tr("USED", "最近使用")),
                 std::string(tr("NAME", "名称"))},
                rows);
}

Result<void> run_list(const Arguments& arguments, Installation& installation) {
    identity::Tenants tenants = installation.tenants();
    const identity::Tenant tenant = TRY(tenants.find(arguments.tenant));
    show(arguments, TRY(tenants.keys(tenant.id)), installation.clock().now());
    return {};
}

Result<void> run_show(const Arguments& arguments, Installation& installation) {
    const identity::ApiKeyId id = TRY(parse_key_id(arguments.key));
    show(arguments, {TRY(installation.tenants().key(id))}, installation.clock().now());
    return {};
}

Result<void> run_revoke(const Arguments& arguments, Installation& installation) {
    identity::Tenants tenants = installation.tenants(installation.recorder(command_actor()));
    const identity::ApiKeyId id = TRY(parse_key_id(arguments.key));
    TRY(tenants.revoke_key(id));
    show(arguments, {TRY(tenants.key(id))}, installation.clock().now());
    return {};
}

void add_tenant(CLI::App& verb, Arguments& arguments) {
    verb.add_option("TENANT", arguments.tenant, std::string(tr("name of the tenant", "租户名称")))
        ->required();
}

void add_key(CLI::App& verb, Arguments& arguments) {
    verb.add_option("KEY", arguments.key,
                    std::string(tr("number of the key, as list shows it", "密钥编号（见 list）")))
        ->required();
}

}  // namespace

void add_admin_key_verbs(CLI::App& admin, Action& action) {
    CLI::App* group = admin.add_subcommand(
        "key", std::string(tr("keys with which programs of a tenant call", "租户程序的调用密钥")));
    group->require_subcommand(1);

    auto creating = std::make_shared<Arguments>();
    CLI::App* create = group->add_subcommand(
        "create", std::string(tr("make a key and show it once", "创建密钥并显示一次")));
    add_tenant(*create, *creating);
    create->add_option("--name", creating->name,
                       std::string(tr("what it is for; default: default", "用途；默认为 default")));
    create->add_option(
        "--scopes", creating->scopes,
        std::string(tr("generate, label, moderate, subjects, records, with commas; default: all",
                       "generate、label、moderate、subjects、records，以逗号分隔；默认为 all")));
    create->add_option(
        "--expires", creating->expires,
        std::string(tr("when it ends: 2027-01-01T00:00:00Z", "到期时间，如 2027-01-01T00:00:00Z")));
    create->add_flag("--test", creating->test,
                     std::string(tr("a key for tests: clp_test_...", "测试密钥：clp_test_...")));
    act_on_installation(*create, creating, action, run_create);

    auto listing = std::make_shared<Arguments>();
    CLI::App* list =
        group->add_subcommand("list", std::string(tr("keys of a tenant", "列出租户的密钥")));
    add_tenant(*list, *listing);
    act_on_installation(*list, listing, action, run_list);

    auto showing = std::make_shared<Arguments>();
    CLI::App* one = group->add_subcommand("show", std::string(tr("one key", "显示一个密钥")));
    add_key(*one, *showing);
    act_on_installation(*one, showing, action, run_show);

    auto rotating = std::make_shared<Arguments>();
    CLI::App* rotate =
        group->add_subcommand("rotate", std::string(tr("a new key; the old one goes on for a while",
                                                       "换发新密钥，旧密钥在重叠期内仍有效")));
    add_key(*rotate, *rotating);
    rotate
        ->add_option("--overlap", rotating->overlap_hours,
                     std::string(tr("hours for which the old key goes on; default: 24",
                                    "旧密钥继续有效的小时数；默认 24")))
        ->check(CLI::Range(0, kOverlapHoursMax));
    act_on_installation(*rotate, rotating, action, run_rotate);

    auto revoking = std::make_shared<Arguments>();
    CLI::App* revoke = group->add_subcommand(
        "revoke", std::string(tr("refuse a key from now on, for good", "立即永久吊销密钥")));
    add_key(*revoke, *revoking);
    act_on_installation(*revoke, revoking, action, run_revoke);
}

}  // namespace colophon::cli
