// SPDX-License-Identifier: Apache-2.0
// colophon scan: texts, pictures, video and sound by a file of entries.

#include "core/bytes.h"
#include "core/json.h"
#include "support/music.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace colophon {
namespace {

test::ToolRun scan(const test::TempDir& dir, std::vector<std::string> arguments,
                   std::string_view input = {}) {
    std::vector<std::string> command{"env",
                                     "-i",
                                     "PATH=/usr/bin:/bin",
                                     "LANG=C.UTF-8",
                                     "HOME=" + dir.file("home"),
                                     COLOPHON_PROGRAM,
                                     "scan",
                                     "--json"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return test::run_tool(command, input);
}

json::Value only_line(const test::ToolRun& run) {
    const auto value = json::parse(run.out);
    REQUIRE_MESSAGE(value.ok(), run.out, run.err);
    return *value;
}

}  // namespace

TEST_CASE("[DSP-10] a text is scanned with the places of what it holds") {
    const test::TempDir dir;
    test::write_file(dir.file("library"), as_bytes("炸弹\n"));
    test::write_file(dir.file("bad.txt"), as_bytes("有炸 彈"));
    const test::ToolRun bad = scan(dir, {"--library", dir.file("library"), dir.file("bad.txt")});
    CHECK(bad.exit_code == 2);
    const json::Value seen = only_line(bad);
    CHECK(seen.string_or("decision", "") == "block");
    const json::Value& match = seen.find("matches")->if_array()->front();
    CHECK(*match.find("begin")->as_int() == 3);
    CHECK(*match.find("end")->as_int() == 10);
    const test::ToolRun good = scan(dir, {"--library", dir.file("library"), "-"}, "平安无事");
    CHECK(good.exit_code == 0);
    CHECK(only_line(good).string_or("decision", "") == "allow");
    CHECK(scan(dir, {dir.file("bad.txt")}).exit_code == 64);
    CHECK(scan(dir, {"--library", dir.file("none"), dir.file("bad.txt")}).exit_code != 0);
}

TEST_CASE("[DSP-10] a picture that was made smaller and turned, and a film of it, are found") {
    const test::TempDir dir;
    const std::string picture = dir.file("picture.png");
    test::run_tool_ok({COLOPHON_DEMO_PICTURE, picture});
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-i", picture, "-vf",
                       "scale=iw/2:ih/2,transpose=1", "-q:v", "4", dir.file("turned.jpg")});
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-loop", "1", "-i", picture, "-t", "1",
                       "-vf", "scale=320:-2", "-pix_fmt", "yuv420p", dir.file("film.mp4")});
    const std::string hash = only_line(scan(dir, {"--hash", picture})).string_or("pdq", "");
    REQUIRE(hash.size() == 64);
    test::write_file(dir.file("library"),
                     as_bytes(R"({"id":"p","category":"A1f","pdq":")" + hash + "\"}\n"));
    for (const std::string_view name : {"picture.png", "turned.jpg", "film.mp4"}) {
        CAPTURE(name);
        const test::ToolRun run =
            scan(dir, {"--library", dir.file("library"), dir.file(std::string(name))});
        CHECK(run.exit_code == 2);
        CHECK(only_line(run).string_or("category", "") == "A1f");
    }
    test::write_file(dir.file("note.txt"), as_bytes("words"));
    CHECK(scan(dir, {"--library", dir.file("library"), dir.file("note.txt")}).exit_code == 4);
    test::write_file(dir.file("song.wav"), test::wav_of(test::make_music(1, 8)));
    const test::ToolRun song = scan(dir, {"--library", dir.file("library"), dir.file("song.wav")});
    CHECK(song.exit_code == 4);
    CHECK(song.out.find("no entries for sounds") != std::string::npos);
}

TEST_CASE("[DSP-10] a video is found by its pictures in their order, and by its sound") {
    const test::TempDir dir;
    const auto make = [&](const std::vector<std::string>& inputs, const std::string& file,
                          const std::vector<std::string>& how) {
        std::vector<std::string> command{"ffmpeg", "-nostdin", "-v", "error"};
        command.insert(command.end(), inputs.begin(), inputs.end());
        command.insert(command.end(), how.begin(), how.end());
        command.insert(command.end(), {"-pix_fmt", "yuv420p", dir.file(file)});
        test::run_tool_ok(command);
    };
    test::write_file(dir.file("song.wav"), test::wav_of(test::make_music(43, 30)));
    const std::vector<std::string> sung{"-f",       "lavfi",
                                        "-i",       "mandelbrot=size=320x240:rate=4",
                                        "-ss",      "8",
                                        "-t",       "10",
                                        "-i",       dir.file("song.wav"),
                                        "-shortest"};
    make({"-f", "lavfi", "-i", "testsrc2=size=320x240:rate=4:duration=12"}, "film.mp4", {});
    make({"-ss", "3", "-t", "6", "-i", dir.file("film.mp4")}, "part.mkv",
         {"-vf", "scale=208:156", "-c:v", "libx264", "-crf", "32"});
    make(sung, "sung.mp4", {"-c:a", "aac", "-b:a", "64k"});
    make(sung, "strange.mp4", {"-c:a", "ac3"});

    const std::string film =
        only_line(scan(dir, {"--hash", dir.file("film.mp4")})).string_or("video", "");
    REQUIRE(film.size() > 1000);
    test::write_file(
        dir.file("films"),
        as_bytes(json::write(json::Object{{"id", "film"}, {"category", "A1f"}, {"video", film}}) +
                 "\n"));
    const auto by_films = [&](const std::string& file) {
        return scan(dir, {"--library", dir.file("films"), dir.file(file)});
    };
    const test::ToolRun part = by_films("part.mkv");
    CHECK(part.exit_code == 2);
    const json::Value seen = only_line(part);
    CHECK(seen.string_or("category", "") == "A1f");
    const json::Value& match = seen.find("matches")->if_array()->front();
    CHECK(match.find("percent")->as_int().value() >= 66);
    CHECK(match.find("entry_ms")->as_int().value() == doctest::Approx(3000).epsilon(0.2));
    CHECK(by_films("sung.mp4").exit_code == 0);
    CHECK(by_films("strange.mp4").exit_code == 0);  // nothing is looked for in its sound

    const std::string song =
        only_line(scan(dir, {"--hash", dir.file("song.wav")})).string_or("chromaprint", "");
    test::write_file(dir.file("songs"),
                     as_bytes(R"({"id":"song","category":"A3a","chromaprint":")" + song + "\"}\n"));
    const auto by_songs = [&](const std::string& file) {
        return scan(dir, {"--library", dir.file("songs"), dir.file(file)});
    };
    const test::ToolRun heard = by_songs("sung.mp4");
    CHECK(heard.exit_code == 2);
    CHECK(only_line(heard).string_or("category", "") == "A3a");
    CHECK(by_songs("film.mp4").exit_code == 0);
    const test::ToolRun strange = by_songs("strange.mp4");
    CHECK(strange.exit_code == 4);
    CHECK(strange.err.find("the sound of the video cannot be decoded") != std::string::npos);
}

TEST_CASE("[DSP-10] ten seconds of a sound after MP3 at 64 kbit/s are found, and where they are") {
    const test::TempDir dir;
    test::write_file(dir.file("song.wav"), test::wav_of(test::make_music(41, 45)));
    test::write_file(dir.file("other.wav"), test::wav_of(test::make_music(42, 45)));
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-ss", "20", "-t", "10", "-i",
                       dir.file("song.wav"), "-b:a", "64k", dir.file("part.mp3")});
    const json::Value made = only_line(scan(dir, {"--hash", dir.file("song.wav")}));
    CHECK(made.find("length_ms")->as_int().value() == doctest::Approx(45'000).epsilon(0.01));
    const std::string print = made.string_or("chromaprint", "");
    REQUIRE(print.size() > 500);
    test::write_file(
        dir.file("library"),
        as_bytes(R"({"id":"song","category":"A3a","chromaprint":")" + print + "\"}\n"));
    const test::ToolRun run = scan(dir, {"--library", dir.file("library"), dir.file("part.mp3")});
    CHECK(run.exit_code == 2);
    const json::Value seen = only_line(run);
    CHECK(seen.string_or("category", "") == "A3a");
    CHECK(seen.string_or("kind", "") == "audio");
    const json::Value& match = seen.find("matches")->if_array()->front();
    CHECK(match.find("milliseconds")->as_int().value() < 1000);
    CHECK(match.find("entry_ms")->as_int().value() == doctest::Approx(20'000).epsilon(0.05));
    CHECK(match.find("length_ms")->as_int().value() > 8000);
    CHECK(match.find("bit_error")->as_double().value() < 0.15);
    const test::ToolRun other =
        scan(dir, {"--library", dir.file("library"), dir.file("other.wav")});
    CHECK(other.exit_code == 0);
    CHECK(only_line(other).string_or("decision", "") == "allow");
    // What fpcalc or FFmpeg says of the same file is an entry as well.
    const std::string theirs =
        test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-i", dir.file("song.wav"), "-f",
                           "chromaprint", "-fp_format", "base64", "-"});
    test::write_file(
        dir.file("library"),
        as_bytes(R"({"id":"theirs","category":"A3a","chromaprint":")" + theirs + "\"}\n"));
    CHECK(scan(dir, {"--library", dir.file("library"), dir.file("part.mp3")}).exit_code == 2);
}

}  // namespace colophon
