// SPDX-License-Identifier: Apache-2.0
#include "label/verify.h"

#include "core/bytes.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "label/plan.h"
#include "label/propagation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>

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

TEST_CASE("plain text with its words is intact, since words are all it can carry") {
    const auto seen =
        verify(as_bytes("本内容由AI生成\n\nText.\n"), Format::kPlainText, {}, {}).value();
    CHECK(seen.verdict == Verdict::kIntact);
    CHECK_FALSE(seen.metadata.has_value());
}

}  // namespace
}  // namespace colophon::label
