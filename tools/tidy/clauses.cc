// SPDX-License-Identifier: Apache-2.0
#include "tidy/tidy.h"

#include <cctype>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::tidy {
namespace {

struct Place {
    std::string path;
    std::size_t line;
};
using Uses = std::map<std::string, Place>;  // tag -> where it stands first

// A tag is [LETTERS-...]: at least two capitals or digits, a hyphen, then letters, digits, dots,
// hyphens. [A-Z] and [0-9] are thus none.
bool is_tag(std::string_view text) {
    const std::size_t hyphen = text.find('-');
    if (hyphen == std::string_view::npos || hyphen < 2 || hyphen + 1 == text.size() ||
        std::isupper(static_cast<unsigned char>(text[0])) == 0) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        const bool good = i < hyphen ? std::isupper(c) != 0 || std::isdigit(c) != 0
                                     : std::isalnum(c) != 0 || c == '.' || c == '-';
        if (!good) {
            return false;
        }
    }
    return true;
}

void collect(const std::string& path, const std::vector<std::string>& lines, Uses& uses) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string_view line = lines[i];
        for (std::size_t open = line.find('['); open != std::string_view::npos;
             open = line.find('[', open + 1)) {
            const std::size_t close = line.find(']', open);
            if (close == std::string_view::npos) {
                break;
            }
            const std::string_view tag = line.substr(open + 1, close - open - 1);
            if (is_tag(tag)) {
                uses.try_emplace(std::string(tag), Place{path, i + 1});
            }
        }
    }
}

Uses read_rows(const Tree& tree, const std::string& path, Findings& findings) {
    Uses rows;
    const auto file = tree.find(path);
    if (file == tree.end()) {
        findings.push_back({path, 0, "clause", "the table of clauses is missing"});
        return rows;
    }
    const std::vector<std::string> lines = split(file->second, '\n');
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].empty() || lines[i][0] == '#') {
            continue;
        }
        const std::size_t tab = lines[i].find('\t');
        const std::string tag = lines[i].substr(0, tab);
        if (tab == std::string::npos || tab + 1 == lines[i].size() || !is_tag(tag)) {
            findings.push_back({path, i + 1, "clause", "a row is TAG<TAB>what the clause demands"});
        } else if (!rows.try_emplace(tag, Place{path, i + 1}).second) {
            findings.push_back({path, i + 1, "clause", tag + " has two rows; keep one"});
        }
    }
    return rows;
}

}  // namespace

void check_clauses(const Tree& tree, Findings& findings) {
    const std::string table = "docs/clauses.tsv";
    Uses code;
    Uses tests;
    for (const auto& [path, text] : tree) {
        const bool in_tests = path.starts_with("tests/") && !path.starts_with("tests/tools/");
        if (is_cxx(path) && path.starts_with("src/")) {
            collect(path, read_source(text).comments, code);
        } else if (is_cxx(path) && in_tests) {
            collect(path, split(text, '\n'), tests);
        }
    }
    const Uses rows = read_rows(tree, table, findings);
    const auto demand_row = [&](const Uses& uses) {
        for (const auto& [tag, place] : uses) {
            if (!rows.contains(tag)) {
                findings.push_back({place.path, place.line, "clause",
                                    "[" + tag + "] has no row; add to " + table + " the line \"" +
                                        tag + "<TAB>what the clause demands\""});
            }
        }
    };
    demand_row(code);
    demand_row(tests);
    for (const auto& [tag, place] : rows) {
        if (!code.contains(tag)) {
            findings.push_back({place.path, place.line, "clause",
                                "no code performs " + tag + "; write [" + tag +
                                    "] in a comment where src/ does, or drop the row"});
        }
        if (!tests.contains(tag)) {
            findings.push_back({place.path, place.line, "clause",
                                "no test checks " + tag + "; write [" + tag +
                                    "] in a comment beside the TEST_CASE that does"});
        }
    }
}

}  // namespace colophon::tidy
