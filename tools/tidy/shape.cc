// SPDX-License-Identifier: Apache-2.0
#include "tidy/tidy.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::tidy {
namespace {

constexpr std::size_t kFileLinesMax = 800;
constexpr std::size_t kColumnsMax = 100;

bool needs_licence(std::string_view path) {
    return is_cxx(path) || path.ends_with("CMakeLists.txt") || path.ends_with(".cmake") ||
           path.ends_with(".sh") || path == "start" || path == "check" || path == ".ci/run";
}

std::size_t columns(std::string_view line) {
    return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // not inside a character
    }));
}

void check_licence(const std::string& path, const std::vector<std::string>& lines,
                   Findings& findings) {
    const std::size_t first = !lines.empty() && lines[0].starts_with("#!") ? 1 : 0;
    if (lines.size() <= first ||
        lines[first].find("SPDX-License-Identifier: Apache-2.0") == std::string::npos) {
        findings.push_back({path, first + 1, "licence",
                            "the first line must be the comment "
                            "SPDX-License-Identifier: Apache-2.0"});
    }
}

void check_cxx(const std::string& path, const std::vector<std::string>& lines, Findings& findings) {
    if (is_header(path) && std::find(lines.begin(), lines.end(), "#pragma once") == lines.end()) {
        findings.push_back({path, 1, "pragma", "a header needs #pragma once"});
    }
    if (lines.size() > kFileLinesMax) {
        findings.push_back({path, lines.size(), "length",
                            std::to_string(lines.size()) + " lines; split the file, at most " +
                                std::to_string(kFileLinesMax)});
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
        // An address cannot be broken.
        if (columns(lines[i]) > kColumnsMax && lines[i].find("://") == std::string::npos) {
            findings.push_back({path, i + 1, "columns",
                                std::to_string(columns(lines[i])) + " columns, at most " +
                                    std::to_string(kColumnsMax)});
        }
    }
}

// A source that includes its own header before anything else shows that the header stands alone;
// CMake compiles only those headers by themselves that have no such source.
void check_own_header(const Tree& tree, const std::string& path,
                      const std::vector<std::string>& lines, Findings& findings) {
    constexpr std::string_view kRoot = "src/";
    if (!path.starts_with(kRoot) || !path.ends_with(".cc")) {
        return;
    }
    const std::string header = path.substr(0, path.size() - 2) + "h";
    if (!tree.contains(header)) {
        return;
    }
    const auto first = std::ranges::find_if(
        lines, [](const std::string& line) { return line.starts_with("#include "); });
    const std::string wanted = "#include \"" + header.substr(kRoot.size()) + "\"";
    if (first == lines.end() || *first != wanted) {
        const auto before = static_cast<std::size_t>(first - lines.begin());
        findings.push_back({path, std::min(before + 1, lines.size()), "own-header",
                            "the first include must be its own header: " + wanted});
    }
}

}  // namespace

void check_shape(const Tree& tree, Findings& findings) {
    for (const auto& [path, text] : tree) {
        if (!needs_licence(path)) {
            continue;
        }
        const std::vector<std::string> lines = split(text, '\n');
        check_licence(path, lines, findings);
        if (is_cxx(path)) {
            check_cxx(path, lines, findings);
            check_own_header(tree, path, lines, findings);
        }
    }
}

}  // namespace colophon::tidy
