// SPDX-License-Identifier: Apache-2.0
// colophon admin init, migrate, backup, restore.

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/installation.h"
#include "cli/store_options.h"
#include "cli/terminal.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "ledger/log_keys.h"
#include "ledger/records.h"
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
#include <utility>

namespace colophon::cli {
namespace {

struct Arguments : AdminArguments {
    std::string file;
    std::string origin;  // of init
};

std::string steps_words(const StoreChoice& choice, int steps) {
    return steps == 0
               ? fmt::format(fmt::runtime(tr("{}: nothing to do", "{}：无需更改")),
                             store_name(choice))
               : fmt::format(fmt::runtime(tr("{}: steps applied: {}", "{}：已执行步骤 {} 个")),
                             store_name(choice), steps);
}

Result<void> run_init(const Arguments& arguments) {
    Places places = TRY(resolve_places(arguments.store));
    if (!arguments.origin.empty()) {
        places.ledger.origin = arguments.origin;
    }
    const InitReport made = TRY(init_installation(places));
    json::Array logs;
    std::string words = steps_words(places.store, made.steps);
    if (!made.master_key_file.empty()) {
        words +=
            fmt::format(fmt::runtime(tr("\nmaster key: {}; keep a copy where the backups are not",
                                        "\n主密钥：{}；请在备份之外另存一份副本")),
                        printable(made.master_key_file));
    }
    for (const ledger::LogKey& each : made.log_keys) {
        logs.emplace_back(json::Object{{"log", ledger::log_class_name(each.log)},
                                       {"origin", each.origin},
                                       {"key", each.vkey}});
        words += fmt::format("\n{} {}", tr("log", "日志"), each.vkey);
    }
    report(arguments,
           {{"store", store_name(places.store)},
            {"steps", made.steps},
            {"master_key_file", made.master_key_file},
            {"logs", std::move(logs)}},
           words);
    return {};
}

Result<void> run_migrate(const Arguments& arguments) {
    const StoreChoice choice = TRY(resolve_store(arguments.store));
    SystemClock clock;
    const auto store = TRY(open_store(choice, Missing::kRefuse));
    const int steps = TRY(storage::migrate(*store, all_migrations(), clock));
    report(arguments, {{"store", store_name(choice)}, {"steps", steps}},
           steps_words(choice, steps));
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

using Run = Result<void> (*)(const Arguments&);

void act(CLI::App& verb, const std::shared_ptr<Arguments>& arguments, Action& action, Run run) {
    add_admin_options(verb, *arguments);
    set_admin_action(verb, action, [arguments, run] { return run(*arguments); });
}

}  // namespace

void add_admin_store_verbs(CLI::App& admin, Action& action) {
    CLI::App* init = admin.add_subcommand(
        "init", std::string(tr("make store and keys, or bring the store to this version",
                               "建立存储与密钥，或将存储更新到本版本")));
    auto making = std::make_shared<Arguments>();
    init->add_option("--origin", making->origin,
                     std::string(tr("name of the logs, an address without scheme, for good: "
                                    "example.com/ledger; default: a random one",
                                    "日志名称（不含协议的地址，设定后不可更改），如 "
                                    "example.com/ledger；默认随机")));
    act(*init, making, action, run_init);
    CLI::App* migrate = admin.add_subcommand(
        "migrate",
        std::string(tr("bring an existing store to this version", "将已有存储更新到本版本")));
    act(*migrate, std::make_shared<Arguments>(), action, run_migrate);

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
