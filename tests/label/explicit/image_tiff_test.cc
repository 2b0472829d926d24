// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/splice.h"
#include "label/explicit/image.h"
#include "label/explicit/pictures.h"
#include "label/explicit/reading.h"
#include "label/finding.h"
#include "label/format.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace colophon::label {
namespace {

TEST_CASE("a TIFF keeps what it is where it can, and every pixel outside the mark") {
    const std::vector<std::vector<std::string>> kinds{
        {"-type", "Palette", "-colors", "256", "-compress", "LZW"},
        {"-type", "Palette", "-colors", "200", "-compress", "none"},
        {"-type", "Palette", "-colors", "12", "-compress", "LZW"},
        {"-type", "bilevel", "-compress", "Group4"},
        {"-type", "bilevel", "-compress", "Fax"},
        {"-colorspace", "Gray", "-depth", "4", "-compress", "LZW"},
        {"-colorspace", "CMYK", "-alpha", "set", "-channel", "A", "-evaluate", "set", "50%",
         "-compress", "LZW"},
        {"-compress", "JPEG", "-quality", "80"},
        {"-colorspace", "YCbCr", "-compress", "JPEG", "-quality", "80"},
        {"-colorspace", "Gray", "-compress", "JPEG", "-quality", "80"},
        {"-colorspace", "CMYK", "-compress", "JPEG", "-quality", "85"},
    };
    for (const std::vector<std::string>& options : kinds) {
        CAPTURE(options[1]);
        CAPTURE(options.back());
        // Of a full palette with 16 bits a channel, 8 are left.
        const int tolerance = options[1] == "Palette" ? 1 : 0;
        check_mark({"300x200", "plasma:#246-#a86", "tif", Format::kTiff, tolerance, options});
    }
}

// What exiftool says of a picture, but for what the label changes.
std::string tags_of(const std::string& path, const std::vector<std::string>& left_out) {
    std::vector<std::string> words{"exiftool",
                                   "-a",
                                   "-G1",
                                   "-s",
                                   "-u",
                                   "--System:all",
                                   "--StripOffsets",
                                   "--StripByteCounts",
                                   "--TileOffsets",
                                   "--TileByteCounts"};
    for (const std::string& tag : left_out) {
        words.push_back("--" + tag);
    }
    words.push_back(path);
    return run_tool_ok(words);
}

struct TiffRow {
    std::string name;
    std::vector<std::string> command;  // that makes in.tif of in.png
    std::vector<std::string> changed;  // tags
    std::string finding;               // the beginning of what is told
};

TEST_CASE("pages that cannot be drawn on become RGB, keep all other tags, and it is said") {
    const std::vector<TiffRow> rows{
        {"tiles with JPEG inside",
         {"vips", "tiffsave", "in.png", "in.tif", "--compression", "jpeg", "--tile", "--tile-width",
          "64", "--tile-height", "64"},
         {"JPEGTables"},
         ""},
        {"subsampled YCbCr without JPEG",
         {"ffmpeg", "-nostdin", "-v", "error", "-i", "in.png", "-pix_fmt", "yuv420p",
          "-compression_algo", "lzw", "in.tif"},
         {"PhotometricInterpretation", "YCbCrSubSampling", "ReferenceBlackWhite",
          "YCbCrCoefficients", "YCbCrPositioning", "PlanarConfiguration", "SampleFormat"},
         "page 1 of the TIFF is RGB of 8 bits without loss now"},
        {"L*a*b*",
         {kConvert, "in.png", "-colorspace", "Lab", "-depth", "8", "-compress", "LZW", "in.tif"},
         {"PhotometricInterpretation", "SampleFormat"},
         "page 1 of the TIFF is RGB of 8 bits without loss now"},
        {"a full palette",
         {kConvert, "in.png", "-type", "Palette", "-colors", "256", "-compress", "LZW", "in.tif"},
         {"PhotometricInterpretation", "BitsPerSample", "SamplesPerPixel", "ColorMap",
          "PlanarConfiguration", "SampleFormat"},
         "page 1 of the TIFF had a palette"},
    };
    for (const TiffRow& row : rows) {
        CAPTURE(row.name);
        const TempDir dir;
        run_tool_ok({kConvert, "-size", "300x208", "-seed", "7", "plasma:#246-#a86", "-depth", "8",
                     dir.file("in.png")});
        std::vector<std::string> command = row.command;
        for (std::string& word : command) {
            word = word == "in.png" || word == "in.tif" ? dir.file(word) : word;
        }
        run_tool_ok(command);
        run_tool_ok({"exiftool", "-q", "-overwrite_original", "-XMP-dc:Title=kept", "-Artist=me",
                     "-ExifIFD:FNumber=4", dir.file("in.tif")});
        const Buffer file = read_file(dir.file("in.tif"));
        ExplicitReading reading;
        write_file(dir.file("out.tif"), marked_file(file, Format::kTiff, {"AI生成"}, &reading));
        CHECK(tags_of(dir.file("in.tif"), row.changed) ==
              tags_of(dir.file("out.tif"), row.changed));
        const bool told = std::any_of(reading.findings.begin(), reading.findings.end(),
                                      [&](const Finding& finding) {
                                          return finding.code == "explicit.converted" &&
                                                 finding.what.starts_with(row.finding);
                                      });
        CHECK(told == !row.finding.empty());
        // ImageMagick does not read subsampled YCbCr of FFmpeg rightly.
        for (const char* name : {"in", "out"}) {
            const std::string path = dir.file(std::string(name) + ".tif");
            if (row.command.front() == "ffmpeg") {
                run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-i", path, path + ".png"});
            } else {
                run_tool_ok({kConvert, path, "-colorspace", "sRGB", path + ".png"});
            }
        }
        CHECK(decibels_above(dir.file("in.tif.png"), dir.file("out.tif.png"), "300x150+0+0") > 30);
        const auto seen =
            find_image_mark(read_file(dir.file("out.tif.png")), Format::kPng, font(), {"AI生成"});
        REQUIRE(seen.ok());
        REQUIRE(seen->found);
        CHECK(*seen->height_percent >= 5);
        CHECK(*seen->contrast >= 4.5);
        CHECK(seen->where == "bottom-right");
    }
}

TEST_CASE("a TIFF of floating point is refused with advice") {
    const TempDir dir;
    run_tool_ok({kConvert, "-size", "100x100", "plasma:", dir.file("in.png")});
    run_tool_ok({"vips", "cast", dir.file("in.png"), dir.file("in.tif"), "float"});
    const auto marked =
        mark_image(read_file(dir.file("in.tif")), Format::kTiff, {"AI生成"}, font());
    REQUIRE(!marked.ok());
    CHECK(marked.error().code == ErrorCode::kUnsupported);
    CHECK(marked.error().what.find("convert it to grey, RGB or CMYK") != std::string::npos);
}

}  // namespace
}  // namespace colophon::label
