// SPDX-License-Identifier: Apache-2.0
// colophon ledger checkpoint|prove|check|export: the log, seen from outside. Each of them works on
// any log in the form of C2SP tlog-tiles and needs nothing but its public key.

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/ledger_arguments.h"
#include "cli/ledger_installation.h"
#include "cli/ledger_report.h"
#include "cli/log_source.h"
#include "cli/report.h"
#include "cli/store_options.h"
#include "cli/terminal.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "ledger/log_objects.h"
#include "ledger/merkle.h"
#include "ledger/proof_file.h"
#include "ledger/tiles.h"
#include "ledger/verify/checkpoint.h"
#include "ledger/verify/log.h"
#include "ledger/verify/proof.h"
#include "ledger/verify/result.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace colophon::cli {
namespace {

namespace fs = std::filesystem;
namespace verify = ledger::verify;

constexpr std::size_t kCheckpointBytesMax = 1U << 20U;
constexpr std::size_t kProofBytesMax = 2U << 20U;
constexpr std::size_t kEntryBytesMax = 65535;

using Arguments = LedgerArguments;

ExitCode code_of(bool good) {
    return good ? ExitCode::kGood : ExitCode::kBad;
}

}  // namespace

void print_ledger(const LedgerArguments& arguments, const json::Value& value,
                  const std::string& text) {
    write_text(1, arguments.json ? json::write(value) + "\n" : text);
}

verify::Finding no_quorum() {
    return {.code = "ledger.quorum",
            .where = "checkpoint",
            .what = "fewer witnesses signed than the policy asks for"};
}

Result<void> write_ledger_output(const std::string& path, std::string_view text) {
    OutputFile file = TRY(OutputFile::create(path));
    if (!write_text(file.descriptor(), text)) {
        return Error{ErrorCode::kUnavailable, path + " cannot be written"};
    }
    return file.commit();
}

Result<verify::LogReport> check_whole_log(const LedgerArguments& arguments, const Trust& trust,
                                          const verify::Fetch& fetch, const std::string& name) {
    verify::LogOptions options{.keys = trust.keys,
                               .older = {},
                               .threads = arguments.jobs,
                               .findings_max = 100,
                               .from = arguments.from,
                               .progress = {}};
    for (const std::string& path : arguments.older) {
        options.older.push_back(TRY(read_small_file(path, kCheckpointBytesMax)));
    }
    std::unique_ptr<Progress> progress;
    options.progress = [&](std::uint64_t done, std::uint64_t all) {
        if (!progress) {
            progress = std::make_unique<Progress>(all, !arguments.json);
        }
        progress->done(done, name);
    };
    verify::LogReport report = TRY(verify::check_log(fetch, options));
    if (report.good && !quorum_met(trust, report.checkpoint)) {
        report.good = false;
        report.findings.push_back(no_quorum());
        ++report.findings_count;
    }
    // Older checkpoints are named by their files.
    for (verify::Finding& each : report.findings) {
        for (std::size_t i = 0; i < arguments.older.size(); ++i) {
            if (each.where == fmt::format("older checkpoint {}", i + 1)) {
                each.where = arguments.older[i];
            }
        }
    }
    return report;
}

Result<std::string> read_log_checkpoint(const verify::Fetch& fetch, const std::string& folder) {
    const auto note = TRY(fetch("checkpoint"));
    if (!note) {
        return Error{ErrorCode::kNotFound, folder + " has no file checkpoint: it is no log"};
    }
    return std::string(as_text(*note));
}

namespace {

// The evidence of one entry out of the tiles; whether it is true is judged by the checker.
Result<ledger::Evidence> make_evidence(const ProofRequest& request, const verify::Fetch& fetch,
                                       const std::string& note, std::uint64_t size) {
    const ledger::ReadTile read = tiles_of_log(fetch);
    ledger::TileNodes nodes(size, read);
    ledger::Evidence evidence;
    evidence.proof.index = request.index;
    evidence.proof.proof = TRY(ledger::inclusion_proof(request.index, size, nodes.reader()));
    evidence.proof.checkpoint = note;
    evidence.entry = TRY(ledger::read_entry(read, request.index, size));
    evidence.openings = request.openings;
    return evidence;
}

}  // namespace

Result<ExitCode> prove_entry(const LedgerArguments& arguments, const Trust& trust,
                             const verify::Fetch& fetch, const ProofRequest& request) {
    const std::string note = TRY(read_log_checkpoint(fetch, request.name));
    const verify::CheckpointReport checkpoint = verify::check_checkpoint(note, trust.keys);
    if (!checkpoint.good) {
        print_ledger(arguments, checkpoint_json(request.name, checkpoint),
                     checkpoint_text(request.name, checkpoint));
        return ExitCode::kBad;
    }
    const ledger::Evidence evidence =
        TRY(make_evidence(request, fetch, note, checkpoint.checkpoint.size));
    const std::string text =
        arguments.bare ? format_proof(evidence.proof) : format_evidence(evidence);
    const verify::ProofReport report = verify::check_proof(text, Bytes(evidence.entry), trust.keys);
    if (report.good) {
        TRY(write_ledger_output(arguments.output, text));
    }
    if (arguments.output != kStandardStream) {
        print_ledger(arguments, proof_json(arguments.output, report),
                     proof_text(arguments.output, report));
    }
    return code_of(report.good);
}

namespace {

Result<bool> check_file(const Arguments& arguments, const Trust& trust, const std::string& path) {
    const std::string file = TRY(read_small_file(path, kProofBytesMax));
    std::string entry;
    if (!arguments.entry.empty()) {
        entry = TRY(read_small_file(arguments.entry, kEntryBytesMax));
    }
    if (verify::is_result(file)) {
        std::optional<Digest256> content;
        if (!arguments.content.empty()) {
            content = TRY(digest_of_file(arguments.content));
        }
        const verify::ResultReport report =
            verify::check_result(file, trust.keys, content, fs::path(path).filename().string());
        print_ledger(arguments, result_json(path, report), result_text(path, report));
        return report.good;
    }
    if (verify::kind_of(file) == verify::FileKind::kOther) {
        verify::CheckpointReport report =
            verify::check_checkpoint(file, trust.keys, fs::path(path).filename().string());
        if (report.good && !quorum_met(trust, report.checkpoint)) {
            report.good = false;
            report.findings.push_back(no_quorum());
        }
        print_ledger(arguments, checkpoint_json(path, report), checkpoint_text(path, report));
        return report.good;
    }
    verify::ProofReport report = verify::check_proof(
        file, arguments.entry.empty() ? std::nullopt : std::optional(as_bytes(entry)), trust.keys);
    if (report.good && !quorum_met(trust, report.checkpoint)) {
        report.good = false;
        report.findings.push_back(no_quorum());
    }
    print_ledger(arguments, proof_json(path, report), proof_text(path, report));
    return report.good;
}

Result<bool> check_input(const Arguments& arguments, const std::string& path) {
    if (path.empty() || (!is_url(path) && is_data_folder(path))) {
        return check_own_logs(arguments, path);
    }
    const Trust trust = TRY(open_trust(arguments.keys, arguments.policy));
    if (!is_url(path) && !is_folder(path)) {
        return check_file(arguments, trust, path);
    }
    const verify::Fetch fetch = TRY(open_log(path));
    const verify::LogReport report = TRY(check_whole_log(arguments, trust, fetch, path));
    print_ledger(arguments, log_json(path, report), log_text(path, report));
    return report.good;
}

Result<ExitCode> run_check(const Arguments& arguments) {
    std::vector<std::string> inputs = arguments.inputs;
    if (inputs.empty()) {
        inputs.emplace_back();  // what the configuration names
    } else if (!std::ranges::all_of(inputs, is_data_folder)) {
        // Whether the keys can be read is the same for all.
        TRY(open_trust(arguments.keys, arguments.policy));
    }
    ExitCode worst = ExitCode::kGood;
    for (const std::string& path : inputs) {
        const auto good = check_input(arguments, path);
        if (good.ok()) {
            worst = worse(worst, code_of(*good));
            continue;
        }
        if (path.empty()) {
            return good.error();
        }
        print_error(path + ": " + good.error().what);
        if (arguments.json) {
            write_text(1, json::write(error_json(path, good.error())) + "\n");
        }
        worst = worse(worst, exit_code_of(good.error()));
    }
    return worst;
}

Result<ExitCode> run_checkpoint(const Arguments& arguments) {
    if (arguments.log.empty()) {
        return run_own_checkpoint(arguments);
    }
    const Trust trust = TRY(open_trust(arguments.keys, arguments.policy));
    const std::string& folder = arguments.log;
    const verify::Fetch fetch = TRY(open_log(folder));
    const std::string note = TRY(read_log_checkpoint(fetch, folder));
    verify::CheckpointReport report = verify::check_checkpoint(note, trust.keys);
    if (report.good && !quorum_met(trust, report.checkpoint)) {
        report.good = false;
        report.findings.push_back(no_quorum());
    }
    if (report.good && !arguments.output.empty()) {
        TRY(write_ledger_output(arguments.output, note));
    }
    print_ledger(arguments, checkpoint_json(folder, report), checkpoint_text(folder, report));
    return code_of(report.good);
}

Result<ExitCode> run_prove(const Arguments& arguments) {
    if (!arguments.index) {
        return run_own_prove(arguments);
    }
    const Trust trust = TRY(open_trust(arguments.keys, arguments.policy));
    const verify::Fetch fetch = TRY(open_log(arguments.log));
    return prove_entry(arguments, trust, fetch,
                       {.name = arguments.log, .index = *arguments.index, .openings = {}});
}

// Copies what belongs to the checkpoint, and nothing else, into a folder that appears whole.
Result<void> copy_log(const verify::Fetch& fetch, std::uint64_t size, std::uint64_t from,
                      const std::string& output) {
    const std::string unfinished = output + ".part";
    std::error_code error;
    fs::remove_all(unfinished, error);
    const auto target = TRY(ledger::DirectoryObjects::create(unfinished));
    std::vector<std::string> names = verify::files_of_log(size, from);
    names.emplace_back("checkpoint");
    for (const std::string& name : names) {
        auto content = TRY(fetch(name));
        if (!content) {
            return Error{ErrorCode::kUnavailable, name + " is gone"};
        }
        TRY(target->put(name, *content));
    }
    TRY(target->flush());
    fs::rename(unfinished, output, error);
    if (error) {
        return Error{ErrorCode::kUnavailable, output + ": " + error.message()};
    }
    return {};
}

Result<ExitCode> run_export(const Arguments& arguments) {
    const Trust trust = TRY(open_trust(arguments.keys, arguments.policy));
    if (fs::exists(arguments.output)) {
        return Error{ErrorCode::kConflict, arguments.output + " is there already"};
    }
    const std::string& folder = arguments.log;
    const verify::Fetch source = TRY(open_log(folder));
    // What is copied is the log at one checkpoint, even when the log grows meanwhile.
    const std::string note = TRY(read_log_checkpoint(source, folder));
    const verify::Fetch fixed = [&](const std::string& name) -> Result<std::optional<Buffer>> {
        if (name == "checkpoint") {
            return std::optional(to_buffer(note));
        }
        return source(name);
    };
    const verify::LogReport report = TRY(check_whole_log(arguments, trust, fixed, folder));
    if (report.good) {
        const auto copied =
            copy_log(fixed, report.checkpoint.size, arguments.from, arguments.output);
        if (!copied.ok()) {
            std::error_code ignored;
            fs::remove_all(arguments.output + ".part", ignored);
            return copied.error();
        }
    }
    print_ledger(arguments, log_json(report.good ? arguments.output : folder, report),
                 log_text(report.good ? arguments.output : folder, report));
    return code_of(report.good);
}

void add_common(CLI::App& verb, Arguments& arguments) {
    verb.add_option("--key", arguments.keys,
                    std::string(tr("public key of the log or a witness, or a file with keys; "
                                   "repeatable",
                                   "日志或见证方的公钥，或包含公钥的文件；可多次给出")));
    verb.add_option("--policy", arguments.policy,
                    std::string(tr("file that says which logs and witnesses count",
                                   "规定哪些日志与见证方有效的策略文件")));
    verb.add_flag("--json", arguments.json,
                  std::string(tr("one JSON object a line", "每行一个 JSON 对象")));
    verb.set_help_flag("-h,--help", std::string(tr("show this help", "显示帮助")));
}

CLI::Option* add_folder(CLI::App& verb, Arguments& arguments) {
    return verb.add_option("LOG", arguments.log,
                           std::string(tr("folder or address of the log", "日志所在文件夹或网址")));
}

void add_from(CLI::App& verb, Arguments& arguments) {
    verb.add_option(
        "--from", arguments.from,
        std::string(tr("minimum index of a log that was pruned: what lies before is gone",
                       "已裁剪日志的最小条目编号：此前的内容已移除")));
}

// Of the verbs that know the logs of an installation.
void add_own(CLI::App& verb, Arguments& arguments) {
    add_store_options(verb, arguments.store);
    verb.add_option("--log", arguments.log_class,
                    std::string(tr("of the installation's logs only service or conduct",
                                   "仅限本系统日志中的 service 或 conduct")));
}

using Run = Result<ExitCode> (*)(const Arguments&);

void set_action(CLI::App& verb, const std::shared_ptr<Arguments>& arguments, Action& action,
                Run run) {
    verb.callback([arguments, &action, run] {
        action = [arguments, run] {
            const auto result = run(*arguments);
            if (!result.ok()) {
                print_error(result.error().what);
                return result.error().code == ErrorCode::kInvalidArgument ? ExitCode::kUsage
                                                                          : ExitCode::kError;
            }
            return *result;
        };
    });
}

void add_check(CLI::App& parent, const std::shared_ptr<Arguments>& arguments, Action& action) {
    CLI::App* verb = parent.add_subcommand(
        "check",
        std::string(tr("check a whole log, a proof, evidence, a checkpoint or a signed result",
                       "检查整个日志、证明、证据、检查点或已签名的核验结果")));
    verb->add_option(
        "LOG", arguments->inputs,
        std::string(tr(
            "folders or addresses of logs, data folders, files of proofs, evidence, "
            "checkpoints, signed results; default: the logs of the installation",
            "日志文件夹或网址、数据文件夹，或证明、证据、检查点、已签名核验结果的文件；默认为本系统"
            "的日志")));
    add_own(*verb, *arguments);
    verb->add_option("--older", arguments->older,
                     std::string(tr("checkpoint kept earlier, which the log must extend; "
                                    "repeatable",
                                    "此前保存的检查点，日志必须是其延续；可多次给出")));
    add_from(*verb, *arguments);
    verb->add_option("--entry", arguments->entry,
                     std::string(tr("the entry that a proof is about", "证明所对应的条目文件")));
    verb->add_option(
        "--content", arguments->content,
        std::string(tr("the file that a signed result is about", "已签名核验结果所针对的文件")));
    verb->add_option("-j,--jobs", arguments->jobs, std::string(tr("threads", "线程数")))
        ->check(CLI::Range(1, 64));
    add_common(*verb, *arguments);
    set_action(*verb, arguments, action, run_check);
}

void add_others(CLI::App& parent, const std::shared_ptr<Arguments>& arguments, Action& action) {
    CLI::App* checkpoint = parent.add_subcommand(
        "checkpoint",
        std::string(tr("show and verify the current checkpoint", "显示并核验当前检查点")));
    add_folder(*checkpoint, *arguments);
    add_own(*checkpoint, *arguments);
    checkpoint->add_option("-o,--output", arguments->output,
                           std::string(tr("also keep it in this file", "同时保存到此文件")));
    add_common(*checkpoint, *arguments);
    set_action(*checkpoint, arguments, action, run_checkpoint);

    CLI::App* prove = parent.add_subcommand(
        "prove",
        std::string(tr("make evidence that an entry is in the log", "生成条目已记入日志的证据")));
    prove
        ->add_option("LOG", arguments->log,
                     std::string(tr("folder or address of the log; or a content id or record "
                                    "number of the installation",
                                    "日志文件夹或网址；或本系统的内容编号、记录编号")))
        ->required();
    prove->add_option(
        "INDEX", arguments->index,
        std::string(tr("number of the entry of LOG, from 0", "LOG 中的条目编号，从 0 开始")));
    add_store_options(*prove, arguments->store);
    prove->add_option("--open", arguments->opened,
                      std::string(tr("field of the record that the evidence shows: facts, account, "
                                     "client, input, output, source, target; repeatable",
                                     "证据中公开的记录字段：facts、account、client、input、output、"
                                     "source、target；可多次给出")));
    prove
        ->add_option("-o,--output", arguments->output,
                     std::string(tr("file of the evidence; - is standard output",
                                    "证据文件；- 表示标准输出")))
        ->required();
    prove->add_flag("--bare", arguments->bare,
                    std::string(tr("a proof file (.tlog-proof) without the entry",
                                   "不含条目内容的证明文件（.tlog-proof）")));
    add_common(*prove, *arguments);
    set_action(*prove, arguments, action, run_prove);

    CLI::App* copy = parent.add_subcommand(
        "export", std::string(tr("check a log and copy it as of its checkpoint",
                                 "检查日志，并按其检查点复制")));
    add_folder(*copy, *arguments)->required();
    copy->add_option("-o,--output", arguments->output, std::string(tr("new folder", "新文件夹")))
        ->required();
    add_from(*copy, *arguments);
    copy->add_option("-j,--jobs", arguments->jobs, std::string(tr("threads", "线程数")))
        ->check(CLI::Range(1, 64));
    add_common(*copy, *arguments);
    set_action(*copy, arguments, action, run_export);
}

void add_whose(CLI::App& verb, Arguments& arguments) {
    verb.add_option("--tenant", arguments.tenant,
                    std::string(tr("only of this tenant, by its name", "仅限此租户（名称）")));
    verb.add_option("--subject", arguments.subject,
                    std::string(tr("only of this user: the name that --tenant has for it, or its "
                                   "number",
                                   "仅限此用户：--tenant 所用的名称，或用户编号")));
    verb.add_option("--since", arguments.since,
                    std::string(tr("not older than this: 2026-01-01T00:00:00Z",
                                   "不早于此时间，如 2026-01-01T00:00:00Z")));
    verb.add_option("--until", arguments.until,
                    std::string(tr("older than this time", "早于此时间")));
}

void add_plain(CLI::App& verb, Arguments& arguments) {
    add_store_options(verb, arguments.store);
    verb.add_flag("--json", arguments.json,
                  std::string(tr("one JSON object a line", "每行一个 JSON 对象")));
    verb.set_help_flag("-h,--help", std::string(tr("show this help", "显示帮助")));
}

void add_hold_verbs(CLI::App& parent, const std::shared_ptr<Arguments>& arguments, Action& action) {
    CLI::App* hold = parent.add_subcommand(
        "hold", std::string(tr("keep records whatever their age, by order; without options all",
                               "按要求保全记录，不受保存期限影响；不加选项则保全全部记录")));
    add_whose(*hold, *arguments);
    hold->add_option(
            "--reason", arguments->reason,
            std::string(tr("the order's number; no personal data", "要求的文号；不得含个人信息")))
        ->required();
    CLI::App* holds = parent.add_subcommand(
        "holds", std::string(tr("the legal holds in force", "列出生效的保全要求")));
    CLI::App* release =
        parent.add_subcommand("release", std::string(tr("end a legal hold", "解除保全要求")));
    release
        ->add_option(
            "HOLD", arguments->hold,
            std::string(tr("number of the hold, as holds shows it", "保全编号（见 holds）")))
        ->required();
    for (CLI::App* verb : {hold, holds, release}) {
        add_plain(*verb, *arguments);
    }
    set_action(*hold, arguments, action, run_hold);
    set_action(*holds, arguments, action, run_holds);
    set_action(*release, arguments, action, run_release);
}

void add_records(CLI::App& parent, const std::shared_ptr<Arguments>& arguments, Action& action) {
    CLI::App* records = parent.add_subcommand(
        "records", std::string(tr("the newest records of the installation, without what is sealed",
                                  "列出本系统最新的记录（不含加密内容）")));
    CLI::Option* record =
        records->add_option("RECORD", arguments->record,
                            std::string(tr("only the record of this content id or number",
                                           "仅限此内容编号或记录编号的记录")));
    CLI::Option* digest =
        records->add_option("--digest", arguments->digest,
                            std::string(tr("only records of the content with this SHA-256",
                                           "仅限内容的 SHA-256 为此值的记录")));
    CLI::Option* file = records->add_option(
        "--file", arguments->file,
        std::string(tr("only records of exactly this file", "仅限内容与此文件完全相同的记录")));
    CLI::Option* like = records->add_option(
        "--like", arguments->like,
        std::string(tr("only records of content like this picture, video, sound or text, the most "
                       "alike first",
                       "仅限内容与此图片、视频、声音或文本相似的记录，最相似者在前")));
    record->excludes(digest)->excludes(file)->excludes(like);
    digest->excludes(file)->excludes(like);
    file->excludes(like);
    records->add_option("--kind", arguments->kind,
                        std::string(tr("call, unlabelled_release, verification, administration, "
                                       "erasure, purge",
                                       "call、unlabelled_release、verification、administration、"
                                       "erasure、purge")));
    add_whose(*records, *arguments);
    records
        ->add_option("--limit", arguments->limit,
                     std::string(tr("how many at most; default: 100", "最多条数；默认 100")))
        ->check(CLI::Range(1, 1'000'000));
    add_plain(*records, *arguments);
    set_action(*records, arguments, action, run_records);
}

void add_content(CLI::App& parent, const std::shared_ptr<Arguments>& arguments, Action& action) {
    CLI::App* content = parent.add_subcommand(
        "content", std::string(tr("what went in or out of one call, unsealed; this is recorded",
                                  "解密并输出一次调用的输入或输出；此操作会被记录")));
    content
        ->add_option("RECORD", arguments->record,
                     std::string(tr("content id or number of the record", "内容编号或记录编号")))
        ->required();
    content
        ->add_option("--role", arguments->role,
                     std::string(tr("input, or output (default)", "input 或 output（默认）")))
        ->check(CLI::IsMember({"input", "output"}));
    content->add_option("-o,--output", arguments->output,
                        std::string(tr("file; default: standard output", "文件；默认标准输出")));
    add_plain(*content, *arguments);
    set_action(*content, arguments, action, run_content);
}

void add_service_verbs(CLI::App& parent, const std::shared_ptr<Arguments>& arguments,
                       Action& action) {
    CLI::App* sequence = parent.add_subcommand(
        "sequence", std::string(tr("carry records into the logs until a signal ends it",
                                   "持续将记录写入日志，直到收到终止信号")));
    CLI::App* purge = parent.add_subcommand(
        "purge", std::string(tr("remove records past their time, and what the logs need no longer",
                                "删除超过保存期限的记录，并裁剪日志开头不再需要的部分")));
    purge
        ->add_option("--service-days", arguments->service_days,
                     std::string(tr("how long calls and verifications are kept; default: 366",
                                    "调用与核验记录的保存天数；默认 366")))
        ->check(CLI::Range(180, 36'500));
    purge
        ->add_option("--conduct-days", arguments->conduct_days,
                     std::string(tr("how long records of conduct are kept; default: 1098",
                                    "操作记录的保存天数；默认 1098")))
        ->check(CLI::Range(180, 36'500));
    for (CLI::App* verb : {sequence, purge}) {
        add_plain(*verb, *arguments);
    }
    set_action(*sequence, arguments, action, run_sequence);
    set_action(*purge, arguments, action, run_purge);
}

}  // namespace

void add_ledger_command(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* verb = app.add_subcommand(
        "ledger", std::string(tr("check logs and make evidence", "检查日志并生成证据")));
    verb->require_subcommand(1);
    verb->set_help_flag("-h,--help", std::string(tr("show this help", "显示帮助")));
    add_check(*verb, arguments, action);
    add_others(*verb, arguments, action);
    add_records(*verb, arguments, action);
    add_content(*verb, arguments, action);
    add_hold_verbs(*verb, arguments, action);
    add_service_verbs(*verb, arguments, action);
}

}  // namespace colophon::cli
