// SPDX-License-Identifier: Apache-2.0
#include "tidy/tidy.h"

#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace colophon::tidy {
namespace {

const std::string kSpdx = "// SPDX-License-Identifier: Apache-2.0\n";

using Check = void (*)(const Tree&, Findings&);

std::string run(Check check, const Tree& tree) {
    Findings findings;
    check(tree, findings);
    return to_text(findings);
}

struct Row {
    std::string line;
    std::string found;  // what is banned, empty when nothing is
};

void check_rows(const std::string& path, const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        CAPTURE(path);
        CAPTURE(row.line);
        Findings findings;
        check_bans({{path, row.line + "\n"}}, findings);
        if (row.found.empty()) {
            CHECK(to_text(findings) == "");
        } else {
            REQUIRE(findings.size() == 1);
            CHECK(findings[0].what.starts_with(row.found + " is banned here: "));
        }
    }
}

TEST_CASE("an include against the table of modules is found, one along it is not") {
    const Tree tree{
        {"tools/modules.tsv", "# comment\ncore\t-\nmedia\tcore\nlabel\tcore media\ncli\t*\n"},
        {"src/core/a.cc", "#include \"core/b.h\"\n#include \"label/c.h\"\n"},
        {"src/label/c.cc", "#include \"core/b.h\"\n#include \"media/d.h\"\n"},
        {"src/cli/main.cc", "#include \"label/c.h\"\n"},
        {"src/core/e.cc", "// #include \"label/c.h\"\n"},
        {"src/other/f.cc", "#include \"core/b.h\"\n"},
        {"tests/core/a_test.cc", "#include \"label/c.h\"\n"},
    };
    CHECK(run(check_layers, tree) ==
          "src/core/a.cc:2: layer: core may not include label (tools/modules.tsv); pass what it "
          "needs as a parameter\n"
          "src/other/f.cc:1: layer: module other has no row in tools/modules.tsv; add one\n");
    CHECK(run(check_layers, {}) == "tools/modules.tsv:0: layer: the table of modules is missing\n");
}

TEST_CASE("a folder with a row of its own is a module apart, in both directions") {
    const Tree tree{
        {"tools/modules.tsv", "core\t-\nledger\tcore\nledger/verify\tcore\ncli\t*\n"},
        {"src/ledger/a.cc", "#include \"ledger/verify/b.h\"\n#include \"ledger/c.h\"\n"},
        {"src/ledger/verify/b.cc",
         "#include \"ledger/verify/internal/d.h\"\n#include \"core/e.h\"\n#include "
         "\"ledger/c.h\"\n"},
        {"src/ledger/verify/internal/d.cc", "#include \"ledger/merkle.h\"\n"},
        {"src/ledger/sub/f.cc", "#include \"ledger/c.h\"\n"},
        {"src/cli/main.cc", "#include \"ledger/c.h\"\n#include \"ledger/verify/b.h\"\n"},
    };
    CHECK(run(check_layers, tree) ==
          "src/ledger/a.cc:1: layer: ledger may not include ledger/verify (tools/modules.tsv); "
          "pass what it needs as a parameter\n"
          "src/ledger/verify/b.cc:3: layer: ledger/verify may not include ledger "
          "(tools/modules.tsv); pass what it needs as a parameter\n"
          "src/ledger/verify/internal/d.cc:1: layer: ledger/verify may not include ledger "
          "(tools/modules.tsv); pass what it needs as a parameter\n");
}

TEST_CASE("a private header is included only inside the folder that owns it") {
    const Tree tree{
        {"tools/modules.tsv", "label\tcore\ncli\t*\n"},
        {"src/label/metadata/a.cc", "#include \"label/metadata/internal/x.h\"\n"},
        {"src/label/metadata/png/a.cc", "#include \"label/metadata/internal/x.h\"\n"},
        {"src/label/explicit/a.cc", "#include \"label/metadata/internal/x.h\"\n"},
        {"src/cli/a.cc", "#include \"label/internal/x.h\"\n"},
        {"tests/label/a_test.cc", "#include \"label/internal/x.h\"\n"},
    };
    CHECK(run(check_layers, tree) ==
          "src/cli/a.cc:1: internal: label/internal/x.h is private to src/label/; use its face\n"
          "src/label/explicit/a.cc:1: internal: label/metadata/internal/x.h is private to "
          "src/label/metadata/; use its face\n");
}

TEST_CASE("headers that are heavy, foreign or impure are banned where they do not belong") {
    check_rows("src/core/a.cc", {{"#include <regex>", "regex"},
                                 {"#include <openssl/evp.h>", ""},
                                 {"#include <boost/json.hpp>", ""},
                                 {"#include <filesystem>", ""},
                                 {"#include <vips/vips.h>", "vips/vips.h"},
                                 {"#include <hb.h>", "hb.h"}});
    check_rows("src/core/a.h", {{"#include <iostream>", "iostream"},
                                {"#include <openssl/evp.h>", "openssl/evp.h"},
                                {"#include <boost/json.hpp>", "boost/json.hpp"},
                                {"#include <doctest/doctest.h>", "doctest/doctest.h"},
                                {"#include <string>", ""}});
    check_rows("src/media/a.cc", {{"#include <vips/vips.h>", ""},
                                  {"#include <libavformat/avformat.h>", ""},
                                  {"#include <jpeglib.h>", ""},
                                  {"#include <ft2build.h>", ""}});
    check_rows("src/label/a.cc", {{"#include <fstream>", "fstream"},
                                  {"#include <unistd.h>", "unistd.h"},
                                  {"#include <libavformat/avformat.h>", "libavformat/avformat.h"},
                                  {"#include <cstdio>", ""}});
    check_rows("tests/core/a_test.cc",
               {{"#include <regex>", "regex"}, {"#include <filesystem>", ""}});
}

TEST_CASE("libraries do not print, exit, or ask for time and chance by themselves") {
    check_rows("src/core/a.cc",
               {{"std::printf(\"x\");", "printf"},
                {"fprintf(stderr, \"x\");", "fprintf"},
                {"(void)std::snprintf(buffer, 4, \"x\");", ""},
                {"std::cout << 1;", "std::cout"},
                {"std::exit(1);", "exit"},
                {"on_exit(1);", ""},
                {"worker.exit(1);", ""},
                {"auto now = std::chrono::system_clock::now();", "system_clock::now"},
                {"auto t = time(nullptr);", "time"},
                {"auto t = ::time(nullptr);", "time"},
                {"return time(nullptr);", "time"},
                {"auto t = frame.time();", ""},
                {"auto t = Frame::time();", ""},
                {"Time time(int frame);", ""},
                {"explicit Clock(Time time) : time_(time) {}", ""},
                {"int x = rand() % 6;", "rand"},
                {"std::random_device device;", "std::random_device"}});
    check_rows("src/core/clock.cc", {{"return std::chrono::system_clock::now();", ""}});
    check_rows("src/core/assert.cc", {{"std::fprintf(stderr, \"x\");", ""}});
    check_rows("src/cli/main.cc", {{"std::printf(\"x\");", ""}, {"std::exit(1);", ""}});
}

TEST_CASE("raw memory and namespaces with names in them are banned, deleted functions are not") {
    check_rows("src/core/a.cc",
               {{"auto* x = new Thing(1);", "new"},
                {"delete x;", "delete"},
                {"delete[] x;", "delete"},
                {"Thing(const Thing&) = delete;", ""},
                {"void* operator new(std::size_t);", ""},
                {"int renew = 1, new_size = 2;", ""},
                {"using namespace std;", "using namespace"},
                {"using namespace std::literals;", "using namespace"},
                {"using namespace other::string_literals;", "using namespace"},
                {"using namespace std::string_literals;", ""},
                {"    using namespace std::string_view_literals;", ""},
                {"using namespace std::chrono_literals;  // 5min", ""},
                {"using namespace std::chrono_literals; int x;", "using namespace"},
                {"using std::string;", ""}});
}

TEST_CASE("what stands in comments and literals is not code") {
    check_rows("src/core/a.cc", {{"// a new thing: std::cout << delete", ""},
                                 {"auto s = \"std::cout << new\";", ""},
                                 {"auto s = R\"(delete \" new)\"; int x = 1'000;", ""},
                                 {"auto c = '\"'; delete x; // \"", "delete"},
                                 {"/* new */ delete x;", "delete"},
                                 {"auto s = \"\\\"\"; delete x;", "delete"}});
    CHECK(run(check_bans, {{"src/core/a.cc", "/* one\n new\n*/ int x;\nR\"x(\nnew )\" )x\";\n"}})
              .empty());
}

TEST_CASE("a ban is lifted on one line by saying so") {
    CHECK(run(check_bans, {{"src/core/a.cc",
                            "// tidy: allow(ban) the C interface takes ownership\ndelete x;\n"}})
              .empty());
    CHECK(
        run(check_bans, {{"src/core/a.cc", "// tidy: allow(layer) wrong rule\ndelete x;\n"}}) ==
        "src/core/a.cc:2: ban: delete is banned here: memory belongs to a container, a value or a "
        "unique_ptr\n");
}

TEST_CASE("sources begin with their licence, headers have their guard, lines and files an end") {
    const Tree tree{
        {"src/core/good.h", kSpdx + "#pragma once\n"},
        {"src/core/bad.h", "#pragma once\n"},
        {"src/core/unguarded.h", kSpdx},
        {"src/core/wide.cc",
         kSpdx + std::string(101, 'x') + "\n// https://" + std::string(120, 'y') + "\n"},
        {"src/core/chinese.cc",
         kSpdx + "// " + std::string(97, 'x') + "\n// \xE4\xBA\xBA" + std::string(96, 'x') + "\n"},
        {"src/core/long.cc", kSpdx + std::string(800, '\n')},
        {"start", "#!/usr/bin/env bash\n# SPDX-License-Identifier: Apache-2.0\n"},
        {"check", "#!/usr/bin/env bash\nexit 0\n"},
        {"README.md", "no licence line here\n"},
    };
    CHECK(run(check_shape, tree) ==
          "check:2: licence: the first line must be the comment SPDX-License-Identifier: "
          "Apache-2.0\n"
          "src/core/bad.h:1: licence: the first line must be the comment SPDX-License-Identifier: "
          "Apache-2.0\n"
          "src/core/long.cc:801: length: 801 lines; split the file, at most 800\n"
          "src/core/unguarded.h:1: pragma: a header needs #pragma once\n"
          "src/core/wide.cc:2: columns: 101 columns, at most 100\n");
}

TEST_CASE("a source includes its own header before anything else") {
    const std::string header = kSpdx + "#pragma once\n";
    const Tree tree{
        {"src/core/first.h", header},
        {"src/core/first.cc", kSpdx + "// Why.\n#include \"core/first.h\"\n#include <map>\n"},
        {"src/core/later.h", header},
        {"src/core/later.cc", kSpdx + "#include <map>\n#include \"core/later.h\"\n"},
        {"src/core/never.h", header},
        {"src/core/never.cc", kSpdx},
        {"src/core/without.cc", kSpdx + "#include <map>\n"},
        {"tests/core/later.cc", kSpdx + "#include <map>\n"},
    };
    CHECK(run(check_shape, tree) ==
          "src/core/later.cc:2: own-header: the first include must be its own header: "
          "#include \"core/later.h\"\n"
          "src/core/never.cc:1: own-header: the first include must be its own header: "
          "#include \"core/never.h\"\n");
}

TEST_CASE("a clause needs its row, its code and its test") {
    const Tree tree{
        {"docs/clauses.tsv",
         "# tag\twhat\nGB45438-5.1\ttext label\nDSP-17\tmark\nDSP-17\tagain\n"
         "AILM-6\tplatforms\nbroken row\n"},
        {"src/label/a.cc",
         "// [GB45438-5.1] as [A-Z] and [0-9] are not tags\nx[DSP-16];\n"
         "// [DSP-17] and [TC260-PG-20252A]\n"},
        {"tests/label/a_test.cc", "// [GB45438-5.1]\n// [AILM-6]\n"},
    };
    CHECK(
        run(check_clauses, tree) ==
        "docs/clauses.tsv:4: clause: DSP-17 has two rows; keep one\n"
        "docs/clauses.tsv:6: clause: a row is TAG<TAB>what the clause demands\n"
        "src/label/a.cc:3: clause: [TC260-PG-20252A] has no row; add to docs/clauses.tsv the line "
        "\"TC260-PG-20252A<TAB>what the clause demands\"\n"
        "docs/clauses.tsv:5: clause: no code performs AILM-6; write [AILM-6] in a comment where "
        "src/ does, or drop the row\n"
        "docs/clauses.tsv:3: clause: no test checks DSP-17; write [DSP-17] in a comment beside the "
        "TEST_CASE that does\n");
    CHECK(run(check_clauses, {}) ==
          "docs/clauses.tsv:0: clause: the table of clauses is missing\n");
}

TEST_CASE("relative links in documents lead somewhere") {
    const Tree tree{
        {"README.md",
         "[a](docs/a.md) [b](docs/b.md#part) [c](https://example.org/x) [d](#here)\n"
         "`[code](nowhere.md)` [folder](docs/) [up](../x.md)\n"
         "```\n[fenced](nowhere.md)\n```\n"},
        {"docs/a.md", "[home](../README.md) [gone](gone.md \"title\") [root](/README.md)\n"},
    };
    CHECK(run(check_links, tree) ==
          "README.md:1: link: nothing is at docs/b.md; correct or drop the link\n"
          "docs/a.md:1: link: nothing is at gone.md; correct or drop the link\n");
}

TEST_CASE("phrases of the table are found in their scope") {
    const Tree tree{
        {"tools/tidy/phrases.tsv",
         "# phrase\tscope\tinstead\nLATER\tcode\tdo it\n/disk/\tall\tno\n"},
        {"src/core/a.cc", "int x;  // LATER\n// /disk/x tidy: allow(phrase) an example\n"},
        {"README.md", "do it LATER in /disk/x\n"},
    };
    CHECK(run(check_phrases, tree) ==
          "src/core/a.cc:1: phrase: LATER: do it\n"
          "README.md:1: phrase: /disk/: no\n");
}

TEST_CASE("findings of all rules come in the order of the tree") {
    const Tree tree{
        {"tools/modules.tsv", "core\t-\n"},
        {"docs/clauses.tsv", "\n"},
        {"tools/tidy/phrases.tsv", "\n"},
        {"src/messages/zh.tsv", "a b\t甲\tC library\n"},
        {"src/core/a.cc", "#include <regex>\n#include \"label/x.h\"\n"},
    };
    CHECK(to_text(check_all(tree)) ==
          "src/core/a.cc:1: ban: regex is banned here: std::regex recurses on hostile input; write "
          "the matcher or use Vectorscan\n"
          "src/core/a.cc:1: licence: the first line must be the comment SPDX-License-Identifier: "
          "Apache-2.0\n"
          "src/core/a.cc:2: layer: core may not include label (tools/modules.tsv); pass what it "
          "needs as a parameter\n");
}

TEST_CASE("code, comments and literals are told apart line by line") {
    const Source source = read_source(
        "#include \"core/bytes.h\"  // own\n"
        "int x = 1'000; /* two\nlines */ char c = '\\''; auto s = \"a\\\"b // no\";\n"
        "auto r = R\"x(raw \" )\" )x\"; // end\n");
    std::string text;
    for (std::size_t i = 0; i < source.raw.size(); ++i) {
        text += "raw      |" + source.raw[i] + "|\ncode     |" + source.code[i] + "|\ncomments |" +
                source.comments[i] + "|\n";
    }
    test::check_golden("tools_source.txt", text);
}

}  // namespace
}  // namespace colophon::tidy
