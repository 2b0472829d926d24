// SPDX-License-Identifier: Apache-2.0
// colophon verify FILE...: read every mark and judge.

#include "cli/batch.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/credentials.h"
#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/fragments.h"
#include "cli/keys.h"
#include "cli/label_request.h"
#include "cli/prompts.h"
#include "cli/remote_manifest.h"
#include "cli/report.h"
#include "cli/terminal.h"
#include "core/clock.h"
#include "core/http_exchange.h"
#include "core/json.h"
#include "core/result.h"
#include "label/explicit/wording.h"
#include "label/format.h"
#include "label/plan.h"
#include "label/verify.h"
#include "label/watermark/detect.h"
#include "worker/channel.h"
#include "worker/client.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

struct Arguments {
    std::vector<std::string> inputs;
    std::vector<std::string> trust;
    std::vector<std::string> trust_list;
    std::vector<std::string> tsa_list;
    std::vector<std::string> wordings;
    std::vector<std::string> recordings;
    std::vector<std::string> keys;
    bool fast = false;
    std::string marks;
    std::string expected;
    std::string font;
    bool declared = false;
    bool json = false;
    bool manifest = false;
    std::string credential;
    std::vector<std::string> fragments;
    bool fetch = false;
    bool fetch_revocation = false;
    bool fetch_data = false;
    bool fetch_private = false;
    std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
};

struct Run {
    const Arguments& arguments;
    label::VerifyOptions options;
    Prompts prompts;
    bool whole_screen;      // one file gets a screen, many get a line each
    HttpExchange exchange;  // empty: nothing is fetched
};

// The credential that the file names, when it has none: what comes of fetching it, and the store.
struct Remote {
    std::optional<label::FetchedCredential> fetched;
    worker::Fd store;
};
Result<Remote> fetch_remote(const Run& run, worker::Worker& worker, int in, label::Format format) {
    Remote remote;
    label::VerifyOptions options = run.options;
    options.marks = label::MarkSet().add(label::Mark::kProvenance);
    options.expected = {};
    const auto seen = TRY(worker.verify(in, format, options, -1));
    if (!seen.provenance || seen.provenance->found || seen.provenance->link.empty()) {
        return remote;
    }
    remote.fetched = label::FetchedCredential{.from = seen.provenance->link, .failure = {}};
    const auto store = fetch_manifest(run.exchange, seen.provenance->link);
    if (!store.ok()) {
        remote.fetched->failure = store.error().what;
        return remote;
    }
    remote.store = TRY(hold_in_memory(*store));
    return remote;
}

// What is verified of one file, and with what beside it.
struct Subject {
    int in = -1;
    label::Format format{};
    int credential = -1;
    const Fragments* fragments = nullptr;
};

Result<label::Verification> verify_once(worker::Worker& worker, const Subject& subject,
                                        const label::VerifyOptions& options) {
    if (subject.fragments != nullptr) {
        return worker.verify_movie(subject.in, subject.format, options, subject.fragments->file());
    }
    return worker.verify(subject.in, subject.format, options, subject.credential);
}

// Again with the answers of others, where the credential leaves questions to them and they may be
// asked.
Result<label::Verification> verify_asking(const Run& run, worker::Worker& worker,
                                          const Subject& subject, label::VerifyOptions options) {
    auto seen = verify_once(worker, subject, options);
    if (!seen.ok() || !seen->provenance || seen->provenance->questions.empty()) {
        return seen;
    }
    options.credentials.inquiry.answers = ask_others(run.exchange, seen->provenance->questions);
    return verify_once(worker, subject, options);
}

Result<label::Verification> verify_one(Run& run, worker::Worker& worker, const Input& input) {
    const worker::Fd in = TRY(open_input(input.path));
    const label::Format format = TRY(worker.probe(in.get(), input.relative));
    if (run.options.marks.has(label::Mark::kExplicit)) {
        TRY(run.prompts.prepare_verify(worker, format));
    }
    if (!run.arguments.fragments.empty()) {
        const auto paths = TRY(find_fragments(run.arguments.fragments, input.path));
        const Fragments fragments = TRY(Fragments::gather(paths, {}));
        return verify_asking(
            run, worker, {.in = in.get(), .format = format, .fragments = &fragments}, run.options);
    }
    const worker::Fd credential = TRY(open_credential(run.arguments.credential, input));
    if (run.arguments.fetch && !credential.valid() &&
        run.options.marks.has(label::Mark::kProvenance)) {
        Remote remote = TRY(fetch_remote(run, worker, in.get(), format));
        label::VerifyOptions options = run.options;
        options.fetched = std::move(remote.fetched);
        return verify_asking(run, worker,
                             {.in = in.get(), .format = format, .credential = remote.store.get()},
                             options);
    }
    return verify_asking(run, worker,
                         {.in = in.get(), .format = format, .credential = credential.get()},
                         run.options);
}

Outcome verify_input(Run& run, worker::Worker& worker, const Input& input) {
    Outcome outcome;
    const auto seen = verify_one(run, worker, input);
    if (!seen.ok()) {
        outcome.code = exit_code_of(seen.error());
        outcome.err = fmt::format("colophon: {}: {}\n", printable(input.path),
                                  printable(in_user_language(seen.error().what)));
        if (run.arguments.json) {
            outcome.out = json::write(error_json(input.path, seen.error())) + "\n";
        }
        return outcome;
    }
    outcome.code = exit_code_of(seen->verdict);
    if (run.arguments.manifest) {
        outcome.out = seen->manifest.empty() ? std::string() : seen->manifest + "\n";
        if (seen->manifest.empty()) {
            outcome.code = ExitCode::kAbsent;
            outcome.err =
                fmt::format("colophon: {}: {}\n", printable(input.path),
                            tr("no Content Credentials that can be shown", "没有可显示的内容凭证"));
        }
        return outcome;
    }
    if (run.arguments.json) {
        outcome.out = json::write(verification_json(input.path, *seen)) + "\n";
    } else {
        outcome.out = run.whole_screen ? verification_text(input.path, *seen)
                                       : verification_line(input.path, *seen);
    }
    if (seen->verdict == label::Verdict::kUnreadable) {
        outcome.err =
            fmt::format("colophon: {}: {}\n", printable(input.path),
                        tr("there is a label, but it cannot be read", "存在标识，但无法读取"));
    }
    return outcome;
}

// What is looked at, checked once before any file is.
Result<void> set_looked_at(const Arguments& arguments, const Config& config,
                           label::VerifyOptions& options) {
    if (!arguments.marks.empty()) {
        options.marks = TRY(label::parse_marks(arguments.marks));
    }
    options.expected = TRY(label::parse_marks(arguments.expected));
    for (label::MarkSet unread : {options.marks, options.expected}) {
        unread.remove(label::Mark::kExplicit)
            .remove(label::Mark::kWatermark)
            .remove(label::Mark::kMetadata)
            .remove(label::Mark::kProvenance);
        if (!unread.empty()) {
            return Error{ErrorCode::kUnsupported,
                         fmt::format("this version does not read the mark {}", to_string(unread))};
        }
    }
    for (const std::string& path : arguments.keys) {
        options.watermark_keys.push_back(TRY(open_watermark_key(path)));
    }
    if (!config.label.key.empty()) {
        options.watermark_keys.push_back(TRY(open_watermark_key(config.label.key)));
    }
    options.effort = arguments.fast ? label::DetectEffort::kFast : label::DetectEffort::kThorough;
    options.wordings = arguments.wordings;
    if (!config.label.text.empty()) {
        options.wordings.push_back(config.label.text);
    }
    for (const std::string& wording : options.wordings) {
        TRY(label::check_wording_form(wording));
    }
    return {};
}

Result<ExitCode> run_verify(const Arguments& arguments) {
    const Config config = TRY(load_config());
    std::vector<Input> inputs = TRY(collect_inputs(arguments.inputs));
    leave_out_credentials(inputs);
    if (!arguments.credential.empty() && inputs.size() != 1) {
        return Error{ErrorCode::kInvalidArgument,
                     "--credential names the Content Credentials of one file; of several they lie "
                     "beside each as FILE.c2pa"};
    }
    if (!arguments.fragments.empty() && (inputs.size() != 1 || !arguments.credential.empty())) {
        return Error{ErrorCode::kInvalidArgument,
                     "--fragments names the fragments of one movie, whose beginning is the one "
                     "file; its Content Credentials stand in it"};
    }
    std::vector<std::string> recordings = arguments.recordings;
    if (!config.label.recording.empty()) {
        recordings.push_back(config.label.recording);
    }
    Run run{.arguments = arguments,
            .options = {},
            .prompts = Prompts(std::move(recordings)),
            .whole_screen = inputs.size() == 1,
            .exchange = {}};
    const bool asks = arguments.fetch || arguments.fetch_revocation || arguments.fetch_data;
    if (arguments.fetch_private && !asks) {
        return Error{ErrorCode::kInvalidArgument,
                     "--fetch-private says from where --fetch-manifests, --fetch-revocation and "
                     "--fetch-data may fetch"};
    }
    if (asks) {
        run.exchange = TRY(open_manifest_exchange(arguments.fetch_private ? FetchReach::kAny
                                                                          : FetchReach::kPublic));
    }
    std::vector<std::string> trust = config.verify.trust;
    trust.insert(trust.end(), arguments.trust.begin(), arguments.trust.end());
    run.options.trusted = TRY(open_trusted_keys(trust));
    run.options.user_declares = arguments.declared;
    TRY(set_looked_at(arguments, config, run.options));
    std::vector<std::string> trust_list = config.verify.trust_list;
    trust_list.insert(trust_list.end(), arguments.trust_list.begin(), arguments.trust_list.end());
    std::vector<std::string> tsa_list = config.verify.tsa_list;
    tsa_list.insert(tsa_list.end(), arguments.tsa_list.begin(), arguments.tsa_list.end());
    SystemClock clock;
    run.options.credentials = TRY(open_credential_trust(trust_list, tsa_list, clock));
    run.options.credentials.inquiry.revocation = arguments.fetch_revocation;
    run.options.credentials.inquiry.external_data = arguments.fetch_data;
    run.options.manifest = arguments.manifest;
    run.options.detached_counts = !arguments.credential.empty();
    if (arguments.manifest) {
        run.options.marks = label::MarkSet().add(label::Mark::kProvenance);
    }
    if (!arguments.fragments.empty()) {
        // What stands in pictures would have to be looked for in the whole movie.
        run.options.marks.remove(label::Mark::kExplicit).remove(label::Mark::kWatermark);
    }
    const bool words = run.options.marks.has(label::Mark::kExplicit);
    const bool pixels = words || run.options.marks.has(label::Mark::kWatermark);
    std::string font;
    if (words) {
        font = TRY(find_font(arguments.font.empty() ? config.label.font : arguments.font));
    }
    const BatchOptions options{.jobs = arguments.jobs,
                               .progress = !arguments.json,
                               .worker = {.font_path = font, .expects_media = pixels}};
    return run_batch(inputs, options, [&run](worker::Worker& worker, const Input& input) {
        return verify_input(run, worker, input);
    });
}

// Whom else to ask, each only when it is said.
void add_fetch_options(CLI::App& verb, Arguments& arguments) {
    verb.add_flag("--fetch-manifests", arguments.fetch,
                  std::string(tr("fetch Content Credentials that a file without any names, over "
                                 "http or https; otherwise nothing ever is",
                                 "若文件内没有内容凭证而指明其网址，则通过 http 或 https 获取；"
                                 "默认从不获取")));
    verb.add_flag("--fetch-revocation", arguments.fetch_revocation,
                  std::string(tr("ask the authorities of signers whether their certificates were "
                                 "revoked (OCSP); otherwise nobody is asked",
                                 "向签署者证书的签发机构查询证书是否已被吊销（OCSP）；"
                                 "默认从不查询")));
    verb.add_flag("--fetch-data", arguments.fetch_data,
                  std::string(tr("fetch what the Content Credentials keep elsewhere (cloud data, "
                                 "external references) and check it",
                                 "获取并核对内容凭证存放在别处的数据（云数据、外部引用）")));
    verb.add_flag("--fetch-private", arguments.fetch_private,
                  std::string(tr("with the three above: from addresses inside a network too",
                                 "与以上三个选项同用：也可从内部网络地址获取")));
}

void add_options(CLI::App& verb, Arguments& arguments) {
    verb.add_option("FILE", arguments.inputs,
                    std::string(tr("files or folders; - is standard input",
                                   "文件或文件夹；- 表示标准输入")))
        ->required();
    verb.add_option("--trust", arguments.trust,
                    std::string(tr("public key (PEM) of a producer that you trust; repeatable",
                                   "受信任的生成者公钥（PEM），可多次给出")));
    verb.add_option("--trust-list", arguments.trust_list,
                    std::string(tr("certificates (PEM) of authorities whose Content Credentials "
                                   "you trust; repeatable",
                                   "受信任的内容凭证签发机构证书（PEM），可多次给出")));
    verb.add_option("--tsa-list", arguments.tsa_list,
                    std::string(tr("certificates (PEM) of time-stamp authorities that you trust; "
                                   "repeatable",
                                   "受信任的时间戳机构证书（PEM），可多次给出")));
    verb.add_option("--credential", arguments.credential,
                    std::string(tr("Content Credentials that lie outside the file; default: "
                                   "FILE.c2pa beside a FILE that carries none",
                                   "文件之外的内容凭证；默认：文件内没有时读取旁边的 FILE.c2pa")));
    add_fetch_options(verb, arguments);
    verb.add_option("--fragments", arguments.fragments,
                    std::string(tr("fragments of the movie that FILE begins (DASH, HLS): a file "
                                   "or a pattern such as 'seg*.m4s'; repeatable",
                                   "FILE 所起始影片的分段（DASH、HLS）：文件或 'seg*.m4s' 等模式，"
                                   "可多次给出")))
        ->allow_extra_args(false);
    verb.add_option("--wording", arguments.wordings,
                    std::string(tr("also look for these words in pictures; repeatable",
                                   "另外在图片中查找的文字，可多次给出")));
    verb.add_option("--recording", arguments.recordings,
                    std::string(tr("also look for this recording of a spoken label; repeatable",
                                   "另外在音频中查找的语音标识录音，可多次给出")));
    verb.add_option(
        "--key", arguments.keys,
        std::string(tr("also look for watermarks under the key in this file; repeatable",
                       "另外查找以此文件中密钥写入的水印，可多次给出")));
    verb.add_flag(
        "--fast", arguments.fast,
        std::string(tr("look for a watermark only where it was left: not in turned, scaled "
                       "or cut pictures",
                       "只在原位查找水印：不搜索旋转、缩放或裁剪后的图片")));
    verb.add_option("--marks", arguments.marks,
                    std::string(tr("look only at these: explicit,watermark,metadata",
                                   "仅检查这些标识：explicit,watermark,metadata")));
    verb.add_option("--expect", arguments.expected,
                    std::string(tr("marks that the service of these files writes: "
                                   "explicit,watermark,metadata",
                                   "这些文件的服务应当写入的标识：explicit,watermark,metadata")));
    verb.add_option("--font", arguments.font,
                    std::string(tr("font of the words looked for", "查找文字所用字体")));
    verb.add_flag("--declared", arguments.declared,
                  std::string(tr("the uploader declares that the content is synthetic",
                                 "上传者声明内容为生成合成")));
    verb.add_flag("--json", arguments.json,
                  std::string(tr("one JSON object a line", "每行一个 JSON 对象")));
    verb.add_flag("--manifest", arguments.manifest,
                  std::string(tr("print the Content Credentials as crJSON, one object a line",
                                 "以 crJSON 输出内容凭证，每行一个对象")));
    verb.add_option("-j,--jobs", arguments.jobs,
                    std::string(tr("files at a time: 1 to 256", "同时处理的文件数：1 至 256")))
        ->check(CLI::Range(1, 256).description(""));
}

}  // namespace

void add_verify_command(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* verb = app.add_subcommand(
        "verify", std::string(tr("read every mark and judge", "读取并判定所有标识")));
    add_options(*verb, *arguments);
    verb->callback(
        [arguments, &action] { action = [arguments] { return finish(run_verify(*arguments)); }; });
}

}  // namespace colophon::cli
