// SPDX-License-Identifier: Apache-2.0
// Documents, and Content Credentials that lie beside their file, as the user meets them.

#include "core/bytes.h"
#include "core/json.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace colophon {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProducer = "001191000000000000000K10001";

struct Desk {
    test::TempDir dir;

    test::ToolRun run(const std::vector<std::string>& arguments) const {
        std::vector<std::string> command{
            "env",           "-i", "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HOME=" + dir.file("home"),
            COLOPHON_PROGRAM};
        command.insert(command.end(), arguments.begin(), arguments.end());
        return test::run_tool(command);
    }
    test::ToolRun label(const std::string& in, const std::string& out,
                        std::vector<std::string> more = {}) const {
        std::vector<std::string> arguments{"label", in, "-o", out, "--producer", kProducer};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(arguments);
    }
    // The part "provenance" of what verify says.
    json::Value credential(const std::vector<std::string>& files, int expected_code) const {
        std::vector<std::string> arguments{"verify", "--json", "--marks", "metadata,provenance"};
        arguments.insert(arguments.end(), files.begin(), files.end());
        const test::ToolRun seen = run(arguments);
        CHECK_MESSAGE(seen.exit_code == expected_code, seen.out, seen.err);
        const auto value = json::parse(seen.out);
        REQUIRE_MESSAGE(value.ok(), seen.out);
        const json::Value* part = value->find("provenance");
        return part == nullptr ? json::Value(json::Object{}) : *part;
    }
};

bool flag(const json::Value& value, std::string_view name) {
    const json::Value* member = value.find(name);
    return member != nullptr && member->if_bool() != nullptr && *member->if_bool();
}

void flip(const std::string& path, std::size_t at) {
    Buffer bytes = test::read_file(path);
    bytes[at] ^= 1U;
    test::write_file(path, bytes);
}

TEST_CASE("a format that carries no credential gets it beside the file, where verify finds it") {
    const Desk desk;
    const std::string in = test::make_sample(desk.dir, "text");
    const std::string out = desk.dir.file("out.txt");
    const test::ToolRun made = desk.label(in, out, {"--profile", "eu", "--json"});
    REQUIRE_MESSAGE(made.exit_code == 0, made.err);
    const auto said = json::parse(made.out);
    CHECK(said->find("provenance")->string_or("file", "") == out + ".c2pa");
    const json::Value seen = desk.credential({out}, 0);
    CHECK(flag(seen, "trusted"));
    CHECK(seen.string_or("where", "") == "detached");
    CHECK(desk.run({"verify", "--manifest", out}).out.find("c2pa.created") != std::string::npos);
    // Elsewhere under another name.
    fs::rename(out + ".c2pa", desk.dir.file("x"));
    CHECK(!flag(desk.credential({out}, 3), "found"));
    CHECK(flag(desk.credential({out, "--credential", desk.dir.file("x")}, 0), "trusted"));
    flip(out, test::read_file(out).size() / 2);
    CHECK(!flag(desk.credential({out, "--credential", desk.dir.file("x")}, 2), "intact"));
}

TEST_CASE("a credential beside a file is asked for, never put where it cannot be") {
    const Desk desk;
    const std::string in = test::make_sample(desk.dir, "png");
    const std::string out = desk.dir.file("out.png");
    REQUIRE(desk.label(in, out, {"--marks", "metadata", "--detached"}).exit_code == 0);
    CHECK(flag(desk.credential({out}, 0), "trusted"));
    flip(out + ".c2pa", 900);
    CHECK(!flag(desk.credential({out}, 2), "intact"));
    // Standard output has nothing beside it.
    const test::ToolRun stream = desk.label(in, "-", {"--marks", "metadata", "--detached"});
    CHECK(stream.exit_code == 64);
    // A file that carries one gets no second.
    const std::string inside = desk.dir.file("inside.png");
    REQUIRE(desk.label(in, inside, {"--marks", "metadata,provenance"}).exit_code == 0);
    const test::ToolRun twice =
        desk.label(inside, desk.dir.file("twice.png"), {"--marks", "metadata", "--detached"});
    CHECK(twice.exit_code == 1);
    CHECK(!fs::exists(desk.dir.file("twice.png")));
    CHECK(!fs::exists(desk.dir.file("twice.png.c2pa")));
    // What it carries counts, unless another is named.
    fs::copy_file(out + ".c2pa", inside + ".c2pa");
    CHECK(flag(desk.credential({inside}, 0), "trusted"));
    CHECK(!flag(desk.credential({inside, "--credential", out + ".c2pa"}, 2), "intact"));
    test::write_file(desk.dir.file("huge"), Buffer((4U << 20U) + 1));
    CHECK(desk.run({"verify", out, "--credential", desk.dir.file("huge")}).exit_code == 1);
    CHECK(desk.run({"verify", in, out, "--credential", out + ".c2pa"}).exit_code == 64);
}

TEST_CASE("a folder of files with credentials beside them is verified as that many files") {
    const Desk desk;
    const std::string folder = desk.dir.file("in");
    fs::create_directories(folder);
    fs::rename(test::make_sample(desk.dir, "ogg"), folder + "/a.ogg");
    fs::rename(test::make_sample(desk.dir, "text"), folder + "/b.txt");
    fs::rename(test::make_sample(desk.dir, "pdf"), folder + "/c.pdf");
    const std::string out = desk.dir.file("out");
    const test::ToolRun made = desk.label(folder, out, {"--profile", "all"});
    REQUIRE_MESSAGE(made.exit_code == 0, made.err);
    CHECK(!fs::exists(out + "/a.ogg.c2pa"));
    CHECK(fs::exists(out + "/b.txt.c2pa"));
    CHECK(!fs::exists(out + "/c.pdf.c2pa"));
    const test::ToolRun seen = desk.run({"verify", "--json", "--marks", "provenance", out});
    CHECK_MESSAGE(seen.exit_code == 0, seen.out, seen.err);
    CHECK(std::ranges::count(seen.out, '\n') == 3);
}

TEST_CASE("documents carry their credentials, and a changed one is altered") {
    for (const std::string_view format :
         {"pdf", "html", "markdown", "docx", "xlsx", "pptx", "epub"}) {
        CAPTURE(format);
        const Desk desk;
        const std::string in = test::make_sample(desk.dir, format);
        const std::string out = desk.dir.file("out" + fs::path(in).extension().string());
        const bool metadata = format == "pdf" || format == "html" || format == "markdown";
        const test::ToolRun made =
            desk.label(in, out, {"--marks", metadata ? "metadata,provenance" : "provenance"});
        REQUIRE_MESSAGE(made.exit_code == 0, made.err);
        CHECK(flag(desk.credential({out}, 0), "trusted"));
        // A second label takes the first in.
        const std::string again = desk.dir.file("again" + fs::path(in).extension().string());
        REQUIRE(desk.label(out, again,
                           {"--marks", metadata ? "metadata,provenance" : "provenance",
                            "--content-id", "00000000V1"})
                    .exit_code == 0);
        const json::Value chain = desk.credential({again}, 0);
        CHECK(flag(chain, "trusted"));
        if (metadata) {
            CHECK(chain.find("manifests")->as_int().value() == 2);
        }
        Buffer bytes = test::read_file(again);
        const std::size_t at = as_text(bytes).find("ords");
        REQUIRE(at != std::string_view::npos);
        bytes[at] = 'O';
        test::write_file(again, bytes);
        CHECK(!flag(desk.credential({again}, 2), "intact"));
    }
}

TEST_CASE(
    "an Office file without Content Credentials gets nothing, and is told what it could get") {
    const Desk desk;
    const std::string in = test::make_sample(desk.dir, "docx");
    const test::ToolRun run = desk.label(in, desk.dir.file("out.docx"));
    CHECK(run.exit_code == 4);
    CHECK(run.err.find("--marks provenance") != std::string::npos);
    CHECK(!fs::exists(desk.dir.file("out.docx")));
    CHECK(desk.run({"verify", in}).exit_code == 3);
}

// Other people's archives: deflated, with descriptors as a stream writer leaves them.
TEST_CASE("an archive that Python wrote is signed, and Python still takes it apart") {
    const Desk desk;
    const std::string in = desk.dir.file("in.docx");
    test::run_tool_ok(
        {"python3", "-c",
         "import sys, zipfile\n"
         "class Stream:\n"
         "    def __init__(self, f): self.f = f\n"
         "    def write(self, b): return self.f.write(b)\n"
         "    def flush(self): self.f.flush()\n"
         "with open(sys.argv[1], 'wb') as f:\n"
         "    with zipfile.ZipFile(Stream(f), 'w', zipfile.ZIP_DEFLATED) as z:\n"
         "        z.writestr('[Content_Types].xml', '<Types xmlns=\"http://schemas.openxmlformats."
         "org/package/2006/content-types\"><Default Extension=\"xml\" "
         "ContentType=\"application/xml\"/></Types>')\n"
         "        z.writestr('word/document.xml', '<w/>' * 1000)\n"
         "        z.writestr('word/media/图.xml', '<x/>')\n"
         "        z.comment = b'a comment'\n",
         in});
    const std::string out = desk.dir.file("out.docx");
    const test::ToolRun made = desk.label(in, out, {"--marks", "provenance"});
    REQUIRE_MESSAGE(made.exit_code == 0, made.err);
    CHECK(flag(desk.credential({out}, 0), "trusted"));
    const std::string seen =
        test::run_tool_ok({"python3", "-c",
                           "import sys, zipfile\n"
                           "z = zipfile.ZipFile(sys.argv[1])\n"
                           "assert z.testzip() is None\n"
                           "assert z.comment == b'a comment'\n"
                           "assert z.read('word/document.xml') == b'<w/>' * 1000\n"
                           "assert b'\"c2pa\"' in z.read('[Content_Types].xml')\n"
                           "print(len(z.namelist()), z.namelist()[-1])\n",
                           out});
    CHECK(seen == "4 META-INF/content_credential.c2pa\n");
}

}  // namespace
}  // namespace colophon
