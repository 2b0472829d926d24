// SPDX-License-Identifier: Apache-2.0
// Our verdicts on Content Credentials beside those of c2pa-rs, the reference: on files of every
// format that we signed, on the same with one bit changed, and on other people's files.

#include "core/bytes.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace colophon {
namespace {

namespace fs = std::filesystem;

test::ToolRun compare(const std::string& anchors, const std::vector<std::string>& files,
                      bool stricter = false) {
    std::vector<std::string> command{"timeout", "110", "node",
                                     COLOPHON_SOURCE_DIR "/tests/witness/compare.mjs"};
    if (stricter) {
        command.emplace_back("--stricter");
    }
    command.insert(command.end(),
                   {COLOPHON_SOURCE_DIR "/build/witness/node_modules", COLOPHON_PROGRAM, anchors});
    command.insert(command.end(), files.begin(), files.end());
    return test::run_tool(command);
}

class Signed {
public:
    Signed() {
        test::run_tool_ok(
            {COLOPHON_PROGRAM, "admin", "ca", dir_.file("ca"), "--organization", "Example"});
    }
    const test::TempDir& dir() const { return dir_; }
    std::string anchors() const { return dir_.file("ca/root.pem"); }

    // Empty when the format carries no credentials.
    std::string sign(const std::string& path, const std::string& name) const {
        const std::string out = dir_.file(name);
        const test::ToolRun run = test::run_tool(
            {COLOPHON_PROGRAM, "label", path, "-o", out, "--producer",
             "001191000000000000000K10001", "--marks", "metadata,provenance", "--sign-key",
             dir_.file("ca/signer-key.pem"), "--sign-cert", dir_.file("ca/signer.pem")});
        CHECK_MESSAGE(((run.exit_code == 0) || (run.exit_code == 4)), run.err);
        return run.exit_code == 0 ? out : std::string();
    }

private:
    test::TempDir dir_;
};

TEST_CASE("c2pa-rs judges our files as we do, and none with a changed bit more harshly" *
          doctest::test_suite("slow")) {
    const Signed authority;
    std::vector<std::string> whole;
    std::vector<std::string> changed;
    for (const std::string_view format : test::writable_formats()) {
        const std::string sample = test::make_sample(authority.dir(), format);
        const std::string extension = fs::path(sample).extension().string();
        const std::string path = authority.sign(sample, std::string(format) + extension);
        const std::vector<std::string> read_by_them{
            ".jpg", ".jpeg", ".png",  ".webp", ".gif", ".tif", ".tiff", ".svg", ".wav",
            ".mp3", ".flac", ".heic", ".avif", ".m4a", ".mp4", ".mov",  ".pdf"};
        if (path.empty() || std::ranges::find(read_by_them, extension) == read_by_them.end()) {
            continue;
        }
        whole.push_back(path);
        const Buffer file = test::read_file(path);
        for (std::size_t i = 0; i < 5; ++i) {
            // Spread over the file, and other bits each time.
            const std::size_t at = (2 * i + 1) * file.size() / 10;
            Buffer other = file;
            other[at] ^= static_cast<std::uint8_t>(1U << (i + at) % 8);
            changed.push_back(
                authority.dir().file(std::string(format) + std::to_string(i) + extension));
            test::write_file(changed.back(), other);
        }
    }
    CHECK(whole.size() >= 12);
    const test::ToolRun same = compare(authority.anchors(), whole);
    CHECK_MESSAGE(same.exit_code == 0, same.out, same.err);
    const test::ToolRun stricter = compare(authority.anchors(), changed, true);
    CHECK_MESSAGE(stricter.exit_code == 0, stricter.out, stricter.err);
}

TEST_CASE("a large movie is written and hashed at once, and judged alike" *
          doctest::test_suite("slow")) {
    const Signed authority;
    const std::string movie = authority.dir().file("large.mov");
    test::run_tool_ok({"ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i",
                       "testsrc=size=1280x720:d=3:rate=25", "-pix_fmt", "uyvy422", "-c:v",
                       "rawvideo", movie});
    const std::string whole = authority.sign(movie, "whole.mov");
    REQUIRE(!whole.empty());
    Buffer file = test::read_file(whole);
    CHECK(file.size() > (64U << 20U));
    CHECK(as_text(file).find("fixedBlockSize") != std::string_view::npos);
    // Nothing of the movie is lost.
    const auto frames = [](const std::string& path) {
        return test::run_tool_ok(
            {"ffmpeg", "-nostdin", "-loglevel", "error", "-i", path, "-f", "md5", "-"});
    };
    CHECK(frames(whole) == frames(movie));
    file[file.size() / 2] ^= 1;
    const std::string changed = authority.dir().file("changed.mov");
    test::write_file(changed, file);
    const test::ToolRun both = compare(authority.anchors(), {whole, changed});
    CHECK_MESSAGE(both.exit_code == 0, both.out, both.err);
    const auto seen =
        test::run_tool({COLOPHON_PROGRAM, "verify", "--marks", "provenance", whole, changed});
    CHECK(seen.exit_code == 2);
    CHECK(seen.out.find("intact        " + whole) != std::string::npos);
    CHECK(seen.out.find("altered       " + changed) != std::string::npos);
}

TEST_CASE("ExifTool reads EXIF, XMP and the label of a signed file as before" *
          doctest::test_suite("slow")) {
    const Signed authority;
    const auto tags = [](const std::string& path) {
        return test::run_tool_ok({"exiftool", "-q", "-G1", "-s", "-EXIF:Artist",
                                  "-EXIF:UserComment", "-XMP:Title", "-XMP:CreatorTool", path});
    };
    test::run_tool_ok({"ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i",
                       "testsrc=d=1:size=64x48", authority.dir().file("in.mp4"),
                       authority.dir().file("in.mov")});
    for (const std::string name : {"in.jpg", "in.png", "in.webp", "in.tif", "in.gif", "in.heic",
                                   "in.avif", "in.mp4", "in.mov"}) {
        CAPTURE(name);
        const std::string path = authority.dir().file(name);
        if (name.ends_with(".heic") || name.ends_with(".avif")) {
            fs::rename(test::make_sample(authority.dir(), std::string_view(name).substr(3)), path);
        } else if (!name.ends_with(".mp4") && !name.ends_with(".mov")) {
            test::run_tool_ok({"convert", "-size", "400x300", "gradient:red-blue", path});
        }
        // Some of these formats have no place for EXIF.
        test::run_tool({"exiftool", "-q", "-overwrite_original", "-Artist=A Painter",
                        "-UserComment=hello", "-XMP-dc:Title=A title", "-XMP-xmp:CreatorTool=x",
                        path});
        const std::string before = tags(path);
        CHECK(before.find("A title") != std::string::npos);
        const std::string out = authority.sign(path, "signed-" + name);
        REQUIRE(!out.empty());
        CHECK(tags(out) == before);
        if (!name.ends_with(".mp4") && !name.ends_with(".mov")) {
            CHECK(test::run_tool_ok({"exiftool", out}).find("ProduceID") != std::string::npos);
        }
    }
}

// The files of github.com/contentauth/c2pa-rs, good, broken and hostile.
TEST_CASE("other people's credentials are judged as c2pa-rs judges them, taken in too" *
          doctest::test_suite("slow")) {
    const char* named = std::getenv("COLOPHON_CREDENTIALS");
    const std::string folder =
        named != nullptr ? named : COLOPHON_SOURCE_DIR "/../shared/corpus/provenance/c2pa-rs";
    if (!fs::exists(folder)) {
        MESSAGE("not tried: no files at ", folder, "; COLOPHON_CREDENTIALS names their folder");
        return;
    }
    const Signed authority;
    std::vector<std::string> files;
    std::vector<std::string> signed_again;
    for (const auto& each : fs::directory_iterator(folder)) {
        files.push_back(each.path().string());
        const std::string name = "again-" + each.path().filename().string();
        const test::ToolRun run = test::run_tool(
            {COLOPHON_PROGRAM, "verify", "--json", "--marks", "provenance", each.path().string()});
        if (run.out.find(R"("provenance":{"found":true,"intact":true)") != std::string::npos) {
            signed_again.push_back(authority.sign(each.path().string(), name));
        }
    }
    const test::ToolRun theirs = compare(authority.anchors(), files);
    CHECK_MESSAGE(theirs.exit_code == 0, theirs.out, theirs.err);
    CHECK(signed_again.size() >= 5);
    const test::ToolRun ours = compare(authority.anchors(), signed_again);
    CHECK_MESSAGE(ours.exit_code == 0, ours.out, ours.err);
}

}  // namespace
}  // namespace colophon
