// SPDX-License-Identifier: Apache-2.0
// tidy ROOT: reads the tree below ROOT, checks the project's own rules and prints what breaks them.
// Ends with 0 when nothing does, 1 when something does, 2 when the tree cannot be read.

#include "tidy/tidy.h"

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace {

namespace fs = std::filesystem;

// Folders that hold no source of ours.
bool is_skipped(const std::string& name) {
    return name == ".git" || name == "build" || name == "data" || name == ".cache" ||
           name == "node_modules" || name == "corpus" || name == "golden";
}

bool is_text(const std::string& content) {
    return std::string_view(content).substr(0, 8000).find('\0') == std::string_view::npos;
}

colophon::tidy::Tree read_tree(const fs::path& root) {
    colophon::tidy::Tree tree;
    for (auto entry = fs::recursive_directory_iterator(root); entry != fs::end(entry); ++entry) {
        if (entry->is_directory() && is_skipped(entry->path().filename().string())) {
            entry.disable_recursion_pending();
            continue;
        }
        // In a linked working copy .git is a file.
        if (!entry->is_regular_file() || is_skipped(entry->path().filename().string())) {
            continue;
        }
        std::ifstream in(entry->path(), std::ios::binary);
        std::string content{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        tree[entry->path().lexically_relative(root).generic_string()] =
            is_text(content) ? std::move(content) : std::string();
    }
    return tree;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        (void)std::fputs("usage: tidy ROOT\n", stderr);
        return 2;
    }
    try {
        const colophon::tidy::Tree tree = read_tree(argv[1]);
        const colophon::tidy::Findings findings = colophon::tidy::check_all(tree);
        (void)std::fputs(colophon::tidy::to_text(findings).c_str(), stdout);
        std::printf("%zu files, %zu findings\n", tree.size(), findings.size());
        return findings.empty() ? 0 : 1;
    } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "tidy: %s\n", error.what());
        return 2;
    }
}
