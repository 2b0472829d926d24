// SPDX-License-Identifier: Apache-2.0
#include "support/tools.h"

#include "core/bytes.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to us

namespace colophon::test {
namespace {

std::string slurp(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Waits for the child; after `seconds` it is killed, so that a hanging program is a failed test.
int wait_for(pid_t child, unsigned seconds) {
    for (unsigned tick = 0; tick < seconds * 200; ++tick) {
        int status = 0;
        if (waitpid(child, &status, WNOHANG) == child) {
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        usleep(5000);
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    return 128 + SIGKILL;
}

}  // namespace

TempDir::TempDir() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "colophon-test-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
}

TempDir::~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

ToolRun run_tool(const std::vector<std::string>& argv, std::string_view input) {
    const TempDir dir;
    write_file(dir.file("in"), as_bytes(input));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const std::string in = dir.file("in");
    const std::string out = dir.file("out");
    const std::string err = dir.file("err");
    posix_spawn_file_actions_addopen(&actions, 0, in.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT, 0600);
    std::vector<std::string> words = argv;
    std::vector<char*> pointers;
    for (std::string& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    pid_t child = -1;
    const int failure =
        posix_spawnp(&child, pointers[0], &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    REQUIRE_MESSAGE(failure == 0, argv[0],
                    " does not start: is its package in tools/packages.txt?");
    ToolRun run;
    run.exit_code = wait_for(child, 120);
    run.out = slurp(out);
    run.err = slurp(err);
    return run;
}

std::string run_tool_ok(const std::vector<std::string>& argv, std::string_view input) {
    const ToolRun run = run_tool(argv, input);
    std::string command;
    for (const std::string& word : argv) {
        command += word + " ";
    }
    REQUIRE_MESSAGE(run.exit_code == 0, command, "ended with ", run.exit_code, "\n", run.out,
                    run.err);
    return run.out;
}

Buffer read_file(const std::string& path) {
    REQUIRE_MESSAGE(std::filesystem::is_regular_file(path), "no file ", path);
    const std::string text = slurp(path);
    return to_buffer(text);
}

void write_file(const std::string& path, Bytes bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    REQUIRE_MESSAGE(out.good(), "cannot write ", path);
}

void check_golden(const std::string& name, std::string_view text) {
    const std::string path = std::string(COLOPHON_SOURCE_DIR) + "/tests/golden/" + name;
    const char* mode = std::getenv("COLOPHON_GOLDEN");
    if (mode != nullptr && std::string_view(mode) == "rewrite") {
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        write_file(path, as_bytes(text));
        return;
    }
    CHECK_MESSAGE(slurp(path) == text, path, " differs; ./check golden rewrites it");
}

}  // namespace colophon::test
