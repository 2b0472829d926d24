// SPDX-License-Identifier: Apache-2.0
// [DSP-16] [DSP-18] The watermark of GIF and animated PNG. ImageMagick and FFmpeg say what the
// marked files show.
#include "core/bytes.h"
#include "core/splice.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/watermark/detect.h"
#include "label/watermark/internal/gif_colours.h"
#include "label/watermark/key.h"
#include "label/watermark/luma.h"
#include "label/watermark/payload.h"
#include "label/watermark/picture.h"
#include "label/watermark/video.h"
#include "media/video.h"
#include "support/natural_picture.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

const std::string kConvert = "/usr/bin/convert";
constexpr ContentId kContent{0x0a1b2c3d4e5f};
const std::array<WatermarkKey, 1> kKeys{published_watermark_key()};
constexpr int kWidth = 360;
constexpr int kHeight = 300;
constexpr std::size_t kPixels = std::size_t{kWidth} * kHeight;

// A frame of a film: our own photograph, on which something dark moves.
void write_frame(const test::TempDir& dir, int number, std::uint64_t seed = 31) {
    const Luma luma = test::natural_picture(kWidth, kHeight, seed);
    std::string pgm = "P5\n360 300\n255\n";
    for (int y = 0; y < kHeight; ++y) {
        for (int x = 0; x < kWidth; ++x) {
            const bool dark = std::hypot(x - 60 * (number + 1), y - 150) < 30;
            pgm.push_back(static_cast<char>(static_cast<std::uint8_t>(dark ? 20 : luma.at(x, y))));
        }
    }
    test::write_file(dir.file("f" + std::to_string(number) + ".pgm"), as_bytes(pgm));
}

std::vector<std::string> frames(const test::TempDir& dir, int count) {
    std::vector<std::string> files;
    for (int i = 0; i < count; ++i) {
        write_frame(dir, i);
        files.push_back(dir.file("f" + std::to_string(i) + ".pgm"));
    }
    return files;
}

void convert(const std::vector<std::vector<std::string>>& parts) {
    std::vector<std::string> command{kConvert};
    for (const std::vector<std::string>& part : parts) {
        command.insert(command.end(), part.begin(), part.end());
    }
    test::run_tool_ok(command);
}

WatermarkedFile mark(Bytes file, Format format) {
    Result<WatermarkedFile> marked =
        mark_picture(file, format, {.issuer = {9}, .content_id = kContent});
    REQUIRE_MESSAGE(marked.ok(), (marked.ok() ? std::string() : marked.error().what));
    CHECK(marked->changed);
    return std::move(marked).value();
}

bool found(Bytes file, Format format, DetectEffort effort = DetectEffort::kFast) {
    const Result<WatermarkReading> reading = find_picture_watermark(file, format, kKeys, effort);
    REQUIRE_MESSAGE(reading.ok(), (reading.ok() ? std::string() : reading.error().what));
    return reading->state == WatermarkState::kFound && reading->payload.content_id == kContent;
}

bool has(const Findings& findings, std::string_view code) {
    return std::ranges::any_of(findings,
                               [&](const Finding& finding) { return finding.code == code; });
}

// What does not change: size, place, delay, disposal of each frame, and how often all is shown.
std::string rhythm(const std::string& path) {
    return test::run_tool_ok({"identify", "-format", "%wx%h%X%Y %T %D %[gif:iterations]\n", path});
}

// All frames as shown, RGBA, by ImageMagick.
std::string shown(const std::string& path) {
    return test::run_tool_ok({kConvert, path, "-coalesce", "-depth", "8", "rgba:-"});
}

// Nothing to complain about.
void check_plays(const std::string& path, const std::string& demuxer) {
    const test::ToolRun run = test::run_tool(
        {"ffmpeg", "-nostdin", "-v", "warning", "-f", demuxer, "-i", path, "-f", "null", "-"});
    CHECK(run.exit_code == 0);
    CHECK(run.err.empty());
}

struct GifKind {
    const char* name;
    std::vector<std::string> options;
    double decibels;  // at least, of all that is shown
};

double decibels(const std::string& a, const std::string& b) {
    REQUIRE(a.size() == b.size());
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference =
            static_cast<std::uint8_t>(a[i]) - static_cast<double>(static_cast<std::uint8_t>(b[i]));
        sum += difference * difference;
    }
    // A quarter of the samples is alpha, which stays.
    return 10 * std::log10(255.0 * 255.0 * 0.75 * static_cast<double>(a.size()) / sum);
}

TEST_CASE("a GIF takes the mark in each frame: what it shows stays near, its rhythm as it was") {
    const std::vector<GifKind> kinds{
        {"whole frames", {}, 38},
        {"pieces of frames", {"-layers", "OptimizeFrame"}, 38},
        {"transparent where nothing changes", {"-layers", "OptimizeTransparency"}, 38},
        {"few colours", {"+dither", "-colors", "12"}, 38},
        {"cleared behind each frame", {"-set", "dispose", "background"}, 38},
        {"as before behind each frame", {"-set", "dispose", "previous"}, 38},
        {"interlaced", {"-interlace", "GIF"}, 38},
    };
    for (const GifKind& kind : kinds) {
        CAPTURE(std::string(kind.name));
        const test::TempDir dir;
        convert(
            {{"-delay", "17", "-loop", "3"}, frames(dir, 4), kind.options, {dir.file("a.gif")}});
        const Buffer file = test::read_file(dir.file("a.gif"));
        CHECK_FALSE(found(file, Format::kGif));
        const WatermarkedFile marked = mark(file, Format::kGif);
        const Buffer after = apply_splice(file, marked.splice);
        test::write_file(dir.file("b.gif"), after);
        CHECK(found(after, Format::kGif));
        CHECK(rhythm(dir.file("a.gif")) == rhythm(dir.file("b.gif")));
        check_plays(dir.file("b.gif"), "gif");
        CHECK(decibels(shown(dir.file("a.gif")), shown(dir.file("b.gif"))) >= kind.decibels);
        CHECK(has(marked.findings, "watermark.recoded"));
        CHECK_FALSE(has(marked.findings, "watermark.frames"));
        // Each frame has it, in another program's copy too.
        convert({{dir.file("b.gif"), "-coalesce", dir.file("frame-%d.png")}});
        for (int i = 0; i < 4; ++i) {
            const std::string name = "frame-" + std::to_string(i) + ".png";
            CHECK(found(test::read_file(dir.file(name)), Format::kPng));
        }
    }
}

TEST_CASE("what stands still in an animation stands still when it is marked") {
    const test::TempDir dir;
    convert({{"-delay", "10"}, frames(dir, 3), {"+dither", "-colors", "40", dir.file("a.gif")}});
    const auto changed = [](const std::string& film, std::size_t frame, std::size_t pixel) {
        const std::size_t size = kPixels * 4;
        return film.compare(frame * size + 4 * pixel, 4, film, (frame - 1) * size + 4 * pixel, 4) !=
               0;
    };
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-i", dir.file("a.gif"), "-f", "apng",
                       "-plays", "0", dir.file("a.png")});
    const auto play = [&](const std::string& name, const std::string& kind) {
        return test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", kind, "-i",
                                  dir.file(name), "-vsync", "passthrough", "-f", "rawvideo",
                                  "-pix_fmt", "rgba", "-"});
    };
    for (const auto& [format, name, out, kind] :
         {std::tuple(Format::kGif, "a.gif", "b.gif", "gif"),
          std::tuple(Format::kPng, "a.png", "b.png", "apng")}) {
        CAPTURE(std::string(name));
        const Buffer file = test::read_file(dir.file(name));
        const WatermarkedFile marked = mark(file, format);
        test::write_file(dir.file(out), apply_splice(file, marked.splice));
        check_plays(dir.file(out), kind);
        const std::string before = play(name, kind);
        const std::string after = play(out, kind);
        REQUIRE(before.size() == after.size());
        REQUIRE(before.size() == kPixels * 4 * 3);
        std::size_t moved = 0;
        std::size_t flickers = 0;
        for (std::size_t frame = 1; frame < 3; ++frame) {
            for (std::size_t i = 0; i < kPixels; ++i) {
                moved += changed(before, frame, i) ? 1U : 0U;
                flickers += !changed(before, frame, i) && changed(after, frame, i) ? 1U : 0U;
            }
        }
        CHECK(moved > 2000);
        // A frame of its own colours may lack a shade that the frame before had.
        CHECK(flickers <= (format == Format::kGif ? moved / 2 : 0));
        CHECK(decibels(before, after) >= 38);
    }
}

TEST_CASE("an animated PNG keeps its number of frames, their times, and its transparency") {
    const test::TempDir dir;
    std::vector<std::string> command{"ffmpeg",
                                     "-nostdin",
                                     "-v",
                                     "error",
                                     "-framerate",
                                     "5",
                                     "-i",
                                     dir.file("f%d.pgm"),
                                     "-vf",
                                     "format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='if(lt(X,"
                                     "40),0,255)'",
                                     "-f",
                                     "apng",
                                     "-plays",
                                     "2",
                                     dir.file("a.png")};
    frames(dir, 4);
    test::run_tool_ok(command);
    const Buffer file = test::read_file(dir.file("a.png"));
    CHECK_FALSE(found(file, Format::kPng));
    const WatermarkedFile marked = mark(file, Format::kPng);
    const Buffer after = apply_splice(file, marked.splice);
    test::write_file(dir.file("b.png"), after);
    CHECK(found(after, Format::kPng));
    check_plays(dir.file("b.png"), "apng");
    const auto times = [&](const char* name) {
        return test::run_tool_ok({"ffprobe", "-v", "error", "-f", "apng", "-show_entries",
                                  "packet=pts_time,duration_time", "-of", "csv", dir.file(name)});
    };
    CHECK(times("a.png") == times("b.png"));
    const auto alpha = [&](const char* name) {
        return test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "apng", "-i",
                                  dir.file(name), "-vf", "alphaextract", "-f", "rawvideo", "-"});
    };
    CHECK((alpha("a.png") == alpha("b.png")));
    CHECK(marked.psnr_db >= 41.5);
}

TEST_CASE("frames that hold nothing are told, and the sum of the others is found") {
    const test::TempDir dir;
    write_frame(dir, 0);
    write_frame(dir, 1, 32);
    write_frame(dir, 2, 33);
    convert({{"-delay", "10", "-dispose", "background", "-size", "360x300", "xc:transparent",
              dir.file("f0.pgm"), dir.file("f1.pgm"), dir.file("f2.pgm"), dir.file("a.gif")}});
    const Buffer file = test::read_file(dir.file("a.gif"));
    const WatermarkedFile marked = mark(file, Format::kGif);
    const Buffer after = apply_splice(file, marked.splice);
    test::write_file(dir.file("b.gif"), after);
    CHECK(has(marked.findings, "watermark.frames"));
    CHECK(found(after, Format::kGif));

    // Three frames that are too noisy, each for itself.
    convert({{dir.file("b.gif"), "-coalesce", "-attenuate", "1.2", "+noise", "Gaussian",
              dir.file("noisy-%d.png")}});
    convert({{"-delay", "10", dir.file("noisy-1.png"), dir.file("noisy-2.png"),
              dir.file("noisy-3.png"), dir.file("c.gif")}});
    CHECK(found(test::read_file(dir.file("c.gif")), Format::kGif));

    // Nothing that could be painted.
    convert({{"-delay", "10", "-size", "360x300", "xc:transparent", dir.file("bare.gif")}});
    const auto none = mark_picture(test::read_file(dir.file("bare.gif")), Format::kGif,
                                   {.issuer = {9}, .content_id = kContent});
    CHECK_FALSE(none.ok());
}

TEST_CASE("a GIF that became a video still has the mark of the GIF") {
    const test::TempDir dir;
    convert({{"-delay", "20"}, frames(dir, 4), {dir.file("a.gif")}});
    const Buffer file = test::read_file(dir.file("a.gif"));
    const WatermarkedFile marked = mark(file, Format::kGif);
    test::write_file(dir.file("b.gif"), apply_splice(file, marked.splice));
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-i", dir.file("b.gif"), "-c:v",
                       "libx264", "-crf", "26", "-pix_fmt", "yuv420p", dir.file("b.mp4")});
    const auto reading = find_video_watermark(test::read_file(dir.file("b.mp4")),
                                              media::VideoContainer::kMp4, kKeys, {});
    REQUIRE(reading.ok());
    CHECK(reading->best.state == WatermarkState::kFound);
    CHECK(reading->best.payload.form == PayloadForm::kStandard);
    CHECK(reading->best.payload.content_id == kContent);
}

TEST_CASE("shades take the place of entries without pixels, and only of those") {
    internal::ColourCounts counts{};
    counts[0] = 100;
    counts[2] = 5;
    const std::vector<std::uint32_t> table{0xFF808080U, 0xFF123456U, 0xFF00FF00U, 0xFFABCDEFU};
    const std::vector<std::uint32_t> shaded = internal::add_shades(table, counts, 3);
    CHECK(shaded[0] == table[0]);
    CHECK(shaded[2] == table[2]);
    CHECK(shaded[3] == table[3]);  // what is transparent stays
    CHECK(shaded[1] == 0xFF838383U);
    CHECK(shaded.size() > table.size());
    CHECK(std::ranges::count(shaded, 0xFF7D7D7DU) == 1);

    counts.fill(1);
    std::vector<std::uint32_t> full;
    for (std::uint32_t i = 0; i < 256; ++i) {
        full.push_back(0xFF000000U | i * 0x010101U);
    }
    CHECK(internal::add_shades(full, counts, -1) == full);
}

TEST_CASE("dithering keeps the mean: an eighth of a step is taken by one pixel of eight") {
    internal::ColourCounts counts{};
    counts[0] = 1;
    const std::vector<std::uint32_t> table{0xFF646464U, 0xFF6C6C6CU, 0xFF000000U};
    constexpr int kSide = 64;
    internal::Ditherer ditherer(table, counts, 2, kSide);
    const std::vector<float> pattern(kSide, 1.0F);
    const std::vector<int> wanted(kSide, internal::Ditherer::kFree);
    std::size_t brighter = 0;
    for (int y = 0; y < kSide; ++y) {
        Buffer row(kSide, 0);
        row[5] = 2;  // transparent: stays
        ditherer.row(pattern.data(), wanted.data(), row.data());
        CHECK(row[5] == 2);
        brighter += static_cast<std::size_t>(std::ranges::count(row, std::uint8_t{1}));
    }
    CHECK(brighter > 440);
    CHECK(brighter < 560);
    // Too far away: no specks.
    const std::vector<std::uint32_t> far{0xFFFFFFFFU, 0xFF000000U};
    internal::Ditherer careful(far, counts, -1, kSide);
    const std::vector<float> dark(kSide, -40.0F);
    Buffer row(kSide, 0);
    careful.row(dark.data(), wanted.data(), row.data());
    CHECK(std::ranges::count(row, std::uint8_t{0}) == kSide);
}

}  // namespace
}  // namespace colophon::label
