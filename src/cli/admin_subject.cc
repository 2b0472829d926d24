// SPDX-License-Identifier: Apache-2.0
// colophon admin subject add, verify, list, show, close, erase: the end users of a tenant.

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/installation.h"
#include "cli/secret_prompt.h"
#include "cli/terminal.h"
#include "console/forms.h"
#include "console/subject_acts.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "identity/subjects.h"
#include "identity/tenants.h"
#include "identity/verification.h"
#include "storage/secret_source.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

struct Arguments : AdminArguments {
    std::string tenant;
    std::string subject;
    std::string reason;
    std::string means = "resident_id";
    std::string person;  // sources of what must not stand in a list of processes
    std::string number;
    std::string consent;
    std::string idempotency_key;
    std::string code;
    bool by_id = false;
    bool organisation = false;
    bool despite_retention = false;
};

struct Found {
    TenantId tenant;
    SubjectId subject;
};

Result<Found> find(const Arguments& arguments, Installation& installation) {
    const identity::Tenant tenant = TRY(installation.tenants().find(arguments.tenant));
    if (arguments.by_id) {
        const auto id = TRY(parse_random_id<SubjectId>(arguments.subject));
        return Found{.tenant = tenant.id, .subject = id};
    }
    const auto found = TRY(installation.subjects().find(tenant.id, arguments.subject));
    if (!found) {
        return Error{ErrorCode::kNotFound, "there is no such subject"};
    }
    return Found{.tenant = tenant.id, .subject = *found};
}

std::string standing_words(const SubjectId& id, const identity::Standing& standing) {
    std::string words = fmt::format(
        "{} {}: {}{}{}", tr("subject", "用户"), to_string(id),
        standing.verified ? tr("verified", "已核验身份") : tr("not verified", "未核验身份"),
        standing.closed ? tr(", closed", "，已注销") : "",
        standing.needs_guardian ? tr(", a guardian is missing", "，缺少监护人") : "");
    for (const identity::VerificationEntry& each : standing.verifications) {
        words +=
            fmt::format("\n  {} {} {} {}", identity::means_name(each.means),
                        identity::state_name(each.state), each.shown, time_or_dash(each.expires));
    }
    return words;
}

Result<void> show(const Arguments& arguments, Installation& installation, const Found& found) {
    const identity::Standing standing =
        TRY(installation.subjects().standing(found.tenant, found.subject));
    report(arguments, console::subject_form(found.tenant, found.subject, standing),
           standing_words(found.subject, standing));
    return {};
}

Result<void> run_add(const Arguments& arguments, Installation& installation) {
    const identity::Tenant tenant = TRY(installation.tenants().find(arguments.tenant));
    identity::Subjects subjects = installation.subjects(installation.recorder(command_actor()));
    const SubjectId id =
        TRY(subjects.enrol(tenant.id, arguments.subject,
                           arguments.organisation ? identity::SubjectKind::kOrganisation
                                                  : identity::SubjectKind::kPerson));
    return show(arguments, installation, {.tenant = tenant.id, .subject = id});
}

Result<void> run_show(const Arguments& arguments, Installation& installation) {
    return show(arguments, installation, TRY(find(arguments, installation)));
}

Result<identity::Claim> claim_of(const Arguments& arguments) {
    identity::Claim claim;
    claim.means = TRY(identity::parse_means(arguments.means));
    claim.consent_reference = arguments.consent;
    const storage::SecretText person = TRY(read_hidden(arguments.person, tr("Name: ", "姓名：")));
    const storage::SecretText number = TRY(read_hidden(arguments.number, tr("Number: ", "号码：")));
    claim.name = person.text();
    claim.number = number.text();
    claim.idempotency_key = arguments.idempotency_key;
    return claim;
}

Result<void> run_verify(const Arguments& arguments, Installation& installation) {
    const Found found = TRY(find(arguments, installation));
    const auto providers = TRY(installation.providers());
    identity::Claim claim = TRY(claim_of(arguments));
    identity::Subjects subjects =
        installation.subjects({}, installation.verification_recorder(command_actor()));
    TRY(console::verify_subject(
        {.subjects = subjects, .providers = *providers, .random = installation.randomness()},
        found.tenant, found.subject, std::move(claim)));
    return show(arguments, installation, found);
}

// By mobile number, in two steps: without a code it gives the one that is to be sent to the number,
// with the code that the user sent back the user is verified.
Result<void> run_mobile(const Arguments& arguments, Installation& installation) {
    const Found found = TRY(find(arguments, installation));
    identity::Subjects subjects =
        installation.subjects({}, installation.verification_recorder(command_actor()));
    const storage::SecretText secret = TRY(read_hidden(arguments.number, tr("Number: ", "号码：")));
    const std::string number(secret.text());
    if (arguments.code.empty()) {
        const std::string code = TRY(subjects.begin_mobile(found.tenant, found.subject, number));
        report(arguments, {{"subject", to_string(found.subject)}, {"code", code}},
               fmt::format("{} {}",
                           tr("send this code to the number, then give it with --code:",
                              "请将此验证码发送至该号码，然后以 --code 给出："),
                           code));
        return {};
    }
    const identity::VerificationState state =
        TRY(subjects.confirm_mobile(found.tenant, found.subject, number, arguments.code));
    report(arguments,
           {{"subject", to_string(found.subject)}, {"state", std::string(state_name(state))}},
           std::string(state_name(state)));
    return {};
}

Result<void> run_close(const Arguments& arguments, Installation& installation) {
    const Found found = TRY(find(arguments, installation));
    identity::Subjects subjects = installation.subjects(installation.recorder(command_actor()));
    TRY(subjects.close(found.tenant, found.subject));
    return show(arguments, installation, found);
}

Result<void> run_list(const Arguments& arguments, Installation& installation) {
    const identity::Tenant tenant = TRY(installation.tenants().find(arguments.tenant));
    identity::Subjects subjects = installation.subjects();
    std::vector<json::Object> objects;
    std::vector<Columns> rows;
    std::optional<SubjectId> after;
    for (;;) {
        const auto page = TRY(subjects.list(tenant.id, after));
        for (const auto& each : page) {
            objects.push_back(console::listed_subject_form(each));
            rows.push_back({to_string(each.id), std::string(console::kind_name(each.kind)),
                            each.closed ? std::string(tr("closed", "已注销")) : std::string("-"),
                            format_time(each.created)});
        }
        if (page.size() < identity::kSubjectPageMax) {
            break;
        }
        after = page.back().id;
    }
    report_list(arguments, objects,
                {std::string(tr("SUBJECT", "用户")), std::string(tr("KIND", "类型")),
                 std::string(tr("STATE", "状态")), std::string(tr("CREATED", "创建时间"))},
                rows);
    return {};
}

Result<void> run_erase(const Arguments& arguments, Installation& installation) {
    const Found found = TRY(find(arguments, installation));
    TRY(erase_person(installation,
                     {.tenant = found.tenant,
                      .subject = found.subject,
                      .reason = arguments.reason,
                      .despite_retention = arguments.despite_retention},
                     command_actor()));
    report(arguments, {{"subject", to_string(found.subject)}, {"erased", true}},
           fmt::format("{} {}: {}", tr("subject", "用户"), to_string(found.subject),
                       tr("erased", "已删除")));
    return {};
}

void add_tenant(CLI::App& verb, Arguments& arguments) {
    verb.add_option("TENANT", arguments.tenant, std::string(tr("name of the tenant", "租户名称")))
        ->required();
}

void add_subject(CLI::App& verb, Arguments& arguments) {
    add_tenant(verb, arguments);
    verb.add_option("SUBJECT", arguments.subject,
                    std::string(tr("the tenant's own name for its user, or with --id our number",
                                   "租户内部的用户名，或使用 --id 给出本系统的编号")))
        ->required();
}

void add_id(CLI::App& verb, Arguments& arguments) {
    verb.add_flag("--id", arguments.by_id,
                  std::string(tr("SUBJECT is our number of it", "SUBJECT 为本系统的用户编号")));
}

void add_verify_verb(CLI::App& group, Action& action) {
    auto asking = std::make_shared<Arguments>();
    CLI::App* verify = group.add_subcommand(
        "verify", std::string(tr("ask the providers of the configuration who a user is",
                                 "通过配置中的核验服务核验用户身份")));
    add_subject(*verify, *asking);
    add_id(*verify, *asking);
    verify->add_option(
        "--means", asking->means,
        std::string(tr("mobile, resident_id (default), credit_code, network_identity",
                       "mobile、resident_id（默认）、credit_code、network_identity")));
    verify
        ->add_option(
            "--person", asking->person,
            std::string(tr("name of the person or organisation: prompt, file:PATH, env:NAME",
                           "姓名或组织名称：prompt、file:路径、env:变量名")))
        ->required();
    verify
        ->add_option("--number", asking->number,
                     std::string(tr("number or token: prompt, file:PATH, env:NAME",
                                    "号码或凭证：prompt、file:路径、env:变量名")))
        ->required();
    verify->add_option("--consent", asking->consent,
                       std::string(tr("reference of the consent", "同意记录的编号")));
    verify->add_option("--idempotency-key", asking->idempotency_key,
                       std::string(tr("the same again never asks twice; default: a random one",
                                      "相同的键不会重复核验；默认随机")));
    act_on_installation(*verify, asking, action, run_verify);
}

void add_reading_verbs(CLI::App& group, Action& action) {
    auto listing = std::make_shared<Arguments>();
    CLI::App* list =
        group.add_subcommand("list", std::string(tr("users of a tenant", "列出租户的用户")));
    add_tenant(*list, *listing);
    act_on_installation(*list, listing, action, run_list);

    auto showing = std::make_shared<Arguments>();
    CLI::App* one = group.add_subcommand(
        "show", std::string(tr("whether and how a user is verified", "显示用户的身份核验状态")));
    add_subject(*one, *showing);
    add_id(*one, *showing);
    act_on_installation(*one, showing, action, run_show);
}

void add_mobile_verb(CLI::App& group, Action& action) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* verb = group.add_subcommand(
        "mobile", std::string(tr("verify a user by a code sent to its mobile number",
                                 "以发送至手机号码的验证码核验用户身份")));
    add_subject(*verb, *arguments);
    add_id(*verb, *arguments);
    verb->add_option("--number", arguments->number,
                     std::string(tr("the mobile number: prompt, file:PATH, env:NAME",
                                    "手机号码：prompt、file:路径、env:变量名")))
        ->required();
    verb->add_option("--code", arguments->code,
                     std::string(tr("the code that came back", "用户返回的验证码")));
    act_on_installation(*verb, arguments, action, run_mobile);
}

}  // namespace

void add_admin_subject_verbs(CLI::App& admin, Action& action) {
    CLI::App* group =
        admin.add_subcommand("subject", std::string(tr("users of a tenant", "租户的用户")));
    group->require_subcommand(1);

    auto adding = std::make_shared<Arguments>();
    CLI::App* add = group->add_subcommand("add", std::string(tr("register a user", "登记用户")));
    add_subject(*add, *adding);
    add->add_flag("--organisation", adding->organisation,
                  std::string(tr("an organisation, not a person", "用户为组织而非个人")));
    act_on_installation(*add, adding, action, run_add);
    add_verify_verb(*group, action);
    add_mobile_verb(*group, action);
    add_reading_verbs(*group, action);

    auto closing = std::make_shared<Arguments>();
    CLI::App* close = group->add_subcommand(
        "close",
        std::string(tr("end an account for good; its records stay", "永久注销账号；其记录保留")));
    add_subject(*close, *closing);
    add_id(*close, *closing);
    act_on_installation(*close, closing, action, run_close);

    auto erasing = std::make_shared<Arguments>();
    CLI::App* erase = group->add_subcommand(
        "erase", std::string(tr("destroy the key of a person: what is sealed for it is gone",
                                "销毁个人的数据密钥：为其加密的内容不可恢复")));
    add_subject(*erase, *erasing);
    add_id(*erase, *erasing);
    erase
        ->add_option("--reason", erasing->reason,
                     std::string(tr("number of the request or order", "请求或命令的编号")))
        ->required();
    erase->add_flag("--despite-retention", erasing->despite_retention,
                    std::string(tr("although its records have to be kept for longer",
                                   "即使其记录仍在法定保存期内")));
    act_on_installation(*erase, erasing, action, run_erase);
}

}  // namespace colophon::cli
