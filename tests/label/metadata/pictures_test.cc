// SPDX-License-Identifier: Apache-2.0
// What holds for JPEG, PNG, GIF and TIFF alike [GB45438-6.1].
#include "label/metadata/pictures.h"

#include "core/bytes.h"
#include "label/container/png_chunks.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {
namespace {

struct Picture {
    Format format;
    std::string name;
    std::vector<std::string> arguments;
    int frames = 1;
};

const std::vector<Picture>& pictures() {
    static const std::vector<Picture> kPictures{
        {Format::kJpeg, "a.jpg", {}},
        {Format::kJpeg, "progressive.jpg", {"-interlace", "Plane", "-comment", "a note"}},
        {Format::kJpeg, "gray.jpg", {"-colorspace", "Gray"}},
        {Format::kPng, "a.png", {}},
        {Format::kPng, "interlaced.png", {"-interlace", "PNG", "-set", "Title", "a title"}},
        {Format::kPng, "palette.png", {"-colors", "16"}},
        {Format::kGif, "a.gif", {}},
        {Format::kGif, "animated.gif", {"-loop", "0"}, 3},
        {Format::kGif, "GIF87:old.gif", {}},
        {Format::kTiff, "a.tif", {}},
        {Format::kTiff, "big-endian.tif", {"-endian", "MSB", "-compress", "LZW"}},
        {Format::kTiff, "pages.tif", {"-compress", "Zip"}, 3},
        {Format::kTiff, "TIFF64:big.tif", {}},
    };
    return kPictures;
}

constexpr std::string_view kSourceType =
    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

std::string plain_name(const Picture& picture) {
    return picture.name.substr(picture.name.find(':') + 1);
}

TEST_CASE("a label written is the one label read, and writing it again changes nothing") {
    for (const Picture& picture : pictures()) {
        CAPTURE(picture.name);
        const Buffer file = make_picture(picture.name, picture.arguments, picture.frames);
        CHECK(detect_format(file, "") == picture.format);
        CHECK(read_label(picture.format, file).sites.empty());
        const IptcFields iptc{std::string(kSourceType), "A & B", "1.2"};
        const Buffer labelled = write_label(picture.format, file, kAigc, iptc);
        check_only_label(picture.format, labelled, kAigc);
        const MetadataReading reading = read_label(picture.format, labelled);
        CHECK(reading.iptc.digital_source_type == kSourceType);
        CHECK(reading.iptc.ai_system_used == "A & B");
        CHECK(reading.iptc.ai_system_version_used == "1.2");
        CHECK(reading.findings.empty());
        CHECK(write_label(picture.format, labelled, kAigc, iptc) == labelled);
    }
}

TEST_CASE("a new label replaces the old one and the file does not grow with each") {
    for (const Picture& picture : pictures()) {
        CAPTURE(picture.name);
        const Buffer file = make_picture(picture.name, picture.arguments, picture.frames);
        Buffer labelled = write_label(picture.format, file, kAigc);
        const std::size_t size = write_label(picture.format, labelled, kOtherAigc).size();
        for (int i = 0; i < 4; ++i) {
            labelled = write_label(picture.format, labelled, i % 2 == 0 ? kOtherAigc : kAigc);
            check_only_label(picture.format, labelled, i % 2 == 0 ? kOtherAigc : kAigc);
            CHECK(labelled.size() < size + 512);
            CHECK(as_text(labelled).find(i % 2 == 0 ? "a-1" : "b-22") == std::string_view::npos);
        }
    }
}

TEST_CASE("every decoded frame stays what it was") {
    const test::TempDir dir;
    for (const Picture& picture : pictures()) {
        CAPTURE(picture.name);
        const Buffer file = make_picture(picture.name, picture.arguments, picture.frames);
        const std::string before = dir.file("before-" + plain_name(picture));
        const std::string after = dir.file("after-" + plain_name(picture));
        test::write_file(before, file);
        test::write_file(after, write_label(picture.format, file, kAigc));
        const std::string expected = pixels(before);
        CHECK_FALSE(expected.empty());
        CHECK(pixels(after) == expected);
    }
}

TEST_CASE("ExifTool and Exiv2 read the label that was written") {
    const test::TempDir dir;
    for (const Picture& picture : pictures()) {
        CAPTURE(picture.name);
        const std::string path = dir.file(plain_name(picture));
        const std::string before = dir.file("before-" + plain_name(picture));
        const Buffer file = make_picture(picture.name, picture.arguments, picture.frames);
        test::write_file(before, file);
        test::write_file(path, write_label(picture.format, file, kAigc));
        // The label, and what ExifTool has to say about the structure: as much as before.
        const std::string old =
            test::run_tool_ok({"exiftool", "-s3", "-a", "-Warning", "-Error", before});
        CHECK(test::run_tool_ok({"exiftool", "-s3", "-a", "-XMP-TC260:Aigc", "-Warning", "-Error",
                                 path}) == std::string(kAigc) + "\n" + old);
        // Exiv2 0.27 reads neither GIF nor BigTIFF.
        if (picture.format != Format::kGif && picture.name != "TIFF64:big.tif") {
            CHECK(test::run_tool_ok({"exiv2", "-q", "-Pv", "-K", "Xmp.TC260.AIGC", path}) ==
                  std::string(kAigc) + "\n");
        }
    }
}

TEST_SUITE_BEGIN("slow");

// What ExifTool needs to know the namespace.
constexpr std::string_view kExifToolConfig = R"(%Image::ExifTool::UserDefined = (
  'Image::ExifTool::XMP::Main' => { TC260 => {
    SubDirectory => { TagTable => 'Image::ExifTool::UserDefined::TC260' } } } );
%Image::ExifTool::UserDefined::TC260 = ( GROUPS => { 0 => 'XMP', 1 => 'XMP-TC260', 2 => 'Image' },
  NAMESPACE => { 'TC260' => 'http://www.tc260.org.cn/ns/AIGC/1.0/' }, WRITABLE => 'string', AIGC => { } );
1;
)";

TEST_CASE("a file labelled by ExifTool is read; an update keeps its title and drops its label") {
    const test::TempDir dir;
    test::write_file(dir.file("config"), as_bytes(kExifToolConfig));
    for (const Picture& picture : pictures()) {
        if (picture.name == "TIFF64:big.tif") {
            continue;  // ExifTool 12.57 only reads it
        }
        CAPTURE(picture.name);
        const std::string path = dir.file(plain_name(picture));
        test::write_file(path, make_picture(picture.name, picture.arguments, picture.frames));
        const std::string before = pixels(path);
        test::run_tool_ok({"exiftool", "-config", dir.file("config"), "-q", "-overwrite_original",
                           "-XMP-TC260:AIGC=" + std::string(kOtherAigc), "-XMP-dc:Title=Lantern",
                           "-XMP-xmp:Rating=4", path});
        const Buffer made = test::read_file(path);
        check_only_label(picture.format, made, kOtherAigc);

        test::write_file(path, write_label(picture.format, made, kAigc));
        check_only_label(picture.format, test::read_file(path), kAigc);
        CHECK(test::run_tool_ok({"exiftool", "-b", "-XMP-TC260:Aigc", path}) == kAigc);
        CHECK(test::run_tool_ok({"exiftool", "-b", "-XMP-dc:Title", path}) == "Lantern");
        CHECK(test::run_tool_ok({"exiftool", "-b", "-XMP-xmp:Rating", path}) == "4");
        CHECK(pixels(path) == before);
    }
}

TEST_SUITE_END();

TEST_CASE("a file labelled by Exiv2, in attribute form, is read and updated") {
    const test::TempDir dir;
    for (const Picture& picture : pictures()) {
        if (picture.format == Format::kGif || picture.name == "TIFF64:big.tif") {
            continue;  // Exiv2 0.27 writes neither
        }
        CAPTURE(picture.name);
        const std::string path = dir.file(plain_name(picture));
        test::write_file(path, make_picture(picture.name, picture.arguments, picture.frames));
        test::run_tool_ok({"exiv2", "-M", "reg TC260 http://www.tc260.org.cn/ns/AIGC/1.0/", "-M",
                           "set Xmp.TC260.AIGC " + std::string(kOtherAigc), "-M",
                           "set Xmp.xmp.Rating 3", path});
        const Buffer made = test::read_file(path);
        check_only_label(picture.format, made, kOtherAigc);
        test::write_file(path, write_label(picture.format, made, kAigc));
        check_only_label(picture.format, test::read_file(path), kAigc);
        CHECK(test::run_tool_ok({"exiv2", "-q", "-Pv", "-K", "Xmp.xmp.Rating", path}) == "3\n");
    }
}

TEST_CASE("a picture cut at any byte is an error or yields no wrong label, and never crashes") {
    for (const std::string name : {"a.jpg", "a.png", "a.gif", "a.tif"}) {
        CAPTURE(name);
        const Buffer file = make_picture(name);
        const Format format = detect_format(file, name).value();
        const Buffer labelled = write_label(format, file, kAigc);
        for (std::size_t size = 0; size < labelled.size(); ++size) {
            const Bytes cut = Bytes(labelled).first(size);
            const auto reading = find_container(format)->read(cut);
            if (!reading.ok()) {
                CHECK(reading.error().code == ErrorCode::kCorrupt);
                continue;
            }
            for (const LabelSite& site : reading->sites) {
                CHECK(site.value == kAigc);
            }
        }
    }
}

TEST_CASE("bytes behind the end of a picture stay") {
    for (const std::string name : {"a.jpg", "a.png", "a.gif"}) {
        CAPTURE(name);
        Buffer file = make_picture(name);
        append(file, "ftypmp42 a motion picture");
        const Format format = detect_format(file, name).value();
        const Buffer labelled = write_label(format, file, kAigc);
        CHECK(as_text(labelled).ends_with("ftypmp42 a motion picture"));
    }
}

}  // namespace
}  // namespace colophon::label
