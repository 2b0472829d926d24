// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/splice.h"
#include "label/container/bmff_boxes.h"
#include "label/explicit/image.h"
#include "label/explicit/pictures.h"
#include "label/explicit/reading.h"
#include "label/format.h"
#include "label/metadata/heif_items.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace colophon::label {
namespace {

TEST_CASE("HEIC and AVIF keep their EXIF byte for byte, but for the orientation that was applied") {
    for (const char* extension : {"heic", "avif"}) {
        CAPTURE(extension);
        const Format format = std::string(extension) == "avif" ? Format::kAvif : Format::kHeic;
        const TempDir dir;
        const std::string in = dir.file("in." + std::string(extension));
        const std::string out = dir.file("out." + std::string(extension));
        run_tool_ok({kConvert, "-size", "320x240", "plasma:red-blue", dir.file("p.png")});
        run_tool_ok({"vips", "copy", dir.file("p.png"), in});
        const auto exif = [](const std::string& path) {
            return run_tool_ok({"exiftool", "-b", "-Exif", path});
        };
        // A comment of a kind and in a byte order in which libexif would not write it.
        run_tool_ok({"exiftool", "-q", "-overwrite_original", "-ExifByteOrder=MM",
                     "-Artist=kept too", "-UserComment=as it was", "-LensModel=f/2",
                     "-GPSLatitude=1.5", in});
        const std::string before = exif(in);
        REQUIRE(before.find("kept too") != std::string::npos);
        write_file(out, marked_file(read_file(in), format, {"AI生成"}, nullptr));
        CHECK(exif(out) == before);
        run_tool_ok({"vips", "copy", out, dir.file("seen.png")});

        run_tool_ok({"exiftool", "-q", "-overwrite_original", "-n", "-EXIF:Orientation=6", in});
        write_file(out, marked_file(read_file(in), format, {"AI生成"}, nullptr));
        CHECK(run_tool_ok({"exiftool", "-n", "-s3", "-EXIF:Orientation", out}) == "1\n");
        std::string turned = exif(in);
        std::size_t changed = 0;
        const std::string now = exif(out);
        REQUIRE(now.size() == turned.size());
        for (std::size_t i = 0; i < now.size(); ++i) {
            changed += now[i] != turned[i] ? 1U : 0U;
        }
        CHECK(changed == 1);
    }
}

// [GB45438-5.2]
// The chunks of HEIF that have nothing to do with its pixels, by ExifTool.
TEST_CASE("HEIC and AVIF keep XMP, the colour profile and the meaning of their colours") {
    for (const std::string extension : {"heic", "avif"}) {
        CAPTURE(extension);
        const Format format = extension == "avif" ? Format::kAvif : Format::kHeic;
        const TempDir dir;
        const std::string in = dir.file("in." + extension);
        const std::string out = dir.file("out." + extension);
        run_tool_ok({kConvert, "-size", "320x240", "-seed", "3", "plasma:red-blue", "-depth", "8",
                     dir.file("p.png")});
        run_tool_ok({"vips", "icc_transform", dir.file("p.png"), dir.file("q.png"), "p3"});
        run_tool_ok({"vips", "copy", dir.file("q.png"), in});
        run_tool_ok({"exiftool", "-q", "-overwrite_original", "-XMP-dc:Title=kept",
                     "-XMP-xmp:Label=blue", in});
        write_file(out, marked_file(read_file(in), format, {"AI生成"}, nullptr));
        for (const char* block : {"-XMP", "-ICC_Profile", "-Exif"}) {
            const std::string before = run_tool_ok({"exiftool", "-b", block, in});
            CHECK(before.size() > 40);
            CHECK(run_tool_ok({"exiftool", "-b", block, out}) == before);
        }
        run_tool_ok({"vips", "copy", out, dir.file("seen.png")});
        // Where there is none, none is made up.
        run_tool_ok({"heif-enc", extension == "avif" ? "-A" : "-q70", dir.file("p.png"), "-o", in});
        write_file(out, marked_file(read_file(in), format, {"AI生成"}, nullptr));
        for (const char* block : {"-XMP", "-ICC_Profile", "-Exif"}) {
            CHECK(run_tool_ok({"exiftool", "-b", block, out}).empty());
        }
    }
}

TEST_CASE(
    "a compressed XMP item of HEIC stays as it is coded, and the label is written beside it") {
    const TempDir dir;
    run_tool_ok(
        {kConvert, "-size", "320x240", "plasma:red-blue", "-depth", "8", dir.file("p.png")});
    run_tool_ok({"heif-enc", "-q70", dir.file("p.png"), "-o", dir.file("in.heic")});
    const Buffer plain = read_file(dir.file("in.heic"));
    const HeifItem packet{.type = bmff::box_type("mime"),
                          .content_type = "application/rdf+xml",
                          .content_encoding = "deflate",
                          .bytes = to_buffer(std::string_view("coded somehow"))};
    const Buffer file = apply_splice(plain, add_heif_item(plain, packet).value());
    write_file(dir.file("with.heic"), file);
    run_tool_ok({"heif-info", dir.file("with.heic")});
    const Buffer marked = marked_file(file, Format::kHeic, {"AI生成"}, nullptr);
    const auto items = read_heif_items(marked).value();
    REQUIRE(items.size() == 1);
    CHECK(items[0].content_encoding == "deflate");
    CHECK(items[0].content_type == packet.content_type);
    CHECK(items[0].bytes == packet.bytes);
}

TEST_CASE("AVIF of ten bits keeps its range of brightness") {
    const TempDir dir;
    run_tool_ok({kConvert, "-size", "320x240", "-seed", "3", "plasma:#246-#a86", "-depth", "8",
                 dir.file("p.png")});
    run_tool_ok({"ffmpeg",           "-nostdin",         "-v",       "error",          "-i",
                 dir.file("p.png"),  "-color_primaries", "bt2020",   "-color_trc",     "smpte2084",
                 "-colorspace",      "bt2020nc",         "-pix_fmt", "yuv420p10le",    "-c:v",
                 "libaom-av1",       "-cpu-used",        "8",        "-still-picture", "1",
                 dir.file("in.avif")});
    ExplicitReading reading;
    write_file(dir.file("out.avif"),
               marked_file(read_file(dir.file("in.avif")), Format::kAvif, {"AI生成"}, &reading));
    for (const char* tag : {"-QuickTime:ColorPrimaries", "-QuickTime:TransferCharacteristics"}) {
        CHECK(run_tool_ok({"exiftool", "-n", "-s3", tag, dir.file("out.avif")}) ==
              run_tool_ok({"exiftool", "-n", "-s3", tag, dir.file("in.avif")}));
    }
    CHECK(reading.findings.at(0).what.find("12 bits a sample instead of 10") != std::string::npos);
    for (const char* name : {"in", "out"}) {
        const std::string path = dir.file(std::string(name) + ".avif");
        run_tool_ok(
            {"ffmpeg", "-nostdin", "-v", "error", "-i", path, "-pix_fmt", "rgb48", path + ".png"});
    }
    CHECK(decibels_above(dir.file("in.avif.png"), dir.file("out.avif.png"), "320x150+0+0") > 38);
}

}  // namespace
}  // namespace colophon::label
