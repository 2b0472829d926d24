// SPDX-License-Identifier: Apache-2.0
#include "review/list_formats.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "review/entry.h"
#include "review/entry_json.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace colophon::review {
namespace {

const ListDefaults kDefaults{
    .about = {.reason = "from a list", .evidence = {}, .source = {}, .owner = {}, .expires = {}},
    .category = "imported",
    .id_prefix = "l/"};

std::vector<Proposal> entries_of(ListFormat format, std::string_view text) {
    const auto lines = read_list(format, text, kDefaults);
    REQUIRE(lines.ok());
    std::vector<Proposal> entries;
    for (const ListLine& line : *lines) {
        REQUIRE_MESSAGE(line.proposal.ok(), line.number);
        entries.push_back(*line.proposal);
    }
    return entries;
}

const std::string kHash = "f0" + std::string(62, '0');

}  // namespace

TEST_CASE("[DSP-10] a list keeps every member of an entry, as JSON and as a table") {
    const std::string list =
        R"({"id":"b,1","category":"A1d","phrase":"say \"x\", y","folding":"sound",)"
        R"("with":["y","z"],)"
        R"("within":7,"inside_words":true,"reply":"no\nmore","action":"hold","stage":"input",)"
        R"("tenants":["t"],"services":["voice"],"about":{"reason":"why","evidence":"record 1",)"
        R"("source":"police","owner":"li.wei","expires":"2027-01-01T00:00:00Z"}})"
        "\n"
        R"({"id":"p-1","category":"A1f","pdq":")" +
        kHash + R"(","distance":8,"about":{"reason":"why"}})" + "\n";
    const std::vector<Proposal> entries = entries_of(ListFormat::kJson, list);
    const auto same = [](std::string_view one, std::string_view two) {
        std::vector<std::string> texts;
        for (const std::string_view text : {one, two}) {
            texts.push_back(write_list(ListFormat::kCsv, entries_of(ListFormat::kJson, text)));
        }
        return texts[0] == texts[1];
    };
    CHECK(same(write_list(ListFormat::kJson, entries), list));
    const std::string table = write_list(ListFormat::kCsv, entries);
    CHECK(table.find("\"b,1\"") != std::string::npos);
    CHECK(table.find("\"say \"\"x\"\", y\"") != std::string::npos);
    const std::vector<Proposal> again = entries_of(ListFormat::kCsv, table);
    CHECK(write_list(ListFormat::kJson, again) == write_list(ListFormat::kJson, entries));
    CHECK(again[0].about.expires == parse_time("2027-01-01T00:00:00Z").value());
}

TEST_CASE("[DSP-10] signals and updates of ThreatExchange are read and written") {
    const std::vector<Proposal> signals =
        entries_of(ListFormat::kSignals,
                   "pdq " + kHash + "\nraw_text some words\r\n\n# no\nurl https://a.example/x\n");
    REQUIRE(signals.size() == 3);
    CHECK(std::get<Entry>(signals[2].entry).kind == EntryKind::kLink);
    CHECK(entry_id(signals[1].entry) == "l/2");
    CHECK(std::get<Entry>(signals[1].entry).phrase == "some words");
    CHECK(signals[0].about.reason == "from a list");
    CHECK(write_list(ListFormat::kSignals, signals) ==
          "pdq " + kHash + "\nraw_text some words\nurl https://a.example/x\n");
    const auto updates = read_list(
        ListFormat::kUpdates,
        R"({"data":[{"id":"17","indicator":")" + kHash +
            R"(","type":"HASH_PDQ","last_updated":1,"should_delete":false,"descriptors":[{"tags":)"
            R"(["violent"]}]},{"id":"18","indicator":"x","type":"HASH_PDQ","should_delete":true},)"
            R"({"id":"19","indicator":"abc","type":"HASH_MD5","should_delete":false}]})",
        kDefaults);
    REQUIRE(updates.ok());
    REQUIRE(updates->size() == 2);
    REQUIRE((*updates)[0].proposal.ok());
    CHECK(entry_id((*updates)[0].proposal->entry) == "te/17");
    CHECK(entry_category((*updates)[0].proposal->entry) == "violent");
    CHECK((*updates)[1].number == 3);
    CHECK((*updates)[1].proposal.error().what.find("HASH_MD5") != std::string::npos);
    const std::vector<Proposal> back =
        entries_of(ListFormat::kUpdates, write_list(ListFormat::kUpdates, signals));
    CHECK(write_list(ListFormat::kSignals, back) == write_list(ListFormat::kSignals, signals));
}

TEST_CASE("a list holds all kinds of entries, and names the line of one that cannot be searched") {
    const std::string lines =
        R"({"id":"1","category":"t","expression":"a{2}","languages":["zh"],"about":{"reason":"r"}}
{"id":"2","category":"t","link":"example.com/a|b","about":{"reason":"r"}}
{"id":"3","category":"t","pattern":"a/b ... c","stage":"both","about":{"reason":"r"}}
)";
    const std::vector<Proposal> entries = entries_of(ListFormat::kJson, lines);
    CHECK(write_list(ListFormat::kJson, entries) == lines);
    const std::string table = write_list(ListFormat::kCsv, entries);
    CHECK(write_list(ListFormat::kJson, entries_of(ListFormat::kCsv, table)) == lines);
    // Of these signals know links only.
    CHECK(write_list(ListFormat::kSignals, entries) == "url example.com/a|b\n");
    const auto wrong = read_list(ListFormat::kCsv,
                                 "id,category,expression,link,pattern\r\n"
                                 "1,t,a+,,\r\n2,t,,com,\r\n3,t,,,a\r\n4,t,a{2},,\r\n",
                                 kDefaults);
    REQUIRE(wrong.ok());
    REQUIRE(wrong->size() == 4);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK((*wrong)[i].number == i + 2);
        CHECK_FALSE((*wrong)[i].proposal.ok());
    }
    CHECK((*wrong)[3].proposal.ok());
}

TEST_CASE("each line that is wrong is named, and so is a list that cannot be read") {
    const auto lines = read_list(ListFormat::kCsv,
                                 "id,category,phrase,within\r\n"
                                 "a,c,\"two\nlines\",5\r\n"
                                 "b,c,word,many\r\n"
                                 "c,c,word\r\n"
                                 "\xef\xbb\xbf"
                                 "d,c,word,\r\n",
                                 kDefaults);
    REQUIRE(lines.ok());
    REQUIRE(lines->size() == 4);
    CHECK((*lines)[0].proposal.ok());
    CHECK((*lines)[1].number == 4);
    CHECK((*lines)[1].proposal.error().what.find("within") != std::string::npos);
    CHECK((*lines)[2].proposal.error().what.find("3 fields") != std::string::npos);
    CHECK((*lines)[3].proposal.ok());
    constexpr std::array<std::string_view, 7> kBroken{"",
                                                      "id,nonsense\n",
                                                      "id,phrase\n\"never closed",
                                                      "id,phrase\na,\"b\"c\n",
                                                      "id,phrase\na,b\"c\n",
                                                      "id,phrase\na,\xff\n",
                                                      "\"\n"};
    for (const std::string_view text : kBroken) {
        CAPTURE(text);
        CHECK_FALSE(read_list(ListFormat::kCsv, text, kDefaults).ok());
    }
    CHECK_FALSE(read_list(ListFormat::kUpdates, "{}", kDefaults).ok());
    CHECK_FALSE(read_list(ListFormat::kUpdates, "[", kDefaults).ok());
    // Each field is short enough, the entry is not: it could be written nowhere.
    const auto wide = read_list(ListFormat::kCsv,
                                "id,category,phrase,reply\na,c," + std::string(9000, 'x') + "," +
                                    std::string(9000, 'y') + "\n",
                                kDefaults);
    REQUIRE(wide.ok());
    CHECK_FALSE(wide->front().proposal.ok());
    const auto json = read_list(
        ListFormat::kJson, "{\"phrase\":\"x\",\"about\":{\"why\":\"x\"}}\n\xff\n[]\n", kDefaults);
    REQUIRE(json.ok());
    for (const ListLine& line : *json) {
        CHECK_FALSE(line.proposal.ok());
    }
}

}  // namespace colophon::review
