// SPDX-License-Identifier: Apache-2.0
#pragma once

// The verbs. Each adds itself to the command line and says what to run when it was chosen.

#include "cli/exit_code.h"
#include "core/result.h"

#include <functional>
#include <string>

// NOLINTBEGIN(readability-identifier-naming): the library names its namespace so.
namespace CLI {
class App;
}
// NOLINTEND(readability-identifier-naming)

namespace colophon::cli {

// Set by the callback of the verb that the user chose.
using Action = std::function<ExitCode()>;

void add_label_command(CLI::App& app, Action& action);
void add_verify_command(CLI::App& app, Action& action);
void add_scan_command(CLI::App& app, Action& action);
void add_library_command(CLI::App& app, Action& action);
void add_serve_command(CLI::App& app, Action& action);
void add_ledger_command(CLI::App& app, Action& action);
void add_admin_command(CLI::App& app, Action& action);
void add_version_command(CLI::App& app, Action& action);

// Prints "colophon: WHAT" and, when it helps, the file, on standard error.
void print_error(const std::string& what);
// The end of a verb: prints an error of the whole run and gives its exit code.
ExitCode finish(const Result<ExitCode>& run);

}  // namespace colophon::cli
