// SPDX-License-Identifier: Apache-2.0
// The examples of the documentation are run. In a block fenced as `console` a line "$ COMMAND" is
// given to the shell and the lines below it are what must come out, on both streams. "…" stands for
// any text within a line, a line that is only "…" for any lines. The blocks of one page run in
// order, in one folder that holds a few files to label and is the home of nobody.

#include "core/bytes.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kAnything = "…";
constexpr char kEndOfCommand = '\x1E';

struct Example {
    std::size_t line = 0;  // in the page, from 1
    std::string command;
    std::vector<std::string> expected;
};

std::vector<std::string> split_lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

std::vector<Example> examples_of(const std::string& page) {
    std::vector<Example> examples;
    const std::vector<std::string> lines = split_lines(page);
    bool console = false;
    bool open_command = false;  // the command goes on in the next line
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string& line = lines[i];
        if (line.starts_with("```")) {
            console = line == "```console";
        } else if (console && open_command) {
            examples.back().command += "\n" + line;
            open_command = line.ends_with('\\');
        } else if (console && line.starts_with("$ ")) {
            examples.push_back({.line = i + 1, .command = line.substr(2), .expected = {}});
            open_command = line.ends_with('\\');
        } else if (console) {
            REQUIRE_MESSAGE(!examples.empty(), "line ", i + 1, " is the output of no command");
            examples.back().expected.push_back(line);
        }
    }
    return examples;
}

// Greedy matching of the pieces between the dots is exact for patterns of this kind.
bool line_matches(std::string_view pattern, std::string_view line) {
    const std::size_t first = pattern.find(kAnything);
    if (first == std::string_view::npos) {
        return pattern == line;
    }
    if (!line.starts_with(pattern.substr(0, first))) {
        return false;
    }
    line.remove_prefix(first);
    pattern.remove_prefix(first + kAnything.size());
    for (;;) {
        const std::size_t next = pattern.find(kAnything);
        if (next == std::string_view::npos) {
            return line.ends_with(pattern);
        }
        const std::size_t at = line.find(pattern.substr(0, next));
        if (at == std::string_view::npos) {
            return false;
        }
        line.remove_prefix(at + next);
        pattern.remove_prefix(next + kAnything.size());
    }
}

bool matches(const std::vector<std::string>& patterns, const std::vector<std::string>& lines) {
    // possible[j]: the patterns so far may have taken exactly the first j lines.
    std::vector<bool> possible(lines.size() + 1, false);
    possible[0] = true;
    for (const std::string& pattern : patterns) {
        std::vector<bool> next(lines.size() + 1, false);
        bool reached = false;
        for (std::size_t j = 0; j <= lines.size(); ++j) {
            if (pattern == kAnything) {
                reached = reached || possible[j];
                next[j] = reached;
            } else if (j > 0 && possible[j - 1]) {
                next[j] = line_matches(pattern, lines[j - 1]);
            }
        }
        possible = std::move(next);
    }
    return possible[lines.size()];
}

void make_files(const test::TempDir& dir) {
    test::run_tool_ok({COLOPHON_DEMO_PICTURE, dir.file("picture.png")});
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-i", dir.file("picture.png"), "-q:v",
                       "3", dir.file("photo.jpg")});
    test::run_tool_ok({"espeak-ng", "-v", "en", "-w", dir.file("speech.wav"),
                       "The evening sun goes down behind the hills."});
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                       "testsrc2=size=320x240:duration=1", "-pix_fmt", "yuv420p",
                       dir.file("clip.mp4")});
    test::run_tool_ok({COLOPHON_DEMO_LOG, dir.path().string()});
    test::write_file(dir.file("note.md"), as_bytes("# Evening\n\nThe sun goes down.\n"));
}

// What each command printed, in order.
std::vector<std::string> run_all(const std::vector<Example>& examples, const std::string& folder,
                                 const std::string& language) {
    std::string script = "exec 2>&1\n";
    for (const Example& example : examples) {
        // $? of one command must reach the next, across the mark between them.
        script +=
            example.command + "\ncolophon_status=$?\nprintf '\\036'\n(exit $colophon_status)\n";
    }
    const std::string path = fs::path(COLOPHON_PROGRAM).parent_path().string() + ":/usr/bin:/bin";
    const test::ToolRun run =
        test::run_tool({"env", "-i", "-C", folder, "PATH=" + path, "LANG=" + language,
                        "HOME=" + folder + "/home", "sh", "-c", script});
    std::vector<std::string> outputs;
    std::istringstream in(run.out);
    for (std::string output; std::getline(in, output, kEndOfCommand);) {
        outputs.push_back(output);
    }
    return outputs;
}

std::size_t check_page(const std::string& page) {
    CAPTURE(page);
    const Buffer text = test::read_file(std::string(COLOPHON_SOURCE_DIR) + "/" + page);
    const std::vector<Example> examples = examples_of(std::string(as_text(text)));
    if (examples.empty()) {
        return 0;
    }
    const test::TempDir dir;
    make_files(dir);
    const std::vector<std::string> outputs =
        run_all(examples, dir.path().string(),
                page.find("zh-CN") == std::string::npos ? "C.UTF-8" : "zh_CN.UTF-8");
    REQUIRE(outputs.size() == examples.size());
    for (std::size_t i = 0; i < examples.size(); ++i) {
        CHECK_MESSAGE(matches(examples[i].expected, split_lines(outputs[i])), page, ":",
                      examples[i].line, ": ", examples[i].command, "\nprinted\n", outputs[i]);
    }
    return examples.size();
}

TEST_CASE("dots match any text within a line, a line of dots any lines, and nothing else does") {
    CHECK(line_matches("a…c", "abbc"));
    CHECK(line_matches("…", ""));
    CHECK(line_matches("x … y … z", "x 1 y 2 z"));
    CHECK_FALSE(line_matches("a…c", "abcd"));
    CHECK_FALSE(line_matches("abc", "abcd"));
    CHECK_FALSE(line_matches("ab…ba", "aba"));
    CHECK(matches({"a", "…", "z"}, {"a", "b", "c", "z"}));
    CHECK(matches({"…"}, {}));
    CHECK_FALSE(matches({}, {"a"}));
    CHECK_FALSE(matches({"a", "…", "z"}, {"a", "b"}));
}

TEST_CASE("the picture that the readme shows is a labelled one") {
    const test::TempDir home;
    const test::ToolRun seen = test::run_tool(
        {"env", "-i", "PATH=/usr/bin:/bin", "HOME=" + home.path().string(), COLOPHON_PROGRAM,
         "verify", COLOPHON_SOURCE_DIR "/docs/images/labelled.png"});
    CHECK_MESSAGE(seen.exit_code == 0, seen.out, seen.err);
    CHECK(seen.out.find("valid, by a key that you do not know") != std::string::npos);
}

TEST_CASE("every example of the documentation prints what the page says" *
          doctest::test_suite("slow")) {
    for (const std::string_view page : {"README.md", "README.zh-CN.md"}) {
        CHECK(check_page(std::string(page)) > 0);
    }
    std::vector<std::string> guide;
    for (const auto& entry : fs::directory_iterator(COLOPHON_SOURCE_DIR "/docs/guide")) {
        if (entry.path().extension() == ".md") {
            guide.push_back("docs/guide/" + entry.path().filename().string());
        }
    }
    std::ranges::sort(guide);
    std::size_t run = 0;
    for (const std::string& page : guide) {
        run += check_page(page);
    }
    CHECK(run > 0);
}

}  // namespace
}  // namespace colophon
