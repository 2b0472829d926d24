// SPDX-License-Identifier: Apache-2.0
#pragma once

// The verbs below `colophon admin`, one file each group. Each adds itself to the command line. Here
// is also what they share: the options that name a store, how they report, and who they say acted.

#include "cli/commands.h"
#include "cli/installation.h"
#include "cli/store_options.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "ledger/conduct.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::cli {

void add_admin_store_verbs(CLI::App& admin, Action& action);      // init, migrate, backup, restore
void add_admin_ca_verb(CLI::App& admin, Action& action);          // ca
void add_admin_tenant_verbs(CLI::App& admin, Action& action);     // tenant ...
void add_admin_key_verbs(CLI::App& admin, Action& action);        // key ...
void add_admin_subject_verbs(CLI::App& admin, Action& action);    // subject ...
void add_admin_user_verbs(CLI::App& admin, Action& action);       // user ...
void add_admin_keys_verbs(CLI::App& admin, Action& action);       // keys ...
void add_admin_agreement_verbs(CLI::App& admin, Action& action);  // agreement ...

struct AdminArguments {
    StoreChoice store;
    bool json = false;
};

// --data, --store, --json, --help.
void add_admin_options(CLI::App& verb, AdminArguments& arguments);
// The end of a verb: prints the error and gives its exit code.
ExitCode finish_admin(const Result<void>& done);
// `run` is what the verb does when it was chosen.
void set_admin_action(CLI::App& verb, Action& action, std::function<Result<void>()> run);

// A verb over the opened installation: run(arguments, installation).
template <class Arguments, class F>
void act_on_installation(CLI::App& verb, const std::shared_ptr<Arguments>& arguments,
                         Action& action, F run) {
    add_admin_options(verb, *arguments);
    set_admin_action(verb, action, [arguments, run]() -> Result<void> {
        const Places places = TRY(resolve_places(arguments->store));
        const auto installation = TRY(Installation::open(places));
        return run(*arguments, *installation);
    });
}

// One JSON object on a line of standard output, or words with a line end.
void report(const AdminArguments& arguments, const json::Object& fields, const std::string& words);
// A list: a JSON object a line, or columns below their titles.
using Columns = std::vector<std::string>;
void report_list(const AdminArguments& arguments, const std::vector<json::Object>& objects,
                 const Columns& titles, const std::vector<Columns>& rows);
// "-" for no time.
std::string time_or_dash(const std::optional<Time>& time);
json::Value time_or_null(const std::optional<Time>& time);

// Who runs this command, as the system knows him: the account, and the address when he came over
// SSH.
ledger::Actor command_actor();

}  // namespace colophon::cli
