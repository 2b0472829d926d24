// SPDX-License-Identifier: Apache-2.0
#include "worker/prints.h"

#include "core/json.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound_index.h"
#include "label/format.h"
#include "support/music.h"
#include "support/sample_files.h"
#include "support/tools.h"
#include "worker/channel.h"
#include "worker/client.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <array>
#include <string>
#include <vector>

namespace colophon::worker {
namespace {

TEST_CASE("the worker makes the prints of a picture that the call in process makes") {
    const test::TempDir dir;
    Worker worker({.program = COLOPHON_PROGRAM, .font_path = {}, .expects_media = false});
    for (const label::FormatFacts& row : label::all_formats()) {
        if (!takes_prints(row.format) || row.kind != label::Kind::kImage) {
            continue;
        }
        CAPTURE(row.name);
        const std::string path = test::make_sample(dir, row.name);
        const Fd file(open(path.c_str(), O_RDONLY));
        const auto prints = worker.prints(file.get(), row.format);
        REQUIRE_MESSAGE(prints.ok(), (prints.ok() ? "" : prints.error().what));
        REQUIRE(prints->picture.has_value());
        CHECK(prints->picture->quality >= fingerprint::kPdqQualityMin);
        CHECK(*prints == make_prints(test::read_file(path), row.format).value());
    }
}

TEST_CASE("the worker makes the prints of videos in every codec that is read") {
    const test::TempDir dir;
    struct Case {
        const char* name;
        const char* codec;
        label::Format format;
    };
    Worker worker({.program = COLOPHON_PROGRAM, .font_path = {}, .expects_media = false});
    for (const Case& each :
         {Case{"a.mp4", "libx264", label::Format::kMp4},
          Case{"b.mp4", "libx265", label::Format::kMp4},
          Case{"c.webm", "libvpx-vp9", label::Format::kMatroska},
          Case{"d.mkv", "libaom-av1", label::Format::kMatroska},
          Case{"e.avi", "mpeg4", label::Format::kAvi}, Case{"f.flv", "flv", label::Format::kFlv}}) {
        CAPTURE(each.name);
        const std::string path = dir.file(each.name);
        test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                           "testsrc2=size=160x120:rate=4:duration=1", "-pix_fmt", "yuv420p",
                           "-cpu-used", "8", "-c:v", each.codec, path});
        const Fd file(open(path.c_str(), O_RDONLY));
        const auto prints = worker.prints(file.get(), each.format);
        REQUIRE_MESSAGE(prints.ok(), (prints.ok() ? "" : prints.error().what));
        REQUIRE(prints->video.has_value());
        CHECK(prints->video->frames.front().quality >= fingerprint::kPdqQualityMin);
        CHECK(*prints == make_prints(test::read_file(path), each.format).value());
    }
}

TEST_CASE("the worker makes the prints of sounds in every format that is labelled") {
    const test::TempDir dir;
    test::write_file(dir.file("in.wav"), test::wav_of(test::make_music(2, 8)));
    Worker worker({.program = COLOPHON_PROGRAM, .font_path = {}, .expects_media = false});
    for (const label::FormatFacts& row : label::all_formats()) {
        if (row.kind != label::Kind::kAudio) {
            continue;
        }
        CAPTURE(row.name);
        CHECK(takes_prints(row.format));
        const std::string path = dir.file("out." + std::string(row.name));
        test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-i", dir.file("in.wav"), path});
        const Fd file(open(path.c_str(), O_RDONLY));
        const auto prints = worker.prints(file.get(), row.format);
        REQUIRE_MESSAGE(prints.ok(), (prints.ok() ? "" : prints.error().what));
        REQUIRE(prints->sound.has_value());
        CHECK(prints->sound->items.size() >= 40);
        CHECK(*prints == make_prints(test::read_file(path), row.format).value());
    }
}

TEST_CASE("the worker makes the print of a video's sound, and says when it cannot") {
    const test::TempDir dir;
    test::write_file(dir.file("song.wav"), test::wav_of(test::make_music(7, 12)));
    const auto song = make_prints(test::read_file(dir.file("song.wav")), label::Format::kWav);
    REQUIRE((song.ok() && song->sound.has_value()));
    Worker worker({.program = COLOPHON_PROGRAM, .font_path = {}, .expects_media = false});
    struct Case {
        const char* name;
        label::Format format;
        std::vector<std::string> sound;
    };
    const std::array cases{
        Case{"a.mp4", label::Format::kMp4, {"-c:a", "aac"}},
        Case{"b.webm", label::Format::kMatroska, {"-c:v", "libvpx-vp9", "-c:a", "libopus"}},
        Case{"c.mkv", label::Format::kMatroska, {"-c:a", "flac"}},
        Case{"d.avi", label::Format::kAvi, {"-c:v", "mpeg4", "-c:a", "libmp3lame"}},
        Case{"e.flv", label::Format::kFlv, {"-c:v", "flv", "-c:a", "libmp3lame", "-ar", "44100"}},
        Case{"f.mp4", label::Format::kMp4, {"-map", "0:v"}},
        Case{"g.mp4", label::Format::kMp4, {"-c:a", "ac3"}}};
    for (const Case& each : cases) {
        CAPTURE(each.name);
        std::vector<std::string> command{"ffmpeg",   "-nostdin",
                                         "-v",       "error",
                                         "-f",       "lavfi",
                                         "-i",       "testsrc2=size=160x120:rate=4:duration=12",
                                         "-i",       dir.file("song.wav"),
                                         "-pix_fmt", "yuv420p"};
        command.insert(command.end(), each.sound.begin(), each.sound.end());
        command.push_back(dir.file(each.name));
        test::run_tool_ok(command);
        const Fd file(open(dir.file(each.name).c_str(), O_RDONLY));
        const auto prints = worker.prints(file.get(), each.format);
        REQUIRE_MESSAGE(prints.ok(), (prints.ok() ? "" : prints.error().what));
        CHECK(prints->video.has_value());
        CHECK(decode_file_prints(encode(*prints)).value() == *prints);
        const char which = each.name[0];
        CHECK(prints->sound_unread == (which == 'g'));
        REQUIRE(prints->sound.has_value() == (which < 'f'));
        if (prints->sound) {
            CHECK(fingerprint::match_at(*song->sound, *prints->sound, 0).has_value());
        }
    }
}

TEST_CASE("what has no prints is told so, and a broken picture is the error of one call") {
    const test::TempDir dir;
    test::write_file(dir.file("a.png"), as_bytes("no picture"));
    const Fd file(open(dir.file("a.png").c_str(), O_RDONLY));
    Worker worker({.program = COLOPHON_PROGRAM, .font_path = {}, .expects_media = false});
    const auto text = worker.prints(file.get(), label::Format::kMarkdown);
    CHECK(text.error().code == ErrorCode::kUnsupported);
    CHECK(text.error().what == "no prints are made of markdown files");
    CHECK(worker.prints(file.get(), label::Format::kPng).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("prints in another form than theirs are refused") {
    FilePrints prints;
    prints.picture.emplace();
    prints.picture->quality = 70;
    prints.picture->hashes[3].set_bit(200);
    CHECK(decode_file_prints(encode(prints)).value() == prints);
    FilePrints short_sound;
    short_sound.sound.emplace();
    CHECK(decode_file_prints(encode(short_sound)).value() == short_sound);
    for (const char* text :
         {"[]", "{}", R"({"picture":{}})", R"({"picture":{"quality":101,"hashes":[]}})",
          R"({"picture":{"quality":50,"hashes":["00"]}})",
          R"({"picture":{"quality":50,"hashes":[1,2,3,4,5,6,7,8]}})",
          R"({"picture":{"quality":50,"hashes":["","","","","","","",""]}})", R"({"video":""})",
          R"({"video":7})", R"({"sound":7})", R"({"sound":""})", R"({"video":"0,1"})",
          R"({"sound_unread":true})", R"({"sound":"AQAAAA","sound_unread":true})"}) {
        CAPTURE(text);
        CHECK(!decode_file_prints(json::parse(text).value()).ok());
    }
}

}  // namespace
}  // namespace colophon::worker
