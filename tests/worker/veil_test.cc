// SPDX-License-Identifier: Apache-2.0
#include "worker/veil.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "label/format.h"
#include "media/image.h"
#include "support/sample_files.h"
#include "support/tools.h"
#include "worker/channel.h"
#include "worker/client.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::worker {
namespace {

Worker make_worker() {
    return Worker({.program = COLOPHON_PROGRAM, .font_path = {}, .expects_media = false});
}

Result<Veil> veil_of(Worker& worker, const std::string& path, label::Format format) {
    const test::TempDir dir;
    const Fd in(open(path.c_str(), O_RDONLY));
    const Fd out(open(dir.file("out").c_str(), O_RDWR | O_CREAT, 0600));
    return worker.veil(in.get(), out.get(), format);
}

media::Image decoded(const Veil& veil) {
    auto png = media::decode_png(veil.file);
    REQUIRE(png.ok());
    return std::move(png->image);
}

// ffmpeg's own veil of a picture: scaled by area, grey, blurred by its Gaussian.
Buffer witness_of(const test::TempDir& dir, const std::string& path, const std::string& size,
                  const std::string& more) {
    const std::string raw = dir.file("witness.grey");
    test::run_tool_ok({"ffmpeg", "-nostdin", "-y", "-v", "error", "-i", path, "-frames:v", "1",
                       "-vf", "scale=" + size + ":flags=area,format=gray" + more, "-f", "rawvideo",
                       raw});
    return test::read_file(raw);
}

double mean_difference(const Buffer& a, const Buffer& b) {
    REQUIRE(a.size() == b.size());
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += std::abs(int{a[i]} - int{b[i]});
    }
    return static_cast<double>(sum) / static_cast<double>(a.size());
}

// How much neighbours differ from each other, squared: what is lost by a blur.
double detail(const Buffer& grey, int width) {
    double sum = 0;
    for (std::size_t i = 1; i < grey.size(); ++i) {
        if (i % static_cast<std::size_t>(width) != 0) {
            const double step = double(grey[i]) - double(grey[i - 1]);
            sum += step * step;
        }
    }
    return sum / static_cast<double>(grey.size());
}

}  // namespace

TEST_CASE("[DSP-10] the veil of every kind of picture is grey, small and without its details") {
    const test::TempDir dir;
    Worker worker = make_worker();
    for (const label::FormatFacts& row : label::all_formats()) {
        if (!takes_veil(row.format) || row.kind != label::Kind::kImage) {
            continue;
        }
        CAPTURE(row.name);
        const std::string path = test::make_sample(dir, row.name);
        const auto veil = veil_of(worker, path, row.format);
        REQUIRE_MESSAGE(veil.ok(), (veil.ok() ? "" : veil.error().what));
        CHECK(!veil->film);
        CHECK(veil_media_type(*veil) == "image/png");
        const media::Image image = decoded(*veil);
        CHECK(image.width == 320);
        CHECK(image.height == 240);
        CHECK(image.space == media::ColourSpace::kGrey);
        CHECK(image.channels == 1);
        CHECK(veil->file == make_veil(test::read_file(path), row.format)->file);
    }
}

TEST_CASE("[DSP-10] a veil is what another program's averaging and Gaussian make of the picture") {
    const test::TempDir dir;
    Worker worker = make_worker();
    const std::string path = dir.file("cells.png");
    test::run_tool_ok({"ffmpeg", "-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i",
                       "mandelbrot=size=1280x960:rate=1", "-frames:v", "1", path});
    const auto veil = veil_of(worker, path, label::Format::kPng);
    REQUIRE_MESSAGE(veil.ok(), (veil.ok() ? "" : veil.error().what));
    const media::Image image = decoded(*veil);
    REQUIRE(image.width == kVeilSideMax);
    REQUIRE(image.height == 480);
    const Buffer sharp = witness_of(dir, path, "640:480", "");
    const Buffer blurred = witness_of(dir, path, "640:480", ",gblur=sigma=10:steps=6");
    const double apart = mean_difference(image.pixels, blurred);
    const double kept = detail(image.pixels, image.width) / detail(sharp, image.width);
    MESSAGE("mean difference ", apart, " levels, detail kept ", kept);
    CHECK(apart < 1);
    CHECK(kept < 0.05);
    CHECK(mean_difference(image.pixels, sharp) > 4 * apart);
}

TEST_CASE(
    "a veil stands as the picture is displayed, and tells of pictures that it does not show") {
    const test::TempDir dir;
    Worker worker = make_worker();
    // White on the left as stored; turned clockwise, at the top.
    const std::string path = dir.file("turned.jpg");
    test::run_tool_ok({"ffmpeg", "-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i",
                       "color=black:size=320x200", "-vf", "drawbox=w=160:h=200:c=white:t=fill",
                       "-frames:v", "1", path});
    test::run_tool_ok({"exiftool", "-q", "-overwrite_original", "-n", "-Orientation=6", path});
    const auto turned = veil_of(worker, path, label::Format::kJpeg);
    REQUIRE(turned.ok());
    const media::Image image = decoded(*turned);
    CHECK(image.width == 200);
    CHECK(image.height == 320);
    CHECK(image.sample(100, 20, 0) > 240);
    CHECK(image.sample(100, 300, 0) < 15);
    CHECK(turned->pictures == 1);

    const std::string one = test::make_sample(dir, "png");
    test::run_tool_ok(
        {"vips", "arrayjoin", one + " " + one + " " + one, dir.file("column.v"), "--across", "1"});
    test::run_tool_ok(
        {"vips", "tiffsave", dir.file("column.v"), dir.file("all.tiff"), "--page-height", "240"});
    const auto pages = veil_of(worker, dir.file("all.tiff"), label::Format::kTiff);
    REQUIRE_MESSAGE(pages.ok(), (pages.ok() ? "" : pages.error().what));
    CHECK(!pages->film);
    CHECK(pages->pictures == 3);
    CHECK(decoded(*pages).height == 240);
}

TEST_CASE("[DSP-10] the veil of an animation is a film with each of its pictures") {
    const test::TempDir dir;
    Worker worker = make_worker();
    struct Case {
        const char* name;
        label::Format format;
        int frames;
        std::int64_t every;
    };
    for (const Case& each :
         {Case{"a.gif", label::Format::kGif, 30, 1}, Case{"b.gif", label::Format::kGif, 300, 2},
          Case{"a.webp", label::Format::kWebp, 30, 1},
          Case{"a.apng", label::Format::kPng, 30, 1}}) {
        CAPTURE(each.name);
        // Most frames are parts that lie over what was there before; each lasts a fiftieth.
        const std::string path = dir.file(each.name);
        test::run_tool_ok({"ffmpeg", "-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i",
                           "testsrc2=size=160x120:rate=50", "-frames:v",
                           std::to_string(each.frames), "-loop", "0", path});
        const auto veil = veil_of(worker, path, each.format);
        REQUIRE_MESSAGE(veil.ok(), (veil.ok() ? "" : veil.error().what));
        CHECK(veil->film);
        CHECK(veil->pictures == static_cast<std::uint64_t>(each.frames));
        CHECK(veil->speed == each.every);
        const std::string film = dir.file("film.mp4");
        test::write_file(film, veil->file);
        const std::int64_t shown = each.frames / each.every;
        CHECK(test::run_tool_ok({"ffprobe", "-v", "error", "-count_frames", "-show_entries",
                                 "stream=width,height,nb_read_frames", "-of", "csv=p=0", film}) ==
              "160,120," + std::to_string(shown) + "\n");
        // The last picture of both, as another program puts it together.
        const auto grey = [&](const std::string& file, std::int64_t number,
                              const std::string& more) {
            const std::string raw = dir.file("picture.grey");
            test::run_tool_ok({"ffmpeg", "-nostdin", "-y", "-v", "error", "-i", file, "-vf",
                               "select=eq(n\\," + std::to_string(number) + ")" + more, "-frames:v",
                               "1", "-f", "rawvideo", raw});
            return test::read_file(raw);
        };
        if (each.format != label::Format::kWebp) {  // which ffmpeg 5 does not read
            const Buffer ours = grey(film, shown - 1, ",format=gray");
            const Buffer theirs = grey(path, (shown - 1) * each.every,
                                       ",format=rgb24,format=gray,gblur=sigma=2.5:steps=6");
            const double apart = mean_difference(ours, theirs);
            MESSAGE(std::string(each.name), ": mean difference ", apart, " levels");
            CHECK(apart < 4);
        }
    }
}

TEST_CASE("[DSP-10] the veil of a video is a grey film without sound, as long as the video") {
    const test::TempDir dir;
    Worker worker = make_worker();
    struct Case {
        const char* name;
        const char* codec;
        label::Format format;
        const char* seconds;
        const char* rate;
        std::int64_t speed;
        const char* pictures;
    };
    for (const Case& each :
         {Case{"a.mp4", "libx264", label::Format::kMp4, "6", "25", 1, "30"},
          Case{"b.webm", "libvpx-vp9", label::Format::kMatroska, "3", "10", 1, "15"},
          // One picture in two seconds is shown for two seconds.
          Case{"c.mp4", "libx264", label::Format::kMp4, "20", "1/2", 1, "91"},
          Case{"d.mp4", "libx264", label::Format::kMp4, "100", "5", 4, "125"}}) {
        CAPTURE(each.name);
        const std::string path = dir.file(each.name);
        test::run_tool_ok(
            {"ffmpeg", "-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i",
             std::string("testsrc2=size=642x362:rate=") + each.rate + ":duration=" + each.seconds,
             "-f", "lavfi", "-i", std::string("sine=duration=") + each.seconds, "-pix_fmt",
             "yuv420p", "-c:v", each.codec, path});
        const auto veil = veil_of(worker, path, each.format);
        REQUIRE_MESSAGE(veil.ok(), (veil.ok() ? "" : veil.error().what));
        CHECK(veil->film);
        CHECK(veil->speed == each.speed);
        CHECK(veil_media_type(*veil) == "video/mp4");
        const std::string film = dir.file("film.mp4");
        test::write_file(film, veil->file);
        MESSAGE(std::string(each.name), ": a veil of ", veil->file.size(), " bytes");
        CHECK(test::run_tool_ok({"ffprobe", "-v", "error", "-count_frames", "-show_entries",
                                 "stream=codec_type,codec_name,width,height,nb_read_frames", "-of",
                                 "csv=p=0", film}) ==
              std::string("h264,video,320,180,") + each.pictures + "\n");
        const std::string raw = dir.file("film.rgb");
        test::run_tool_ok({"ffmpeg", "-nostdin", "-y", "-v", "error", "-i", film, "-pix_fmt",
                           "yuv444p", "-f", "rawvideo", raw});
        const Buffer all = test::read_file(raw);
        constexpr std::size_t kPlane = std::size_t{320} * 180;
        int colour_max = 0;
        for (std::size_t at = 0; at + 3 * kPlane <= all.size(); at += 3 * kPlane) {
            for (std::size_t i = kPlane; i < 3 * kPlane; ++i) {
                colour_max = std::max(colour_max, std::abs(int{all[at + i]} - 128));
            }
        }
        CHECK(colour_max <= 1);
        const Buffer sharp = witness_of(dir, path, "320:180", "");
        const Buffer first(all.begin(), all.begin() + kPlane);
        CHECK(detail(first, 320) < 0.1 * detail(sharp, 320));
    }
}

TEST_CASE("what has no veil, or cannot be decoded, is an error and never the file itself") {
    const test::TempDir dir;
    Worker worker = make_worker();
    for (const char* name : {"svg", "wav", "markdown", "pdf"}) {
        CAPTURE(name);
        const auto format = label::format_by_name(name);
        REQUIRE(format.has_value());
        CHECK(!takes_veil(*format));
        const auto veil = veil_of(worker, test::make_sample(dir, name), *format);
        REQUIRE(!veil.ok());
        CHECK(veil.error().code == ErrorCode::kUnsupported);
    }
    const std::string path = test::make_sample(dir, "png");
    Buffer cut = test::read_file(path);
    cut.resize(cut.size() / 2);
    test::write_file(dir.file("cut.png"), cut);
    CHECK(!veil_of(worker, dir.file("cut.png"), label::Format::kPng).ok());
    test::write_file(dir.file("cut.mp4"), as_bytes("\0\0\0\x18"
                                                   "ftypisom\0\0\0\0isomiso2"));
    CHECK(!veil_of(worker, dir.file("cut.mp4"), label::Format::kMp4).ok());
}

TEST_CASE("a worker's word about a veil is believed where the file bears it out") {
    const test::TempDir dir;
    const auto good =
        make_veil(test::read_file(test::make_sample(dir, "png")), label::Format::kPng);
    REQUIRE(good.ok());
    CHECK(decode_veil(encode(*good), good->file).ok());
    const auto said = [&](std::string_view text, const Buffer& file) {
        return decode_veil(json::parse(text).value(), file).ok();
    };
    CHECK(said(R"({"film":false,"pictures":1,"speed":1})", good->file));
    CHECK(!said(R"({"film":true,"pictures":1,"speed":1})", good->file));
    CHECK(!said(R"({"film":false,"pictures":0,"speed":1})", good->file));
    CHECK(!said(R"({"film":false,"pictures":1,"speed":0})", good->file));
    CHECK(!said(R"({"film":"no","pictures":1,"speed":1})", good->file));
    CHECK(!said(R"({"film":false,"pictures":1})", good->file));
    // A picture in colour, or a large one, is none.
    CHECK(!said(R"({"film":false,"pictures":1,"speed":1})",
                test::read_file(test::make_sample(dir, "png"))));
    Buffer large = good->file;
    large[18] = 3;
    CHECK(!said(R"({"film":false,"pictures":1,"speed":1})", large));
    CHECK(!said(R"({"film":false,"pictures":1,"speed":1})", {}));
}

}  // namespace colophon::worker
