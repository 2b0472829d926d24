// SPDX-License-Identifier: Apache-2.0
#pragma once

// The verbs below `colophon admin`, one file each group. Each adds itself to the command line.

#include "cli/commands.h"

namespace colophon::cli {

// init, migrate, backup, restore.
void add_admin_store_verbs(CLI::App& admin, Action& action);
// ca.
void add_admin_ca_verb(CLI::App& admin, Action& action);

}  // namespace colophon::cli
