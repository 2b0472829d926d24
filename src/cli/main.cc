// SPDX-License-Identifier: Apache-2.0
// The composition root: one program that is the command line, and, started by itself with a first
// argument that no person types, the locked worker.

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/help.h"
#include "cli/terminal.h"
#include "core/result.h"
#include "media/codecs.h"
#include "worker/server.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <signal.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

namespace colophon::cli {
namespace {

constexpr std::string_view kFooterEnglish =
    "Exit codes: 0 good, 1 error, 2 judged bad, 3 no label, 4 not supported, 64 wrong usage.\n"
    "colophon VERB --help says more.\n";
constexpr std::string_view kFooterChinese =
    "退出码：0 正常，1 出错，2 判定异常，3 无标识，4 不支持，64 用法错误。\n"
    "colophon 子命令 --help 查看详情。\n";

int run(int argc, char** argv) {
    // A reader that goes away is noticed where we write.
    (void)std::signal(SIGPIPE, SIG_IGN);
    // A file that may not grow further is an error of that write, like a full disk.
    (void)std::signal(SIGXFSZ, SIG_IGN);
    CLI::App app(std::string(tr("Colophon labels AI-generated files and verifies labels.",
                                "Colophon：为人工智能生成合成内容添加与核验标识。")),
                 "colophon");
    app.require_subcommand(1);
    app.footer(std::string(tr(kFooterEnglish, kFooterChinese)));
    app.set_help_flag("-h,--help", std::string(tr("show this help", "显示帮助")));
    set_help_layout(app);
    app.set_version_flag("--version", std::string("colophon ") + COLOPHON_VERSION,
                         std::string(tr("show the version", "显示版本")));
    Action action;
    add_label_command(app, action);
    add_verify_command(app, action);
    add_scan_command(app, action);
    add_library_command(app, action);
    add_serve_command(app, action);
    add_ledger_command(app, action);
    add_admin_command(app, action);
    add_version_command(app, action);
    name_verbs(app);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& failure) {
        if (failure.get_exit_code() == 0) {
            return app.exit(failure);
        }
        print_error(failure.what());
        write_text(2, fmt::format("{}\n", tr("colophon --help lists what there is",
                                             "colophon --help 列出可用命令")));
        return static_cast<int>(ExitCode::kUsage);
    }
    return static_cast<int>(action());
}

}  // namespace

ExitCode finish(const Result<ExitCode>& run) {
    if (!run.ok()) {
        print_error(run.error().what);
        return usage_code_of(run.error());
    }
    return *run;
}

void print_error(const std::string& what) {
    write_text(2, fmt::format("colophon: {}\n", printable(in_user_language(what))));
}

}  // namespace colophon::cli

int main(int argc, char** argv) {
    if (argc >= 2 && argv[1] == std::string_view(colophon::worker::kWorkerArgument)) {
        const unsigned long codecs = argc >= 3 ? std::strtoul(argv[2], nullptr, 10) : 0;
        return colophon::worker::serve(colophon::media::CodecSet::from_bits(codecs), {});
    }
    try {
        return colophon::cli::run(argc, argv);
    } catch (const std::exception& failure) {
        colophon::cli::print_error(failure.what());
        return static_cast<int>(colophon::cli::ExitCode::kError);
    }
}
