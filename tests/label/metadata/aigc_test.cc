// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/aigc.h"

#include "core/limits.h"
#include "support/processor_time.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {
namespace {

const AigcLabel kDoubao{.label = "1",
                        .content_producer = "001191110102MACQD9K64010000",
                        .produce_id = "142569260085903360",
                        .reserved_code1 = "",
                        .content_propagator = "001191110102MACQD9K64010000",
                        .propagate_id = "142569260085903360",
                        .reserved_code2 = ""};

std::string codes(const Findings& findings) {
    std::string out;
    for (const Finding& finding : findings) {
        out += (out.empty() ? "" : " ") + finding.code;
    }
    return out;
}

// [GB45438-E]
TEST_CASE("a label is written compactly, in the order of Annex E, bare or wrapped") {
    const std::string bare = R"({"Label":"1","ContentProducer":"001191110102MACQD9K64010000",)"
                             R"("ProduceID":"142569260085903360","ReservedCode1":"",)"
                             R"("ContentPropagator":"001191110102MACQD9K64010000",)"
                             R"("PropagateID":"142569260085903360","ReservedCode2":""})";
    CHECK(write_aigc(kDoubao, Wrapping::kBare) == bare);
    CHECK(write_aigc(kDoubao, Wrapping::kWrapped) == "{\"AIGC\":" + bare + "}");
}

TEST_CASE("what is written is read back without a finding") {
    AigcLabel label = kDoubao;
    label.reserved_code1 = R"({"SecurityData":{"Type":"TC260PG","PubSD":[]}})";
    for (const Wrapping wrapping : {Wrapping::kBare, Wrapping::kWrapped}) {
        const auto reading = read_aigc(write_aigc(label, wrapping));
        REQUIRE(reading.ok());
        CHECK(reading->label == label);
        CHECK(reading->wrapped == (wrapping == Wrapping::kWrapped));
        CHECK(codes(reading->findings).empty());
    }
    CHECK(check_aigc(label).ok());
}

struct WildRow {
    std::string_view who;
    std::string text;
    AigcLabel label;
    std::string_view findings;
    AigcSchema schema = AigcSchema::kTc260;
    bool wrapped = false;
};

// One row for each shape of a value seen in published files.
std::vector<WildRow> wild_rows() {
    const std::string full = write_aigc(kDoubao, Wrapping::kBare);
    const AigcLabel jimeng{
        "1", "00119144030008867405X210001", "tos-cn-i-tb4s082cfz/c7fe057c61584857b10c5ad6f5ee96e6",
        "",  "00119144030008867405X220001", "tos-cn-i-tb4s082cfz/c7fe057c61584857b10c5ad6f5ee96e6",
        ""};
    const AigcLabel producer{"1", "001191440300MA5G49LC9K1YO01", "a1", "", "", "", ""};
    AigcLabel honor = producer;
    honor.reserved_code1 = R"({"Content":{"PubSd":[{"Type":"DS"}]}})";
    std::vector<WildRow> rows;
    rows.push_back({"1 XMP element, Jimeng",
                    R"({"Label":"1","ContentProducer":"00119144030008867405X210001","ProduceID":)"
                    R"("tos-cn-i-tb4s082cfz/c7fe057c61584857b10c5ad6f5ee96e6","ReservedCode1":"",)"
                    R"("ContentPropagator":"00119144030008867405X220001","PropagateID":)"
                    R"("tos-cn-i-tb4s082cfz/c7fe057c61584857b10c5ad6f5ee96e6",)"
                    R"("ReservedCode2":""})",
                    jimeng, ""});
    rows.push_back({"2 XMP attribute, spaced",
                    R"({ "Label" : "1", "ContentProducer" : "picwish", "ProduceID" : "7",
                        "ReservedCode1" : "", "ContentPropagator" : "picwish",
                        "PropagateID" : "7", "ReservedCode2" : "" })",
                    {"1", "picwish", "7", "", "picwish", "7", ""},
                    ""});
    rows.push_back({"3 PNG text keyed AIGC", full, kDoubao, ""});
    rows.push_back(
        {"4 EXIF UserComment with its charset word",
         std::string("ASCII\0\0\0", 8) + "{\"AIGC\":" + full + "}" + std::string(3, '\0'), kDoubao,
         "metadata.framing", AigcSchema::kTc260, true});
    rows.push_back({"4 the same as an editor shows it", "charset=Ascii {\"AIGC\":" + full + "}",
                    kDoubao, "metadata.framing", AigcSchema::kTc260, true});
    rows.push_back({"5 Tencent Cloud",
                    R"({"ServiceProvider":"Tencent","ServiceUser":"u1","Time":1754000000,)"
                    R"("ContentId":"c-9"})",
                    {"1", "Tencent", "c-9", "", "", "", ""},
                    "metadata.foreign_schema",
                    AigcSchema::kTencentCloud});
    rows.push_back({"6 blob in an APP segment", "AIGC" + full, kDoubao, "metadata.bare_blob"});
    rows.push_back({"6 blob with a colon", "\"AIGC\": " + full, kDoubao, "metadata.bare_blob"});
    rows.push_back({"7 MP4 ilst", full, kDoubao, ""});
    rows.push_back({"8 QuickTime, NUL-terminated", full + std::string(1, '\0'), kDoubao, ""});
    rows.push_back({"9 bare ilst data", "\xEF\xBB\xBF" + full, kDoubao, "metadata.framing"});
    rows.push_back({"10 Matroska", full + "\n", kDoubao, ""});
    rows.push_back({"11 AVI INFO, padded", full + std::string(2, '\0'), kDoubao, ""});
    rows.push_back(
        {"12 FLV onMetaData", "{\"AIGC\":" + full + "}", kDoubao, "", AigcSchema::kTc260, true});
    rows.push_back({"13 WAV chunk, padded with a space", full + " ", kDoubao, ""});
    rows.push_back({"14 MP3 TXXX with the object as a string",
                    R"({"AIGC":"{\"Label\":\"2\",\"ContentProducer\":\"kling\"}"})",
                    {"2", "kling", "", "", "", "", ""},
                    "metadata.json_string metadata.missing_field metadata.missing_field "
                    "metadata.missing_field metadata.missing_field metadata.missing_field",
                    AigcSchema::kTc260,
                    true});
    rows.push_back({"15 Vorbis comment in Base64",
                    "eyJMYWJlbCI6IjEiLCJDb250ZW50UHJvZHVjZXIiOiJtIiwiUHJvZHVjZUlEIjoiMSIsIlJlc2Vydm"
                    "VkQ29kZTEiOiIiLCJDb250ZW50UHJvcGFnYXRvciI6Im0iLCJQcm9wYWdhdGVJRCI6IjEiLCJSZXNl"
                    "cnZlZENvZGUyIjoiIn0",
                    {"1", "m", "1", "", "m", "1", ""},
                    "metadata.base64"});
    rows.push_back({"16 after IDAT, keys in other case and order",
                    R"({"content_producer":"m","label":1,"produceid":42,"ReservedCode1":null,)"
                    R"("ContentPropagator":"","PropagateId":"","ReservedCode2":""})",
                    {"1", "m", "42", "", "", "", ""},
                    "metadata.field_case metadata.field_case metadata.label_number "
                    "metadata.field_case metadata.not_string metadata.not_string "
                    "metadata.field_case metadata.field_order"});
    rows.push_back({"17 ByteDance",
                    R"({"aigc_label_type":1})",
                    {"2", "", "", "", "", "", ""},
                    "metadata.foreign_schema",
                    AigcSchema::kByteDance});
    rows.push_back({"18 Honor, ReservedCode as an object",
                    R"({"Label":"1","ContentProducer":"001191440300MA5G49LC9K1YO01",)"
                    R"("ProduceID":"a1","ReservedCode1":{"Content":{"PubSd":[{"Type":"DS"}]}},)"
                    R"("ContentPropagator":"","PropagateID":"","ReservedCode2":""})",
                    honor, "metadata.reserved_object"});
    rows.push_back({"Volcengine, without numbers",
                    R"({"Label":"1","ContentProducer":"v","ContentPropagator":"v"})",
                    {"1", "v", "", "", "v", "", ""},
                    "metadata.missing_field metadata.missing_field metadata.missing_field "
                    "metadata.missing_field"});
    rows.push_back({"aigc_marker",
                    R"({"Label":"AIGC","ContentProducer":"m","ProduceID":"1","ReservedCode1":"",)"
                    R"("ContentPropagator":"m","PropagateID":"1","ReservedCode2":"",)"
                    R"("Timestamp":"2026-01-01"})",
                    {"AIGC", "m", "1", "", "m", "1", ""},
                    "metadata.unknown_field"});
    return rows;
}

// [GB45438-E]
TEST_CASE("every shape seen in the wild is read, and its deviations are named") {
    for (const WildRow& row : wild_rows()) {
        CAPTURE(row.who);
        const auto reading = read_aigc(row.text);
        REQUIRE_MESSAGE(reading.ok(), (reading.ok() ? "" : reading.error().what));
        CHECK(write_aigc(reading->label, Wrapping::kBare) ==
              write_aigc(row.label, Wrapping::kBare));
        CHECK(codes(reading->findings) == row.findings);
        CHECK(reading->schema == row.schema);
        CHECK(reading->wrapped == row.wrapped);
    }
}

TEST_CASE("repeated keys are an error when they disagree and a warning when not") {
    const auto level = [](std::string_view text) {
        const auto reading = read_aigc(text);
        REQUIRE(reading.ok());
        const auto row =
            std::ranges::find(reading->findings, "metadata.duplicate_field", &Finding::code);
        REQUIRE(row != reading->findings.end());
        return row->level;
    };
    CHECK(level(R"({"Label":"1","Label":"1"})") == FindingLevel::kWarning);
    CHECK(level(R"({"Label":"1","Label":"2"})") == FindingLevel::kError);
    CHECK(level(R"({"Label":"1","label":"3"})") == FindingLevel::kError);
    CHECK(level(R"({"AIGC":{"Label":"1"},"AIGC":{"Label":"3"}})") == FindingLevel::kError);
    CHECK(level(R"({"AIGC":{"Label":"1"},"AIGC":{"Label":"1"}})") == FindingLevel::kWarning);
    // The last one wins, as in most JSON parsers.
    CHECK(read_aigc(R"({"Label":"1","Label":"2"})")->label.label == "2");
}

TEST_CASE("what is no label is refused") {
    for (const std::string_view text :
         {"", "   ", "AIGC", "{}", "{\"a\":1}", "[]", "\"x\"", "{\"AIGC\":1}", "{\"AIGC\":{}}",
          "{\"Label\":\"1\"", "{\"aigc_label_type\":7}", "a photograph of {braces}",
          "{\"AIGC\":{\"AIGC\":{\"Label\":\"1\"}}}"}) {
        CAPTURE(text);
        const auto reading = read_aigc(text);
        REQUIRE_FALSE(reading.ok());
        CHECK(reading.error().code == ErrorCode::kCorrupt);
    }
    const auto big = read_aigc(std::string(limits::kLabelBytesMax + 1, ' '));
    REQUIRE_FALSE(big.ok());
    CHECK(big.error().code == ErrorCode::kLimit);
    const auto deep =
        read_aigc("{\"Label\":" + std::string(100, '[') + std::string(100, ']') + "}");
    REQUIRE_FALSE(deep.ok());
    CHECK(deep.error().code == ErrorCode::kLimit);
}

TEST_CASE("a hostile object of a mebibyte is read within a second with few findings") {
    std::string many = "{\"Label\":\"1\"";
    while (many.size() < limits::kLabelBytesMax - 20) {
        many += ",\"x\":0,\"Label\":1";
    }
    many += "}";
    const test::ProcessorTime time;
    const auto reading = read_aigc(many);
    const auto took = time.spent();
    REQUIRE(reading.ok());
    CHECK(reading->findings.size() < 100);
    CHECK(took < std::chrono::seconds(1));
}

// [GB45438-E] j) [AILM-5] Neither the producer nor the content's number may be missing.
TEST_CASE("the writer refuses what Annex E does not allow, and says what to do") {
    struct Row {
        std::string AigcLabel::* field;
        std::string value;
        std::string_view reason;
    };
    const Row rows[] = {
        {&AigcLabel::label, "0", "Label: must be"},
        {&AigcLabel::label, "", "Label: must be"},
        {&AigcLabel::label, "AIGC", "Label: must be"},
        {&AigcLabel::content_producer, "", "ContentProducer: is empty"},
        {&AigcLabel::produce_id, "", "ProduceID: is empty"},
        {&AigcLabel::content_propagator, "", "at first writing repeat ContentProducer"},
        {&AigcLabel::propagate_id, "", "at first writing repeat ProduceID"},
        {&AigcLabel::content_producer, "星图", "U+661F at character 1"},
        {&AigcLabel::content_producer, "Acme Inc", "a space at character 5"},
        {&AigcLabel::produce_id, "a\\b", "U+005C at character 2"},
        {&AigcLabel::produce_id, "a\x7F", "U+007F at character 2"},
        {&AigcLabel::produce_id, "a\n", "U+000A at character 2"},
        {&AigcLabel::produce_id, "\xFF", "U+FFFD at character 1"},
        {&AigcLabel::reserved_code1, R"({"a":"\"nested\""})", "U+005C at character 7"},
        {&AigcLabel::reserved_code2, std::string(limits::kLabelFieldCharsMax + 1, 'x'), "2049"},
        {&AigcLabel::content_producer, "001191110102MACQD9K64110000", "check character"},
        {&AigcLabel::content_propagator, "001191110102MACQD9K64110000", "ContentPropagator: the"},
    };
    for (const Row& row : rows) {
        AigcLabel label = kDoubao;
        label.*row.field = row.value;
        CAPTURE(row.value);
        const auto checked = check_aigc(label);
        REQUIRE_FALSE(checked.ok());
        CHECK(checked.error().code == ErrorCode::kInvalidArgument);
        CHECK_MESSAGE(checked.error().what.find(row.reason) != std::string::npos,
                      checked.error().what);
    }
    AigcLabel edge = kDoubao;
    edge.content_producer = "!#[]~";
    edge.reserved_code1 = R"({"a":"b"})";
    edge.reserved_code2 = std::string(limits::kLabelFieldCharsMax, 'x');
    CHECK(check_aigc(edge).ok());
}

// [GB45438-E] j): the characters between the quotes of the written field, taken one by one.
TEST_CASE("a value that passes the check is written with the characters of Annex E only") {
    AigcLabel label = kDoubao;
    for (char c = 0x20; c < 0x7F; ++c) {
        label.produce_id = std::string("x") + c;
        const std::string text = write_aigc(label, Wrapping::kBare);
        const std::size_t start = text.find("\"ProduceID\":\"") + 13;
        const std::string written = text.substr(start, text.find("\",\"ReservedCode1") - start);
        const bool allowed = (c == 0x21 || (c >= 0x23 && c <= 0x5B) || (c >= 0x5D && c <= 0x7E))
                                 ? written == label.produce_id
                                 : written == "x\\\"";
        CAPTURE(written);
        CHECK(check_aigc(label).ok() == allowed);
    }
}

TEST_CASE("a label that was read is judged by the same rules") {
    AigcLabel label = kDoubao;
    CHECK(codes(judge_aigc(label)).empty());
    label = {"AIGC", "豆包 AI", "", "", "", "", ""};
    CHECK(codes(judge_aigc(label)) ==
          "metadata.label_value metadata.no_produce_id metadata.no_propagator metadata.charset "
          "metadata.provider_name");
    label = kDoubao;
    label.content_producer = "001191110102MACQD9K64110000";
    label.produce_id = std::string(3000, 'x');
    CHECK(codes(judge_aigc(label)) == "metadata.length metadata.provider_code");
    label = kDoubao;
    label.content_producer = "00119144030008867405X20001";
    CHECK(codes(judge_aigc(label)) == "metadata.provider_code");
    CHECK(judge_aigc(label).front().level == FindingLevel::kWarning);
    label = kDoubao;
    label.content_producer = "00119144030008867405X220001";
    CHECK(codes(judge_aigc(label)) == "metadata.provider_service");
    CHECK(codes(judge_aigc({})) ==
          "metadata.label_value metadata.no_producer metadata.no_produce_id "
          "metadata.no_propagator");
}

}  // namespace
}  // namespace colophon::label
