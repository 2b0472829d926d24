// SPDX-License-Identifier: Apache-2.0
// [DSP-10] What review compares of files stands in the record as it was, or says why it does not.

#include "ledger/file_prints.h"

#include "core/random.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "fingerprint/sound_index.h"
#include "fingerprint/video.h"
#include "ledger/likeness.h"
#include "ledger/record.h"
#include "ledger_stores.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

fingerprint::PdqHash hash_of(SeededRandom& random) {
    std::array<std::uint8_t, fingerprint::kPdqBytes> bytes{};
    REQUIRE(random.fill(bytes).ok());
    return fingerprint::parse_pdq_bytes(bytes).value();
}

fingerprint::SoundPrint sound_of(SeededRandom& random, std::size_t items) {
    Buffer bytes(items * 4);
    REQUIRE(random.fill(bytes).ok());
    return fingerprint::parse_sound_print_bytes(bytes).value();
}

fingerprint::VideoPrint video_of(SeededRandom& random, std::size_t frames) {
    fingerprint::VideoPrint video;
    for (std::size_t i = 0; i < frames; ++i) {
        video.frames.push_back({.number = i * 8,
                                .time_ms = static_cast<std::int64_t>(i) * 267,
                                .hash = hash_of(random),
                                .quality = 90});
    }
    return video;
}

TEST_CASE("a print is read back from the record as it was compared") {
    SeededRandom random(11);
    std::vector<fingerprint::PdqHash> hashes;
    for (std::size_t i = 0; i < fingerprint::kDihedrals; ++i) {
        hashes.push_back(hash_of(random));
    }
    const fingerprint::SoundPrint sound = sound_of(random, 300);
    const fingerprint::VideoPrint video = video_of(random, 40);
    Private personal;
    keep_file(personal, picture_file(hashes));
    keep_file(personal, sound_file(sound));
    keep_file(personal, video_file(video, &sound));
    keep_file(personal, video_file(video, nullptr));
    keep_file(personal, file_without_print("picture", "it is no picture"));
    const Private again = read_private(write_private(personal)).value();
    REQUIRE(again.files == personal.files);
    CHECK(read_file(again.files[0])->picture == hashes);
    CHECK(read_file(again.files[1])->sound == sound);
    CHECK(read_file(again.files[2])->video == video);
    CHECK(read_file(again.files[2])->timed);
    CHECK(read_file(again.files[2])->sound == sound);
    CHECK_FALSE(read_file(again.files[3])->sound.has_value());
    CHECK(read_file(again.files[4]).error().code == ErrorCode::kNotFound);
    CHECK(read_file(again.files[4]).error().what == "it is no picture");
}

TEST_CASE("a damaged print says so and is not compared") {
    SeededRandom random(12);
    const std::string hash = fingerprint::to_hex(hash_of(random));
    std::string nine;
    for (int i = 0; i < 9; ++i) {
        nine += (i == 0 ? "" : " ") + hash;
    }
    for (const auto& [kind, print] :
         std::vector<std::pair<const char*, std::string>>{{"picture", hash + " "},
                                                          {"picture", hash + hash},
                                                          {"picture", nine},
                                                          {"picture", hash.substr(1)},
                                                          {"sound", "no print"},
                                                          {"video", "0,100," + hash},
                                                          {"document", hash}}) {
        CAPTURE(std::string(kind) + " " + print);
        FilePrint file;
        file.kind = kind;
        file.print = print;
        CHECK(read_file(file).error().code == ErrorCode::kCorrupt);
    }
}

TEST_CASE("what a record has no room for is named, and never makes the record too large") {
    SeededRandom random(13);
    ServiceRecord record;
    FilePrint large;
    large.kind = "video";
    large.print = std::string(kRecordPrintBytesMax - 10, 'v');
    keep_file(record.personal, large);
    keep_file(record.personal, large);
    CHECK(record.personal.files[1].print.empty());
    CHECK(record.personal.files[1].lacks == "its print is too long to be kept");
    for (std::size_t i = 0; i < kRecordFilesMax + 10; ++i) {
        keep_file(record.personal, file_without_print("picture", "x"));
    }
    CHECK(record.personal.files.size() == kRecordFilesMax);
    CHECK(record.personal.files.back().lacks.find("more files") != std::string::npos);
    keep_file(record.personal, file_without_print("picture", "x"));
    CHECK(record.personal.files.size() == kRecordFilesMax);
    CHECK(check_record(record).ok());
    // A reason may quote the file.
    const FilePrint odd = file_without_print("picture", std::string("a\0b\xff", 4));
    CHECK(odd.lacks == "no print could be made of it");
    CHECK(file_without_print("sound", std::string(5000, 'a')).lacks.size() == kRecordNameBytesMax);
}

TEST_CASE("of records of before the prints by which they are found are files that lack something") {
    SeededRandom random(14);
    // A sound of one stretch, of several, and one that ends where a stretch does.
    for (const std::size_t items :
         {kSoundStretchItems - 100, kSoundStretchItems, kSoundStretchItems + kSoundStretchStep,
          3 * kSoundStretchStep + 77}) {
        CAPTURE(items);
        const fingerprint::SoundPrint sound = sound_of(random, items);
        const auto files = files_of_prints(sound_prints(sound));
        REQUIRE(files.ok());
        REQUIRE(files->size() == 1);
        const FilePrint& file = files->front();
        CHECK(file.kind == "sound");
        CHECK(file.stage == "output");
        CHECK(file.labelled);
        const fingerprint::SoundPrint read = read_file(file)->sound.value();
        // The last stretch is left out where it is too short to be found.
        REQUIRE(read.items.size() <= sound.items.size());
        CHECK(sound.items.size() - read.items.size() < fingerprint::kSoundWindowItems);
        CHECK(std::equal(read.items.begin(), read.items.end(), sound.items.begin()));
    }
    // Two sounds of one answer stay two; a picture has its one hash; a text is no file.
    std::vector<Print> prints{picture_print(hash_of(random)), picture_print(hash_of(random))};
    const std::vector<Print> one = sound_prints(sound_of(random, 500));
    const std::vector<Print> other = sound_prints(sound_of(random, 400));
    prints.insert(prints.end(), one.begin(), one.end());
    prints.insert(prints.end(), other.begin(), other.end());
    prints.push_back({.kind = kTextPrint, .print = Buffer(16, 1), .bands = {}});
    const auto files = files_of_prints(prints).value();
    REQUIRE(files.size() == 4);
    CHECK(read_file(files[0])->picture.size() == 1);
    CHECK(files[1].lacks.find("turned and mirrored") != std::string::npos);
    CHECK(files[2].kind == "sound");
    CHECK(files[3].kind == "sound");
    // A video with its sound.
    const fingerprint::VideoPrint video = video_of(random, 30);
    prints = video_prints(video);
    prints.insert(prints.end(), one.begin(), one.end());
    const auto film = files_of_prints(prints).value();
    REQUIRE(film.size() == 1);
    const FileContent seen = read_file(film.front()).value();
    CHECK(seen.video->frames.size() == 30);
    CHECK_FALSE(seen.timed);
    CHECK(seen.sound.has_value());
    // What lies in any order is no copy by its times; what is the same is one all the same.
    CHECK(fingerprint::is_copy(fingerprint::match_videos(*seen.video, video)));
    const auto match = fingerprint::match_videos(*seen.video, video_of(random, 30));
    CHECK_FALSE(fingerprint::is_copy(match));
    prints.front().print.pop_back();
    CHECK_FALSE(files_of_prints(prints).ok());
}

TEST_CASE("a store tells which of its records are older than prints of files") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        CHECK_FALSE(good(records.last_without_files()).has_value());
        SeededRandom random(15);
        const std::vector<Print> prints{picture_print(hash_of(random)),
                                        sound_prints(sound_of(random, 100)).front()};
        const ServiceRecord first = stores.record();
        good(records.append(first, prints));
        stores.clock.advance(std::chrono::seconds(1));
        const ServiceRecord last = stores.record();
        good(records.append(last));
        const std::vector<Print> read = good(records.prints_of(first.facts.id));
        REQUIRE(read.size() == 2);
        for (std::size_t i = 0; i < 2; ++i) {
            CHECK(read[i].kind == prints[i].kind);
            CHECK(read[i].print == prints[i].print);
        }
        CHECK(good(records.prints_of(last.facts.id)).empty());
        // The step that marks them, as if it came now.
        good(store->apply(
            {.operations = {{.statement = {"DROP TABLE record_marks"}, .parameters = {}}},
             .inserts = {},
             .notifications = {}}));
        good(store->apply(
            {.operations =
                 {{.statement = {"DELETE FROM colophon_migrations WHERE module = 'records' "
                                 "AND step = 8"},
                   .parameters = {}}},
             .inserts = {},
             .notifications = {}}));
        good(storage::migrate(*store, all_migrations(), stores.clock));
        CHECK(good(records.last_without_files()) == last.facts.id);
    });
}

}  // namespace
}  // namespace colophon::ledger
