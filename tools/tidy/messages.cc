// SPDX-License-Identifier: Apache-2.0
#include "tidy/messages.h"

#include "tidy/tidy.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::tidy {
namespace {

constexpr std::string_view kTable = "src/messages/zh.tsv";

struct Row {
    std::string translation;
    std::string origin;  // where a message comes from that no literal of ours makes; may be empty
    std::size_t line = 0;
};
using Rows = std::map<std::string, Row>;

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string_view::npos;
         at = text.find(part, at + part.size())) {
        ++found;
    }
    return found;
}

std::string without_braces(std::string text) {
    for (const std::string_view twice : {"{{", "}}"}) {
        for (std::size_t at = text.find(twice); at != std::string::npos; at = text.find(twice)) {
            text.erase(at, 2);
        }
    }
    return text;
}

// The marks of place `number` (from 1) in a translation.
std::array<std::string, 3> marks_of(std::size_t number) {
    const std::string start = "{" + std::to_string(number);
    return {start + "}", start + ":m}", start + ":n}"};
}

std::size_t uses_of(std::string_view translation, std::size_t number) {
    std::size_t uses = 0;
    for (const std::string& mark : marks_of(number)) {
        uses += count(translation, mark);
    }
    return uses;
}

void check_places(const std::string& pattern, const Row& row, Findings& findings) {
    const std::string plain = without_braces(row.translation);
    const std::size_t places = count(without_braces(pattern), "{}");
    std::size_t seen = 0;
    bool good = true;
    for (std::size_t number = 1; number <= places; ++number) {
        good = good && uses_of(plain, number) == 1;
        ++seen;
    }
    if (!good || count(plain, "{") != seen) {
        findings.push_back({std::string(kTable), row.line, "message",
                            "the English has " + std::to_string(places) +
                                " places; the Chinese needs each of them once, as {1}, {2:m} "
                                "(itself a message) or {3:n} (a number)"});
    }
}

Rows read_rows(const std::string& table, Findings& findings) {
    Rows rows;
    const auto report = [&](std::size_t line, std::string what) {
        findings.push_back({std::string(kTable), line, "message", std::move(what)});
    };
    const std::vector<std::string> lines = split(table, '\n');
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::vector<std::string> cells = split(lines[i], '\t');
        if (cells.size() < 2 || cells.size() > 3 || cells[0].empty() || cells[1].empty()) {
            report(i + 1,
                   "a row is ENGLISH<TAB>CHINESE, or =, and <TAB>where it comes from if no "
                   "literal in src/ makes it");
            continue;
        }
        if (i > 0 && lines[i] < lines[i - 1]) {
            report(i + 1, "the rows are out of order; say: LC_ALL=C sort -u -o " +
                              std::string(kTable) + " " + std::string(kTable));
        }
        const Row row{
            .translation = cells[1], .origin = cells.size() == 3 ? cells[2] : "", .line = i + 1};
        if (!rows.emplace(cells[0], row).second) {
            report(i + 1, "a second row for the same English");
        }
        if (row.translation != "=") {
            check_places(cells[0], row, findings);
        }
    }
    return rows;
}

// What is told by another part of the program, or by the system, is a message too.
bool holds_message(std::string_view place) {
    constexpr std::array<std::string_view, 6> kSigns{".what",         ".message", "strerror",
                                                     "description()", "reason",   "problem"};
    return place == "what" || place == "why" ||
           std::ranges::any_of(kSigns, [&](std::string_view sign) {
               return place.find(sign) != std::string_view::npos;
           });
}

void check_message(const Message& message, const Rows& rows, Findings& findings) {
    const auto row = rows.find(message.pattern);
    if (row == rows.end()) {
        findings.push_back({message.path, message.line, "message",
                            "no Chinese for this message; add to " + std::string(kTable) +
                                " the row: " + message.pattern +
                                "<TAB>its Chinese (or = if it is no sentence for a person)"});
        return;
    }
    for (std::size_t i = 0; i < message.places.size() && row->second.translation != "="; ++i) {
        const std::string mark = marks_of(i + 1)[1];
        if (holds_message(message.places[i]) &&
            row->second.translation.find(mark) == std::string::npos) {
            findings.push_back({std::string(kTable), row->second.line, "message",
                                "place " + std::to_string(i + 1) + " is filled with " +
                                    message.places[i] + ", a message; write " + mark});
        }
    }
}

}  // namespace

void check_messages(const Tree& tree, Findings& findings) {
    const auto table = tree.find(std::string(kTable));
    if (table == tree.end()) {
        findings.push_back({std::string(kTable), 0, "message", "the table is missing"});
        return;
    }
    const Rows rows = read_rows(table->second, findings);
    std::map<std::string, bool> used;
    for (const auto& [path, text] : tree) {
        if (!path.starts_with("src/") || !is_cxx(path)) {
            continue;
        }
        for (const Message& message : find_messages(path, text)) {
            used[message.pattern] = true;
            check_message(message, rows, findings);
        }
    }
    for (const auto& [pattern, row] : rows) {
        if (row.origin.empty() && !used.contains(pattern)) {
            findings.push_back({std::string(kTable), row.line, "message",
                                "nothing in src/ says this any more; drop the row, or say in a "
                                "third column where it comes from"});
        }
    }
}

}  // namespace colophon::tidy
