// SPDX-License-Identifier: Apache-2.0
#include "tidy/tidy.h"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace colophon::tidy {
namespace {

using Table = std::map<std::string, std::set<std::string>>;

Table read_table(const Tree& tree, Findings& findings) {
    const std::string path = "tools/modules.tsv";
    Table table;
    const auto file = tree.find(path);
    if (file == tree.end()) {
        findings.push_back({path, 0, "layer", "the table of modules is missing"});
        return table;
    }
    for (const std::string& line : split(file->second, '\n')) {
        if (line.empty() || line[0] == '#') {
            continue;
        }
        const std::size_t tab = line.find('\t');
        const std::string uses = tab == std::string::npos ? "" : line.substr(tab + 1);
        auto& row = table[line.substr(0, tab)];
        for (const std::string& module : split(uses, ' ')) {
            row.insert(module);
        }
    }
    return table;
}

// The path of an #include "path" line.
std::optional<std::string> own_include(std::string_view line) {
    constexpr std::string_view kStart = "#include \"";
    if (!line.starts_with(kStart)) {
        return std::nullopt;
    }
    line.remove_prefix(kStart.size());
    return std::string(line.substr(0, line.find('"')));
}

std::string first_part(std::string_view path) {
    return std::string(path.substr(0, path.find('/')));
}

// The module of a path below src/: the longest row that names a folder around it.
std::string module_of(const Table& table, std::string_view path) {
    std::string_view folder = path;
    for (std::size_t slash = folder.rfind('/'); slash != std::string_view::npos;
         slash = folder.rfind('/')) {
        folder = folder.substr(0, slash);
        if (table.contains(std::string(folder))) {
            return std::string(folder);
        }
    }
    return first_part(path);
}

void check_line(const Table& table, const std::string& path, std::size_t line,
                const std::string& include, Findings& findings) {
    const std::string module = module_of(table, std::string_view(path).substr(4));
    const std::string used = module_of(table, include);
    const auto row = table.find(module);
    if (row == table.end()) {
        findings.push_back({path, line, "layer",
                            "module " + module + " has no row in tools/modules.tsv; add one"});
        return;
    }
    if (used != module && !row->second.contains(used) && !row->second.contains("*")) {
        findings.push_back({path, line, "layer",
                            module + " may not include " + used +
                                " (tools/modules.tsv); pass what it needs as a parameter"});
    }
    const std::size_t internal = include.find("/internal/");
    if (internal != std::string::npos) {
        const std::string owner = "src/" + include.substr(0, internal) + "/";
        if (!path.starts_with(owner)) {
            findings.push_back(
                {path, line, "internal", include + " is private to " + owner + "; use its face"});
        }
    }
}

}  // namespace

void check_layers(const Tree& tree, Findings& findings) {
    const Table table = read_table(tree, findings);
    for (const auto& [path, text] : tree) {
        if (!path.starts_with("src/") || !is_cxx(path)) {
            continue;
        }
        const Source source = read_source(text);
        for (std::size_t i = 0; i < source.code.size(); ++i) {
            if (const auto include = own_include(source.code[i])) {
                check_line(table, path, i + 1, *include, findings);
            }
        }
    }
}

}  // namespace colophon::tidy
