// SPDX-License-Identifier: Apache-2.0
// Movies whose fragments lie in files of their own: labelled into a folder and verified with all of
// them, by name and by pattern.

#include "core/bytes.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace colophon {
namespace {

namespace fs = std::filesystem;

// A beginning and ten fragments and more, whose numbers have no zeros before them.
class Movie {
public:
    Movie() {
        test::run_tool_ok({"ffmpeg",
                           "-nostdin",
                           "-loglevel",
                           "error",
                           "-f",
                           "lavfi",
                           "-i",
                           "testsrc=size=64x64:d=11",
                           "-c:v",
                           "libx264",
                           "-g",
                           "25",
                           "-f",
                           "dash",
                           "-seg_duration",
                           "1",
                           "-init_seg_name",
                           "init.mp4",
                           "-media_seg_name",
                           "seg$Number$.m4s",
                           dir_.file("movie.mpd")});
        REQUIRE(fs::exists(dir_.file("seg10.m4s")));
    }
    std::string file(std::string_view name) const { return dir_.file(name); }

    test::ToolRun label(const std::vector<std::string>& more,
                        std::string_view marks = "metadata,provenance") const {
        std::vector<std::string> words{COLOPHON_PROGRAM,
                                       "label",
                                       file("init.mp4"),
                                       "--producer",
                                       "001191000000000000000K10001",
                                       "--marks",
                                       std::string(marks)};
        words.insert(words.end(), more.begin(), more.end());
        return test::run_tool(words);
    }
    test::ToolRun verify(const std::vector<std::string>& more) const {
        std::vector<std::string> words{COLOPHON_PROGRAM, "verify", file("out/init.mp4")};
        words.insert(words.end(), more.begin(), more.end());
        return test::run_tool(words);
    }

private:
    test::TempDir dir_;
};

TEST_CASE("a movie in several files is labelled into a folder and verified with its fragments") {
    const Movie movie;
    const std::string out = movie.file("out");
    const auto labelled = movie.label({"-o", out, "--fragments", movie.file("seg*.m4s"), "--json"});
    CHECK_MESSAGE(labelled.exit_code == 0, labelled.err);
    CHECK(labelled.out.find("provenance.fragments") != std::string::npos);
    const auto all = movie.verify({"--fragments", movie.file("out/seg*.m4s"), "--json"});
    CHECK_MESSAGE(all.exit_code == 0, all.out, all.err);
    CHECK(all.out.find("\"verdict\":\"intact\"") != std::string::npos);
    CHECK(all.out.find("provenance.fragments") != std::string::npos);
    // By their names, in any order.
    std::vector<std::string> names;
    for (int i = 12; i >= 1; --i) {
        const std::string path = movie.file("out/seg" + std::to_string(i) + ".m4s");
        if (fs::exists(path)) {
            names.emplace_back("--fragments");
            names.push_back(path);
        }
    }
    CHECK(movie.verify(names).exit_code == 0);
    // The movie still plays.
    const auto play = [&](std::string_view folder) {
        std::string joined = "concat:" + movie.file(folder) + "init.mp4";
        for (int i = 1;
             fs::exists(movie.file(std::string(folder) + "seg" + std::to_string(i) + ".m4s"));
             ++i) {
            joined += "|" + movie.file(std::string(folder) + "seg" + std::to_string(i) + ".m4s");
        }
        return test::run_tool_ok(
            {"ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", joined, "-f", "framemd5", "-"});
    };
    CHECK(play("out/") == play(""));

    // Without them, without one, with one that was changed.
    const auto alone = movie.verify({"--json"});
    CHECK(alone.exit_code == 1);
    CHECK(alone.out.find("\"verdict\":\"unreadable\"") != std::string::npos);
    CHECK(alone.out.find("provenance.fragments_missing") != std::string::npos);
    CHECK(movie.verify({"--fragments", movie.file("out/seg1.m4s")}).exit_code == 2);
    Buffer changed = test::read_file(movie.file("out/seg7.m4s"));
    changed.back() ^= 1U;
    test::write_file(movie.file("out/seg7.m4s"), changed);
    CHECK(movie.verify({"--fragments", movie.file("out/seg*.m4s")}).exit_code == 2);
}

TEST_CASE("what cannot be done with fragments is said") {
    const Movie movie;
    const std::string out = movie.file("out");
    const std::string pattern = movie.file("seg*.m4s");
    CHECK(movie.label({"-o", "-", "--fragments", pattern}).exit_code == 64);
    CHECK(movie.label({"-o", out, "--fragments", movie.file("none*.m4s")}).exit_code == 1);
    CHECK(movie.label({"-o", out, "--fragments", pattern}, "metadata").exit_code != 0);
    CHECK(movie.label({"-o", out, "--fragments", pattern}, "explicit").exit_code == 4);
    CHECK(movie.label({movie.file("seg1.m4s"), "-o", out, "--fragments", pattern}).exit_code == 64);
    CHECK(!fs::exists(movie.file("out/init.mp4")));
    CHECK(!fs::exists(movie.file("out/seg1.m4s")));
}

}  // namespace
}  // namespace colophon
