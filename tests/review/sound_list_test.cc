// SPDX-License-Identifier: Apache-2.0
#include "review/sound_list.h"

#include "core/json.h"
#include "fingerprint/sound.h"
#include "review/entry.h"
#include "review/entry_json.h"
#include "review/entry_list.h"
#include "review/library.h"
#include "review/list_formats.h"
#include "review/live_library.h"
#include "review/review.h"
#include "review/scope.h"
#include "review/trial.h"
#include "support/music.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::review {
namespace {

fingerprint::SoundPrint music(std::uint32_t seed, double seconds) {
    fingerprint::SoundPrinter printer;
    printer.push(test::make_music(seed, seconds, fingerprint::kSoundRate));
    return printer.print();
}

fingerprint::SoundPrint part(const fingerprint::SoundPrint& of, std::size_t begin,
                             std::size_t size) {
    const auto from = of.items.begin() + static_cast<std::ptrdiff_t>(begin);
    return {{from, from + static_cast<std::ptrdiff_t>(size)}};
}

SoundEntry entry(const std::string& id, fingerprint::SoundPrint print,
                 Decision action = Decision::kBlock) {
    SoundEntry made;
    made.id = id;
    made.category = "A3a";
    made.print = std::move(print);
    made.action = action;
    return made;
}

std::shared_ptr<const Reviewer> reviewer(const std::vector<AnyEntry>& entries) {
    auto made = make_reviewer({}, entries);
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.error().what));
    return *made;
}

}  // namespace

TEST_CASE("[DSP-10] a sound of the library blocks or holds what has a part of it") {
    const fingerprint::SoundPrint song = music(1, 40);
    SoundEntry held = entry("held", music(2, 40), Decision::kHold);
    held.scope.stage = Stage::kOutput;
    const auto rules = reviewer({entry("song", song), held});
    CHECK(rules->has_sounds());
    CHECK(rules->may_hold());
    const Verdict verdict = rules->review(part(song, 100, 59));
    CHECK(verdict.decision == Decision::kBlock);
    CHECK(verdict.category == "A3a");
    CHECK(verdict.entries == std::vector<std::string>{"song"});
    CHECK(verdict.rule.ends_with("/song"));
    CHECK(rules->review(held.print).decision == Decision::kHold);
    CHECK(rules->letting_holds_go()->review(held.print).decision == Decision::kFlag);
    CHECK(rules->on({.stage = Stage::kInput, .tenant = {}, .service = {}})
              ->review(held.print)
              .decision == Decision::kAllow);
    CHECK(rules->review(music(3, 40)).decision == Decision::kAllow);
    CHECK(rules->review(part(song, 100, 20)).decision == Decision::kAllow);
    // Other entries are other rules.
    CHECK(rules->version() != reviewer({entry("song", song)})->version());
    CHECK(reviewer({entry("song", song)})->version() !=
          reviewer({entry("song", music(4, 40))})->version());
}

TEST_CASE("[DSP-10] an entry of a sound is written and read as JSON and CSV") {
    const AnyEntry song = entry("song", music(1, 20), Decision::kHold);
    const json::Object object = write_entry(song);
    CHECK(object[2].first == "chromaprint");
    const auto read = read_entry(object);
    REQUIRE(read.ok());
    CHECK(json::write(write_entry(*read)) == json::write(object));
    CHECK(std::get<SoundEntry>(*read).print == music(1, 20));
    const std::vector<Proposal> proposals{
        {song, {.reason = "seen", .evidence = {}, .source = {}, .owner = {}, .expires = {}}}};
    const std::string line = write_list(ListFormat::kJson, proposals);
    const auto lines = read_list(ListFormat::kJson, line, {});
    REQUIRE((lines.ok() && lines->size() == 1 && lines->front().proposal.ok()));
    CHECK(json::write(write_entry(lines->front().proposal->entry)) == json::write(object));
    const std::string table = write_list(ListFormat::kCsv, proposals);
    const auto rows = read_list(ListFormat::kCsv, table, {});
    REQUIRE((rows.ok() && rows->size() == 1 && rows->front().proposal.ok()));
    CHECK(json::write(write_entry(rows->front().proposal->entry)) == json::write(object));
    CHECK(rows->front().proposal->about.reason == "seen");
    // Nobody else has words for it.
    CHECK(write_list(ListFormat::kSignals, proposals).empty());
    const auto list = parse_entry_list(line.substr(0, line.find(",\"about\"")) + "}\n");
    REQUIRE(list.ok());
    CHECK(list->sounds.size() == 1);
}

TEST_CASE("a sound by which nothing can be found is refused, and its line is named") {
    const auto refused = [](const json::Object& object) {
        const auto lines = read_list(ListFormat::kJson, json::write(object) + "\n", {});
        REQUIRE((lines.ok() && lines->size() == 1));
        REQUIRE_FALSE(lines->front().proposal.ok());
        return lines->front().proposal.error().what;
    };
    const json::Object usual{{"id", "s"}, {"category", "c"}};
    const auto with = [&](std::string_view name, json::Value value) {
        json::Object object = usual;
        object.emplace_back(name, std::move(value));
        return object;
    };
    CHECK(refused(with("chromaprint", fingerprint::to_text(music(1, 5)))) ==
          "entry s: a sound to look for has at least 32 items, 6.6 seconds; this one has 19");
    CHECK(refused(with("chromaprint",
                       fingerprint::to_text({std::vector<std::uint32_t>(100, 12345)}))) ==
          "entry s: the sound is silent or one tone; nothing can be found by it");
    CHECK(refused(with("chromaprint", "AQAB")) == "a sound print: it is shorter than its head");
    CHECK(refused(with("chromaprint", 7)) == "\"chromaprint\" is no text");
    json::Object both = with("chromaprint", fingerprint::to_text(music(1, 20)));
    both.emplace_back("phrase", "x");
    CHECK(
        refused(both) ==
        "an entry is of a \"phrase\", a \"pdq\", a \"chromaprint\" or a \"video\", not of several");
    json::Object far = with("chromaprint", fingerprint::to_text(music(1, 20)));
    far.emplace_back("distance", 3);
    CHECK(refused(far).find("not of several") != std::string::npos);
}

TEST_CASE("[DSP-10] a trial counts the sounds that an entry would hit") {
    const std::vector<AnyEntry> entries{entry("song", music(1, 30))};
    auto trial = Trial::create(entries, {});
    REQUIRE(trial.ok());
    trial->add_sound(part(music(1, 30), 50, 80), {}, "a.mp3");
    trial->add_sound(music(2, 30), {}, "b.mp3");
    trial->add_text("words", {}, "c.txt");
    const Trial::Seen seen = trial->seen("song");
    CHECK(seen.contents == 2);
    CHECK(seen.hits == 1);
    CHECK(seen.samples == std::vector<std::string>{"a.mp3"});
}

}  // namespace colophon::review
