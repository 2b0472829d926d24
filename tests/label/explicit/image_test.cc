// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/image.h"

#include "label/explicit/pictures.h"
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
