// SPDX-License-Identifier: Apache-2.0
#include "ledger/record.h"

#include "core/random.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace colophon::ledger {
namespace {

ServiceRecord full_record() {
    SeededRandom random(3);
    ServiceRecord record;
    Facts& facts = record.facts;
    facts.id = make_random_id<RecordId>(random).value();
    facts.kind = RecordKind::kUnlabelledRelease;
    facts.at = parse_time("2026-11-26T08:15:30.125Z").value();
    facts.tenant = make_random_id<TenantId>(random).value();
    facts.subject = make_random_id<SubjectId>(random).value();
    facts.operation = "images.generations";
    facts.model = "example-model";
    facts.model_version = "example-model-2026-10";
    facts.content_id = ContentId{123456789};
    facts.outcome = Outcome::kCutOff;
    facts.outcome_code = "output_blocked";
    facts.label = R"({"Label":"1","ContentProducer":"a \"b\""})";
    facts.verdicts = {{"input", "allow", "", ""}, {"output", "block", "A.1.2", "entry-7/3"}};
    facts.durations = {.total_ms = 120, .review_ms = 0, .upstream_ms = 100, .label_ms = {}};
    facts.input_tokens = 12;
    facts.output_tokens = 345;
    facts.policy_version = "2026-11-01";
    facts.detail = R"({"count":3})";
    record.personal = {.account = "用户 7",
                       .source_address = "2001:db8::7",
                       .source_port = 50123,
                       .target_address = "192.0.2.1:443",
                       .client = "app/1.0",
                       .input = "一只猫\n",
                       .output = "（AI生成）…",
                       .contents = {{"output", "blob-1", "image/png", 12345}},
                       .files = {{.stage = "input",
                                  .kind = "video",
                                  .print = "0,100,aa,0.000\n",
                                  .sound = "AQAA",
                                  .lacks = {}},
                                 {.stage = "output",
                                  .kind = "picture",
                                  .labelled = true,
                                  .print = {},
                                  .sound = {},
                                  .lacks = "no print"}}};
    return record;
}

// [DSP-10] [DSP-16]
TEST_CASE("both halves of a record are read back as they were written") {
    const ServiceRecord record = full_record();
    CHECK(read_facts(write_facts(record.facts)).value() == record.facts);
    CHECK(read_private(write_private(record.personal)).value() == record.personal);
    ServiceRecord least;
    CHECK(read_facts(write_facts(least.facts)).value() == least.facts);
    CHECK(read_private(write_private(least.personal)).value() == least.personal);
}

TEST_CASE("the facts of a record say nothing of its private half") {
    const ServiceRecord record = full_record();
    const std::string facts = write_facts(record.facts);
    for (const std::string& secret :
         {record.personal.account, record.personal.source_address, record.personal.input,
          record.personal.output, record.personal.client}) {
        CHECK(facts.find(secret) == std::string::npos);
    }
}

TEST_CASE("a damaged record is refused by the name of its member") {
    const std::string good = write_facts(full_record().facts);
    struct Damage {
        const char* from;
        const char* to;
        const char* names;
    };
    for (const Damage& damage :
         {Damage{"\"kind\":\"unlabelled_release\"", "\"kind\":\"other\"", "kind"},
          Damage{"\"outcome\":\"cut_off\"", "\"outcome\":7", "outcome"},
          Damage{"\"time\":\"2026", "\"time\":\"x026", "time"},
          Damage{"\"input_tokens\":12", "\"input_tokens\":\"12\"", "input_tokens"},
          Damage{"\"verdicts\":[", "\"verdicts\":7,\"x\":[", "verdicts"},
          Damage{"\"tenant\":\"", "\"tenant\":\"zz", "tenant"}}) {
        std::string text = good;
        const auto at = text.find(damage.from);
        REQUIRE(at != std::string::npos);
        text.replace(at, std::string(damage.from).size(), damage.to);
        const auto read = read_facts(text);
        REQUIRE_FALSE(read.ok());
        CHECK(read.error().code == ErrorCode::kCorrupt);
        CHECK(read.error().what.find(damage.names) != std::string::npos);
    }
    CHECK(read_private(R"({"files":7})").error().what.find("files") != std::string::npos);
    CHECK(read_private(R"({"files":[{"print":7}]})").error().what.find("print") !=
          std::string::npos);
    CHECK(read_facts("[]").error().code == ErrorCode::kCorrupt);
    CHECK(read_private("").error().code == ErrorCode::kCorrupt);
    CHECK(read_private(good.substr(0, good.size() / 2)).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("a record meets its limits field by field") {
    CHECK(check_record(full_record()).ok());
    ServiceRecord record = full_record();
    record.personal.account = std::string(kRecordNameBytesMax + 1, 'a');
    CHECK(check_record(record).error().code == ErrorCode::kLimit);
    CHECK(check_record(record).error().what.find("account") != std::string::npos);
    record = full_record();
    record.personal.output = std::string(kRecordTextBytesMax + 1, 'a');
    CHECK(check_record(record).error().code == ErrorCode::kLimit);
    record = full_record();
    record.personal.input = std::string("a\0b", 3);
    CHECK(check_record(record).error().code == ErrorCode::kInvalidArgument);
    record.personal.input = "\xff";
    CHECK(check_record(record).error().code == ErrorCode::kInvalidArgument);
    record = full_record();
    record.facts.verdicts.resize(kRecordVerdictsMax + 1);
    CHECK(check_record(record).error().code == ErrorCode::kLimit);
    record = full_record();
    record.personal.files.resize(kRecordFilesMax + 1);
    CHECK(check_record(record).error().code == ErrorCode::kLimit);
    record = full_record();
    record.personal.files[0].print = std::string(kRecordPrintBytesMax / 2, 'a');
    record.personal.files[1].sound = std::string(kRecordPrintBytesMax / 2, 'a');
    CHECK(check_record(record).error().what.find("prints") != std::string::npos);
}

}  // namespace
}  // namespace colophon::ledger
