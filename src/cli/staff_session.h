// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who of the staff runs a command that asks for a person, not for an account of the system:
// whoever signed in by `colophon admin user sign-in`.

#include "cli/installation.h"
#include "core/result.h"
#include "identity/staff.h"
#include "ledger/conduct.h"

#include <cstdint>
#include <string>

// NOLINTBEGIN(readability-identifier-naming): the library names its namespace so.
namespace CLI {
class App;
}
// NOLINTEND(readability-identifier-naming)

namespace colophon::cli {

inline constexpr const char* kSessionVariable = "env:COLOPHON_SESSION";

// --session, where the token stands: file:PATH or env:NAME.
void add_session_option(CLI::App& verb, std::string& source);

// kDenied when nobody is signed in, the password must be changed first, or the account has none of
// these roles.
Result<identity::StaffSession> staff_of_session(Installation& installation,
                                                const std::string& source, std::uint32_t roles);

// The account, from where the system says that the command is run.
ledger::Actor staff_actor(const identity::StaffSession& session);

}  // namespace colophon::cli
