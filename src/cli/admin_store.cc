// SPDX-License-Identifier: Apache-2.0
// colophon admin init, migrate, backup, restore.

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/store_options.h"
#include "cli/terminal.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "storage/archive.h"
#include "storage/backup.h"
#include "storage/migration.h"
#include "storage/store.h"
#include "worker/channel.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::cli {
namespace {

struct Arguments {
    StoreChoice store;
    std::string file;
    bool json = false;
};

void report(const Arguments& arguments, const json::Object& fields, const std::string& words) {
    write_text(1, arguments.json ? json::write(fields) + "\n" : words + "\n");
}

Result<void> run_migrate(const Arguments& arguments, Missing missing) {
    const StoreChoice choice = TRY(resolve_store(arguments.store));
    SystemClock clock;
    const auto store = TRY(open_store(choice, missing));
    const int steps = TRY(storage::migrate(*store, all_migrations(), clock));
    const std::string words =
        steps == 0
            ? fmt::format(fmt::runtime(tr("{}: nothing to do", "{}：无需更改")), store_name(choice))
            : fmt::format(fmt::runtime(tr("{}: steps applied: {}", "{}：已执行步骤 {} 个")),
                          store_name(choice), steps);
    report(arguments, {{"store", store_name(choice)}, {"steps", steps}}, words);
    return {};
}

storage::ArchiveReader::ReadAt read_from(int descriptor) {
    return [descriptor](std::uint64_t offset, std::span<std::uint8_t> out) -> Result<std::size_t> {
        std::size_t got = 0;
        while (got < out.size()) {
            const ssize_t more = pread(descriptor, out.data() + got, out.size() - got,
                                       static_cast<off_t>(offset + got));
            if (more < 0 && errno == EINTR) {
                continue;
            }
            if (more < 0) {
                return Error{ErrorCode::kUnavailable,
                             fmt::format("cannot read the backup: {}", std::strerror(errno))};
            }
            if (more == 0) {
                break;
            }
            got += static_cast<std::size_t>(more);
        }
        return got;
    };
}

json::Object summary_json(const std::string& file, const storage::BackupSummary& summary) {
    return {{"file", file},
            {"tables", summary.tables},
            {"rows", summary.rows},
            {"created", format_time(summary.created)},
            {"digest", to_hex(summary.digest)}};
}

Result<void> run_backup(const Arguments& arguments) {
    const StoreChoice choice = TRY(resolve_store(arguments.store));
    SystemClock clock;
    const auto store = TRY(open_store(choice, Missing::kRefuse));
    OutputFile out = TRY(OutputFile::create(arguments.file));
    const auto sink = [&out](Bytes piece) -> Result<void> {
        if (!write_text(out.descriptor(), as_text(piece))) {
            return Error{ErrorCode::kUnavailable,
                         fmt::format("cannot write the backup: {}", std::strerror(errno))};
        }
        return {};
    };
    const storage::BackupSummary made =
        TRY(storage::back_up(*store, sink, COLOPHON_VERSION, clock));
    // What cannot be read back is no backup.
    const storage::BackupSummary seen = TRY(storage::check_backup(read_from(out.descriptor())));
    if (seen.digest != made.digest) {
        return Error{ErrorCode::kCorrupt, "the backup is not what was written"};
    }
    if (fdatasync(out.descriptor()) != 0) {
        return Error{ErrorCode::kUnavailable,
                     fmt::format("cannot write the backup: {}", std::strerror(errno))};
    }
    TRY(out.commit());
    if (arguments.file == kStandardStream) {
        return {};
    }
    report(arguments, summary_json(arguments.file, made),
           fmt::format(fmt::runtime(tr("{}: {} tables, {} rows, SHA-256 {}",
                                       "{}：{} 张表，{} 行，SHA-256 {}")),
                       printable(arguments.file), made.tables, made.rows, to_hex(made.digest)));
    return {};
}

Result<void> run_restore(const Arguments& arguments) {
    const StoreChoice choice = TRY(resolve_store(arguments.store));
    SystemClock clock;
    const worker::Fd in = TRY(open_input(arguments.file));
    // Before a store is made for it.
    TRY(storage::check_backup(read_from(in.get())));
    const auto store = TRY(open_store(choice, Missing::kCreate));
    const storage::BackupSummary done =
        TRY(storage::restore(*store, read_from(in.get()), all_migrations(), clock));
    const int steps = TRY(storage::migrate(*store, all_migrations(), clock));
    json::Object fields = summary_json(arguments.file, done);
    fields.emplace_back("store", store_name(choice));
    fields.emplace_back("steps", steps);
    report(arguments, fields,
           fmt::format(fmt::runtime(tr("{}: {} tables, {} rows restored, as of {}",
                                       "{}：已恢复 {} 张表、{} 行，备份时间 {}")),
                       store_name(choice), done.tables, done.rows, format_time(done.created)));
    return {};
}

template <class F>
void act(CLI::App& verb, std::shared_ptr<Arguments> arguments, Action& action, F run) {
    add_store_options(verb, arguments->store);
    verb.add_flag("--json", arguments->json,
                  std::string(tr("one JSON object", "输出一个 JSON 对象")));
    verb.callback([arguments = std::move(arguments), &action, run] {
        action = [arguments, run] {
            const auto result = run(*arguments);
            if (!result.ok()) {
                print_error(result.error().what);
                return result.error().code == ErrorCode::kInvalidArgument
                           ? ExitCode::kUsage
                           : exit_code_of(result.error());
            }
            return ExitCode::kGood;
        };
    });
}

}  // namespace

void add_admin_store_verbs(CLI::App& admin, Action& action) {
    CLI::App* init =
        admin.add_subcommand("init", std::string(tr("make the store, or bring it to this version",
                                                    "建立存储，或将其更新到本版本")));
    act(*init, std::make_shared<Arguments>(), action,
        [](const Arguments& arguments) { return run_migrate(arguments, Missing::kCreate); });
    CLI::App* migrate = admin.add_subcommand(
        "migrate",
        std::string(tr("bring an existing store to this version", "将已有存储更新到本版本")));
    act(*migrate, std::make_shared<Arguments>(), action,
        [](const Arguments& arguments) { return run_migrate(arguments, Missing::kRefuse); });

    auto backing_up = std::make_shared<Arguments>();
    CLI::App* backup = admin.add_subcommand(
        "backup", std::string(tr("all rows of the store into one file, while the service runs",
                                 "在服务运行时将存储的全部数据行写入一个文件")));
    backup
        ->add_option("-o,--output", backing_up->file,
                     std::string(tr("file; - is standard output", "文件；- 表示标准输出")))
        ->required();
    act(*backup, backing_up, action, run_backup);

    auto restoring = std::make_shared<Arguments>();
    CLI::App* restore = admin.add_subcommand(
        "restore", std::string(tr("a backup into an empty store", "将备份恢复到空的存储中")));
    restore
        ->add_option("FILE", restoring->file,
                     std::string(tr("the backup; - is standard input", "备份文件；- 表示标准输入")))
        ->required();
    act(*restore, restoring, action, run_restore);
}

}  // namespace colophon::cli
