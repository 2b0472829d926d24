// SPDX-License-Identifier: Apache-2.0
#include "media/text_raster.h"

#include "media/jpeg_blocks.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace colophon::media {
namespace {

Buffer font_bytes() {
    return test::read_file("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc");
}

bool has_ink(const Mask& mask, int y, int least) {
    for (int x = 0; x < mask.width; ++x) {
        if (mask.at(x, y) >= least) {
            return true;
        }
    }
    return false;
}

}  // namespace

// [GB45438-5.2]
TEST_CASE("text fills exactly the ink height that was asked for") {
    const Buffer font = font_bytes();
    const Result<Typeface> typeface = Typeface::create(font);
    REQUIRE(typeface.ok());
    for (const char* text : {"AI生成", "人工智能生成", "AI", "AI-generated"}) {
        for (const int height : {12, 13, 28, 55, 166}) {
            CAPTURE(std::string(text));
            CAPTURE(height);
            const Result<TextMask> mask = typeface->raster(text, height);
            REQUIRE(mask.ok());
            CHECK(mask->ink_height == height);
            CHECK(has_ink(mask->mask, mask->ink_top, 64));
            CHECK(has_ink(mask->mask, mask->ink_top + height - 1, 64));
        }
    }
    const Result<TextOutline> outline = typeface->outline("AI生成");
    REQUIRE(outline.ok());
    CHECK(outline->width > 3.0);
    CHECK(outline->width < 5.0);
}

TEST_CASE("missing glyphs, bad UTF-8 and broken fonts are errors that name the trouble") {
    const Buffer font = font_bytes();
    const Result<Typeface> typeface = Typeface::create(font);
    REQUIRE(typeface.ok());
    CHECK(typeface->raster("\U0001F600", 20).error().what.find("U+1F600") != std::string::npos);
    CHECK(typeface->raster("a\xFF", 20).error().code == ErrorCode::kInvalidArgument);
    CHECK(typeface->raster("", 20).error().code == ErrorCode::kInvalidArgument);
    CHECK(typeface->raster("   ", 20).error().code == ErrorCode::kInvalidArgument);
    CHECK(typeface->raster("AI", 0).error().code == ErrorCode::kInvalidArgument);
    CHECK(Typeface::create(as_bytes("no font")).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("JPEG blocks that are not changed keep every coefficient") {
    const test::TempDir dir;
    test::run_tool_ok(
        {"/usr/bin/convert", "-size", "333x222", "plasma:", "-quality", "80", dir.file("in.jpg")});
    const Buffer file = test::read_file(dir.file("in.jpg"));
    Result<JpegBlocks> blocks = JpegBlocks::open(file);
    REQUIRE(blocks.ok());
    Plane plane = blocks->read(0, {40, 40, 8, 8});
    blocks->change(0, plane);
    Result<Buffer> same = blocks->write();
    REQUIRE(same.ok());
    test::write_file(dir.file("same.jpg"), *same);
    CHECK(test::run_tool_ok({"djpeg", dir.file("in.jpg")}) ==
          test::run_tool_ok({"djpeg", dir.file("same.jpg")}));
    std::fill(plane.samples.begin(), plane.samples.end(), std::uint8_t{255});
    blocks->change(0, plane);
    Result<Buffer> other = blocks->write();
    REQUIRE(other.ok());
    Result<JpegBlocks> again = JpegBlocks::open(*other);
    REQUIRE(again.ok());
    CHECK(again->read(0, {40, 40, 8, 8}).samples[0] >= 250);
    CHECK(again->read(0, {0, 0, 32, 32}).samples == blocks->read(0, {0, 0, 32, 32}).samples);
}

TEST_CASE("JPEGs with arithmetic coding are refused with a reason") {
    const test::TempDir dir;
    test::run_tool_ok({"/usr/bin/convert", "-size", "64x64", "plasma:", dir.file("in.jpg")});
    test::run_tool_ok(
        {"jpegtran", "-arithmetic", "-outfile", dir.file("out.jpg"), dir.file("in.jpg")});
    const Buffer file = test::read_file(dir.file("out.jpg"));
    const Result<JpegBlocks> blocks = JpegBlocks::open(file);
    REQUIRE_FALSE(blocks.ok());
    CHECK(blocks.error().code == ErrorCode::kUnsupported);
    CHECK(blocks.error().what.find("arithmetic") != std::string::npos);
}

}  // namespace colophon::media
