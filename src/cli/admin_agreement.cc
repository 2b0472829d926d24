// SPDX-License-Identifier: Apache-2.0
// colophon admin agreement propose, list, show, grant, refuse, revoke: with users who want content
// without its explicit label. Who proposes and who grants are two people who are signed in.

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/installation.h"
#include "cli/staff_session.h"
#include "cli/terminal.h"
#include "console/forms.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "governance/agreements.h"
#include "identity/staff.h"
#include "identity/tenants.h"
#include "ledger/conduct.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

using governance::Agreement;
using governance::AgreementId;
using governance::Agreements;

constexpr std::size_t kDocumentFileMax = 256U << 20U;

struct Arguments : AdminArguments {
    std::string session;
    std::string tenant;
    std::string subject;
    std::string purpose;
    std::string file;
    std::string from;
    std::string until;
    std::string agreement;
    std::string reason;
    std::string state;
};

std::uint32_t bit(identity::Role role) {
    return static_cast<std::uint32_t>(role);
}

std::string_view shown_state(governance::AgreementState state) {
    switch (state) {
        case governance::AgreementState::kProposed:
            return tr("proposed", "待批准");
        case governance::AgreementState::kGranted:
            return tr("granted", "已批准");
        case governance::AgreementState::kRefused:
            return tr("refused", "已否决");
        case governance::AgreementState::kRevoked:
            return tr("revoked", "已撤销");
    }
    return {};
}

// The agreements, in the name of whoever is signed in.
class Open {
public:
    Open(Installation& installation, identity::StaffSession who)
        : who_(std::move(who)),
          conduct_(installation.conduct(staff_actor(who_))),
          agreements_(installation.store(), installation.clock(), installation.randomness(),
                      conduct_) {}
    static Result<std::unique_ptr<Open>> open(const Arguments& arguments,
                                              Installation& installation, std::uint32_t roles) {
        return std::make_unique<Open>(
            installation, TRY(staff_of_session(installation, arguments.session, roles)));
    }
    Agreements& agreements() noexcept { return agreements_; }
    const std::string& who() const noexcept { return who_.name; }

private:
    identity::StaffSession who_;
    ledger::Conduct conduct_;
    Agreements agreements_;
};

void show(const Arguments& arguments, const Agreement& agreement) {
    report(arguments, console::agreement_form(agreement),
           fmt::format("{}: {}  {} - {}  {}", to_string(agreement.id), shown_state(agreement.state),
                       format_time(agreement.terms.from), format_time(agreement.terms.until),
                       printable(agreement.terms.purpose)));
}

Result<SubjectId> subject_of(const Arguments& arguments, Installation& installation,
                             const TenantId& tenant) {
    const auto found = TRY(installation.subjects().find(tenant, arguments.subject));
    if (!found) {
        return Error{ErrorCode::kNotFound, "there is no such subject"};
    }
    return *found;
}

Result<void> run_propose(const Arguments& arguments, Installation& installation) {
    const auto open = TRY(Open::open(arguments, installation,
                                     bit(identity::Role::kOperator) | bit(identity::Role::kLead)));
    governance::Terms terms;
    const identity::Tenant tenant = TRY(installation.tenants().find(arguments.tenant));
    terms.tenant = tenant.id;
    terms.subject = TRY(subject_of(arguments, installation, tenant.id));
    terms.purpose = arguments.purpose;
    terms.document = std::filesystem::path(arguments.file).filename().string();
    const std::string document = TRY(read_small_file(arguments.file, kDocumentFileMax));
    terms.digest = sha256(as_bytes(document));
    terms.from =
        arguments.from.empty() ? installation.clock().now() : TRY(parse_time(arguments.from));
    terms.until = TRY(parse_time(arguments.until));
    show(arguments, TRY(open->agreements().propose(terms, open->who())));
    return {};
}

Result<void> run_list(const Arguments& arguments, Installation& installation) {
    const auto open = TRY(Open::open(arguments, installation, identity::kAllRoles));
    governance::AgreementQuery query;
    if (!arguments.tenant.empty()) {
        const identity::Tenant tenant = TRY(installation.tenants().find(arguments.tenant));
        query.tenant = tenant.id;
    }
    if (!arguments.state.empty()) {
        query.state = governance::parse_agreement_state(arguments.state);
        if (!query.state) {
            return Error{ErrorCode::kInvalidArgument,
                         "--state is one of proposed, granted, refused, revoked"};
        }
    }
    std::vector<json::Object> objects;
    std::vector<Columns> rows;
    for (const Agreement& each : TRY(open->agreements().list(query))) {
        objects.push_back(console::agreement_form(each));
        rows.push_back({to_string(each.id), std::string(shown_state(each.state)),
                        format_time(each.terms.until), printable(each.proposed_by),
                        printable(each.decided_by), printable(each.terms.purpose)});
    }
    report_list(arguments, objects,
                {std::string(tr("AGREEMENT", "协议")), std::string(tr("STATE", "状态")),
                 std::string(tr("UNTIL", "截止")), std::string(tr("PROPOSED BY", "提出人")),
                 std::string(tr("DECIDED BY", "决定人")), std::string(tr("PURPOSE", "用途"))},
                rows);
    return {};
}

Result<void> run_show(const Arguments& arguments, Installation& installation) {
    const auto open = TRY(Open::open(arguments, installation, identity::kAllRoles));
    const auto id = TRY(parse_random_id<AgreementId>(arguments.agreement));
    show(arguments, TRY(open->agreements().find(id)));
    return {};
}

Result<void> run_grant(const Arguments& arguments, Installation& installation) {
    const auto open = TRY(Open::open(arguments, installation, bit(identity::Role::kLead)));
    const auto id = TRY(parse_random_id<AgreementId>(arguments.agreement));
    show(arguments, TRY(open->agreements().grant(id, open->who())));
    return {};
}

Result<void> run_refuse(const Arguments& arguments, Installation& installation) {
    const auto open = TRY(Open::open(arguments, installation, bit(identity::Role::kLead)));
    const auto id = TRY(parse_random_id<AgreementId>(arguments.agreement));
    show(arguments, TRY(open->agreements().refuse(id, open->who(), arguments.reason)));
    return {};
}

Result<void> run_revoke(const Arguments& arguments, Installation& installation) {
    const auto open = TRY(Open::open(arguments, installation,
                                     bit(identity::Role::kOperator) | bit(identity::Role::kLead)));
    const auto id = TRY(parse_random_id<AgreementId>(arguments.agreement));
    show(arguments, TRY(open->agreements().revoke(id, open->who(), arguments.reason)));
    return {};
}

using Run = Result<void> (*)(const Arguments&, Installation&);

void add_verb(CLI::App* verb, Action& action, const std::shared_ptr<Arguments>& arguments,
              Run run) {
    add_session_option(*verb, arguments->session);
    act_on_installation(*verb, arguments, action, run);
}

void add_propose(CLI::App& group, Action& action) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* verb = group.add_subcommand(
        "propose", std::string(tr("propose an agreement with a user", "提出与用户的协议")));
    add_verb(verb, action, arguments, run_propose);
    verb->add_option("TENANT", arguments->tenant, std::string(tr("name of the tenant", "租户名称")))
        ->required();
    verb->add_option("SUBJECT", arguments->subject,
                     std::string(tr("the tenant's own name for its user", "租户自己对用户的称呼")))
        ->required();
    verb->add_option("--purpose", arguments->purpose,
                     std::string(tr("what the content is for", "内容用途")))
        ->required();
    verb->add_option("--file", arguments->file,
                     std::string(tr("the signed text; its SHA-256 is kept",
                                    "已签署的协议文本；保存其 SHA-256")))
        ->required();
    verb->add_option("--from", arguments->from,
                     std::string(tr("when it begins: 2026-11-23T08:15:30Z; default now",
                                    "开始时间：2026-11-23T08:15:30Z；默认现在")));
    verb->add_option(
            "--until", arguments->until,
            std::string(tr("when it ends, at most 366 days later", "截止时间，最长 366 天")))
        ->required();
}

}  // namespace

void add_admin_agreement_verbs(CLI::App& admin, Action& action) {
    CLI::App* group = admin.add_subcommand(
        "agreement", std::string(tr("with users who want content without its explicit label",
                                    "与要求不加显式标识的用户的协议")));
    group->require_subcommand(1);
    add_propose(*group, action);

    auto listing = std::make_shared<Arguments>();
    CLI::App* list = group->add_subcommand("list", std::string(tr("all agreements", "列出协议")));
    add_verb(list, action, listing, run_list);
    list->add_option("--tenant", listing->tenant, std::string(tr("of this tenant", "限该租户")));
    list->add_option("--state", listing->state,
                     std::string(tr("proposed, granted, refused, revoked",
                                    "proposed、granted、refused、revoked")));

    struct Verb {
        const char* name;
        std::string_view what;
        Run run;
        bool reasoned;
    };
    for (const Verb& each :
         {Verb{"show", tr("one agreement", "显示一个协议"), run_show, false},
          Verb{"grant", tr("put into force what another person proposed", "批准他人提出的协议"),
               run_grant, false},
          Verb{"refuse", tr("put a proposed agreement aside", "否决待批准的协议"), run_refuse,
               true},
          Verb{"revoke", tr("let nothing out under it any more", "撤销协议：不再据此放行"),
               run_revoke, true}}) {
        auto arguments = std::make_shared<Arguments>();
        CLI::App* verb = group->add_subcommand(each.name, std::string(each.what));
        add_verb(verb, action, arguments, each.run);
        verb->add_option("AGREEMENT", arguments->agreement, std::string(tr("its id", "协议编号")))
            ->required();
        if (each.reasoned) {
            verb->add_option("--reason", arguments->reason, std::string(tr("why", "理由")))
                ->required();
        }
    }
}

}  // namespace colophon::cli
