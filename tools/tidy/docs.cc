// SPDX-License-Identifier: Apache-2.0
#include "tidy/tidy.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::tidy {
namespace {

constexpr std::string_view kPhrases = "tools/tidy/phrases.tsv";

// Resolves "../x/y" against the folder of `from`; empty when it leaves the tree.
std::string resolve(std::string_view from, std::string_view target) {
    std::vector<std::string> parts;
    if (target.starts_with('/')) {
        target.remove_prefix(1);
    } else {
        parts = split(from, '/');
        parts.pop_back();
    }
    for (const std::string& part : split(target, '/')) {
        if (part == "..") {
            if (parts.empty()) {
                return {};
            }
            parts.pop_back();
        } else if (!part.empty() && part != ".") {
            parts.push_back(part);
        }
    }
    std::string path;
    for (const std::string& part : parts) {
        path += path.empty() ? part : "/" + part;
    }
    return path;
}

bool exists(const Tree& tree, const std::string& path) {
    if (path.empty() || tree.contains(path)) {
        return true;
    }
    const auto below = tree.lower_bound(path + "/");
    return below != tree.end() && below->first.starts_with(path + "/");
}

// The line without its `code` parts.
std::string without_code(std::string_view line) {
    std::string out;
    bool code = false;
    for (const char c : line) {
        code = c == '`' ? !code : code;
        out += code || c == '`' ? ' ' : c;
    }
    return out;
}

std::vector<std::string> links(std::string_view line) {
    std::vector<std::string> found;
    for (std::size_t at = line.find("]("); at != std::string_view::npos;
         at = line.find("](", at + 1)) {
        const std::size_t end = line.find_first_of(") #", at + 2);
        if (end != std::string_view::npos) {
            found.emplace_back(line.substr(at + 2, end - at - 2));
        }
    }
    return found;
}

bool is_foreign(std::string_view target) {
    return target.empty() || target.find("://") != std::string_view::npos ||
           target.starts_with("mailto:");
}

void check_page(const Tree& tree, const std::string& path, Findings& findings) {
    const std::vector<std::string> lines = split(tree.at(path), '\n');
    bool fenced = false;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].starts_with("```")) {
            fenced = !fenced;
        }
        if (fenced) {
            continue;
        }
        for (const std::string& target : links(without_code(lines[i]))) {
            if (!is_foreign(target) && !exists(tree, resolve(path, target))) {
                findings.push_back({path, i + 1, "link",
                                    "nothing is at " + target + "; correct or drop the link"});
            }
        }
    }
}

bool in_scope(std::string_view scope, std::string_view path) {
    const bool docs = path.ends_with(".md");
    return scope == "all" || (scope == "docs" && docs) || (scope == "code" && !docs);
}

void check_phrase(const Tree& tree, const std::vector<std::string>& row, Findings& findings) {
    for (const auto& [path, text] : tree) {
        if (path == kPhrases || path == "LICENSE" || !in_scope(row[1], path) ||
            text.find(row[0]) == std::string::npos) {
            continue;
        }
        // Documents and scripts have no C++ comments: a whole line may lift the rule.
        const std::vector<std::string> all = split(text, '\n');
        const Source lines{.raw = all, .code = {}, .comments = all};
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i].find(row[0]) != std::string::npos && !allowed(lines, i, "phrase")) {
                findings.push_back({path, i + 1, "phrase", row[0] + ": " + row[2]});
            }
        }
    }
}

}  // namespace

void check_links(const Tree& tree, Findings& findings) {
    for (const auto& [path, text] : tree) {
        if (path.ends_with(".md")) {
            check_page(tree, path, findings);
        }
    }
}

void check_phrases(const Tree& tree, Findings& findings) {
    const auto table = tree.find(std::string(kPhrases));
    if (table == tree.end()) {
        findings.push_back({std::string(kPhrases), 0, "phrase", "the table is missing"});
        return;
    }
    for (const std::string& line : split(table->second, '\n')) {
        const std::vector<std::string> row = split(line, '\t');
        if (!line.starts_with("#") && row.size() == 3) {
            check_phrase(tree, row, findings);
        }
    }
}

}  // namespace colophon::tidy
