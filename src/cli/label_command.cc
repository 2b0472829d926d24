// SPDX-License-Identifier: Apache-2.0
// colophon label IN... -o OUT: put the marks on files.

#include "cli/batch.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/fragments.h"
#include "cli/label_request.h"
#include "cli/prompts.h"
#include "cli/report.h"
#include "cli/terminal.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/random.h"
#include "core/result.h"
#include "label/apply.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/plan.h"
#include "worker/channel.h"
#include "worker/client.h"
#include "worker/protocol.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

namespace fs = std::filesystem;

struct Arguments {
    std::vector<std::string> inputs;
    std::string output;
    std::string credential;  // of the one input; empty: beside each
    LabelArguments label;
    std::vector<std::string> fragments;  // of the movie that the one input begins
    bool json = false;
    bool quiet = false;
    std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
};

// One run of the verb: what all files share.
struct Run {
    const Arguments& arguments;
    LabelRequest request;
    Prompts prompts;
    bool into_folder;
    SystemClock clock;
    SystemRandom random;
};

// Where the labelled form of an input goes.
std::string output_path(const Run& run, const Input& input) {
    return run.into_folder ? (fs::path(run.arguments.output) / input.relative).string()
                           : run.arguments.output;
}

void add_plan_findings(const Run& run, label::Format format, worker::LabelReport& report) {
    const label::LabelPlan plan = run.request.plan_for(format);
    if (!plan.out_of_reach.empty()) {
        label::warn(report.findings, "plan.incomplete",
                    fmt::format("the profile also asks for {}, which this version does not write",
                                label::to_string(plan.out_of_reach)));
    }
}

struct Labelled {
    std::string output;
    std::string beside;  // where the credential went; empty: nowhere
    label::Format format;
    worker::LabelReport report;
};

struct Opened {
    worker::Fd in;
    label::Format format;
};

Result<Opened> open_one(worker::Worker& worker, const Input& input) {
    worker::Fd in = TRY(open_input(input.path));
    const label::Format format = TRY(worker.probe(in.get(), input.relative));
    return Opened{.in = std::move(in), .format = format};
}

// The initialization segment and its fragments, which come back in one file and are cut where the
// worker says.
Result<Labelled> label_movie(const Run& run, worker::Worker& worker, const Input& input,
                             const Opened& opened, const label::ApplyOptions& options) {
    const std::string& folder = run.arguments.output;
    const auto paths = TRY(find_fragments(run.arguments.fragments, input.path));
    std::vector<std::string> targets{output_path(run, input)};
    for (const std::string& path : paths) {
        targets.push_back((fs::path(folder) / fs::path(path).filename()).string());
    }
    std::vector<std::string> sorted = targets;
    std::ranges::sort(sorted);
    if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end()) {
        return Error{ErrorCode::kConflict,
                     fmt::format("two inputs would both be written to {}", *twice)};
    }
    OutputFile init = TRY(OutputFile::create(targets.front()));
    const Fragments fragments = TRY(Fragments::gather(paths, folder));
    const worker::Fd together = TRY(open_unnamed(folder));
    worker::LabelReport report = TRY(worker.label({.input = opened.in.get(),
                                                   .output = init.descriptor(),
                                                   .credential = -1,
                                                   .fragments = fragments.file(),
                                                   .fragments_output = together.get()},
                                                  opened.format, options, run.request.signer()));
    if (report.fragments.size() != paths.size() || lseek(together.get(), 0, SEEK_SET) != 0) {
        return Error{ErrorCode::kUnavailable, "the fragments did not come back"};
    }
    for (std::size_t i = 0; i < paths.size(); ++i) {
        OutputFile file = TRY(OutputFile::create(targets[i + 1]));
        TRY(copy_bytes(together.get(), report.fragments[i], file.descriptor()));
        TRY(file.commit());
    }
    // Last, because without it the fragments say nothing.
    TRY(init.commit());
    return Labelled{.output = targets.front(),
                    .beside = {},
                    .format = opened.format,
                    .report = std::move(report)};
}

Result<Labelled> label_one(Run& run, worker::Worker& worker, const Input& input,
                           const Opened& opened, const label::ApplyOptions& options) {
    const label::Format format = opened.format;
    TRY(run.prompts.prepare_label(worker, options, format));
    const std::string path = output_path(run, input);
    if (run.into_folder) {
        TRY(make_folders(fs::path(path).parent_path().string()));
    }
    if (!run.arguments.fragments.empty()) {
        return label_movie(run, worker, input, opened, options);
    }
    OutputFile out = TRY(OutputFile::create(path));
    const bool signs = options.marks.has(label::Mark::kProvenance);
    const worker::Fd credential =
        signs ? TRY(open_credential(run.arguments.credential, input)) : worker::Fd();
    worker::LabelReport report = TRY(worker.label(
        {.input = opened.in.get(), .output = out.descriptor(), .credential = credential.get()},
        format, options, signs ? run.request.signer() : nullptr));
    Labelled labelled{.output = path, .beside = {}, .format = format, .report = std::move(report)};
    if (!labelled.report.detached.empty()) {
        labelled.beside = credential_path(path);
        OutputFile beside = TRY(OutputFile::create(labelled.beside));
        if (!write_text(beside.descriptor(), as_text(labelled.report.detached))) {
            return Error{ErrorCode::kUnavailable,
                         fmt::format("cannot write {}: {}", labelled.beside, std::strerror(errno))};
        }
        TRY(beside.commit());
    }
    TRY(out.commit());
    add_plan_findings(run, format, labelled.report);
    return labelled;
}

Outcome failed(const Run& run, const Input& input, const Error& error, ExitCode code) {
    Outcome outcome;
    outcome.code = code;
    outcome.err = fmt::format("colophon: {}: {}\n", printable(input.path),
                              printable(in_user_language(error.what)));
    if (run.arguments.json) {
        outcome.out = json::write(error_json(input.path, error)) + "\n";
    }
    return outcome;
}

Outcome label_input(Run& run, worker::Worker& worker, const Input& input) {
    const auto opened = open_one(worker, input);
    if (!opened.ok()) {
        return failed(run, input, opened.error(), exit_code_of(opened.error()));
    }
    const auto options = run.request.options_for(opened->format, run.clock, run.random);
    if (!options.ok()) {
        // The file is good; what was asked for it is not.
        return failed(run, input, options.error(), usage_code_of(options.error()));
    }
    const auto labelled = label_one(run, worker, input, *opened, *options);
    if (!labelled.ok()) {
        return failed(run, input, labelled.error(), exit_code_of(labelled.error()));
    }
    Outcome outcome;
    const bool to_stream = labelled->output == kStandardStream;
    if (run.arguments.json) {
        std::string& to = to_stream ? outcome.err : outcome.out;
        to = json::write(label_json(input.path, {labelled->output, labelled->beside},
                                    labelled->format, labelled->report)) +
             "\n";
    } else if (!run.arguments.quiet) {
        outcome.err = label_text(input.path, {labelled->output, labelled->beside}, labelled->format,
                                 labelled->report);
    }
    return outcome;
}

// Two inputs that would become one output are refused before anything is written.
Result<void> check_outputs(const Run& run, const std::vector<Input>& inputs) {
    std::vector<std::string> paths;
    paths.reserve(2 * inputs.size());
    for (const Input& input : inputs) {
        paths.push_back(output_path(run, input));
        paths.push_back(credential_path(paths.back()));
    }
    std::ranges::sort(paths);
    const auto twice = std::ranges::adjacent_find(paths);
    if (twice != paths.end()) {
        return Error{ErrorCode::kConflict,
                     fmt::format("two inputs would both be written to {}", *twice)};
    }
    return {};
}

Result<ExitCode> run_label(Arguments& arguments) {
    const Config config = TRY(load_config());
    merge_config(arguments.label.values, config.label);
    std::vector<Input> inputs = TRY(collect_inputs(arguments.inputs));
    leave_out_credentials(inputs);
    if (!arguments.credential.empty() && inputs.size() != 1) {
        return Error{ErrorCode::kInvalidArgument,
                     "--credential names the Content Credentials of one file; of several they lie "
                     "beside each as FILE.c2pa"};
    }
    if (!arguments.fragments.empty()) {
        if (inputs.size() != 1 || !arguments.credential.empty()) {
            return Error{ErrorCode::kInvalidArgument,
                         "--fragments names the fragments of one movie, whose beginning is the one "
                         "file; its Content Credentials stand in it"};
        }
        if (arguments.output == kStandardStream) {
            return Error{ErrorCode::kInvalidArgument,
                         "a movie in several files needs a folder with -o"};
        }
    }
    arguments.label.credential_counts = !arguments.credential.empty();
    const bool several = inputs.size() > 1 || is_folder(arguments.inputs.front());
    const bool into_folder = arguments.output != kStandardStream &&
                             (several || !arguments.fragments.empty() ||
                              is_folder(arguments.output) || arguments.output.ends_with('/'));
    if (several && arguments.output == kStandardStream) {
        return Error{ErrorCode::kInvalidArgument,
                     "standard output takes one file; give a folder with -o"};
    }
    if (into_folder && fs::exists(arguments.output) && !is_folder(arguments.output)) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("{} is a file; several inputs need a folder", arguments.output)};
    }
    arguments.label.takes_files_beside = arguments.output != kStandardStream;
    SystemClock clock;
    LabelRequest request = TRY(LabelRequest::create(arguments.label, config.verify, clock));
    const std::string& recording = arguments.label.values.recording;
    Run run{.arguments = arguments,
            .request = std::move(request),
            .prompts = Prompts(recording.empty() ? std::vector<std::string>()
                                                 : std::vector<std::string>{recording}),
            .into_folder = into_folder,
            .clock = {},
            .random = {}};
    TRY(check_outputs(run, inputs));
    if (into_folder) {
        TRY(make_folders(arguments.output));
    }
    const BatchOptions options{
        .jobs = arguments.jobs,
        .progress = !arguments.json && !arguments.quiet,
        .tally = !arguments.quiet,
        .worker = {.font_path = run.request.font(), .expects_media = run.request.needs_media()}};
    return run_batch(inputs, options, [&run](worker::Worker& worker, const Input& input) {
        return label_input(run, worker, input);
    });
}

void add_options(CLI::App& verb, Arguments& arguments) {
    LabelConfig& values = arguments.label.values;
    verb.add_option("IN", arguments.inputs,
                    std::string(tr("files or folders; - is standard input",
                                   "文件或文件夹；- 表示标准输入")))
        ->required();
    verb.add_option("-o,--output", arguments.output,
                    std::string(tr("a file for one input, a folder for several; - is standard "
                                   "output",
                                   "单个输入对应文件，多个输入对应文件夹；- 表示标准输出")))
        ->required();
    verb.add_option("--producer", values.producer,
                    std::string(tr("code of the provider: 27 characters (TC260-PG-20252A)",
                                   "服务提供者编码：27 位（TC260-PG-20252A）")));
    verb.add_option("--producer-name", values.producer_name,
                    std::string(tr("name, used where there is no code", "名称，无编码时使用")));
    verb.add_option(
        "--propagator", values.propagator,
        std::string(tr("code of the platform that passes content on", "内容传播服务提供者编码")));
    verb.add_option(
        "--service", values.service,
        std::string(tr("dialogue, voice, face, scene, content or other (article 17)",
                       "服务类型（第十七条）：dialogue、voice、face、scene、content、other")));
    verb.add_option("--profile", values.profile,
                    std::string(tr("cn, eu, us-ca or all", "适用法域：cn、eu、us-ca、all")));
    verb.add_option("--marks", values.marks,
                    std::string(tr("explicit,watermark,metadata,provenance; default: what service "
                                   "and profile owe, and a watermark where a picture holds one",
                                   "explicit,watermark,metadata,provenance；默认按服务类型与适用"
                                   "法域，并在图片可承载时写入水印")));
    verb.add_option(
        "--origin", values.origin,
        std::string(tr("generated, edited or suspected", "来源：generated、edited、suspected")));
    verb.add_option("--language", values.language,
                    std::string(tr("of the explicit label: zh or en", "显式标识语言：zh、en")));
    verb.add_option("--text", values.text,
                    std::string(tr("wording of the explicit label", "显式标识文字")));
    verb.add_option(
        "--position", values.position,
        std::string(tr("pictures: bottom-right, top, ...; texts and sounds: start, end, "
                       "both; texts: corner",
                       "图片：bottom-right、top 等；文本与音频：start、end、both；文本：corner")));
    verb.add_option("--sound", values.sound,
                    std::string(tr("spoken or rhythm", "语音 spoken 或节奏 rhythm")));
    verb.add_option(
        "--recording", values.recording,
        std::string(tr("your own recording of the spoken label", "自备的语音标识录音")));
    verb.add_option("--font", values.font,
                    std::string(tr("font file of the explicit label", "显式标识字体文件")));
    verb.add_option("--system", values.system,
                    std::string(tr("model, as NAME/VERSION", "模型：名称/版本")));
    verb.add_option(
        "--content-id", arguments.label.content_id,
        std::string(tr("number of this content; default: a new one", "内容编号；默认新编号")));
}

void add_credential_options(CLI::App& verb, Arguments& arguments) {
    verb.add_option(
        "--credential", arguments.credential,
        std::string(tr("Content Credentials of the input that lie outside of it and become the "
                       "parent of the new ones; default: IN.c2pa beside an input that carries none",
                       "输入文件之外的内容凭证，作为新凭证的来源；默认：文件内没有时读取旁边的 "
                       "IN.c2pa")));
    verb.add_option("--fragments", arguments.fragments,
                    std::string(tr("fragments of the movie that IN begins (DASH, HLS): a file or a "
                                   "pattern such as 'seg*.m4s'; repeatable; OUT is a folder",
                                   "IN 所起始影片的分段（DASH、HLS）：文件或 'seg*.m4s' 等模式，"
                                   "可多次给出；OUT 为文件夹")))
        ->allow_extra_args(false);
    verb.add_option("--binding", arguments.label.binding,
                    std::string(tr("what Content Credentials are bound to: bytes, or boxes "
                                   "(JPEG, PNG, GIF)",
                                   "内容凭证的绑定方式：bytes 或 boxes（JPEG、PNG、GIF）")));
}

void add_key_options(CLI::App& verb, LabelConfig& values) {
    verb.add_option(
        "--key", values.key,
        std::string(tr("key of the watermark (64 hexadecimal digits in a file); "
                       "default: the published key, which anyone can read",
                       "水印密钥（文件内 64 位十六进制数字）；默认使用公开密钥，任何人可检测")));
    verb.add_option("--issuer", values.issuer,
                    std::string(tr("number of the issuer in the watermark: 0 to 65535",
                                   "水印中的发行者编号：0 至 65535")));
    verb.add_option(
        "--payload", values.payload,
        std::string(tr("what the watermark says: standard (issuer and content id), or long (the "
                       "credit code in --producer and content id, in large pictures)",
                       "水印所载内容：standard（发行者编号与内容编号）或 long（--producer "
                       "中的统一社会信用代码与内容编号，用于较大的图片）")));
    verb.add_option("--metadata-key", values.metadata_key,
                    std::string(tr("SM2 key (PEM) that signs the metadata label, or none; default: "
                                   "a local key",
                                   "签署元数据标识的 SM2 密钥（PEM）或 none；默认本地密钥")));
    verb.add_option("--metadata-key-id", values.metadata_key_id,
                    std::string(tr("name of that key in the label", "标识中的密钥编号")));
    verb.add_option("--sign-key", values.sign_key,
                    std::string(tr("key that signs Content Credentials: PEM file, pkcs11:..., "
                                   "command:PROGRAM or https://...; default: a local one",
                                   "签署内容凭证的密钥：PEM 文件、pkcs11:...、command:程序 或 "
                                   "https://...；默认本地密钥")));
    verb.add_option("--sign-cert", values.sign_cert,
                    std::string(tr("certificate of that key (PEM), those above it behind it",
                                   "该密钥的证书（PEM），上级证书依次在后")));
    verb.add_option(
        "--sign-token", values.sign_token,
        std::string(tr("file:PATH or env:NAME of the token that a signing service wants",
                       "签署服务所需令牌的出处：file:路径 或 env:名称")));
    verb.add_option("--time-stamp", values.time_stamp,
                    std::string(tr("address of a time-stamp authority (RFC 3161), or none",
                                   "时间戳服务地址（RFC 3161）或 none")));
    verb.add_option("--ocsp", values.ocsp,
                    std::string(tr("file with the OCSP response about the certificate that signs, "
                                   "responder to ask the one it names, or none",
                                   "签署证书的 OCSP 应答文件；responder 表示查询证书所指的服务；"
                                   "none 表示不附带")));
}

void add_flags(CLI::App& verb, Arguments& arguments) {
    verb.add_flag("--propagate", arguments.label.propagate,
                  std::string(tr("fill only the propagator's fields of a label that is there",
                                 "仅填写已有标识中的传播者字段")));
    verb.add_flag("--relabel", arguments.label.relabel,
                  std::string(tr("replace another producer's label, and say so",
                                 "替换其他生成者的标识，并予说明")));
    verb.add_flag(
        "--detached", arguments.label.detached,
        std::string(tr("write Content Credentials to OUT.c2pa beside the output, not into "
                       "it",
                       "将内容凭证写入输出文件旁的 OUT.c2pa，而不写入文件内")));
    verb.add_flag(
        "--embedded", arguments.label.embedded,
        std::string(tr("put Content Credentials into plain texts too, as characters that nobody "
                       "sees",
                       "将内容凭证以不可见字符写入纯文本")));
    verb.add_flag("--declared", arguments.label.declared,
                  std::string(tr("the user declares that the content is synthetic",
                                 "用户声明内容为生成合成")));
    verb.add_flag("--json", arguments.json,
                  std::string(tr("one JSON object a line", "每行一个 JSON 对象")));
    verb.add_flag("-q,--quiet", arguments.quiet,
                  std::string(tr("say nothing unless something fails", "仅在出错时输出")));
    verb.add_option("-j,--jobs", arguments.jobs,
                    std::string(tr("files at a time: 1 to 256", "同时处理的文件数：1 至 256")))
        ->check(CLI::Range(1, 256).description(""));
}

}  // namespace

void add_label_command(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* verb =
        app.add_subcommand("label", std::string(tr("put the marks on files", "为文件添加标识")));
    add_options(*verb, *arguments);
    add_credential_options(*verb, *arguments);
    add_key_options(*verb, arguments->label.values);
    add_flags(*verb, *arguments);
    verb->callback(
        [arguments, &action] { action = [arguments] { return finish(run_label(*arguments)); }; });
}

}  // namespace colophon::cli
