// SPDX-License-Identifier: Apache-2.0
// colophon admin: operation of a service's data. The verbs below it are in admin_*.cc.

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/terminal.h"

#include <CLI/CLI.hpp>

#include <string>

namespace colophon::cli {

void add_admin_command(CLI::App& app, Action& action) {
    CLI::App* admin = app.add_subcommand(
        "admin",
        std::string(tr("set up and look after the data of a service", "建立和维护服务的数据")));
    admin->require_subcommand(1);
    add_admin_store_verbs(*admin, action);
    add_admin_ca_verb(*admin, action);
}

}  // namespace colophon::cli
