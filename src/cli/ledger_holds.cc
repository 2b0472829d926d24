// SPDX-License-Identifier: Apache-2.0
// colophon ledger hold, holds, release: records that stay whatever their age, by order.

#include "cli/admin.h"
#include "cli/exit_code.h"
#include "cli/installation.h"
#include "cli/ledger_arguments.h"
#include "cli/ledger_installation.h"
#include "cli/terminal.h"
#include "console/forms.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "ledger/conduct.h"
#include "ledger/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace colophon::cli {
namespace {

// What no record is later than.
constexpr const char* kForGood = "9999-12-31T23:59:59Z";

std::string hold_text(const ledger::LegalHold& hold) {
    return fmt::format("{}  {} - {}  {} {}  {} {}  {}\n", hold.id, format_time(hold.from),
                       format_time(hold.until), tr("tenant", "租户"),
                       hold.tenant ? to_string(*hold.tenant) : "*", tr("subject", "用户"),
                       hold.subject ? to_string(*hold.subject) : "*", printable(hold.reason));
}

void print_hold(const LedgerArguments& arguments, const ledger::LegalHold& hold) {
    print_ledger(arguments, console::hold_form(hold), hold_text(hold));
}

}  // namespace

Result<ExitCode> run_hold(const LedgerArguments& arguments) {
    const Places places = TRY(resolve_places(arguments.store));
    const auto installation = TRY(Installation::open(places));
    const Whose whose = TRY(whose_records(*installation, arguments.tenant, arguments.subject));
    ledger::LegalHold hold;
    hold.tenant = whose.tenant;
    hold.subject = whose.subject;
    if (!arguments.since.empty()) {
        hold.from = TRY(parse_time(arguments.since));
    }
    hold.until = TRY(parse_time(arguments.until.empty() ? kForGood : arguments.until));
    hold.reason = arguments.reason;
    hold.placed_at = installation->clock().now();
    const ledger::Conduct conduct = installation->conduct(command_actor());
    hold.id =
        TRY(ledger::place_hold(installation->store(), hold, conduct, installation->randomness()));
    print_hold(arguments, hold);
    return ExitCode::kGood;
}

Result<ExitCode> run_holds(const LedgerArguments& arguments) {
    const Places places = TRY(resolve_places(arguments.store));
    const auto installation = TRY(Installation::open(places));
    for (const ledger::LegalHold& hold : TRY(ledger::holds(installation->store()))) {
        print_hold(arguments, hold);
    }
    return ExitCode::kGood;
}

Result<ExitCode> run_release(const LedgerArguments& arguments) {
    const Places places = TRY(resolve_places(arguments.store));
    const auto installation = TRY(Installation::open(places));
    const std::vector<ledger::LegalHold> all = TRY(ledger::holds(installation->store()));
    const auto found = std::ranges::find(all, arguments.hold, &ledger::LegalHold::id);
    const ledger::Conduct conduct = installation->conduct(command_actor());
    TRY(ledger::lift_hold(installation->store(),
                          {.id = arguments.hold, .by = {}, .at = installation->clock().now()},
                          conduct));
    json::Object fields{{"hold", arguments.hold}, {"released", true}};
    if (found != all.end()) {
        fields.emplace_back("reason", found->reason);
    }
    print_ledger(arguments, fields,
                 fmt::format("{} {}\n", arguments.hold, tr("released", "已解除")));
    return ExitCode::kGood;
}

}  // namespace colophon::cli
