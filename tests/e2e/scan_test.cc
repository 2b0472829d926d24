// SPDX-License-Identifier: Apache-2.0
// colophon scan: texts, pictures and video by a file of entries.

#include "core/bytes.h"
#include "core/json.h"
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
}

}  // namespace colophon
