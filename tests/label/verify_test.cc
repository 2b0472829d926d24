// SPDX-License-Identifier: Apache-2.0
#include "label/verify.h"

#include "core/bytes.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/metadata/aigc.h"
#include "label/metadata/container.h"
#include "label/metadata/security_data.h"
#include "label/plan.h"
#include "label/propagation.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

constexpr std::string_view kLabel =
    R"({"Label":"1","ContentProducer":"us","ProduceID":"0000000001","ReservedCode1":"",)"
    R"("ContentPropagator":"us","PropagateID":"0000000001","ReservedCode2":""})";

MetadataReading reading_of(std::initializer_list<std::string_view> values) {
    MetadataReading reading;
    for (const std::string_view value : values) {
        reading.sites.push_back({.where = "somewhere " + std::to_string(reading.sites.size()),
                                 .value = std::string(value),
                                 .offset = 0,
                                 .standard_place = true});
    }
    return reading;
}

bool has(const Findings& findings, std::string_view code) {
    return std::ranges::any_of(findings,
                               [&](const Finding& finding) { return finding.code == code; });
}

Verification verify_markdown(std::string_view text) {
    auto seen = verify(as_bytes(text), Format::kMarkdown, {}, {});
    REQUIRE(seen.ok());
    return *seen;
}

TEST_CASE("two labels that say the same are a warning, two that differ a contradiction") {
    const MetadataJudgement same = judge_metadata(reading_of({kLabel, kLabel}), {});
    CHECK(same.metadata.found);
    CHECK_FALSE(same.contradiction);
    CHECK(has(same.findings, "metadata.duplicate"));
    std::string other(kLabel);
    other.replace(other.find("\"us\""), 4, "\"em\"");
    const MetadataJudgement differ = judge_metadata(reading_of({kLabel, other}), {});
    CHECK(differ.contradiction);
    CHECK(has(differ.findings, "metadata.contradiction"));
}

TEST_CASE("a value that is no label at all is unreadable, not absent") {
    const MetadataJudgement judged = judge_metadata(reading_of({"AIGC but not JSON"}), {});
    CHECK_FALSE(judged.metadata.found);
    CHECK(judged.unreadable);
}

TEST_CASE("the bytes of a label in a block that cannot be read make it unreadable, not absent") {
    MetadataReading reading;
    reading.damaged_label = true;
    const MetadataJudgement damaged = judge_metadata(reading, {});
    CHECK(damaged.unreadable);
    CHECK(has(damaged.findings, "metadata.unreadable"));
    reading = reading_of({kLabel});
    reading.damaged_label = true;
    CHECK_FALSE(judge_metadata(reading, {}).unreadable);
}

TEST_CASE("an id of ours is recognised, another's is only a text") {
    CHECK(judge_metadata(reading_of({kLabel}), {}).metadata.content_id == ContentId{1});
    std::string other(kLabel);
    other.replace(other.find("0000000001"), 10, "tos-cn-i-x");
    const MetadataJudgement judged = judge_metadata(reading_of({other}), {});
    CHECK_FALSE(judged.metadata.content_id.has_value());
    CHECK(judged.metadata.label.produce_id == "tos-cn-i-x");
}

TEST_CASE("a label that says generated beside IPTC that says camera is forged") {
    MetadataReading reading = reading_of({kLabel});
    reading.iptc.digital_source_type =
        "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture";
    CHECK(judge_metadata(reading, {}).contradiction);
    reading.iptc.digital_source_type =
        "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
    CHECK_FALSE(judge_metadata(reading, {}).contradiction);
}

// [DSP-18]
TEST_CASE("the verdict follows from which marks are left") {
    const std::string front =
        "---\nAIGC:\n  Label: '1'\n  ContentProducer: 'us'\n  ProduceID: '0000000001'\n"
        "  ReservedCode1: ''\n  ContentPropagator: 'us'\n  PropagateID: '0000000001'\n"
        "  ReservedCode2: ''\n---\n";
    const std::string words = "> 本内容由AI生成\n\nText of some length, written by a machine.\n";
    CHECK(verify_markdown("# Only text\n").verdict == Verdict::kAbsent);
    CHECK(verify_markdown(front + words).verdict == Verdict::kIntact);
    CHECK(verify_markdown(front + "# Only text\n").verdict == Verdict::kIntact);
    // A subset is legitimate: the words alone do not say that metadata was ever beside them.
    const Verification alone = verify_markdown(words);
    CHECK(alone.verdict == Verdict::kIntact);
    CHECK(has(alone.findings, "metadata.absent"));
    // [AILM-6] The visible words make it a suspicion for whoever passes it on.
    CHECK(alone.propagation == PropagationStatus::kSuspected);
    CHECK(verify_markdown(front + words).propagation == PropagationStatus::kConfirmed);
}

// [DSP-18] Who knows what the service writes also knows what was removed.
TEST_CASE("a mark that was expected and is gone makes a file stripped, if another is left") {
    const std::string front = "---\nAIGC: " + std::string(kLabel) + "\n---\n";
    const std::string words = "> 本内容由AI生成\n\nText of some length, written by a machine.\n";
    const MarkSet both = MarkSet().add(Mark::kExplicit).add(Mark::kMetadata);
    struct Row {
        std::string text;
        MarkSet expected;
        Verdict verdict;
        std::string_view finding;
    };
    const Row rows[] = {
        {front + words, both, Verdict::kIntact, ""},
        {words, both, Verdict::kStripped, "metadata.absent"},
        {words, MarkSet().add(Mark::kExplicit), Verdict::kIntact, "metadata.absent"},
        {front + "# Text\n", both, Verdict::kStripped, "explicit.absent"},
        {front + "# Text\n", MarkSet().add(Mark::kMetadata), Verdict::kIntact, ""},
        {"# Text\n", both, Verdict::kAbsent, ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        VerifyOptions options;
        options.expected = row.expected;
        const auto seen = verify(as_bytes(row.text), Format::kMarkdown, options, {}).value();
        CHECK(seen.verdict == row.verdict);
        CHECK(has(seen.findings, "metadata.absent") == (row.finding == "metadata.absent"));
        CHECK(has(seen.findings, "explicit.absent") == (row.finding == "explicit.absent"));
    }
}

// [AILM-6] A platform's "may be" or "suspected" stays what it is on the next platform.
TEST_CASE("what a label says of the content is passed on, not sharpened") {
    const auto status = [](const char* value) {
        const std::string text = std::string("---\nAIGC:\n  Label: '") + value +
                                 "'\n  ContentProducer: ''\n  ProduceID: ''\n  ReservedCode1: ''\n"
                                 "  ContentPropagator: 'us'\n  PropagateID: '1'\n"
                                 "  ReservedCode2: ''\n---\n# Text\n";
        return verify_markdown(text).propagation;
    };
    CHECK(status("1") == PropagationStatus::kConfirmed);
    CHECK(status("2") == PropagationStatus::kPossible);
    CHECK(status("3") == PropagationStatus::kSuspected);
}

TEST_CASE("a provider code that cannot exist is forged") {
    const std::string text =
        "---\nAIGC:\n  Label: '1'\n  ContentProducer: '001191000000000000000A10001'\n"
        "  ProduceID: '0000000001'\n  ReservedCode1: ''\n  ContentPropagator: ''\n"
        "  PropagateID: ''\n  ReservedCode2: ''\n---\n# Text\n";
    CHECK(verify_markdown(text).verdict == Verdict::kForged);
}

// A label as front matter: one field is `value`, the others are good.
std::string front_with(std::string_view field, std::string_view value) {
    std::string front = "---\nAIGC:\n";
    for (const auto& [name, good] : {std::pair{"Label", "1"},
                                     {"ContentProducer", "us"},
                                     {"ProduceID", "0000000001"},
                                     {"ReservedCode1", ""},
                                     {"ContentPropagator", "us"},
                                     {"PropagateID", "0000000001"},
                                     {"ReservedCode2", ""}}) {
        front += fmt::format("  {}: '{}'\n", name, field == name ? value : good);
    }
    return front + "---\n";
}

// A file for each error, and the verdict that it has to get.
struct ErrorRow {
    std::string_view code;
    Verdict verdict;
    std::string file;
    VerifyOptions options;
};
std::vector<ErrorRow> error_rows() {
    const std::string body = "# Text\n";
    const std::string words = "> 本内容由AI生成\n\nText of some length, written by a machine.\n";
    const SigningKey ours = SigningKey::generate().value();
    const SigningKey forger = SigningKey::generate().value();
    AigcLabel label = read_aigc(kLabel)->label;
    const std::string signed_by_us = make_security_data(label, ours, "ours").value();
    const std::string posing = make_security_data(label, forger, ours.key_id()).value();
    label.produce_id = "0000000002";
    const std::string of_another = make_security_data(label, ours, "ours").value();
    std::string twice(kLabel);
    twice.insert(1, R"("Label":"2",)");
    const auto object = [&](const std::string& text) {
        return "---\nAIGC: '" + text + "'\n---\n" + body;
    };
    VerifyOptions both;
    both.expected = MarkSet().add(Mark::kExplicit).add(Mark::kMetadata);
    std::vector<ErrorRow> rows{
        {"signature.invalid", Verdict::kAltered, front_with("ReservedCode1", of_another), {}},
        {"signature.key_mismatch", Verdict::kForged, front_with("ReservedCode1", posing), {}},
        {"metadata.duplicate_field", Verdict::kForged, object(twice), {}},
        {"metadata.provider_code",
         Verdict::kForged,
         front_with("ContentProducer", "001191000000000000000A10001"),
         {}},
        {"metadata.label_value", Verdict::kUnreadable, front_with("Label", "7"), {}},
        {"metadata.label_value", Verdict::kUnreadable, front_with("Label", "7") + words, {}},
        {"metadata.unreadable", Verdict::kUnreadable, object("AIGC but not JSON"), {}},
        {"metadata.unreadable", Verdict::kUnreadable, object("AIGC but not JSON") + words, {}},
        {"explicit.absent", Verdict::kStripped, front_with("", "") + body, both},
        {"metadata.absent", Verdict::kStripped, words, both},
        // The gravest of several counts.
        {"metadata.label_value",
         Verdict::kForged,
         object(R"({"Label":"7","Label":"8","ContentProducer":"us","ProduceID":"1"})"),
         {}},
    };
    rows[1].options.trusted.push_back({"ours", ours.public_key()});
    CHECK(verify_markdown(front_with("ReservedCode1", signed_by_us)).verdict == Verdict::kIntact);
    return rows;
}

// [DSP-18]
TEST_CASE("each error has its verdict, and nothing that has an error is intact") {
    for (const ErrorRow& row : error_rows()) {
        CAPTURE(row.code);
        CAPTURE(row.file);
        const auto seen = verify(as_bytes(row.file), Format::kMarkdown, row.options, {}).value();
        CHECK(seen.verdict == row.verdict);
        CHECK(std::ranges::any_of(seen.findings, [&](const Finding& finding) {
            return finding.code == row.code && finding.level == FindingLevel::kError;
        }));
    }
}

// The page of all findings says which may be errors; each but one has a file above. Label and IPTC
// contradict each other in pictures only, which a test above does; what Content Credentials say is
// shown in provenance/verdict_test.cc and e2e/fragments_test.cc, what watermarks say in
// watermark/picture_test.cc.
TEST_CASE("every error that verification knows has a file that shows its verdict") {
    std::set<std::string> shown{
        "metadata.contradiction",   "provenance.absent",    "provenance.altered",
        "provenance.contradiction", "provenance.remembers", "watermark.absent",
        "watermark.contradiction",  "watermark.unreadable", "provenance.fragments_missing"};
    for (const ErrorRow& row : error_rows()) {
        shown.emplace(row.code);
    }
    std::set<std::string> listed;
    std::ifstream page(COLOPHON_SOURCE_DIR "/docs/reference/findings.md");
    for (std::string line; std::getline(page, line);) {
        const bool ledger = line.starts_with("| `ledger.");
        const std::size_t bar = line.find('|', 1);
        const std::size_t end = line.find('|', bar + 1);
        if (!line.starts_with("| `") || ledger || end == std::string::npos) {
            continue;
        }
        if (line.substr(bar, end - bar).find("error") != std::string::npos) {
            listed.insert(line.substr(3, line.find('`', 3) - 3));
        }
    }
    CHECK(listed == shown);
}

TEST_CASE("beside a label that can be read, one that cannot is a warning") {
    const MetadataJudgement judged = judge_metadata(reading_of({"AIGC but not JSON", kLabel}), {});
    CHECK(judged.metadata.found);
    REQUIRE(has(judged.findings, "metadata.unreadable"));
    CHECK(judged.findings.front().level == FindingLevel::kWarning);
}

TEST_CASE("plain text with its words is intact, since words are all it can carry") {
    const auto seen =
        verify(as_bytes("本内容由AI生成\n\nText.\n"), Format::kPlainText, {}, {}).value();
    CHECK(seen.verdict == Verdict::kIntact);
    CHECK_FALSE(seen.metadata.has_value());
}

}  // namespace
}  // namespace colophon::label
