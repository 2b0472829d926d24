// SPDX-License-Identifier: Apache-2.0
// colophon library propose, import, export: entries that come and go [DSP-10].

#include "cli/admin.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/library_verbs.h"
#include "cli/staff_session.h"
#include "cli/terminal.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "fingerprint/video.h"
#include "label/format.h"
#include "review/entry_json.h"
#include "review/entry_list.h"
#include "review/library.h"
#include "review/list_formats.h"
#include "worker/channel.h"
#include "worker/client.h"
#include "worker/prints.h"

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

// So many lines that are wrong are told; more are counted.
constexpr std::size_t kWrongLinesTold = 100;

struct AboutArguments : LibraryArguments {
    std::string evidence;
    std::string source;
    std::string owner;
    std::string expires;
};

struct ProposeArguments : AboutArguments {
    std::string id;
    std::string category;
    std::string phrase;
    std::string expression;
    std::string link;
    std::string pattern;
    std::string pdq;
    std::string chromaprint;
    std::string near;   // the text of --like
    std::string video;  // the print of --like
    std::string like;
    std::int64_t distance = -1;
    std::string action;
    std::string folding;
    std::vector<std::string> with;
    std::vector<std::string> without;
    std::int64_t within = -1;
    bool inside_words = false;
    bool split = false;
    std::string reply;
    std::string stage;
    std::vector<std::string> tenants;
    std::vector<std::string> services;
    std::vector<std::string> languages;
};

struct FileArguments : AboutArguments {
    std::string path;
    std::string format;
    std::string category;
    bool skip_wrong = false;
};

Result<review::About> about_of(const AboutArguments& arguments) {
    review::About about{.reason = arguments.reason,
                        .evidence = arguments.evidence,
                        .source = arguments.source,
                        .owner = arguments.owner,
                        .expires = {}};
    if (!arguments.expires.empty()) {
        about.expires = TRY(parse_time(arguments.expires));
    }
    return about;
}

json::Value entry_value(const ProposeArguments& from) {
    json::Object object{{"id", from.id}, {"category", from.category}};
    const auto text = [&](const char* name, const std::string& value) {
        if (!value.empty()) {
            object.emplace_back(name, value);
        }
    };
    const auto list = [&](const char* name, const std::vector<std::string>& values) {
        if (!values.empty()) {
            object.emplace_back(name, json::Array(values.begin(), values.end()));
        }
    };
    text("phrase", from.phrase);
    text("expression", from.expression);
    text("link", from.link);
    text("pattern", from.pattern);
    text("near", from.near);
    text("pdq", from.pdq);
    text("chromaprint", from.chromaprint);
    text("video", from.video);
    if (from.distance >= 0) {
        object.emplace_back("distance", from.distance);
    }
    text("action", from.action);
    text("folding", from.folding);
    list("with", from.with);
    list("without", from.without);
    if (from.within >= 0) {
        object.emplace_back("within", from.within);
    }
    if (from.inside_words) {
        object.emplace_back("inside_words", true);
    }
    if (from.split) {
        object.emplace_back("split", true);
    }
    text("reply", from.reply);
    text("stage", from.stage);
    list("tenants", from.tenants);
    list("services", from.services);
    list("languages", from.languages);
    return object;
}

// The text, picture, sound or video becomes what is looked for.
Result<void> print_file(ProposeArguments& arguments) {
    if (!arguments.pdq.empty() || !arguments.chromaprint.empty()) {
        return Error{ErrorCode::kInvalidArgument, "--like and a print exclude each other"};
    }
    const worker::Fd in = TRY(open_input(arguments.like));
    worker::Worker worker({.font_path = {}, .expects_media = true});
    const label::Format format = TRY(worker.probe(in.get(), arguments.like));
    if (label::is_written_text(format)) {
        arguments.near = TRY(read_small_file(arguments.like, review::kEntryBytesMax));
        return {};
    }
    if (!worker::takes_prints(format)) {
        return Error{ErrorCode::kUnsupported, "this version makes no hash of files of that kind"};
    }
    const worker::FilePrints prints = TRY(worker.prints(in.get(), format));
    if (prints.picture && prints.picture->quality < fingerprint::kPdqQualityMin) {
        return Error{ErrorCode::kUnsupported, "the picture has too little in it to find others by"};
    }
    if (prints.picture) {
        arguments.pdq = fingerprint::to_hex(prints.picture->hashes.front());
    }
    if (prints.video) {
        arguments.video = fingerprint::to_text(*prints.video);
    } else if (prints.sound) {
        arguments.chromaprint = fingerprint::to_text(*prints.sound);
    }
    return {};
}

Result<void> run_propose(const ProposeArguments& arguments) {
    review::Proposal proposal;
    ProposeArguments filled = arguments;
    if (!arguments.like.empty()) {
        TRY(print_file(filled));
    }
    proposal.entry = TRY(review::read_entry(entry_value(filled)));
    proposal.about = TRY(about_of(arguments));
    const auto open = TRY(OpenLibrary::open(arguments, library_proposers()));
    TRY(open->library().propose({&proposal, 1}, open->who()));
    report(arguments, {{"id", arguments.id}, {"state", "proposed"}},
           fmt::format("{}: {}", printable(arguments.id),
                       tr("proposed; next: colophon library trial",
                          "已提出；下一步：colophon library trial")));
    return {};
}

Result<review::ListFormat> format_of(const FileArguments& arguments) {
    std::string name = arguments.format;
    if (name.empty()) {
        name = arguments.path.ends_with(".csv") ? "csv" : "json";
    }
    const auto format = review::parse_list_format(name);
    if (!format) {
        return Error{ErrorCode::kInvalidArgument, "--format is one of json, csv, signals, updates"};
    }
    return *format;
}

// One line for each that is wrong, on standard error.
std::size_t tell_wrong_lines(const FileArguments& arguments,
                             const std::vector<review::ListLine>& lines) {
    std::size_t wrong = 0;
    for (const review::ListLine& line : lines) {
        if (line.proposal.ok() || ++wrong > kWrongLinesTold) {
            continue;
        }
        write_text(2, fmt::format("{}:{}: {}\n", printable(arguments.path), line.number,
                                  printable(in_user_language(line.proposal.error().what))));
    }
    if (wrong > kWrongLinesTold) {
        write_text(2, fmt::format("{}: {}\n", tr("and more lines that are wrong", "另有错误行"),
                                  wrong - kWrongLinesTold));
    }
    return wrong;
}

Result<void> run_import(const FileArguments& arguments) {
    review::ListDefaults defaults;
    defaults.about = TRY(about_of(arguments));
    if (!arguments.category.empty()) {
        defaults.category = arguments.category;
    }
    const std::string& batch = arguments.selection.batch;
    defaults.id_prefix = batch + "/";
    const review::ListFormat format = TRY(format_of(arguments));
    const auto open = TRY(OpenLibrary::open(arguments, library_proposers()));
    const std::string text = TRY(read_small_file(arguments.path, review::kListBytesMax));
    auto read = review::read_list(format, text, defaults);
    if (!read.ok()) {
        return with_context(read.error(), arguments.path);
    }
    const std::size_t wrong = tell_wrong_lines(arguments, *read);
    if (wrong != 0 && !arguments.skip_wrong) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("{} lines are wrong, so nothing was imported; mend them, or leave "
                                 "them out with --skip-wrong",
                                 wrong)};
    }
    std::vector<review::Proposal> proposals;
    for (review::ListLine& line : *read) {
        if (line.proposal.ok()) {
            proposals.push_back(std::move(*line.proposal));
        }
    }
    TRY(open->library().propose(proposals, open->who(), batch));
    report(arguments,
           {{"batch", batch},
            {"proposed", static_cast<std::uint64_t>(proposals.size())},
            {"wrong", static_cast<std::uint64_t>(wrong)}},
           fmt::format("{}: {} {}", printable(batch), tr("proposed", "已提出"), proposals.size()));
    return {};
}

Result<void> run_export(const FileArguments& arguments) {
    const review::ListFormat format = TRY(format_of(arguments));
    const auto open = TRY(OpenLibrary::open(arguments, kLibraryReaders));
    review::LibraryQuery query;
    query.state = review::EntryState::kLive;
    query.batch = arguments.selection.batch;
    query.category = arguments.category;
    query.entries_max = review::kLibraryPageMax;
    std::vector<review::Proposal> entries;
    while (true) {
        std::vector<review::LibraryEntry> page = TRY(open->library().list(query));
        for (review::LibraryEntry& each : page) {
            query.after = review::entry_id(each.entry);
            query.after_revision = each.revision;
            entries.push_back({std::move(each.entry), std::move(each.about)});
        }
        if (page.size() < query.entries_max) {
            break;
        }
    }
    OutputFile out = TRY(OutputFile::create(arguments.path));
    if (!write_text(out.descriptor(), review::write_list(format, entries))) {
        return Error{ErrorCode::kUnavailable, arguments.path + " cannot be written"};
    }
    return out.commit();
}

void add_about_options(CLI::App& verb, AboutArguments& arguments) {
    verb.add_option(
        "--evidence", arguments.evidence,
        std::string(tr("where it was seen: an address, a record", "依据：网址或记录编号")));
    verb.add_option("--source", arguments.source, std::string(tr("who gave it", "来源")));
    verb.add_option("--owner", arguments.owner,
                    std::string(tr("who looks at it again", "负责复查的人")));
    verb.add_option(
        "--expires", arguments.expires,
        std::string(tr("until when: 2027-01-01T00:00:00Z", "失效时间：2027-01-01T00:00:00Z")));
}

void add_wanted_options(CLI::App& verb, ProposeArguments& to) {
    verb.add_option("--phrase", to.phrase, std::string(tr("words to look for", "要查找的词语")));
    verb.add_option("--expression", to.expression,
                    std::string(tr("a regular expression to look for", "要查找的正则表达式")));
    verb.add_option("--link", to.link,
                    std::string(tr("a domain, with a path or without", "要查找的域名，可带路径")));
    verb.add_option(
        "--pattern", to.pattern,
        std::string(tr("phrases one after the other: a/b ... c", "依次出现的词语：a/b ... c")));
    verb.add_option("--pdq", to.pdq, std::string(tr("PDQ hash to look for", "要查找的 PDQ 哈希")));
    verb.add_option("--chromaprint", to.chromaprint,
                    std::string(tr("print of a sound to look for, as fpcalc writes it",
                                   "要查找的声音指纹，格式同 fpcalc 的输出")));
    verb.add_option("--like", to.like,
                    std::string(tr("picture or sound whose print is to be looked for",
                                   "按此图片或声音文件的指纹查找")));
    verb.add_option("--distance", to.distance,
                    std::string(tr("bits of the hash that may differ", "哈希允许相差的位数")));
}

void add_entry_options(CLI::App& verb, ProposeArguments& to) {
    verb.add_option("ID", to.id, std::string(tr("id of the entry", "条目编号")))->required();
    verb.add_option(
            "--category", to.category,
            std::string(tr("the risk: A1a to A5b, or your own", "风险类别：A1a 至 A5b，或自定")))
        ->required();
    add_wanted_options(verb, to);
    verb.add_option("--action", to.action, "block, hold, flag, allow");
    verb.add_option("--folding", to.folding, "exact, plain, loose, sound");
    verb.add_option(
        "--with", to.with,
        std::string(tr("a phrase that must be near; may be repeated", "附近须有的词语，可重复")));
    verb.add_option("--without", to.without,
                    std::string(tr("a phrase that may not be near; may be repeated",
                                   "附近不得有的词语，可重复")));
    verb.add_option("--within", to.within,
                    std::string(tr("what near is, in characters", "附近的范围（字符数）")));
    verb.add_flag("--inside-words", to.inside_words,
                  std::string(tr("within longer words too", "也匹配较长单词的一部分")));
    verb.add_flag("--split", to.split,
                  std::string(tr("characters written as their halves too", "也匹配拆字")));
    verb.add_option("--reply", to.reply,
                    std::string(tr("what is answered instead", "代为回答的内容")));
    verb.add_option("--stage", to.stage, "input, output, both");
    verb.add_option("--tenant", to.tenants,
                    std::string(tr("only for this tenant (its id); may be repeated",
                                   "仅限该租户（编号），可重复")));
    verb.add_option("--service", to.services,
                    std::string(tr("only for this class of service; may be repeated",
                                   "仅限该服务类别，可重复")));
    verb.add_option("--language", to.languages,
                    std::string(tr("only in this language: zh, en, ja, ko, ru, ar, other; may be "
                                   "repeated",
                                   "仅限该语言：zh、en、ja、ko、ru、ar、other，可重复")));
}

template <class Arguments, class F>
void act(CLI::App& verb, const std::shared_ptr<Arguments>& arguments, Action& action, F run) {
    add_admin_options(verb, *arguments);
    add_session_option(verb, arguments->session);
    set_admin_action(verb, action, [arguments, run] { return run(*arguments); });
}

void add_format_option(CLI::App& verb, FileArguments& arguments) {
    verb.add_option(
        "--format", arguments.format,
        std::string(tr("json, csv, signals or updates (ThreatExchange); default: by the "
                       "file's name",
                       "json、csv、signals 或 updates（ThreatExchange）；默认按文件名判断")));
}

}  // namespace

void add_library_propose_verb(CLI::App& library, Action& action) {
    auto arguments = std::make_shared<ProposeArguments>();
    CLI::App* verb = library.add_subcommand(
        "propose",
        std::string(tr("propose an entry, or another form of one", "提出新条目或新版本")));
    add_entry_options(*verb, *arguments);
    verb->add_option("--reason", arguments->reason, std::string(tr("why", "理由")))->required();
    add_about_options(*verb, *arguments);
    act(*verb, arguments, action, run_propose);
}

void add_library_file_verbs(CLI::App& library, Action& action) {
    auto importing = std::make_shared<FileArguments>();
    CLI::App* in = library.add_subcommand(
        "import", std::string(tr("propose all entries of a list", "从列表导入待批准的条目")));
    in->add_option("FILE", importing->path, std::string(tr("the list", "列表文件")))->required();
    in->add_option("--batch", importing->selection.batch,
                   std::string(tr("name for all of them", "批次名称")))
        ->required();
    in->add_option("--reason", importing->reason,
                   std::string(tr("why, of entries that do not say it themselves",
                                  "理由，用于自身未注明理由的条目")));
    add_about_options(*in, *importing);
    in->add_option("--category", importing->category,
                   std::string(tr("of entries that name none", "未注明类别的条目归入此类")));
    in->add_flag("--skip-wrong", importing->skip_wrong,
                 std::string(tr("leave out lines that are wrong", "跳过有误的行")));
    add_format_option(*in, *importing);
    act(*in, importing, action, run_import);

    auto exporting = std::make_shared<FileArguments>();
    exporting->path = "-";
    CLI::App* out = library.add_subcommand(
        "export", std::string(tr("write the live entries as a list", "将生效的条目导出为列表")));
    out->add_option(
        "-o,--output", exporting->path,
        std::string(tr("the list; default: standard output", "输出文件；默认标准输出")));
    out->add_option("--batch", exporting->selection.batch,
                    std::string(tr("of this import", "限该批次")));
    out->add_option("--category", exporting->category,
                    std::string(tr("of this category", "限该类别")));
    add_format_option(*out, *exporting);
    act(*out, exporting, action, run_export);
}

}  // namespace colophon::cli
