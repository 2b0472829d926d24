// SPDX-License-Identifier: Apache-2.0
#include "cli/staff_session.h"

#include "cli/admin.h"
#include "cli/installation.h"
#include "cli/terminal.h"
#include "core/result.h"
#include "identity/staff.h"
#include "ledger/conduct.h"
#include "storage/secret_source.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace colophon::cli {

void add_session_option(CLI::App& verb, std::string& source) {
    source = kSessionVariable;
    verb.add_option(
        "--session", source,
        std::string(tr("your session: file:PATH or env:NAME; default env:COLOPHON_SESSION",
                       "登录会话：file:路径 或 env:变量名；默认 env:COLOPHON_SESSION")));
}

Result<identity::StaffSession> staff_of_session(Installation& installation,
                                                const std::string& source, std::uint32_t roles) {
    const auto token = storage::read_secret(source, storage::SecretFile::kAny);
    if (!token.ok()) {
        return Error{ErrorCode::kDenied,
                     "this needs a person who is signed in: run colophon admin user sign-in NAME, "
                     "and put what it prints into COLOPHON_SESSION"};
    }
    identity::StaffSession session = TRY(installation.staff().session(token->text()));
    if (session.must_change) {
        return Error{ErrorCode::kDenied, "the first password must be changed before anything else"};
    }
    if ((session.roles & roles) == 0) {
        return Error{ErrorCode::kDenied,
                     fmt::format("this is for the roles {}", identity::format_roles(roles))};
    }
    return session;
}

ledger::Actor staff_actor(const identity::StaffSession& session) {
    ledger::Actor actor = command_actor();
    actor.client += " as " + actor.account;
    actor.account = session.name;
    return actor;
}

}  // namespace colophon::cli
