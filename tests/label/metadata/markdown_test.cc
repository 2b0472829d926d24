// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/json.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/yaml_value.h"
#include "label/metadata/text_containers.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {
namespace {

using test::check_label_write;
using test::kLabel;
using test::label_fields;
using test::read_label;
using test::write_error;

const std::string kBlock =
    "AIGC:\n  Label: '1'\n  ContentProducer: '00119144030008867405X210001'\n"
    "  ProduceID: '0Q6YH3ZK2W'\n  ReservedCode1: ''\n  ContentPropagator: ''\n"
    "  PropagateID: ''\n  ReservedCode2: 'it''s'\n";

std::string with_block(std::string text, std::string_view newline = "\n") {
    std::string block;
    for (const char c : kBlock) {
        block += c == '\n' ? std::string(newline) : std::string(1, c);
    }
    const std::size_t at = text.find('@');
    return at == std::string::npos ? text : text.replace(at, 1, block);
}

struct Row {
    std::string what;
    std::string before;
    std::string after;  // with @ for the block
};

// [GB45438-6.1] [GB45438-E]
TEST_CASE("the mapping goes into the front matter, and every foreign byte stays") {
    const std::vector<Row> rows{
        {"no front matter", "# Title\n", "---\n@---\n# Title\n"},
        {"an empty file", "", "---\n@---\n"},
        {"appended to what is there",
         "---\ntitle:  'a: b' # c\ntags:\n- x\n- y\ntext: |\n  ---\n  AIGC: no\n\n---  "
         "\nbody\n---\n",
         "---\ntitle:  'a: b' # c\ntags:\n- x\n- y\ntext: |\n  ---\n  AIGC: no\n\n@---  "
         "\nbody\n---\n"},
        {"closed with dots", "---\na: 1\n...\nbody", "---\na: 1\n@...\nbody"},
        {"an empty front matter", "---\n---\nx", "---\n@---\nx"},
        {"replaced in its place",
         "---\na: 1\nAIGC:\n  Label: '2'\n\n  # c\n  X: y\n\n# about b\nb: 2\n---\n",
         "---\na: 1\n@\n# about b\nb: 2\n---\n"},
        {"several become one", "---\nAIGC: {Label: '2'}\nb: 2\n'AIGC': x\naigc: true\n---\n",
         "---\n@b: 2\naigc: true\n---\n"},
        {"lower case with a label in it is one", "---\naigc:\n  ProduceID: 7\nb: 1\n---\n",
         "---\n@b: 1\n---\n"},
        {"a horizontal rule", "---\n\nSome text\n\n---\n", "---\n@---\n---\n\nSome text\n\n---\n"},
        {"a rule without a second one", "---\ntitle: x\n", "---\n@---\n---\ntitle: x\n"},
        {"nothing but a rule", "---", "---\n@---\n---"},
        {"a byte order mark", "\xEF\xBB\xBF---\na: 1\n---\n", "\xEF\xBB\xBF---\na: 1\n@---\n"},
        {"the label further down is text", "x\n---\nAIGC: y\n---\n",
         "---\n@---\nx\n---\nAIGC: y\n---\n"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        CHECK(check_label_write(Format::kMarkdown, row.before) == with_block(row.after));
    }
    CHECK(check_label_write(Format::kMarkdown, "---\r\na: 1\r\n---\r\nx\r\n") ==
          with_block("---\r\na: 1\r\n@---\r\nx\r\n", "\r\n"));
    CHECK(check_label_write(Format::kMarkdown, "x\r\n") ==
          with_block("---\r\n@---\r\nx\r\n", "\r\n"));
}

struct ReadRow {
    std::string yaml;
    std::string value;
};

// [GB45438-E]
TEST_CASE("the label is read in every form of YAML in which one may be written") {
    const std::vector<ReadRow> rows{
        {"AIGC:\n  Label: '1'\n  ReservedCode1: '{\"SecurityData\":{\"Type\":\"TC260PG\"}}'\n",
         R"({"Label":"1","ReservedCode1":"{\"SecurityData\":{\"Type\":\"TC260PG\"}}"})"},
        {"AIGC:   # c\n\n    Label: \"1\"   # c\n    \"ProduceID\" : a b#c\n    R:\n    S: ~\n",
         R"({"Label":"1","ProduceID":"a b#c","R":"","S":""})"},
        {"AIGC:\n  Label: 1\n  Long: 142569260085903360142569\n  Code: 007\n  N: -5\n",
         R"({"Label":1,"Long":"142569260085903360142569","Code":"007","N":-5})"},
        {"AIGC:\n  A: |\n    x\n     y\n\n  B: >-\n    one\n    two\n\n    three\n  C: end\n",
         R"({"A":"x\n y","B":"one two\nthree","C":"end"})"},
        {"AIGC: {Label: '1', \"P\":\"x\", Q: {a: [b, 2]}, R: }\n",
         R"({"Label":"1","P":"x","Q":{"a":["b",2]},"R":""})"},
        {"AIGC: {\n  Label: '1', # c\n  P: a:b\n}\n", R"({"Label":"1","P":"a:b"})"},
        {"AIGC: '{\"Label\":\"1\",\"P\":\"it''s\"}'\n", R"({"Label":"1","P":"it's"})"},
        {"AIGC: \"{\\\"Label\\\":\\\"\\u4eba\\ud83d\\ude00\\x41\\\"}\"\n",
         "{\"Label\":\"\xE4\xBA\xBA\xF0\x9F\x98\x80"
         "A\"}"},
        {"AIGC: >\n  {\"Label\":\n  \"1\"}\n", R"({"Label": "1"})"},
        {"AIGC: {\"Label\":\"1\"}\n", R"({"Label":"1"})"},
        {"AIGC:\n  Label: 'a\n    b'\n  C: x\n   y\n", R"({"Label":"a b","C":"x y"})"},
        {"AIGC:\n  R:\n    S:\n      T: u\n  V: w\n", R"({"R":{"S":{"T":"u"}},"V":"w"})"},
        {"AIGC: generated\n", "generated"},
        {"AIGC:\n", ""},
    };
    for (const ReadRow& row : rows) {
        CAPTURE(row.yaml);
        for (const std::string& file :
             {"---\n" + row.yaml + "---\n", "---\na: b\n" + row.yaml + "c: d\n...\n"}) {
            const MetadataReading reading = read_label(Format::kMarkdown, file);
            REQUIRE(reading.sites.size() == 1);
            CHECK(reading.sites.front().value == row.value);
            CHECK(reading.sites.front().offset == file.find("AIGC"));
            CHECK(reading.findings.empty());
            check_label_write(Format::kMarkdown, file);
        }
    }
}

TEST_CASE("YAML that is not understood is shown as it stands, with a finding") {
    for (const std::string& yaml :
         {std::string("AIGC:\n- a\n- b\n"), std::string("AIGC: *alias\n"),
          std::string("AIGC: {a: b\n"), std::string("AIGC: 'a\n"), std::string("AIGC: 'a' b\n"),
          std::string("AIGC:\n  a: 1\n   b: 2\n"), "AIGC: " + std::string(100000, '{') + "\n",
          "AIGC: " + std::string(100000, '[') + "\n"}) {
        CAPTURE(yaml.substr(0, 40));
        const MetadataReading reading = read_label(Format::kMarkdown, "---\n" + yaml + "---\n");
        REQUIRE(reading.sites.size() == 1);
        CHECK(reading.sites.front().value == yaml.substr(5));
        REQUIRE(reading.findings.size() == 1);
        CHECK(reading.findings.front().code == "metadata.yaml");
        check_label_write(Format::kMarkdown, "---\n" + yaml + "---\n");
    }
}

TEST_CASE("what was written is YAML to other programs too") {
    const std::string label =
        R"({"Label":"1","ContentProducer":"a: b #c","ProduceID":"'\"\\\n","ReservedCode1":)"
        R"({"SecurityData":{"Version":1,"PubSD":["x",true]}},"odd key":"007"})";
    const std::string out =
        check_label_write(Format::kMarkdown, "---\nn: 1\n---\n", label_fields(label));
    const std::string yaml = out.substr(0, out.rfind("---"));
    const std::string json = colophon::test::run_tool_ok(
        {"/usr/bin/python3", "-c",
         "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)['AIGC']))"},
        yaml);
    CHECK(json::write(json::parse(json).value()) == json::write(json::parse(label).value()));
}

TEST_CASE("a label that is no object, and front matter in other languages, are refused") {
    CHECK(write_error(Format::kMarkdown, "", label_fields("[1]")) == ErrorCode::kInvalidArgument);
    CHECK(write_error(Format::kMarkdown, "", label_fields("{}")) == ErrorCode::kInvalidArgument);
    CHECK(write_error(Format::kMarkdown, "", label_fields("x")) == ErrorCode::kInvalidArgument);
    CHECK(write_error(Format::kMarkdown, "", label_fields(R"({"a":"1","a":"2"})")) ==
          ErrorCode::kInvalidArgument);
    CHECK(write_error(Format::kMarkdown, "+++\na = 1\n+++\n") == ErrorCode::kUnsupported);
    CHECK(write_error(Format::kMarkdown, "---\n{a: 1}\n---\n") == ErrorCode::kUnsupported);
    CHECK(write_error(Format::kMarkdown, "\xFF\xFEx") == ErrorCode::kUnsupported);
    std::string endless = "---\na: 1\n";
    endless.append(2000000, '\n');
    CHECK(write_error(Format::kMarkdown, endless) == ErrorCode::kLimit);
    check_label_write(Format::kMarkdown, "+++\nno end\n");
}

TEST_CASE("a text cut at any byte never crashes and never gets a second label") {
    test::check_cut_anywhere(Format::kMarkdown,
                             with_block("\xEF\xBB\xBF---\na: 1\nb:\n- c\n@d: |\n  e\n---\nbody\n"));
}

}  // namespace
}  // namespace colophon::label
