// SPDX-License-Identifier: Apache-2.0
// colophon scan FILE...: review texts, pictures, video and sound by the feature library, offline
// [DSP-10].

#include "cli/batch.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/print_matches.h"
#include "cli/report.h"
#include "cli/review_files.h"
#include "cli/serve_config.h"
#include "cli/terminal.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "fingerprint/video.h"
#include "label/format.h"
#include "review/classifier.h"
#include "review/entry.h"
#include "review/live_library.h"
#include "review/matcher.h"
#include "review/picture_list.h"
#include "review/review.h"
#include "review/sound_list.h"
#include "review/text_scan.h"
#include "review/video_list.h"
#include "review/window_scan.h"
#include "worker/channel.h"
#include "worker/client.h"
#include "worker/mapping.h"
#include "worker/prints.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

// So many matches of one file are reported; more are counted.
constexpr std::size_t kMatchesReportedMax = 1000;

struct Arguments {
    std::vector<std::string> inputs;
    std::string library;
    std::string classifier;
    bool hash = false;
    bool json = false;
    std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
};

struct Library {
    std::shared_ptr<const review::Matcher> texts;
    review::PictureList pictures;
    review::SoundList sounds;
    review::VideoList videos;
    review::ClassifierRule classifier;
};

struct Seen {
    label::Format format = label::Format::kPlainText;
    review::Decision decision = review::Decision::kAllow;
    std::string category;
    std::vector<std::string> entries;  // each once
    json::Array matches;
    std::size_t match_count = 0;
    std::optional<double> score;

    // `match` begins with the entry.
    void add(std::string_view entry, std::string_view entry_category, review::Decision action,
             json::Object match) {
        ++match_count;
        if (std::ranges::find(entries, entry) == entries.end()) {
            entries.emplace_back(entry);
        }
        if (action > decision) {
            decision = action;
            category = entry_category;
        }
        if (matches.size() < kMatchesReportedMax) {
            matches.emplace_back(std::move(match));
        }
    }
};

void classify(const review::ClassifierRule& rule, std::string_view text, Seen& seen) {
    const review::Classifier& classifier = *rule.classifier;
    review::WindowScan windows(rule.classifier, rule.threshold());
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t part = windows.until_look(text.substr(at));
        windows.push(text.substr(at, part));
        at += part;
        if (windows.look()) {
            const std::string& category = classifier.card().category;
            const std::string entry = "classifier/" + category;
            seen.add(entry, category, rule.action,
                     {{"entry", entry}, {"end", static_cast<std::uint64_t>(at)}});
        }
    }
    seen.score = windows.score();
}

void scan_text(const Library& library, std::string_view text, Seen& seen) {
    review::TextScan scan(library.texts);
    const auto collect = [&] {
        while (const auto match = scan.next()) {
            const review::Entry& entry = library.texts->entries()[match->entry];
            seen.add(entry.id, entry.category, entry.action,
                     {{"entry", entry.id},
                      {"begin", static_cast<std::uint64_t>(match->begin)},
                      {"end", static_cast<std::uint64_t>(match->end)}});
        }
    };
    constexpr std::size_t kPiece = 1U << 20U;
    for (std::size_t at = 0; at < text.size(); at += kPiece) {
        scan.push(text.substr(at, kPiece));
        collect();
    }
    scan.finish();
    collect();
    if (library.classifier.classifier != nullptr) {
        classify(library.classifier, text, seen);
    }
}

template <class Match>
void add_match(const Match& match, json::Object written, Seen& seen) {
    seen.add(match.entry->id, match.entry->category, match.entry->action, std::move(written));
}

void scan_prints(const Library& library, const worker::FilePrints& prints, Seen& seen) {
    if (prints.picture) {
        for (const review::PictureMatch& match : library.pictures.find(prints.picture->hashes)) {
            add_match(match, match_json(match), seen);
        }
    }
    if (prints.video) {
        for (const review::VideoMatch& match : library.videos.find(*prints.video)) {
            add_match(match, match_json(match), seen);
        }
        for (const fingerprint::VideoFramePrint& frame : prints.video->frames) {
            if (frame.quality < fingerprint::kPdqQualityMin) {
                continue;
            }
            for (const review::PictureMatch& match : library.pictures.find({&frame.hash, 1})) {
                add_match(match, match_json(match, frame), seen);
            }
        }
    }
    if (prints.sound) {
        for (const review::SoundMatch& match : library.sounds.find(*prints.sound)) {
            add_match(match, match_json(match), seen);
        }
    }
}

bool has_entries_for(const Library& library, label::Kind kind) {
    const bool pictures = !library.pictures.entries().empty();
    const bool sounds = !library.sounds.entries().empty();
    return kind == label::Kind::kAudio   ? sounds
           : kind == label::Kind::kVideo ? pictures || sounds || !library.videos.entries().empty()
                                         : pictures;
}

Result<Seen> scan_one(const Library& library, worker::Worker& worker, const Input& input) {
    const worker::Fd in = TRY(open_input(input.path));
    Seen seen;
    seen.format = TRY(worker.probe(in.get(), input.relative));
    if (label::is_written_text(seen.format)) {
        if (library.texts->entries().empty() && library.classifier.classifier == nullptr) {
            return Error{ErrorCode::kUnsupported, "the library has no entries for texts"};
        }
        const worker::Mapping mapping = TRY(worker::Mapping::create(in.get()));
        scan_text(library, as_text(mapping.bytes()), seen);
        return seen;
    }
    if (!worker::takes_prints(seen.format)) {
        return Error{ErrorCode::kUnsupported, "this version does not review files of that kind"};
    }
    const label::Kind kind = label::facts(seen.format).kind;
    if (!has_entries_for(library, kind)) {
        return Error{ErrorCode::kUnsupported,
                     kind == label::Kind::kAudio   ? "the library has no entries for sounds"
                     : kind == label::Kind::kVideo ? "the library has no entries for videos"
                                                   : "the library has no entries for pictures"};
    }
    const worker::FilePrints prints = TRY(worker.prints(in.get(), seen.format));
    if (prints.sound_unread && !library.sounds.entries().empty()) {
        return Error{ErrorCode::kUnsupported,
                     "the sound of the video cannot be decoded, so it cannot be compared"};
    }
    scan_prints(library, prints, seen);
    return seen;
}

json::Value scan_json(const std::string& path, const Seen& seen) {
    json::Array entries(seen.entries.begin(), seen.entries.end());
    const label::FormatFacts& format = label::facts(seen.format);
    json::Object fields{{"file", path},
                        {"kind", kind_name(format.kind)},
                        {"format", format.name},
                        {"decision", decision_name(seen.decision)},
                        {"category", seen.category},
                        {"entries", std::move(entries)},
                        {"match_count", static_cast<std::uint64_t>(seen.match_count)},
                        {"matches", seen.matches}};
    if (seen.score) {
        fields.emplace_back("score", *seen.score);
    }
    return fields;
}

std::string_view shown_decision(review::Decision decision) {
    switch (decision) {
        case review::Decision::kAllow:
            return tr("allow", "放行");
        case review::Decision::kFlag:
            return tr("flag", "标记");
        case review::Decision::kHold:
            return tr("hold", "待审");
        case review::Decision::kBlock:
            return tr("block", "拦截");
    }
    return {};
}

std::string scan_line(const std::string& path, const Seen& seen) {
    std::string line =
        fmt::format("{} {}", pad_right(shown_decision(seen.decision), 8), printable(path));
    if (seen.match_count != 0) {
        line += fmt::format("  {}  {} ({})", seen.category, fmt::join(seen.entries, ", "),
                            seen.match_count);
    }
    return line + "\n";
}

Outcome failed(const Arguments& arguments, const Input& input, const Error& error) {
    Outcome outcome;
    outcome.code = exit_code_of(error);
    outcome.err = fmt::format("colophon: {}: {}\n", printable(input.path),
                              printable(in_user_language(error.what)));
    if (arguments.json) {
        outcome.out = json::write(error_json(input.path, error)) + "\n";
    }
    return outcome;
}

Outcome scan_input(const Arguments& arguments, const Library& library, worker::Worker& worker,
                   const Input& input) {
    Outcome outcome;
    const auto seen = scan_one(library, worker, input);
    if (!seen.ok()) {
        return failed(arguments, input, seen.error());
    }
    outcome.code = seen->decision >= review::Decision::kHold ? ExitCode::kBad : ExitCode::kGood;
    outcome.out = arguments.json ? json::write(scan_json(input.path, *seen)) + "\n"
                                 : scan_line(input.path, *seen);
    return outcome;
}

// Of a picture, a sound or a video.
Result<worker::FilePrints> print_of(worker::Worker& worker, const Input& input) {
    const worker::Fd in = TRY(open_input(input.path));
    const label::Format format = TRY(worker.probe(in.get(), input.relative));
    if (!worker::takes_prints(format)) {
        return Error{ErrorCode::kUnsupported, "this version makes no hash of files of that kind"};
    }
    return worker.prints(in.get(), format);
}

void show_picture(const Arguments& arguments, const Input& input,
                  const fingerprint::PdqDihedralPrint& print, Outcome& outcome) {
    const std::string hex = fingerprint::to_hex(print.hashes.front());
    outcome.out = arguments.json
                      ? json::write(json::Object{
                            {"file", input.path}, {"pdq", hex}, {"quality", print.quality}}) +
                            "\n"
                      : fmt::format("{} {:3} {}\n", hex, print.quality, printable(input.path));
}

void show_sound(const Arguments& arguments, const Input& input,
                const fingerprint::SoundPrint& print, Outcome& outcome) {
    const std::string text = fingerprint::to_text(print);
    const double seconds = fingerprint::seconds_of_items(print.items.size());
    outcome.out = arguments.json
                      ? json::write(json::Object{{"file", input.path},
                                                 {"chromaprint", text},
                                                 {"length_ms", milliseconds_of(seconds)}}) +
                            "\n"
                      : fmt::format("{} {:.1f} s {}\n", text, seconds, printable(input.path));
}

Outcome hash_input(const Arguments& arguments, worker::Worker& worker, const Input& input) {
    Outcome outcome;
    const auto print = print_of(worker, input);
    if (!print.ok()) {
        return failed(arguments, input, print.error());
    }
    if (print->picture) {
        show_picture(arguments, input, *print->picture, outcome);
    } else if (print->video) {
        const std::string text = fingerprint::to_text(*print->video);
        outcome.out = arguments.json
                          ? json::write(json::Object{{"file", input.path}, {"video", text}}) + "\n"
                          : text;
    } else if (print->sound) {
        show_sound(arguments, input, *print->sound, outcome);
    }
    return outcome;
}

Result<Library> open_library(const Arguments& arguments) {
    ReviewConfig config;
    config.words = arguments.library;
    config.classifier = arguments.classifier;
    config.classifier_action = "hold";
    if (config.words.empty() && config.classifier.empty()) {
        config = TRY(load_config()).serve.review;
    }
    if (config.words.empty() && config.classifier.empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     "no library to review by; give --library FILE or --classifier FILE, or "
                     "review.words in the configuration"};
    }
    const ReviewFiles files = TRY(read_review_files(config));
    review::LocalRules rules = TRY(local_rules(config, files));
    auto texts = review::Matcher::compile(std::move(rules.entries.texts));
    if (!texts.ok()) {
        return with_context(texts.error(), config.words);
    }
    auto pictures = review::PictureList::create(std::move(rules.entries.pictures));
    if (!pictures.ok()) {
        return with_context(pictures.error(), config.words);
    }
    auto sounds = review::SoundList::create(std::move(rules.entries.sounds));
    if (!sounds.ok()) {
        return with_context(sounds.error(), config.words);
    }
    auto videos = review::VideoList::create(std::move(rules.entries.videos));
    if (!videos.ok()) {
        return with_context(videos.error(), config.words);
    }
    return Library{.texts = std::make_shared<const review::Matcher>(std::move(*texts)),
                   .pictures = std::move(*pictures),
                   .sounds = std::move(*sounds),
                   .videos = std::move(*videos),
                   .classifier = std::move(rules.classifier)};
}

Result<ExitCode> run_scan(const Arguments& arguments) {
    if (arguments.hash) {
        const BatchOptions options{.jobs = arguments.jobs,
                                   .progress = false,
                                   .worker = {.font_path = {}, .expects_media = true}};
        return run_batch(TRY(collect_inputs(arguments.inputs)), options,
                         [&](worker::Worker& worker, const Input& input) {
                             return hash_input(arguments, worker, input);
                         });
    }
    const Library library = TRY(open_library(arguments));
    const std::vector<Input> inputs = TRY(collect_inputs(arguments.inputs));
    const BatchOptions options{
        .jobs = arguments.jobs,
        .progress = !arguments.json,
        .worker = {.font_path = {},
                   .expects_media = has_entries_for(library, label::Kind::kImage) ||
                                    has_entries_for(library, label::Kind::kAudio)}};
    return run_batch(inputs, options, [&](worker::Worker& worker, const Input& input) {
        return scan_input(arguments, library, worker, input);
    });
}

}  // namespace

void add_scan_command(CLI::App& app, Action& action) {
    CLI::App* verb = app.add_subcommand(
        "scan", std::string(tr("review files by the feature library", "按特征库审核文件")));
    auto arguments = std::make_shared<Arguments>();
    verb->add_option("FILE", arguments->inputs,
                     std::string(tr("files or folders; - is standard input",
                                    "文件或文件夹；- 表示标准输入")))
        ->required();
    verb->add_option("--library", arguments->library,
                     std::string(tr("file of entries, one a line; default: review.words of the "
                                    "configuration",
                                    "条目文件，每行一条；默认用配置中的 review.words")));
    verb->add_option("--classifier", arguments->classifier,
                     std::string(tr("a model of colophon library train; what it hits is held",
                                    "colophon library train 训练的模型；命中则待审")));
    verb->add_flag(
        "--hash", arguments->hash,
        std::string(tr("print the PDQ hash and quality of each picture, and the "
                       "Chromaprint print of each sound, for an entry",
                       "输出每张图片的 PDQ 哈希与质量、每段声音的 Chromaprint 指纹，供编写条目")));
    verb->add_flag("--json", arguments->json,
                   std::string(tr("one JSON object a line", "每行一个 JSON 对象")));
    verb->add_option("-j,--jobs", arguments->jobs,
                     std::string(tr("files at a time: 1 to 256", "同时处理的文件数：1 至 256")))
        ->check(CLI::Range(1, 256).description(""));
    verb->callback(
        [arguments, &action] { action = [arguments] { return finish(run_scan(*arguments)); }; });
}

}  // namespace colophon::cli
