// SPDX-License-Identifier: Apache-2.0
#include "label/container/jpeg_segments.h"

#include "core/bytes.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::label {
namespace {

Buffer hex(std::string_view text) {
    return from_hex(text).value();
}

// SOI, APP0, fill byte and COM, SOS, coded data with a stuffed byte and a restart, EOI, two bytes.
const std::string kSmall =
    "ffd8"
    "ffe000044142"
    "fffffe000343"
    "ffda0003aa"
    "11ff0022ffd033"
    "ffd9"
    "eeef";

TEST_CASE("the headers of a JPEG end with the first scan and fill bytes belong to their marker") {
    const Buffer file = hex(kSmall);
    const JpegFile jpeg = walk_jpeg(file, JpegExtent::kHeaders).value();
    REQUIRE(jpeg.segments.size() == 3);
    CHECK(jpeg.segments[0].marker == jpeg::kApp0);
    CHECK(jpeg.segments[0].offset == 2);
    CHECK(as_text(jpeg.segments[0].payload) == "AB");
    CHECK(jpeg.segments[1].marker == jpeg::kCom);
    CHECK(jpeg.segments[1].offset == 8);
    CHECK(jpeg.segments[1].size == 6);
    CHECK(jpeg.segments[1].payload_offset() == 13);
    CHECK(jpeg.segments[2].marker == jpeg::kSos);
    CHECK(jpeg.end == 19);
}

TEST_CASE("a whole JPEG ends behind EOI; stuffed bytes and restarts belong to the scan") {
    const Buffer file = hex(kSmall);
    const JpegFile jpeg = walk_jpeg(file, JpegExtent::kWholeImage).value();
    REQUIRE(jpeg.segments.size() == 4);
    CHECK(jpeg.segments[3].marker == jpeg::kEoi);
    CHECK(jpeg.segments[3].offset == 26);
    CHECK(jpeg.end == file.size() - 2);
}

TEST_CASE("a JPEG cut at any byte before its end is corrupt and names the place") {
    const Buffer file = hex(kSmall);
    for (std::size_t size = 0; size < file.size() - 2; ++size) {
        CAPTURE(size);
        const auto result = walk_jpeg(Bytes(file).first(size), JpegExtent::kWholeImage);
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().code == ErrorCode::kCorrupt);
        CHECK(result.error().what.find(" at byte ") != std::string::npos);
    }
}

TEST_CASE("bytes that are no marker, short lengths and nested pictures are refused") {
    for (const char* bad : {"ffd800", "ffd8ff00", "ffd8ffe00001", "ffd8ffd8ffd9", "ffd8ffd9",
                            "ffd8ffe0000241", "0000"}) {
        CAPTURE(bad);
        const auto result = walk_jpeg(hex(bad), JpegExtent::kHeaders);
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().code == ErrorCode::kCorrupt);
    }
}

TEST_CASE("a segment holds 65533 bytes and not one more") {
    const Buffer fits(jpeg::kPayloadBytesMax, 'x');
    const Buffer made = make_jpeg_segment(jpeg::kApp1, fits).value();
    CHECK(made.size() == fits.size() + 4);
    CHECK(to_hex(Bytes(made).first(5)) == "ffe1ffff78");
    const Buffer over(jpeg::kPayloadBytesMax + 1, 'x');
    CHECK(make_jpeg_segment(jpeg::kApp1, over).error().code == ErrorCode::kLimit);
}

TEST_CASE("a JPEG made by ImageMagick walks to its last byte") {
    const test::TempDir dir;
    const std::string path = dir.file("a.jpg");
    test::run_tool_ok({"/usr/bin/convert", "-size", "64x48", "plasma:red-blue", "-interlace",
                       "Plane", "-comment", "hello", path});
    const Buffer file = test::read_file(path);
    const JpegFile jpeg = walk_jpeg(file, JpegExtent::kWholeImage).value();
    CHECK(jpeg.end == file.size());
    std::size_t scans = 0;
    for (const JpegSegment& segment : jpeg.segments) {
        scans += segment.marker == jpeg::kSos ? 1 : 0;
    }
    CHECK(scans > 1);  // progressive
}

}  // namespace
}  // namespace colophon::label
