// SPDX-License-Identifier: Apache-2.0
// colophon version: what this is, how it was built, and which libraries it runs with.

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/terminal.h"
#include "core/json.h"
#include "media/versions.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <memory>
#include <string>

namespace colophon::cli {
namespace {

#ifdef __clang__
constexpr const char* kCompiler = "compiled by";
#else
constexpr const char* kCompiler = "GCC";
#endif

}  // namespace

void add_version_command(CLI::App& app, Action& action) {
    CLI::App* verb = app.add_subcommand(
        "version", std::string(tr("version, build, libraries", "版本、构建与依赖库")));
    auto as_json = std::make_shared<bool>(false);
    verb->add_flag("--json", *as_json, std::string(tr("one JSON object", "输出一个 JSON 对象")));
    verb->callback([as_json, &action] {
        action = [as_json] {
            json::Object libraries{{"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)}};
            for (const media::LibraryVersion& each : media::library_versions()) {
                libraries.emplace_back(each.name, each.version);
            }
            if (*as_json) {
                write_text(1, json::write(json::Object{{"version", COLOPHON_VERSION},
                                                       {"build", COLOPHON_BUILD},
                                                       {"compiler", __VERSION__},
                                                       {"libraries", libraries}}) +
                                  "\n");
                return ExitCode::kGood;
            }
            write_text(1, fmt::format("colophon {} ({}, {} {})\n", COLOPHON_VERSION, COLOPHON_BUILD,
                                      kCompiler, __VERSION__));
            for (const json::Member& each : libraries) {
                write_text(1, fmt::format("  {} {}\n", pad_right(each.first, 12),
                                          *each.second.if_string()));
            }
            return ExitCode::kGood;
        };
    });
}

}  // namespace colophon::cli
