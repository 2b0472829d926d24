// SPDX-License-Identifier: Apache-2.0
#include "review/video_list.h"

#include "core/json.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "fingerprint/video.h"
#include "review/entry.h"
#include "review/entry_json.h"
#include "review/entry_list.h"
#include "review/library.h"
#include "review/list_formats.h"
#include "review/live_library.h"
#include "review/picture_list.h"
#include "review/review.h"
#include "review/scope.h"
#include "review/sound_list.h"
#include "review/trial.h"
#include "support/music.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace colophon::review {
namespace {

// Four pictures a second that have nothing in common.
fingerprint::VideoPrint film(std::uint32_t seed, std::size_t frames) {
    std::mt19937 random(seed);
    fingerprint::VideoPrint print;
    for (std::size_t i = 0; i < frames; ++i) {
        std::string hex;
        for (int digit = 0; digit < 64; ++digit) {
            hex += "0123456789abcdef"[random() % 16];
        }
        print.frames.push_back({.number = 8 * i,
                                .time_ms = static_cast<std::int64_t>(250 * i),
                                .hash = fingerprint::parse_pdq_hex(hex).value(),
                                .quality = 90});
    }
    return print;
}

fingerprint::VideoPrint part(const fingerprint::VideoPrint& of, std::size_t begin,
                             std::size_t size) {
    const auto from = of.frames.begin() + static_cast<std::ptrdiff_t>(begin);
    return {{from, from + static_cast<std::ptrdiff_t>(size)}};
}

VideoEntry entry(const std::string& id, fingerprint::VideoPrint print,
                 Decision action = Decision::kBlock) {
    VideoEntry made;
    made.id = id;
    made.category = "A1f";
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

TEST_CASE("[DSP-10] a video of the library blocks or holds its copies and its parts") {
    VideoEntry held = entry("held", film(2, 30), Decision::kHold);
    held.scope.stage = Stage::kOutput;
    const auto rules = reviewer({entry("film", film(1, 40)), held});
    CHECK(rules->has_videos());
    CHECK_FALSE(rules->has_pictures());
    CHECK(rules->may_hold());
    const Verdict verdict = rules->review(part(film(1, 40), 10, 12), nullptr);
    CHECK(verdict.decision == Decision::kBlock);
    CHECK(verdict.category == "A1f");
    CHECK(verdict.entries == std::vector<std::string>{"film"});
    CHECK(verdict.rule.ends_with("/film"));
    CHECK(rules->review(held.print, nullptr).decision == Decision::kHold);
    CHECK(rules->letting_holds_go()->review(held.print, nullptr).decision == Decision::kFlag);
    CHECK(rules->on({.stage = Stage::kInput, .tenant = {}, .service = {}})
              ->review(held.print, nullptr)
              .decision == Decision::kAllow);
    CHECK(rules->review(film(3, 40), nullptr).decision == Decision::kAllow);
    // One picture in common makes no copy.
    fingerprint::VideoPrint other = film(3, 40);
    other.frames[7].hash = film(1, 40).frames[7].hash;
    CHECK(rules->review(other, nullptr).decision == Decision::kAllow);
    CHECK(rules->version() != reviewer({entry("film", film(1, 40))})->version());
    CHECK(reviewer({entry("film", film(1, 40))})->version() !=
          reviewer({entry("film", film(4, 40))})->version());
}

TEST_CASE("[DSP-10] a video is found by one of its pictures and by its sound, too") {
    fingerprint::SoundPrinter printer;
    printer.push(test::make_music(1, 20, fingerprint::kSoundRate));
    PictureEntry picture;
    picture.id = "picture";
    picture.category = "A1f";
    picture.hash = film(1, 9).frames[5].hash;
    SoundEntry sound;
    sound.id = "sound";
    sound.category = "A3a";
    sound.print = printer.print();
    sound.action = Decision::kHold;
    const auto rules = reviewer({picture, sound});
    CHECK(rules->has_videos());
    CHECK(rules->review(film(1, 9), nullptr).entries == std::vector<std::string>{"picture"});
    CHECK(rules->review(film(2, 9), &sound.print).decision == Decision::kHold);
    CHECK(rules->review(film(1, 9), &sound.print).entries ==
          std::vector<std::string>{"picture", "sound"});
    CHECK(rules->review(film(1, 9), &sound.print).decision == Decision::kBlock);
    // A picture in which there is nothing is like any other of those.
    fingerprint::VideoPrint dark = film(1, 9);
    dark.frames[5].quality = 10;
    CHECK(rules->review(dark, nullptr).decision == Decision::kAllow);
    CHECK_FALSE(reviewer({})->has_videos());
}

TEST_CASE("[DSP-10] an entry of a video is written and read as JSON and CSV") {
    const AnyEntry made = entry("film", film(1, 300), Decision::kHold);
    const json::Object object = write_entry(made);
    CHECK(object[2].first == "video");
    const auto read = read_entry(object);
    REQUIRE(read.ok());
    CHECK(std::get<VideoEntry>(*read).print == film(1, 300));
    const std::vector<Proposal> proposals{
        {made, {.reason = "seen", .evidence = {}, .source = {}, .owner = {}, .expires = {}}}};
    for (const ListFormat format : {ListFormat::kJson, ListFormat::kCsv}) {
        const auto lines = read_list(format, write_list(format, proposals), {});
        REQUIRE((lines.ok() && lines->size() == 1));
        REQUIRE_MESSAGE(lines->front().proposal.ok(),
                        (lines->front().proposal.ok() ? "" : lines->front().proposal.error().what));
        const bool same =
            json::write(write_entry(lines->front().proposal->entry)) == json::write(object);
        CHECK(same);
    }
    CHECK(write_list(ListFormat::kSignals, proposals).empty());
    const auto list = parse_entry_list(json::write(object) + "\n");
    REQUIRE(list.ok());
    CHECK(list->videos.size() == 1);
    CHECK(list->size() == 1);
}

TEST_CASE("a video by which nothing can be found is refused, and its line is named") {
    const auto refused = [](json::Value video) {
        const json::Object object{{"id", "v"}, {"category", "c"}, {"video", std::move(video)}};
        const auto lines = read_list(ListFormat::kJson, json::write(object) + "\n", {});
        REQUIRE((lines.ok() && lines->size() == 1));
        REQUIRE_FALSE(lines->front().proposal.ok());
        return lines->front().proposal.error().what;
    };
    CHECK(refused(fingerprint::to_text(film(1, 2))) ==
          "entry v: a video to look for has at least 3 pictures with something in them; this one "
          "has 2");
    fingerprint::VideoPrint dark = film(1, 5);
    dark.frames[0].quality = dark.frames[1].quality = dark.frames[2].quality = 0;
    CHECK(refused(fingerprint::to_text(dark)).ends_with("this one has 2"));
    CHECK(refused("1,2\n").find("line 1 of a video print") != std::string::npos);
    CHECK(refused(7).find("\"video\" is no text") != std::string::npos);
    CHECK(refused(fingerprint::to_text(film(1, 2401))).find("at most 2400 pictures") !=
          std::string::npos);
    CHECK(refused(fingerprint::to_text(film(1, 3100))).find("\"video\" is no text") !=
          std::string::npos);
    const auto both = read_entry(json::Object{{"id", "v"},
                                              {"category", "c"},
                                              {"phrase", "x"},
                                              {"video", fingerprint::to_text(film(1, 9))}});
    REQUIRE_FALSE(both.ok());
    CHECK(both.error().what.find("not of several") != std::string::npos);
}

TEST_CASE("[DSP-10] a trial counts the videos that an entry would hit") {
    auto trial = Trial::create(std::vector<AnyEntry>{entry("film", film(1, 40))}, {});
    REQUIRE(trial.ok());
    trial->add_video(part(film(1, 40), 5, 20), {}, "a.mp4");
    trial->add_video(film(2, 30), {}, "b.mp4");
    trial->add_text("words", {}, "c.txt");
    const Trial::Seen seen = trial->seen("film");
    CHECK(seen.contents == 2);
    CHECK(seen.hits == 1);
    CHECK(seen.samples == std::vector<std::string>{"a.mp4"});
}

}  // namespace colophon::review
