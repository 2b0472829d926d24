// SPDX-License-Identifier: Apache-2.0
// The starter list that comes with Colophon: it shows every kind of entry for texts, has something
// for each risk in both languages, says of each why it is there, and does what it says.

#include "core/bytes.h"
#include "core/clock.h"
#include "review/entry.h"
#include "review/entry_json.h"
#include "review/library.h"
#include "review/list_formats.h"
#include "review/live_library.h"
#include "review/review.h"
#include "review/taxonomy.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace colophon::review {
namespace {

std::string file(const std::string& name) {
    return std::string(as_text(test::read_file(COLOPHON_SOURCE_DIR "/" + name)));
}

std::vector<std::string> lines(const std::string& name) {
    std::vector<std::string> all;
    const std::string text = file(name);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        if (end > at && text[at] != '#') {
            all.push_back(text.substr(at, end - at));
        }
        at = end + 1;
    }
    return all;
}

// As `library import` reads it, with nothing that the list does not say.
std::vector<Proposal> starter() {
    const auto read = read_list(ListFormat::kJson, file("deploy/starter-library.jsonl"), {});
    REQUIRE(read.ok());
    std::vector<Proposal> proposals;
    for (const ListLine& line : *read) {
        REQUIRE_MESSAGE(line.proposal.ok(), line.number);
        proposals.push_back(*line.proposal);
    }
    return proposals;
}

std::shared_ptr<const Reviewer> reviewer_of(const std::vector<Proposal>& proposals) {
    std::vector<AnyEntry> entries;
    for (const Proposal& each : proposals) {
        entries.push_back(each.entry);
    }
    const auto made = make_reviewer({}, entries);
    REQUIRE(made.ok());
    return *made;
}

}  // namespace

TEST_CASE("[DSP-10] the starter list says of each entry what the standard wants to know") {
    const Time written = parse_time("2026-11-27T00:00:00Z").value();
    std::map<std::string, std::set<std::string>> languages;  // by risk
    std::set<EntryKind> kinds;
    std::set<Decision> actions;
    std::set<std::string> ids;
    for (const Proposal& each : starter()) {
        CAPTURE(entry_id(each.entry));
        const auto* entry = std::get_if<Entry>(&each.entry);
        REQUIRE(entry != nullptr);
        CHECK(ids.insert(entry->id).second);
        CHECK_FALSE(each.about.reason.empty());
        CHECK_FALSE(each.about.evidence.empty());
        CHECK_FALSE(each.about.source.empty());
        CHECK_FALSE(each.about.owner.empty());
        REQUIRE(each.about.expires);
        CHECK(*each.about.expires > written);
        // Why, in both languages.
        CHECK(std::ranges::any_of(each.about.reason, [](char c) { return (c & 0x80) != 0; }));
        CHECK(std::ranges::any_of(each.about.reason, [](char c) { return c >= 'a' && c <= 'z'; }));
        kinds.insert(entry->kind);
        actions.insert(entry->action);
        const std::size_t dash = entry->id.rfind('-');
        languages[entry->category].insert(entry->id.substr(dash + 1));
    }
    CHECK(kinds.size() == 5);
    CHECK(actions.size() == 4);
    for (const Risk& risk : risks()) {
        CAPTURE(risk.code);
        CHECK(languages[std::string(risk.code)].contains("zh"));
        CHECK(languages[std::string(risk.code)].contains("en"));
    }
}

TEST_CASE("[DSP-10] each entry of the starter list hits its example, and none a harmless line") {
    const auto proposals = starter();
    const auto reviewer = reviewer_of(proposals);
    std::set<std::string> shown;
    for (const std::string& line : lines("tests/review/lists/starter.tsv")) {
        CAPTURE(line);
        const std::size_t tab = line.find('\t');
        REQUIRE(tab != std::string::npos);
        const std::string id = line.substr(0, tab);
        const Verdict verdict = reviewer->review(std::string_view(line).substr(tab + 1));
        CHECK(std::ranges::find(verdict.entries, id) != verdict.entries.end());
        shown.insert(id);
    }
    for (const Proposal& each : proposals) {
        const auto& entry = std::get<Entry>(each.entry);
        CAPTURE(entry.id);
        CHECK(shown.contains(entry.id) == (entry.action != Decision::kAllow));
    }
    const auto harmless = lines("deploy/starter-benign.txt");
    CHECK(harmless.size() >= 30);
    for (const std::string& line : harmless) {
        CAPTURE(line);
        CHECK(reviewer->review(std::string_view(line)).decision == Decision::kAllow);
    }
    // What may pass does: without those entries its line would not.
    CHECK(reviewer->review("我们反对民族仇恨，不煽动").decision == Decision::kAllow);
    CHECK(reviewer->review("see help.casino.example").decision == Decision::kAllow);
}

}  // namespace colophon::review
