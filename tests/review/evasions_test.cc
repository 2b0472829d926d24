// SPDX-License-Identifier: Apache-2.0
// Disguises that people use, each of which is to be found, and harmless texts that look alike, none
// of which is: the lists beside this file.

#include "core/bytes.h"
#include "review/entry_list.h"
#include "review/matcher.h"
#include "review/review.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

const std::string kLists = COLOPHON_SOURCE_DIR "/tests/review/lists/";

std::string list(const std::string& name) {
    return std::string(as_text(test::read_file(kLists + name)));
}

// Rows of a list, their columns parted by tabulators, "\n" for line breaks.
std::vector<std::vector<std::string>> rows(const std::string& name) {
    std::vector<std::vector<std::string>> all;
    const std::string text = list(name);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string line = text.substr(at, end - at);
        at = end + 1;
        if (line.empty() || line.starts_with('#')) {
            continue;
        }
        for (std::size_t mark = 0; (mark = line.find("\\n", mark)) != std::string::npos;) {
            line.replace(mark, 2, "\n");
        }
        std::vector<std::string> row;
        for (std::size_t begin = 0; begin <= line.size();) {
            const std::size_t tab = std::min(line.find('\t', begin), line.size());
            row.push_back(line.substr(begin, tab - begin));
            begin = tab + 1;
        }
        all.push_back(std::move(row));
    }
    return all;
}

Reviewer reviewer() {
    auto entries = parse_entry_list(list("entries.jsonl"));
    REQUIRE(entries.ok());
    auto matcher = Matcher::compile(std::move(entries->texts));
    REQUIRE(matcher.ok());
    return Reviewer(std::move(*matcher));
}

}  // namespace

TEST_CASE("[DSP-10] three hundred evasions of more than twenty kinds are found, each of them") {
    const Reviewer rules = reviewer();
    const auto evasions = rows("evasions.tsv");
    std::set<std::string> kinds;
    for (const auto& row : evasions) {
        REQUIRE(row.size() == 3);
        kinds.insert(row[0]);
        const Verdict verdict = rules.review(row[2]);
        const bool found = std::ranges::find(verdict.entries, row[1]) != verdict.entries.end();
        CHECK_MESSAGE(found, row[0], ": ", row[1], " in ", row[2]);
    }
    CHECK(evasions.size() >= 300);
    CHECK(kinds.size() >= 20);
}

TEST_CASE("[DSP-10] three hundred harmless texts that look alike are let pass, each of them") {
    const Reviewer rules = reviewer();
    const auto harmless = rows("innocent.tsv");
    for (const auto& row : harmless) {
        REQUIRE(row.size() == 2);
        const Verdict verdict = rules.review(row[1]);
        CHECK_MESSAGE(verdict.entries.empty(), row[1], " was taken for ",
                      verdict.entries.empty() ? "" : verdict.entries.front());
    }
    CHECK(harmless.size() >= 300);
}

}  // namespace colophon::review
