// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/picture.h"

#include "core/bytes.h"
#include "fingerprint/pdq.h"
#include "media/image.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace colophon::fingerprint {
namespace {

struct Case {
    const char* name;
    PictureCoding coding;
};
constexpr std::array kCases{
    Case{"copy.jpg", PictureCoding::kJpeg},  Case{"copy.webp", PictureCoding::kWebp},
    Case{"copy.gif", PictureCoding::kGif},   Case{"copy.tiff", PictureCoding::kTiff},
    Case{"small.jpg", PictureCoding::kJpeg}, Case{"grey.png", PictureCoding::kPng},
    Case{"deep.png", PictureCoding::kPng},   Case{"palette.png", PictureCoding::kPng},
    Case{"cmyk.jpg", PictureCoding::kJpeg},  Case{"cmyk.tiff", PictureCoding::kTiff},
    Case{"thin.jpg", PictureCoding::kJpeg},
};

// A busy picture of 900 x 700 and copies of it, made by ImageMagick.
void make_copies(const test::TempDir& dir) {
    const std::string original = dir.file("original.png");
    test::run_tool_ok({"convert", "-size", "900x700", "-seed", "7", "plasma:fractal", "-blur",
                       "0x2", "-depth", "8", "PNG24:" + original});
    const auto convert = [&](std::vector<std::string> options, const char* name) {
        std::vector<std::string> argv{"convert", original};
        argv.insert(argv.end(), options.begin(), options.end());
        std::string output = dir.file(name);
        argv.push_back(name == std::string("palette.png") ? "PNG8:" + output : output);
        test::run_tool_ok(argv);
    };
    convert({"-quality", "80"}, "copy.jpg");
    convert({"-quality", "80"}, "copy.webp");
    convert({}, "copy.gif");
    convert({}, "copy.tiff");
    convert({"-resize", "50%", "-quality", "60"}, "small.jpg");
    convert({"-colorspace", "Gray"}, "grey.png");
    convert({"-depth", "16"}, "deep.png");
    convert({"-colors", "200"}, "palette.png");
    convert({"-colorspace", "CMYK", "-quality", "90"}, "cmyk.jpg");
    convert({"-colorspace", "CMYK"}, "cmyk.tiff");
    convert({"-sampling-factor", "4:2:0", "-quality", "75", "-interlace", "JPEG"}, "thin.jpg");
}

Result<PdqPrint> print_of(const std::string& path, PictureCoding coding) {
    const Buffer file = test::read_file(path);
    Luma luma = TRY(read_luma(file, coding));
    return pdq_of(std::move(luma));
}

TEST_CASE("a picture is found again in every format, smaller, grey, deeper and in inks") {
    const test::TempDir dir;
    make_copies(dir);
    const auto original = print_of(dir.file("original.png"), PictureCoding::kPng);
    REQUIRE(original.ok());
    CHECK(original->quality >= kPdqQualityMin);
    for (const Case& each : kCases) {
        CAPTURE(each.name);
        const auto copy = print_of(dir.file(each.name), each.coding);
        REQUIRE_MESSAGE(copy.ok(), (copy.ok() ? "" : copy.error().what));
        CHECK(distance(copy->hash, original->hash) <= 16);
    }
    test::run_tool_ok(
        {"convert", "-size", "900x700", "-seed", "8", "plasma:fractal", dir.file("other.png")});
    const auto other = print_of(dir.file("other.png"), PictureCoding::kPng);
    CHECK(distance(other->hash, original->hash) > 64);
}

TEST_CASE("large pictures are reduced by the nearest pixel, small ones are left alone") {
    media::Image image;
    image.width = 1024;
    image.height = 600;
    image.channels = 1;
    image.space = media::ColourSpace::kGrey;
    image.pixels.resize(1024 * 600);
    for (int y = 0; y < 600; ++y) {
        for (int x = 0; x < 1024; ++x) {
            image.set_sample(x, y, 0, (x / 2 + y) % 256);
        }
    }
    const Luma reduced = luma_of(image, 0);
    CHECK(reduced.width == 512);
    CHECK(reduced.height == 512);
    for (int y = 0; y < 512; ++y) {
        const int from = y * 600 / 512;
        REQUIRE(reduced.row(y)[100] == doctest::Approx((100 + from) % 256));
    }
    image.width = 512;
    image.height = 300;
    CHECK(luma_of(image, 0).height == 300);
}

TEST_CASE("what is transparent is seen before white") {
    media::Image image;
    image.width = 8;
    image.height = 8;
    image.channels = 4;
    image.has_alpha = true;
    image.pixels.resize(8 * 8 * 4);
    image.set_sample(1, 0, 3, 255);
    const Luma luma = luma_of(image, 0);
    CHECK(luma.row(0)[0] == doctest::Approx(255));
    CHECK(luma.row(0)[1] == doctest::Approx(0));
}

TEST_CASE("a file that is none is refused by its codec") {
    for (const PictureCoding coding :
         {PictureCoding::kJpeg, PictureCoding::kPng, PictureCoding::kWebp, PictureCoding::kGif,
          PictureCoding::kTiff, PictureCoding::kHeif}) {
        CHECK(!read_luma(as_bytes("no picture at all"), coding).ok());
    }
}

}  // namespace
}  // namespace colophon::fingerprint
