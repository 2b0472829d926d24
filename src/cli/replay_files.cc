// SPDX-License-Identifier: Apache-2.0
#include "cli/replay_files.h"

#include "cli/print_matches.h"
#include "cli/replay_run.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/video.h"
#include "gateway/check_exchange.h"
#include "gateway/course.h"
#include "gateway/webhook_settings.h"
#include "ledger/file_prints.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "review/entry.h"
#include "review/picture_list.h"
#include "review/review.h"
#include "review/scope.h"
#include "review/sound_list.h"
#include "review/video_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

using review::Decision;
using review::Stage;

constexpr std::string_view kPart = "part";  // of a chat
constexpr std::string_view kLabels = "labels.create";
// Calls that bring files, or may.
constexpr std::array<std::string_view, 3> kChats{"chat", "responses", "messages"};
constexpr std::array<std::string_view, 2> kWithPictures{"images.edits", "videos.create"};

template <class Names>
bool is_one_of(const Names& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

ledger::FilePrint not_known(std::string_view stage, std::string kind, const std::string& why) {
    ledger::FilePrint file = ledger::file_without_print(std::move(kind), why);
    file.stage = stage;
    return file;
}

json::Value detail_of(const ledger::Facts& facts) {
    auto detail = json::parse(facts.detail, {.bytes_max = facts.detail.size() + 1});
    return detail.ok() ? std::move(*detail) : json::Value(json::Object{});
}

// Parts of a chat at which nobody here could look, and which went on.
void add_unseen(const ledger::Facts& facts, RecordFiles& files) {
    const json::Value detail = detail_of(facts);
    const json::Value* count = detail.find("unseen_parts");
    const bool is_named = std::ranges::any_of(
        files.files, [](const ledger::FilePrint& file) { return file.kind == kPart; });
    if (count != nullptr && count->as_int().ok() && !is_named) {
        files.unknown.push_back(not_known(
            "input", std::string(kPart),
            fmt::format("{} parts of the chat that are not compared (gateway.unseen_parts)",
                        *count->as_int())));
    }
}

// A record of before says nothing of what came in but texts.
void add_unrecorded(const ledger::Facts& facts, RecordFiles& files) {
    if (is_one_of(kChats, facts.operation)) {
        files.unknown.push_back(not_known(
            "input", "file",
            "whether files came with it is not known: the record is older than their prints"));
    }
    if (is_one_of(kWithPictures, facts.operation)) {
        files.unknown.push_back(
            not_known("input", ledger::kPictureFile,
                      "the record is older than prints of what comes in: it has the digest only"));
    }
}

// The verdict on what the record keeps, as the gateway would come to it, and how near the entries
// are.
void judge(const ledger::FileContent& content, const review::Reviewer& reviewer,
           Replayed& replayed) {
    const auto add = [&](const auto& matches) {
        for (const auto& match : matches) {
            replayed.matches.push_back(match_json(match));
        }
    };
    const review::Occasion& occasion = reviewer.occasion();
    if (!content.picture.empty()) {
        replayed.now = reviewer.review(content.picture);
        add(reviewer.pictures().find(content.picture, occasion));
        return;
    }
    if (!content.video) {
        replayed.now = reviewer.review(*content.sound);
        add(reviewer.sounds().find(*content.sound, occasion));
        return;
    }
    replayed.now = reviewer.review(*content.video, content.sound ? &*content.sound : nullptr);
    add(reviewer.videos().find(*content.video, occasion));
    if (!content.timed) {
        for (json::Object& match : replayed.matches) {
            std::erase_if(match, [](const json::Member& each) { return each.first == "entry_ms"; });
        }
    }
    for (const fingerprint::VideoFramePrint& frame : content.video->frames) {
        if (frame.quality < fingerprint::kPdqQualityMin) {
            continue;
        }
        for (const auto& match : reviewer.pictures().find({&frame.hash, 1}, occasion)) {
            replayed.matches.push_back(content.timed ? match_json(match, frame)
                                                     : match_json(match));
        }
    }
    if (content.sound) {
        add(reviewer.sounds().find(*content.sound, occasion));
    }
}

// A person hears every sound of a chat, where that is the rule.
void hold_unheard(Replayed& replayed) {
    if (replayed.now.blocked()) {
        return;
    }
    replayed.now.decision = Decision::kHold;
    replayed.now.category = "unheard";
    replayed.now.rule = "chat_sounds";
    replayed.now.entries.emplace_back("chat_sounds");
}

// Checks of others see pictures, and of videos pictures; of those nothing is kept that they could
// be shown.
void leave_checks_out(const gateway::StageCourse& course, const review::Occasion& occasion,
                      Replayed& replayed) {
    gateway::WebhookView view;
    view.stage = occasion.stage;
    view.images.emplace_back();
    // What comes in is compared with the library first, whatever the policy says of texts, and
    // then ends there; what goes out is shown to them first.
    if (occasion.stage == Stage::kInput && replayed.judged && replayed.now.blocked()) {
        return;
    }
    for (const gateway::WebhookSettings& check : course.checks) {
        if (covers(check.scope, occasion) && gateway::is_for(check, view)) {
            replayed.checks.push_back(
                {.name = check.name,
                 .said = "left_out",
                 .why = "it looks at the file, of which the record keeps a print only"});
            replayed.complete = false;
        }
    }
}

}  // namespace

std::string recorded_decision(const ledger::Facts& facts, std::string_view stage) {
    std::string strictest;
    for (const ledger::Verdict& each : facts.verdicts) {
        const bool other = each.stage == stage;
        const bool stricter = strictest.empty() || each.decision == "block" ||
                              (each.decision == "hold" && strictest != "block") ||
                              (each.decision == "flag" && strictest == "allow");
        if (other && stricter) {
            strictest = each.decision;
        }
    }
    return strictest;
}

std::string service_of_record(const ledger::Facts& facts) {
    return detail_of(facts).string_or("service", "");
}

Result<RecordFiles> files_of_record(ledger::Records& records, const ledger::Facts& facts,
                                    const std::optional<RecordId>& last_without) {
    RecordFiles files;
    files.files = TRY(records.open(facts.id)).files;
    add_unseen(facts, files);
    const bool is_older = last_without && facts.id <= *last_without;
    if (!is_older || !files.files.empty()) {
        return files;
    }
    const auto prints = TRY(records.prints_of(facts.id));
    files.files = TRY(ledger::files_of_prints(prints));
    if (facts.operation == kLabels) {
        for (ledger::FilePrint& file : files.files) {
            file.stage = review::stage_name(Stage::kBoth);
        }
        if (files.files.empty()) {
            files.unknown.push_back(not_known(
                "both", "file", "the record is older than prints of what comes in, and has none"));
        }
    }
    add_unrecorded(facts, files);
    return files;
}

Result<void> replay_files(const ledger::Facts& facts, const RecordFiles& files,
                          const FileRules& rules, const Replayed& base,
                          std::vector<Replayed>& all) {
    std::map<std::pair<std::string, std::string>, std::size_t> numbers;
    std::vector<ledger::FilePrint> every = files.files;
    every.insert(every.end(), files.unknown.begin(), files.unknown.end());
    for (const ledger::FilePrint& file : every) {
        const Stage stage = review::parse_stage(file.stage).value_or(Stage::kBoth);
        const review::Occasion occasion{
            .stage = stage, .tenant = to_string(facts.tenant), .service = service_of_record(facts)};
        Replayed replayed = base;
        replayed.stage = file.stage;
        // The verdict on a file that came in to go out is one on an input.
        replayed.then = recorded_decision(
            facts, stage == Stage::kBoth ? std::string_view("input") : file.stage);
        replayed.file = ReplayedFile{.kind = file.kind,
                                     .number = ++numbers[{file.stage, file.kind}],
                                     .labelled = file.labelled};
        const auto content = ledger::read_file(file);
        replayed.judged = content.ok();
        if (!content.ok() && content.error().code != ErrorCode::kNotFound) {
            return content.error();
        }
        if (content.ok()) {
            const auto reviewer = rules.reviewer.on(occasion);
            judge(*content, *reviewer, replayed);
            if (rules.hold_sounds && stage == Stage::kInput && file.kind == ledger::kSoundFile) {
                hold_unheard(replayed);
            }
        }
        if (!file.lacks.empty()) {
            replayed.left_out.push_back(file.lacks);
        }
        replayed.complete = replayed.judged && replayed.left_out.empty();
        const bool is_seen = file.kind == ledger::kPictureFile || file.kind == ledger::kVideoFile;
        if (is_seen && stage != Stage::kBoth) {  // nobody is asked about files to be labelled
            leave_checks_out(gateway::course_on(rules.courses, occasion), occasion, replayed);
        }
        all.push_back(std::move(replayed));
    }
    return {};
}

}  // namespace colophon::cli
