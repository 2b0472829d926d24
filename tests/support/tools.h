// SPDX-License-Identifier: Apache-2.0
#pragma once

// What tests need of the world: a folder that disappears, files in it, and other people's programs
// (ExifTool, FFmpeg, ...) as independent witnesses. The programs come from tools/packages.txt.

#include "core/bytes.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::test {

class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;

    std::filesystem::path path() const { return path_; }
    // PATH/name as text, ready to be an argument.
    std::string file(std::string_view name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

struct ToolRun {
    int exit_code = -1;  // 128 + signal when a signal ended it
    std::string out;
    std::string err;
};

// Runs argv[0] from PATH without a shell, with `input` as standard input; ends it after 120 s.
// Fails the test with a clear message when the program is not installed.
ToolRun run_tool(const std::vector<std::string>& argv, std::string_view input = {});
// The same, and the exit code must be 0 (otherwise the test fails and shows what was printed).
std::string run_tool_ok(const std::vector<std::string>& argv, std::string_view input = {});

Buffer read_file(const std::string& path);  // fails the test when it cannot
void write_file(const std::string& path, Bytes bytes);

// The text must be that of tests/golden/NAME. `./check golden` rewrites the file instead, and
// whoever reviews reads the diff.
void check_golden(const std::string& name, std::string_view text);

}  // namespace colophon::test
