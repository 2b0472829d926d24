// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/image.h"

#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

using test::read_file;
using test::run_tool;
using test::run_tool_ok;
using test::TempDir;
using test::write_file;

// Another program of this name comes first on some search paths.
const std::string kConvert = "/usr/bin/convert";

const Buffer& font() {
    static const Buffer kFont = read_file("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc");
    return kFont;
}

struct Pixels {
    int width = 0;
    int height = 0;
    std::string rgba;
    const unsigned char* at(int x, int y) const {
        return reinterpret_cast<const unsigned char*>(rgba.data()) +
               (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                static_cast<std::size_t>(x)) *
                   4;
    }
};

// The picture as a viewer shows it, by ImageMagick.
Pixels see(const std::string& path) {
    Pixels pixels;
    // PAM: lines that end with ENDHDR, then the samples.
    std::string pam = run_tool_ok({kConvert, path + "[0]", "-auto-orient", "-colorspace", "sRGB",
                                   "-type", "TrueColorAlpha", "-depth", "8", "pam:-"});
    const std::size_t head = pam.find("ENDHDR\n") + 7;
    REQUIRE(std::sscanf(pam.c_str(), "P7 WIDTH %d HEIGHT %d DEPTH 4", &pixels.width,
                        &pixels.height) == 2);
    pixels.rgba = pam.substr(head);
    REQUIRE(pixels.rgba.size() ==
            static_cast<std::size_t>(pixels.width) * static_cast<std::size_t>(pixels.height) * 4);
    return pixels;
}

double luminance(const unsigned char* p) {
    const auto linear = [](unsigned char c) {
        const double v = c / 255.0;
        return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * linear(p[0]) + 0.7152 * linear(p[1]) + 0.0722 * linear(p[2]);
}

// What two pictures tell of the mark that was drawn into the second: it needs neither our layout
// nor our glyphs.
struct Seen {
    int left = 0, top = 0, right = 0, bottom = 0;  // of all changed pixels
    int ink = 0;                                   // rows from the first to the last of the text
    double contrast = 0;
};

Seen compare(const Pixels& before, const Pixels& after, int tolerance = 0) {
    REQUIRE(before.width == after.width);
    REQUIRE(before.height == after.height);
    Seen seen{after.width, after.height, -1, -1};
    for (int y = 0; y < after.height; ++y) {
        for (int x = 0; x < after.width; ++x) {
            int most = 0;
            for (int c = 0; c < 4; ++c) {
                most = std::max(most, std::abs(before.at(x, y)[c] - after.at(x, y)[c]));
            }
            if (most > tolerance) {
                seen.left = std::min(seen.left, x);
                seen.top = std::min(seen.top, y);
                seen.right = std::max(seen.right, x + 1);
                seen.bottom = std::max(seen.bottom, y + 1);
            }
        }
    }
    REQUIRE(seen.right > seen.left);
    // Text is the rarer of the two extremes inside the plate.
    std::vector<double> all;
    // On black and on white the plate itself changes nothing: only the text is seen.
    const double expected = std::max(12.0, 0.055 * std::min(after.width, after.height));
    const int inset = seen.bottom - seen.top > 1.3 * expected ? (seen.bottom - seen.top) / 8 : 0;
    for (int y = seen.top + inset; y < seen.bottom - inset; ++y) {
        for (int x = seen.left + inset; x < seen.right - inset; ++x) {
            all.push_back(luminance(after.at(x, y)));
        }
    }
    std::sort(all.begin(), all.end());
    const double median = all[all.size() / 2];
    const bool white = all.back() - median > median - all.front();
    const double text = white ? all.back() : all.front();
    // How much of a pixel is text, by its code value: coverage mixes code values, not light.
    const auto share = [&](int x, int y) {
        const auto code = [](double l) { return std::pow(l, 1 / 2.2); };
        return (code(luminance(after.at(x, y))) - code(median)) / (code(text) - code(median));
    };
    std::vector<double> ink;
    std::vector<double> plate;
    int first = -1;
    int last = -1;
    for (int y = seen.top + inset; y < seen.bottom - inset; ++y) {
        for (int x = seen.left + inset; x < seen.right - inset; ++x) {
            const double own = share(x, y);
            if (own > 0.5) {
                first = first < 0 ? y : first;
                last = y;
            }
            double around = own;
            for (int i = 0; i < 9; ++i) {
                around = std::max(around, share(std::clamp(x + i % 3 - 1, 0, after.width - 1),
                                                std::clamp(y + i / 3 - 1, 0, after.height - 1)));
            }
            if (own > 0.75) {
                ink.push_back(luminance(after.at(x, y)));
            } else if (around < 0.3) {
                plate.push_back(luminance(after.at(x, y)));  // not the fringe of a stroke
            }
        }
    }
    REQUIRE(!ink.empty());
    REQUIRE(!plate.empty());
    seen.ink = last - first + 1;
    std::sort(ink.begin(), ink.end());
    std::sort(plate.begin(), plate.end());
    const double t = white ? ink[ink.size() / 4] : ink[ink.size() * 3 / 4];
    const double p = white ? plate[plate.size() * 9 / 10] : plate[plate.size() / 10];
    seen.contrast = white ? (t + 0.05) / (p + 0.05) : (p + 0.05) / (t + 0.05);
    return seen;
}

Buffer marked_file(Bytes file, Format format, const ImageMark& mark, ExplicitReading* reading) {
    const Result<MarkedFile> marked = mark_image(file, format, mark, font());
    REQUIRE_MESSAGE(marked.ok(), (marked.ok() ? std::string() : marked.error().what));
    CHECK(marked->changed);
    if (reading != nullptr) {
        *reading = marked->reading;
    }
    return apply_splice(file, marked->splice);
}

struct Case {
    const char* size;
    const char* background;
    const char* extension;
    Format format;
    int tolerance;  // of pixels outside the mark
    std::vector<std::string> options;
};

// Draws, then measures with ImageMagick's eyes. [GB45438-5.2]
void check_mark(const Case& row, const ImageMark& mark = {"AI生成"}) {
    const std::string what = std::string(row.size) + " " + row.background + " " + row.extension;
    CAPTURE(what);
    const TempDir dir;
    const std::string in = dir.file(std::string("in.") + row.extension);
    const std::string out = dir.file(std::string("out.") + row.extension);
    std::vector<std::string> command{kConvert, "-size", row.size, "-seed", "7", row.background};
    command.insert(command.end(), row.options.begin(), row.options.end());
    command.push_back(in);
    run_tool_ok(command);
    const Buffer file = read_file(in);
    ExplicitReading reading;
    write_file(out, marked_file(file, row.format, mark, &reading));
    const Pixels before = see(in);
    const Pixels after = see(out);
    const Seen seen = compare(before, after, row.tolerance);
    const int side = std::min(after.width, after.height);
    const int least = static_cast<int>(std::ceil(0.05 * side));
    CHECK(seen.ink >= least);
    CHECK(seen.contrast >= 4.5);
    CHECK(seen.left >= 0);
    CHECK(seen.right <= after.width);
    // Small: the mark is no larger than a tenth of an ordinary picture.
    if (side >= 400) {
        CHECK((seen.right - seen.left) * (seen.bottom - seen.top) <
              after.width * after.height / 10);
        CHECK(std::abs(seen.ink - std::ceil(0.055 * side)) <= 1);
    }
    REQUIRE(reading.height_percent);
    CHECK(std::abs(*reading.height_percent * side / 100.0 - seen.ink) <= 1.01);
    CHECK(*reading.contrast >= 4.5);
    const Result<MarkedFile> again = mark_image(read_file(out), row.format, mark, font());
    REQUIRE(again.ok());
    CHECK_FALSE(again->changed);
}

}  // namespace

// [GB45438-5.2]
TEST_CASE("the mark of a PNG is at least 5 % high, legible, and changes nothing else") {
    for (const char* size : {"64x64", "100x1000", "640x480"}) {
        check_mark({size, "plasma:", "png", Format::kPng, 0, {}});
    }
}

// [GB45438-5.2]
TEST_CASE("the mark is legible on any background") {
    for (const char* background : {"xc:white", "xc:black", "xc:#777777", "pattern:checkerboard",
                                   "gradient:black-white", "xc:#ff0000", "xc:#ffff00"}) {
        check_mark({"320x240", background, "png", Format::kPng, 0, {}});
    }
}

TEST_CASE("PNG keeps its depth and colour type") {
    struct Row {
        const char* type;
        std::vector<std::string> options;
        const char* wanted;
    };
    const Row rows[] = {
        {"grey",
         {"-colorspace", "Gray", "-define", "png:color-type=0", "-define", "png:bit-depth=8"},
         "8 0"},
        {"16-bit", {"-define", "png:color-type=2", "-define", "png:bit-depth=16"}, "16 2"},
        {"rgba",
         {"-alpha", "set", "-define", "png:color-type=6", "-define", "png:bit-depth=8"},
         "8 6"},
        {"palette",
         {"-colors", "200", "-define", "png:color-type=3", "-define", "png:bit-depth=8"},
         "8 3"},
        {"bilevel",
         {"-monochrome", "-define", "png:color-type=0", "-define", "png:bit-depth=1"},
         "1 0"},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.type));
        const Case one{"300x200", "plasma:", "png", Format::kPng, 0, row.options};
        if (std::string(row.type) != "bilevel") {
            check_mark(one);
        }
        const TempDir dir;
        std::vector<std::string> command{kConvert, "-size", "300x200", "plasma:"};
        command.insert(command.end(), row.options.begin(), row.options.end());
        command.push_back(dir.file("in.png"));
        run_tool_ok(command);
        const Buffer out =
            marked_file(read_file(dir.file("in.png")), Format::kPng, {"AI生成"}, nullptr);
        const std::string got = std::to_string(out[24]) + " " + std::to_string(out[25]);
        CHECK(got == row.wanted);
    }
}

TEST_CASE("transparent parts get an opaque plate") {
    const TempDir dir;
    run_tool_ok({kConvert, "-size", "900x600", "xc:none", "PNG32:" + dir.file("in.png")});
    ExplicitReading reading;
    write_file(dir.file("out.png"),
               marked_file(read_file(dir.file("in.png")), Format::kPng, {"AI生成"}, &reading));
    CHECK(*reading.contrast > 20);
    const Pixels after = see(dir.file("out.png"));
    CHECK(after.at(840, 560)[3] == 255);
    CHECK(after.at(10, 10)[3] == 0);
}

// [GB45438-5.2]
TEST_CASE("a JPEG is coded again only under the mark, in every colour model and sampling") {
    struct Row {
        const char* name;
        std::vector<std::string> options;
    };
    const Row rows[] = {
        {"4:4:4", {"-sampling-factor", "1x1", "-quality", "90"}},
        {"4:2:2", {"-sampling-factor", "2x1", "-quality", "90"}},
        {"4:2:0", {"-sampling-factor", "2x2", "-quality", "75"}},
        {"4:4:0", {"-sampling-factor", "1x2", "-quality", "90"}},
        {"progressive", {"-interlace", "JPEG", "-quality", "85"}},
        {"grey", {"-colorspace", "Gray", "-quality", "85"}},
        {"CMYK", {"-colorspace", "CMYK", "-quality", "90"}},
        {"restart", {"-define", "jpeg:restart-interval=4", "-quality", "90"}},
    };
    for (const Row& row : rows) {
        CAPTURE(std::string(row.name));
        const TempDir dir;
        std::vector<std::string> command{kConvert, "-size", "640x480", "-seed", "3", "plasma:"};
        command.insert(command.end(), row.options.begin(), row.options.end());
        command.push_back(dir.file("in.jpg"));
        run_tool_ok(command);
        const Buffer file = read_file(dir.file("in.jpg"));
        write_file(dir.file("out.jpg"), marked_file(file, Format::kJpeg, {"AI生成"}, nullptr));
        const test::ToolRun witness =
            run_tool({"djpeg", "-outfile", "/dev/null", dir.file("out.jpg")});
        CHECK(witness.exit_code == 0);
        CHECK(witness.err == "");
        const Seen seen = compare(see(dir.file("in.jpg")), see(dir.file("out.jpg")), 0);
        // 24 pixels plate margin, 16 pixels of one MCU, and the reach of chroma smoothing.
        CHECK(seen.left > 640 - 200);
        CHECK(seen.top > 480 - 96);
    }
}

TEST_CASE("a JPEG keeps its segments byte for byte, and what follows its end") {
    const TempDir dir;
    run_tool_ok(
        {kConvert, "-size", "320x240", "plasma:", "-set", "comment", "kept", dir.file("in.jpg")});
    run_tool_ok({"exiftool", "-q", "-overwrite_original", "-Artist=kept too", "-XMP:Title=and this",
                 dir.file("in.jpg")});
    Buffer file = read_file(dir.file("in.jpg"));
    append(file, "trailing data");
    const Buffer out = marked_file(file, Format::kJpeg, {"AI生成"}, nullptr);
    CHECK(as_text(out).ends_with("trailing data"));
    write_file(dir.file("out.jpg"), out);
    for (const char* tag : {"-Artist", "-Comment", "-XMP:Title", "-JFIF:all"}) {
        CHECK(run_tool_ok({"exiftool", tag, dir.file("in.jpg")}) ==
              run_tool_ok({"exiftool", tag, dir.file("out.jpg")}));
    }
}

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
TEST_CASE("the mark reads upright in every EXIF orientation") {
    const TempDir dir;
    run_tool_ok({kConvert, "-size", "400x300", "xc:#4a7a9a", "-quality", "95", dir.file("in.jpg")});
    for (int orientation = 1; orientation <= 8; ++orientation) {
        CAPTURE(orientation);
        run_tool_ok({"exiftool", "-q", "-overwrite_original", "-n",
                     "-Orientation=" + std::to_string(orientation), dir.file("in.jpg")});
        write_file(dir.file("out.jpg"),
                   marked_file(read_file(dir.file("in.jpg")), Format::kJpeg, {"AI生成"}, nullptr));
        const Pixels after = see(dir.file("out.jpg"));
        const Seen seen = compare(see(dir.file("in.jpg")), after, 8);
        CHECK(seen.right > after.width - 30);
        CHECK(seen.bottom > after.height - 30);
        CHECK(seen.right - seen.left > 1.5 * (seen.bottom - seen.top));
        // Upright for others too: turned by ImageMagick into plain pixels, it is still found.
        run_tool_ok(
            {kConvert, dir.file("out.jpg"), "-auto-orient", "-strip", dir.file("plain.png")});
        const Result<ExplicitReading> plain =
            find_image_mark(read_file(dir.file("plain.png")), Format::kPng, font(), {"AI生成"});
        REQUIRE(plain.ok());
        CHECK(plain->found);
        CHECK(plain->where == "bottom-right");
    }
}

TEST_CASE("every place is where its name says") {
    const TempDir dir;
    run_tool_ok({kConvert, "-size", "500x400", "plasma:", dir.file("in.png")});
    const Buffer file = read_file(dir.file("in.png"));
    for (const char* name : {"bottom-right", "bottom-left", "top-right", "top-left", "bottom",
                             "top", "left", "right"}) {
        CAPTURE(std::string(name));
        const auto place = parse_image_place(name);
        REQUIRE(place);
        CHECK(image_place_name(*place) == name);
        const Buffer out = marked_file(file, Format::kPng, {"AI生成", *place}, nullptr);
        const Result<ExplicitReading> found =
            find_image_mark(out, Format::kPng, font(), {"AI生成"});
        REQUIRE(found.ok());
        CHECK(found->found);
        CHECK(found->where == name);
    }
    CHECK_FALSE(parse_image_place("middle"));
}

TEST_CASE("other containers keep every pixel outside the mark where their coding is lossless") {
    check_mark({"300x200", "plasma:", "tif", Format::kTiff, 0, {"-compress", "none"}});
    check_mark({"300x200", "plasma:", "tif", Format::kTiff, 0, {"-compress", "lzw"}});
    check_mark(
        {"300x200", "plasma:", "tif", Format::kTiff, 0, {"-depth", "16", "-compress", "zip"}});
    check_mark({"300x200", "plasma:", "webp", Format::kWebp, 0, {"-define", "webp:lossless=true"}});
    check_mark({"300x200", "plasma:", "gif", Format::kGif, 0, {"-colors", "256"}});
    check_mark(
        {"300x200", "plasma:", "gif", Format::kGif, 0, {"-colors", "17", "-interlace", "GIF"}});
}

TEST_CASE("lossy WebP is coded again at its own quality") {
    check_mark(
        {"320x240", "gradient:#204060-#80a0c0", "webp", Format::kWebp, 16, {"-quality", "80"}});
    const TempDir dir;
    for (const char* quality : {"40", "75", "90"}) {
        CAPTURE(std::string(quality));
        run_tool_ok({kConvert, "-size", "640x480", "-seed", "5", "plasma:", "-quality", quality,
                     dir.file("in.webp")});
        const Buffer in = read_file(dir.file("in.webp"));
        const Buffer out = marked_file(in, Format::kWebp, {"AI生成"}, nullptr);
        CHECK(static_cast<double>(out.size()) < 1.5 * static_cast<double>(in.size()) + 3000);
    }
}

TEST_CASE("every frame of an animation is marked and keeps its time") {
    for (const char* extension : {"gif", "webp"}) {
        CAPTURE(std::string(extension));
        const TempDir dir;
        const std::string in = dir.file(std::string("in.") + extension);
        const std::string out = dir.file(std::string("out.") + extension);
        const std::string gif = dir.file("made.gif");
        run_tool_ok({kConvert, "-delay", "7", "-size", "200x150", "xc:red", "xc:green", "xc:blue",
                     "-fill", "yellow", "-draw", "circle 60,60 80,60", "-loop", "3", gif});
        if (std::string(extension) == "gif") {
            run_tool_ok({kConvert, gif, "-layers", "OptimizePlus", in});
        } else {
            run_tool_ok({"gif2webp", "-quiet", gif, "-o", in});
        }
        const Format format = std::string(extension) == "gif" ? Format::kGif : Format::kWebp;
        const Buffer marked = marked_file(read_file(in), format, {"AI生成"}, nullptr);
        write_file(out, marked);
        if (format == Format::kGif) {
            CHECK(run_tool_ok({kConvert, in, "-format", "%T\n", "info:"}) ==
                  run_tool_ok({kConvert, out, "-format", "%T\n", "info:"}));
            run_tool_ok({kConvert, out, "-coalesce", dir.file("frame-%d.png")});
        } else {
            run_tool_ok({kConvert, out, "-coalesce", dir.file("frame-%d.png")});
        }
        int frames = 0;
        for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
            const std::string path = entry.path().string();
            if (path.find("frame-") == std::string::npos) {
                continue;
            }
            ++frames;
            run_tool_ok({kConvert, path, dir.file("one.png")});
            const Result<ExplicitReading> found =
                find_image_mark(read_file(dir.file("one.png")), Format::kPng, font(), {"AI生成"});
            REQUIRE(found.ok());
            CHECK(found->found);
        }
        CHECK(frames == 3);
    }
}

TEST_CASE("SVG gets outlines as the last child of its root") {
    const std::string svg =
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"10 20 300 200\"><rect x=\"10\" "
        "y=\"20\" width=\"300\" height=\"200\" fill=\"#3a6\"/></svg>";
    const Buffer out = marked_file(as_bytes(svg), Format::kSvg, {"AI生成"}, nullptr);
    CHECK(as_text(out).find("<text") == std::string_view::npos);
    CHECK(as_text(out).ends_with("</g></svg>"));
    const TempDir dir;
    write_file(dir.file("in.svg"), as_bytes(svg));
    write_file(dir.file("out.svg"), out);
    for (const char* name : {"in", "out"}) {
        run_tool_ok({"vipsthumbnail", dir.file(std::string(name) + ".svg"), "--size", "1200x", "-o",
                     dir.file(std::string(name) + ".png")});
    }
    const Seen seen = compare(see(dir.file("in.png")), see(dir.file("out.png")), 2);
    CHECK(seen.ink >= 0.05 * 800);
    CHECK(seen.contrast >= 4.5);
    const Result<MarkedFile> again = mark_image(out, Format::kSvg, {"AI生成"}, font());
    REQUIRE(again.ok());
    CHECK_FALSE(again->changed);
}

// [GB45438-5.2]
TEST_CASE("a text wider than the picture is broken into lines") {
    check_mark({"60x600", "xc:#456", "png", Format::kPng, 0, {}}, {"AI生成"});
    const TempDir dir;
    run_tool_ok({kConvert, "-size", "60x600", "xc:#456", dir.file("in.png")});
    const Result<MarkedFile> marked = mark_image(read_file(dir.file("in.png")), Format::kPng,
                                                 {"本内容由人工智能生成，请注意甄别"}, font());
    REQUIRE(marked.ok());
    CHECK(*marked->reading.height_percent >= 5.0);
}

TEST_CASE("a picture that is too small, a character without glyph, and broken files are errors") {
    const TempDir dir;
    run_tool_ok({kConvert, "-size", "10x10", "xc:#456", dir.file("small.png")});
    const Buffer small = read_file(dir.file("small.png"));
    const Result<MarkedFile> tiny = mark_image(small, Format::kPng, {"AI生成"}, font());
    REQUIRE_FALSE(tiny.ok());
    CHECK(tiny.error().code == ErrorCode::kInvalidArgument);
    CHECK(tiny.error().what.find("at least") != std::string::npos);
    const Result<MarkedFile> glyph = mark_image(small, Format::kPng, {"AI\U0001F600"}, font());
    REQUIRE_FALSE(glyph.ok());
    CHECK(glyph.error().what.find("U+1F600") != std::string::npos);
    for (const Format format : {Format::kPng, Format::kJpeg, Format::kGif, Format::kTiff,
                                Format::kWebp, Format::kHeic, Format::kAvif, Format::kSvg}) {
        const Result<MarkedFile> broken =
            mark_image(as_bytes("no picture at all"), format, {"AI生成"}, font());
        REQUIRE_FALSE(broken.ok());
        CHECK(broken.error().code == ErrorCode::kCorrupt);
    }
}

TEST_CASE("a mark survives JPEG at quality 50 and scaling, and is measured") {
    const TempDir dir;
    run_tool_ok({kConvert, "-size", "900x700", "-seed", "11", "plasma:", dir.file("in.png")});
    write_file(dir.file("out.png"),
               marked_file(read_file(dir.file("in.png")), Format::kPng, {"AI生成"}, nullptr));
    for (const char* scale : {"50%", "77%", "100%", "140%", "200%"}) {
        CAPTURE(std::string(scale));
        run_tool_ok({kConvert, dir.file("out.png"), "-resize", scale, "-quality", "50",
                     dir.file("sent.jpg")});
        const Result<ExplicitReading> found =
            find_image_mark(read_file(dir.file("sent.jpg")), Format::kJpeg, font(),
                            {"人工智能生成", "AI生成", "AI合成"});
        REQUIRE(found.ok());
        CHECK(found->found);
        CHECK(found->text == "AI生成");
        CHECK(std::abs(found->height_percent.value_or(0) - 5.57) < 0.5);
    }
}

// [GB45438-5.2]
TEST_CASE("a mark of another hand that is too low is found and reported") {
    const TempDir dir;
    run_tool_ok({kConvert,
                 "-size",
                 "1000x1000",
                 "-seed",
                 "2",
                 "plasma:#246-#a86",
                 "-font",
                 "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
                 "-pointsize",
                 "36",
                 "-gravity",
                 "southeast",
                 "-fill",
                 "black",
                 "-annotate",
                 "+22+22",
                 "AI生成",
                 "-blur",
                 "0x3",
                 "-fill",
                 "white",
                 "-annotate",
                 "+24+24",
                 "AI生成",
                 dir.file("in.png")});
    const Result<ExplicitReading> found =
        find_image_mark(read_file(dir.file("in.png")), Format::kPng, font(), {"AI生成"});
    REQUIRE(found.ok());
    REQUIRE(found->found);
    CHECK(found->where == "bottom-right");
    CHECK(*found->height_percent < 4.0);
    CHECK(*found->height_percent > 2.7);
    const bool reported = std::any_of(found->findings.begin(), found->findings.end(),
                                      [](const Finding& f) { return f.code == "explicit.height"; });
    CHECK(reported);
}

TEST_CASE("pictures without a mark have none") {
    const TempDir dir;
    for (const char* source : {"plasma:", "pattern:checkerboard", "gradient:", "pattern:bricks",
                               "pattern:gray50", "rose:", "logo:", "wizard:", "granite:"}) {
        CAPTURE(std::string(source));
        run_tool_ok({kConvert, "-size", "640x480", source, dir.file("in.png")});
        const Result<ExplicitReading> found =
            find_image_mark(read_file(dir.file("in.png")), Format::kPng, font(),
                            {"人工智能生成", "AI生成", "AI合成"});
        REQUIRE(found.ok());
        CHECK_FALSE(found->found);
    }
}

TEST_SUITE("slow pictures") {
    // [GB45438-5.2]
    TEST_CASE("shapes by backgrounds by formats") {
        for (const char* background : {"plasma:", "xc:white", "pattern:checkerboard"}) {
            for (const char* size : {"1000x100", "640x480"}) {
                check_mark({size, background, "png", Format::kPng, 0, {}});
                check_mark({size, background, "jpg", Format::kJpeg, 0, {"-quality", "92"}});
            }
            // Plasma of that size takes ImageMagick as long as all the rest: it is made smaller.
            for (const auto& [small, large] :
                 {std::pair{"1000x750", "4000x3000!"}, std::pair{"750x1000", "3000x4000!"}}) {
                const std::vector<std::string> scaled{"-scale", large, "-depth", "8"};
                check_mark({small, background, "png", Format::kPng, 0, scaled});
                std::vector<std::string> coded = scaled;
                coded.insert(coded.end(), {"-quality", "92"});
                check_mark({small, background, "jpg", Format::kJpeg, 0, coded});
            }
        }
    }
    TEST_CASE("a very large picture") {
        check_mark({"15990x1599", "gradient:#123-#def", "jpg", Format::kJpeg, 0, {}});
    }
    TEST_CASE("HEIC and AVIF") {
        const TempDir dir;
        run_tool_ok({kConvert, "-size", "400x300", "-seed", "4", "plasma:#246-#a86", "-depth", "8",
                     dir.file("in.png")});
        for (const char* extension : {"heic", "avif"}) {
            CAPTURE(std::string(extension));
            const std::string in = dir.file(std::string("in.") + extension);
            const std::string out = dir.file(std::string("out.") + extension);
            if (std::string(extension) == "avif") {
                run_tool_ok({"heif-enc", "-A", "-q", "70", dir.file("in.png"), "-o", in});
            } else {
                run_tool_ok({"heif-enc", "-q", "80", dir.file("in.png"), "-o", in});
            }
            const Format format = std::string(extension) == "avif" ? Format::kAvif : Format::kHeic;
            write_file(out, marked_file(read_file(in), format, {"AI生成"}, nullptr));
            run_tool_ok({"heif-info", out});
            for (const std::string& path : {in, out}) {
                run_tool_ok({"heif-convert", path, path + ".png"});
            }
            const Seen seen = compare(see(in + ".png"), see(out + ".png"), 24);
            CHECK(seen.ink >= 15);
            CHECK(seen.contrast >= 4.5);
        }
    }
}

}  // namespace colophon::label
