// SPDX-License-Identifier: Apache-2.0
// colophon admin: operation of a service's data. The verbs below it are in admin_*.cc.

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/store_options.h"
#include "cli/terminal.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "ledger/conduct.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

// "root (0)"; the number alone when it has no name.
std::string system_account() {
    const uid_t id = getuid();
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 4096> text{};
    if (getpwuid_r(id, &entry, text.data(), text.size(), &found) != 0 || found == nullptr) {
        return fmt::format("({})", id);
    }
    return fmt::format("{} ({})", found->pw_name, id);
}

}  // namespace

void add_admin_options(CLI::App& verb, AdminArguments& arguments) {
    add_store_options(verb, arguments.store);
    verb.add_flag("--json", arguments.json,
                  std::string(tr("JSON, one object a line", "输出 JSON，每行一个对象")));
    verb.set_help_flag("-h,--help", std::string(tr("show this help", "显示帮助")));
}

ExitCode finish_admin(const Result<void>& done) {
    if (!done.ok()) {
        print_error(done.error().what);
        return usage_code_of(done.error());
    }
    return ExitCode::kGood;
}

void set_admin_action(CLI::App& verb, Action& action, std::function<Result<void>()> run) {
    verb.callback(
        [&action, run = std::move(run)] { action = [run] { return finish_admin(run()); }; });
}

void report(const AdminArguments& arguments, const json::Object& fields, const std::string& words) {
    write_text(1, arguments.json ? json::write(fields) + "\n" : words + "\n");
}

void report_list(const AdminArguments& arguments, const std::vector<json::Object>& objects,
                 const Columns& titles, const std::vector<Columns>& rows) {
    std::string out;
    if (arguments.json) {
        for (const json::Object& each : objects) {
            out += json::write(each) + "\n";
        }
        write_text(1, out);
        return;
    }
    std::vector<std::size_t> widths(titles.size(), 0);
    const auto widen = [&](const Columns& row) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], display_width(row[i]));
        }
    };
    const auto add = [&](const Columns& row) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += i + 1 == row.size() ? row[i] : pad_right(row[i], widths[i] + 2);
        }
        out += line + "\n";
    };
    widen(titles);
    for (const Columns& row : rows) {
        widen(row);
    }
    add(titles);
    for (const Columns& row : rows) {
        add(row);
    }
    write_text(1, out);
}

std::string time_or_dash(const std::optional<Time>& time) {
    return time ? format_time(*time) : std::string("-");
}

json::Value time_or_null(const std::optional<Time>& time) {
    return time ? json::Value(format_time(*time)) : json::Value();
}

ledger::Actor command_actor() {
    ledger::Actor actor;
    actor.account = "system user " + system_account();
    // What sudo says is as good as the word of whoever is root.
    if (const std::string behind = variable("SUDO_USER"); !behind.empty()) {
        actor.account += " by sudo of " + behind;
    }
    actor.client = "colophon admin " COLOPHON_VERSION;
    std::istringstream connection(variable("SSH_CONNECTION"));
    long port = 0;
    if (std::string address; connection >> address >> port && port > 0 && port < 65536) {
        actor.source_address = address;
        actor.source_port = port;
    }
    return actor;
}

void add_admin_command(CLI::App& app, Action& action) {
    CLI::App* admin = app.add_subcommand(
        "admin",
        std::string(tr("set up and look after the data of a service", "建立和维护服务的数据")));
    admin->require_subcommand(1);
    add_admin_store_verbs(*admin, action);
    add_admin_ca_verb(*admin, action);
    add_admin_tenant_verbs(*admin, action);
    add_admin_key_verbs(*admin, action);
    add_admin_subject_verbs(*admin, action);
    add_admin_user_verbs(*admin, action);
    add_admin_keys_verbs(*admin, action);
    add_admin_agreement_verbs(*admin, action);
}

}  // namespace colophon::cli
