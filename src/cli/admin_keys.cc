// SPDX-License-Identifier: Apache-2.0
// colophon admin keys status, rotate: the master key over all data keys, and the keys of the logs.

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/installation.h"
#include "cli/ledger_installation.h"
#include "cli/store_options.h"
#include "cli/terminal.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "ledger/conduct.h"
#include "ledger/log_keys.h"
#include "ledger/note.h"
#include "ledger/records.h"
#include "storage/data_keys.h"
#include "storage/store.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

constexpr std::size_t kRewrapBatch = 1000;

struct Arguments : AdminArguments {
    std::string log;  // of add
    std::string key;  // of retire
    bool sm2 = false;
    std::string to;
    bool keep_old = false;
};

json::Object master_json(const storage::MasterKeyStatus& each) {
    return {{"kind", "master"},
            {"key", to_hex(each.id)},
            {"state", each.retired ? "retired" : (each.is_master ? "master" : "other")},
            {"data_keys", each.data_keys},
            {"retired", time_or_null(each.retired)}};
}

json::Object log_json(const ledger::LogKey& each) {
    return {{"kind", "log"},
            {"log", ledger::log_class_name(each.log)},
            {"origin", each.origin},
            {"key", each.vkey},
            {"state", each.retired ? "retired" : "signs"},
            {"made", format_time(each.made)},
            {"retired", time_or_null(each.retired)}};
}

Result<void> show_status(const Arguments& arguments, Installation& installation) {
    std::vector<json::Object> objects;
    std::vector<Columns> rows;
    for (const storage::MasterKeyStatus& each : TRY(installation.data_keys().status())) {
        objects.push_back(master_json(each));
        rows.push_back(
            {std::string(tr("master key", "主密钥")),
             each.retired     ? std::string(tr("retired", "已退役"))
             : each.is_master ? std::string(tr("wraps", "用于封装"))
                              : std::string(tr("only opens", "仅用于解封")),
             fmt::format(fmt::runtime(tr("{} data keys", "数据密钥 {} 个")), each.data_keys),
             to_hex(each.id)});
    }
    for (const ledger::LogKey& each : TRY(ledger::log_keys(installation.store()))) {
        objects.push_back(log_json(each));
        rows.push_back(
            {std::string(tr("log", "日志")),
             std::string(each.retired ? tr("retired", "已退役") : tr("signs", "用于签名")),
             std::string(ledger::log_class_name(each.log)), each.vkey});
    }
    report_list(arguments, objects,
                {std::string(tr("KIND", "类型")), std::string(tr("STATE", "状态")),
                 std::string(tr("OF", "对象")), std::string(tr("KEY", "密钥"))},
                rows);
    return {};
}

// Wraps every data key by the master key of this run, then ends the others. May be stopped and
// started again: what is wrapped stays so.
Result<void> rotate(const Arguments& arguments, Installation& installation) {
    const ledger::Conduct conduct = installation.conduct(command_actor());
    std::string master;
    for (const storage::MasterKeyStatus& each : TRY(installation.data_keys().status())) {
        if (each.is_master) {
            master = to_hex(each.id);
        }
    }
    TRY(conduct.append({.operation = "keys.rewrap", .facts = {{"master", master}}, .names = {}}));
    for (;;) {
        const std::uint64_t left = TRY(installation.data_keys().rewrap(kRewrapBatch));
        if (left == 0) {
            break;
        }
    }
    if (!arguments.keep_old) {
        const storage::Batch record = TRY(conduct.prepare(
            {.operation = "keys.retire", .facts = {{"master", master}}, .names = {}}));
        TRY(installation.data_keys().retire_others(record));
    }
    return show_status(arguments, installation);
}

Result<void> run_rotate(const Arguments& arguments) {
    Places places = TRY(resolve_places(arguments.store));
    if (!arguments.to.empty()) {
        places.keys.others.push_back(std::exchange(places.keys.master, arguments.to));
    }
    const auto installation = TRY(Installation::open(places));
    return rotate(arguments, *installation);
}

// The checkpoint is signed anew at once where no service runs; one that runs does it by itself.
Result<void> show_changed(const Arguments& arguments, Installation& installation,
                          const ledger::LogKey& key) {
    TRY(sequence_log(installation, key.log));
    report(arguments, log_json(key),
           fmt::format("{} {}: {}", tr("log", "日志"),
                       key.retired ? tr("retired", "已退役") : tr("signs", "用于签名"), key.vkey));
    return {};
}

Result<void> run_add(const Arguments& arguments, Installation& installation) {
    const auto logs = TRY(parse_log_classes(arguments.log));
    const ledger::Conduct conduct = installation.conduct(command_actor());
    const auto type = arguments.sm2 ? ledger::SignatureType::kSm2 : ledger::SignatureType::kEd25519;
    for (const ledger::LogClass log : logs) {
        const ledger::LogKey key = TRY(installation.log_keys().add(log, type, conduct));
        TRY(show_changed(arguments, installation, key));
    }
    return {};
}

Result<void> run_retire(const Arguments& arguments, Installation& installation) {
    const ledger::Conduct conduct = installation.conduct(command_actor());
    const ledger::LogKey key = TRY(installation.log_keys().retire(arguments.key, conduct));
    return show_changed(arguments, installation, key);
}

void add_log_key_verbs(CLI::App& group, Action& action) {
    auto adding = std::make_shared<Arguments>();
    CLI::App* add = group.add_subcommand(
        "add", std::string(tr("a further key that signs the logs, beside the old ones",
                              "为日志增加一把签名密钥（与旧密钥并用）")));
    add->add_option(
        "--log", adding->log,
        std::string(tr("only of this log: service or conduct", "仅限此日志：service 或 conduct")));
    add->add_flag(
        "--sm2", adding->sm2,
        std::string(tr("SM2 with SM3 instead of Ed25519", "使用 SM2 与 SM3，而非 Ed25519")));
    act_on_installation(*add, adding, action, run_add);

    auto retiring = std::make_shared<Arguments>();
    CLI::App* retire = group.add_subcommand(
        "retire", std::string(tr("a key of a log signs no more", "日志密钥停止签名")));
    retire
        ->add_option(
            "KEY", retiring->key,
            std::string(tr("the public key, or the eight digits in it", "公钥，或其中的八位编号")))
        ->required();
    act_on_installation(*retire, retiring, action, run_retire);
}

}  // namespace

void add_admin_keys_verbs(CLI::App& admin, Action& action) {
    CLI::App* group = admin.add_subcommand(
        "keys", std::string(tr("the master key and the keys of the logs", "主密钥与日志密钥")));
    group->require_subcommand(1);

    auto seeing = std::make_shared<Arguments>();
    CLI::App* status =
        group->add_subcommand("status", std::string(tr("which keys there are, without any secret",
                                                       "显示密钥状态（不含任何机密）")));
    act_on_installation(*status, seeing, action, show_status);

    add_log_key_verbs(*group, action);

    auto rotating = std::make_shared<Arguments>();
    CLI::App* verb = group->add_subcommand(
        "rotate", std::string(tr("wrap all data keys by the new master key and retire the others",
                                 "以新主密钥重新封装全部数据密钥，并使其他主密钥退役")));
    verb->add_option(
        "--to", rotating->to,
        std::string(tr("source of the new master key, while keys.master still names the old one",
                       "新主密钥的来源（keys.master 仍为旧密钥时使用）")));
    verb->add_flag("--keep-old", rotating->keep_old,
                   std::string(tr("do not retire the others yet", "暂不使其他主密钥退役")));
    add_admin_options(*verb, *rotating);
    set_admin_action(*verb, action, [rotating] { return run_rotate(*rotating); });
}

}  // namespace colophon::cli
