// SPDX-License-Identifier: Apache-2.0
#include "tidy/messages.h"

#include "tidy/tidy.h"
#include "tidy/tokens.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace colophon::tidy {
namespace {

std::string patterns(std::string_view source) {
    std::string out;
    for (const Message& message : find_messages("src/a.cc", source)) {
        out += std::to_string(message.line) + ": " + message.pattern;
        for (const std::string& place : message.places) {
            out += " <" + place + ">";
        }
        out += "\n";
    }
    return out;
}

TEST_CASE("messages are found however they are put together") {
    CHECK(patterns("auto a = Error{kCorrupt, \"the file ends early\"};") ==
          "1: the file ends early\n");
    CHECK(patterns("f(\"the chunk at \"\n  \"byte \" + std::to_string(at) + \" is cut\");") ==
          "1: the chunk at byte {} is cut <std::to_string(at)>\n");
    CHECK(patterns("\nreturn fmt::format(\"a label of {} bytes, {:.1f} {{}}\", size(x, y), z);") ==
          "2: a label of {} bytes, {} {{}} <size(x,y)> <z>\n");
    CHECK(patterns("return path + \" is a folder\";") == "1: {} is a folder <path>\n");
    CHECK(patterns("return std::string(\"no such \") + (low ? \"low note\" : \"high note\");") ==
          "1: no such {} <(low?\"low note\":\"high note\")>\n1: low note\n1: high note\n");
    CHECK(patterns("note(f, \"a.b\", fmt::format(\"{} is there twice\", g(\"the first key\")));") ==
          "1: {} is there twice <g(\"the first key\")>\n1: the first key\n");
    CHECK(patterns("constexpr std::string_view k = R\"(a raw \"one\")\"sv;") ==
          "1: a raw \"one\"\n");
    CHECK(patterns("reader.u8(\"flags\"); other(\"flags\"); corrupt_at(\"padding\", 7);") ==
          "1: flags\n1: padding\n");
}

TEST_CASE("what is no message is passed over") {
    CHECK(patterns("// \"a comment with words\"\n/* \"and one more\" */") == "");
    CHECK(patterns("#include \"a file/with blanks.h\"\n#define X \"a few words\" \\\n \"more of "
                   "them\"\n") == "");
    CHECK(patterns("tr(\"some words\", \"几个字\"); COLOPHON_ASSERT(x && \"never so here\");") ==
          "");
    CHECK(patterns("f(\"word\", \"{}: {}\", \"AB CD\", \"line one\\n\", '\"', 'x', 1'000);") == "");
    CHECK(patterns("run(\"SELECT body FROM records WHERE id = \" + place);") == "");
    // What is broken is read to its end.
    CHECK(patterns("f(\"one two three") == "1: one two three\n");
    CHECK(patterns("f(((") == "");
    CHECK(patterns(")]} R\"( ' \\") == "");
}

std::string run(const std::string& source, const std::string& table) {
    Findings findings;
    check_messages({{"src/a.cc", source}, {"src/messages/zh.tsv", table}}, findings);
    return to_text(findings);
}

TEST_CASE("a message without its Chinese is found, and what to add is said") {
    const std::string source = "f(\"the file is cut\"); f(\"a box of \" + n + \" bytes\");";
    CHECK(run(source, "a box of {} bytes\tbox 长 {1} 字节\nthe file is cut\t文件已截断\n") == "");
    CHECK(run(source, "the file is cut\t=\n") ==
          "src/a.cc:1: message: no Chinese for this message; add to src/messages/zh.tsv the row: "
          "a box of {} bytes<TAB>its Chinese (or = if it is no sentence for a person)\n");
    Findings findings;
    check_messages({}, findings);
    CHECK(to_text(findings) == "src/messages/zh.tsv:0: message: the table is missing\n");
}

TEST_CASE("a row that no message has, and a row that is wrong, are found") {
    CHECK(run("", "an old one\t旧的\n").find("nothing in src/ says this any more") !=
          std::string::npos);
    CHECK(run("", "an old one\t旧的\tC library\n") == "");
    CHECK(run("", "b b\t乙\tX\na a\t甲\tX\n").find("out of order") != std::string::npos);
    CHECK(run("", "a a\t甲\tX\na a\t乙\tX\n").find("a second row") != std::string::npos);
    CHECK(run("", "a a\n").find("a row is ENGLISH") != std::string::npos);
    CHECK(run("", "a a\t\n").find("a row is ENGLISH") != std::string::npos);
    for (const std::string chinese : {"甲", "{1}", "{1} {1}", "{1} {3}", "{1} {2} {3}", "{1} {2:x}",
                                      "{{1}} {2}", "{1} {2} {"}) {
        CAPTURE(chinese);
        CHECK(run("", "a {} of {}\t" + chinese + "\tX\n").find("has 2 places") !=
              std::string::npos);
    }
    for (const std::string chinese : {"{2} 的 {1}", "{1:m}{{{2:n}}}"}) {
        CAPTURE(chinese);
        CHECK(run("", "a {} of {}\t" + chinese + "\tX\n") == "");
    }
}

TEST_CASE("a place that holds a message must be translated too") {
    const std::string source = "f(name + \" cannot be read: \" + tag.error().what);";
    CHECK(run(source, "{} cannot be read: {}\t{1} 无法读取：{2:m}\n") == "");
    CHECK(run(source, "{} cannot be read: {}\t{1} 无法读取：{2}\n") ==
          "src/messages/zh.tsv:1: message: place 2 is filled with tag.error().what, a message; "
          "write {2:m}\n");
}

}  // namespace
}  // namespace colophon::tidy
